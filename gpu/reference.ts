/**
 * The oracle: a device that interprets the unfused graph in float64 by the op table's meaning column. It shares no
 * kernel code with other devices, so where they disagree, they are wrong. Slow; counts nothing.
 */
import { evaluate, sizeOf } from "../lang/graph/index.ts";
import type { DType, Node, Type } from "../lang/graph/node.ts";
import type { Output, Segment } from "../lang/program.ts";
import { expectPart } from "./device.ts";
import type { Device, DeviceInfo, Feeds, Numbers, Prepared, RunResult } from "./device.ts";

interface Cell {
  readonly type: Type;
  data: Float64Array;
}

class ReferencePrepared implements Prepared {
  readonly name: string;
  readonly stats = {
    dispatches: 0,
    bytesRead: 0,
    bytesWritten: 0,
    boundBytes: 0,
    flops: 0,
    peakBytes: 0,
    liveBytes: 0,
  };
  readonly kernels = "(the reference device interprets the graph)";
  readonly segment: Segment;
  readonly nodes: readonly Node[];
  constructor(segment: Segment) {
    this.name = segment.name;
    this.segment = segment;
    this.nodes = segment.outputs.map((output) => output.node);
  }
}

/** Fresh arrays in the host's form of a dtype. Floats stay float64. */
function numbersOf(data: Float64Array, dtype: DType): Numbers {
  if (dtype === "f32") return Float64Array.from(data);
  return dtype === "u32" ? Uint32Array.from(data) : Int32Array.from(data);
}

type Result = { readonly output: Output; readonly data: Float64Array };

export class ReferenceDevice implements Device {
  readonly info: DeviceInfo = {
    kind: "reference",
    name: "reference (float64 interpreter)",
    threads: 1,
    features: [],
    dataBytes: 0,
    fieldBytes: 0,
  };
  readonly #cells = new Map<string, Cell>();
  #halted = false;

  createSlot(path: string, type: Type): void {
    this.#cells.set(path, { type, data: new Float64Array(sizeOf(type.shape)) });
  }

  dropSlot(path: string): void {
    this.#cells.delete(path);
  }

  writeSlot(path: string, value: number | ArrayLike<number>, at?: number): void {
    const cell = this.#cell(path);
    if (typeof value !== "number") expectPart(path, cell.data.length, value.length, at);
    // A new array: results of an earlier run may still share the old one.
    const data = cell.data.slice();
    if (typeof value === "number") data.fill(value);
    else data.set(value, at);
    cell.data = data;
  }

  async readSlot(path: string): Promise<Numbers> {
    const { data, type } = this.#cell(path);
    return numbersOf(data, type.dtype);
  }

  async prepare(segment: Segment): Promise<Prepared> {
    return new ReferencePrepared(segment);
  }

  async run(prepared: Prepared, feeds: Feeds): Promise<RunResult> {
    if (!(prepared instanceof ReferencePrepared))
      throw new Error("reference: expected a segment that this device prepared, got another");
    if (this.#halted) return { fetched: {}, halted: false, skipped: true };
    const values = evaluate(prepared.nodes, (input) => this.#value(input, feeds));
    const results = prepared.segment.outputs.map((output, i): Result => ({ output, data: values[i]! }));

    for (const { output, data } of results) {
      if (output.role.kind !== "finite" || data.every(Number.isFinite)) continue;
      const { what, span } = output.role;
      return { fetched: {}, halted: false, skipped: false, failed: span ? { what, span } : { what } };
    }
    const fetched: Record<string, Numbers> = {};
    const commits: [Cell, Float64Array][] = [];
    let halted = false;
    for (const { output, data } of results) {
      const { role, node } = output;
      if (role.kind === "fetch") fetched[role.name] = numbersOf(data, node.type.dtype);
      if (role.kind === "halt" && data[0] !== 0) halted = true;
      if (role.kind === "commit") {
        const cell = this.#cell(role.path);
        expectLength(role.path, data.length, cell.data.length);
        commits.push([cell, Float64Array.from(data)]);
      }
    }
    for (const [cell, data] of commits) cell.data = data;
    this.#halted = halted;
    return { fetched, halted, skipped: false };
  }

  /** Nothing is held for a segment. */
  release(_: Prepared): void {}

  resume(): void {
    this.#halted = false;
  }

  async dispose(): Promise<void> {
    this.#cells.clear();
  }

  #cell(path: string): Cell {
    const cell = this.#cells.get(path);
    if (!cell) throw new Error(`reference: expected a slot ${path}, got none`);
    return cell;
  }

  #value(input: Node, feeds: Feeds): number | ArrayLike<number> | undefined {
    const name = input.attrs["name"] as string;
    switch (input.attrs["source"]) {
      case "state":
        return this.#cell(name).data;
      case "batch":
        return feeds.batch?.[name];
      case "scalar":
        return feeds.scalars[name];
      default:
        throw new Error(`reference: expected an input of state, batch or scalar, got ${String(input.attrs["source"])}`);
    }
  }
}

function expectLength(path: string, got: number, expected: number): void {
  if (got !== expected) throw new Error(`reference: expected ${expected} numbers for slot ${path}, got ${got}`);
}
