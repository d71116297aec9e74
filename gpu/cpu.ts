/**
 * The cpu device: kernels as WebAssembly over one memory, run as a tape of calls. Each slot has two cells; a run writes
 * next values into the second ones, and the commit of a run that succeeded swaps them, so that it is all or nothing.
 */
import { optimize } from "../lang/graph/index.ts";
import type { DType, Node, Type } from "../lang/graph/node.ts";
import type { Segment } from "../lang/program.ts";
import type { Device, DeviceInfo, Feeds, Numbers, Prepared, RunResult, Stats } from "./device.ts";
import { Heap } from "./heap.ts";
import { kernelText, loweredText } from "./kernel-text.ts";
import { lower } from "./lower.ts";
import type { Wanted } from "./lower.ts";
import { planArena } from "./plan.ts";
import type { Plan } from "./plan.ts";
import type { Buffer, Lowered, Step } from "./program.ts";
import { sizeOf } from "./space.ts";
import { statsOf } from "./stats.ts";
import { hasRelaxedSimd } from "./wasm/assembler.ts";
import { dotScratch } from "./wasm/dot.ts";
import { kernelModule, stepsOf } from "./wasm/module.ts";

export interface CpuOptions {
  /** Names of fusion rules to leave out. */
  readonly disable?: readonly string[];
  /** Fused multiply-add in products; asked of the engine when left out. */
  readonly relaxed?: boolean;
  /** Calls that each kernel is cut into, as threads would run it; 1 when left out. */
  readonly pieces?: number;
}

interface Cell {
  readonly type: Type;
  readonly size: number;
  /** The committed value. */
  now: number;
  /** Where a run puts the next one. */
  next: number | undefined;
}

type KernelFunction = (...args: number[]) => void;

interface Call {
  readonly kind: "call";
  readonly run: KernelFunction;
  /** begin, end, then pointers, refreshed before each call. */
  readonly argv: number[];
  readonly buffers: readonly number[];
}
type Action =
  | Call
  | { readonly kind: "copy"; readonly from: number; readonly to: number; readonly bytes: number }
  | {
      readonly kind: "loop";
      readonly count: number;
      readonly reverse: boolean;
      readonly tick: number;
      readonly slices: readonly { readonly id: number; readonly of: number; readonly bytes: number }[];
      readonly swaps: readonly { readonly id: number; readonly even: number; readonly odd: number }[];
      readonly body: readonly Action[];
    };

class CpuPrepared implements Prepared {
  readonly name: string;
  readonly segment: Segment;
  readonly lowered: Lowered;
  readonly plan: Plan;
  readonly stats: Stats;
  readonly actions: readonly Action[];
  /** Address of every buffer during a run. */
  readonly addresses: Float64Array;
  constructor(segment: Segment, lowered: Lowered, plan: Plan, actions: readonly Action[], addresses: Float64Array) {
    this.name = segment.name;
    this.segment = segment;
    this.lowered = lowered;
    this.plan = plan;
    this.actions = actions;
    this.addresses = addresses;
    this.stats = statsOf(lowered, plan.bytes);
  }
  get kernels(): string {
    return loweredText(this.lowered);
  }
}

let internal = -1_000_000_000;
const node = (
  op: string,
  inputs: readonly Node[],
  dtype: DType,
  shape: readonly number[],
  attrs: Node["attrs"],
): Node => ({
  id: internal--,
  op,
  inputs,
  attrs,
  type: { dtype, shape },
});

/** How many elements of a tensor are infinite or NaN: those with x - x ≠ 0. */
function countOfInfinite(x: Node): Node {
  const { shape } = x.type;
  const zero = node("const", [], "f32", [], { value: 0, dtype: "f32" });
  const zeros = node("expand", [zero], "f32", shape, { shape, axes: [] });
  const bad = node("ne", [node("sub", [x, x], "f32", shape, {}), zeros], "bool", shape, {});
  const axes = shape.map((_, i) => i);
  return node("sum", [node("cast", [bad], "i32", shape, { dtype: "i32" })], "i32", [], { axes });
}

function checkClosed(segment: Segment): void {
  for (const output of segment.outputs) {
    if (output.node.type.shape.includes(-1)) {
      throw new Error(
        `expected a closed shape for an output of ${segment.name}, got [${output.node.type.shape.join()}]`,
      );
    }
  }
}

/** [0, count) in at most `pieces` parts whose borders are multiples of `unit`. */
function cuts(count: number, unit: number, pieces: number): (readonly [number, number])[] {
  const size = Math.max(unit, Math.ceil(count / pieces / unit) * unit);
  const out: (readonly [number, number])[] = [];
  for (let begin = 0; begin < count; begin += size) out.push([begin, Math.min(count, begin + size)]);
  return out;
}

export class CpuDevice implements Device {
  readonly info: DeviceInfo;
  private readonly heap = new Heap();
  private readonly cells = new Map<string, Cell>();
  private readonly modules = new Map<string, Promise<WebAssembly.Exports>>();
  private readonly madd: boolean;
  private readonly pieces: number;
  private readonly disable: ReadonlySet<string>;
  private halted = false;

  constructor(options: CpuOptions = {}) {
    this.madd = options.relaxed ?? hasRelaxedSimd();
    this.pieces = options.pieces ?? 1;
    this.disable = new Set(options.disable ?? []);
    const simd = this.madd ? "relaxed SIMD" : "SIMD";
    const features = ["simd", ...(this.madd ? ["relaxed-simd"] : []), ...(this.heap.shared ? ["shared-memory"] : [])];
    this.info = { kind: "cpu", name: `cpu (WebAssembly, ${simd}, 1 thread)`, threads: 1, features };
  }

  // ---------------------------------------------------------------- slots

  createSlot(path: string, type: Type): void {
    this.dropSlot(path);
    const size = sizeOf(type.shape);
    const now = this.heap.alloc(4 * size);
    this.heap.bytes.fill(0, now, now + 4 * size);
    this.cells.set(path, { type, size, now, next: undefined });
  }

  dropSlot(path: string): void {
    const cell = this.cells.get(path);
    if (!cell) return;
    this.heap.free(cell.now);
    if (cell.next !== undefined) this.heap.free(cell.next);
    this.cells.delete(path);
  }

  writeSlot(path: string, value: number | ArrayLike<number>): void {
    const cell = this.cell(path);
    if (typeof value !== "number" && value.length !== cell.size) {
      throw new Error(`expected ${cell.size} numbers for slot ${path}, got ${value.length}`);
    }
    const into = this.view(cell.now, cell.size, cell.type.dtype);
    if (typeof value === "number") into.fill(value);
    else into.set(value);
  }

  async readSlot(path: string): Promise<Numbers> {
    const cell = this.cell(path);
    return this.view(cell.now, cell.size, cell.type.dtype).slice();
  }

  private cell(path: string): Cell {
    const cell = this.cells.get(path);
    if (!cell) throw new Error(`expected a slot ${path}, got none`);
    return cell;
  }

  private view(address: number, size: number, dtype: DType): Float32Array | Int32Array | Uint32Array {
    const { buffer } = this.heap.memory;
    if (dtype === "f32") return new Float32Array(buffer, address, size);
    return dtype === "u32" ? new Uint32Array(buffer, address, size) : new Int32Array(buffer, address, size);
  }

  // ---------------------------------------------------------------- preparing

  async prepare(segment: Segment): Promise<Prepared> {
    checkClosed(segment);
    const optimized = optimize(segment.outputs.map((o) => o.node));
    const wanted = segment.outputs.map((output, i): Wanted => {
      const value = optimized[i] as Node;
      if (output.role.kind === "commit") return { node: value, place: { kind: "stage", path: output.role.path } };
      const many = output.role.kind === "finite" && sizeOf(value.type.shape) > 1;
      return { node: many ? countOfInfinite(value) : value };
    });
    const lowered = lower(wanted, { disable: this.disable, maxParams: 64, minGrid: 8, dotScratch });
    const plan = planArena(lowered.buffers, lowered.tape, lowered.outputs);
    const functions = await this.functions(lowered);
    const addresses = new Float64Array(lowered.buffers.length);
    lowered.buffers.forEach((b, id) => {
      if (b.place.kind !== "data") return;
      const at = this.heap.alloc(4 * b.size);
      if (b.place.data instanceof Float32Array) this.heap.f32.set(b.place.data, at / 4);
      else this.heap.i32.set(b.place.data, at / 4);
      addresses[id] = at;
    });
    const steps = lowered.kernels.map((kernel) => stepsOf(kernel, this.madd));
    const actions = (tape: readonly Step[]): Action[] =>
      tape.flatMap((step): Action[] => {
        if (step.kind === "kernel") {
          const run = functions[step.kernel];
          const outer = steps[step.kernel];
          if (!run || !outer) throw new Error(`expected kernel ${step.kernel} in the module`);
          return cuts(outer.count, outer.unit, this.pieces).map(([begin, end]) => {
            return { kind: "call", run, argv: [begin, end, ...step.args], buffers: step.args };
          });
        }
        if (step.kind === "copy") {
          return [{ kind: "copy", from: step.from, to: step.to, bytes: 4 * (lowered.buffers[step.to]?.size ?? 0) }];
        }
        const slices: { id: number; of: number; bytes: number }[] = [];
        const swaps: { id: number; even: number; odd: number }[] = [];
        lowered.buffers.forEach(({ place }, id) => {
          if (place.kind === "slice" && place.loop === step.loop)
            slices.push({ id, of: place.of, bytes: 4 * place.stride });
          if (place.kind === "swap" && place.loop === step.loop) swaps.push({ id, even: place.even, odd: place.odd });
        });
        const { count, reverse, tick } = step;
        return [{ kind: "loop", count, reverse, tick, slices, swaps, body: actions(step.body) }];
      });
    return new CpuPrepared(segment, lowered, plan, actions(lowered.tape), addresses);
  }

  /** Segments with the same kernels share a module. */
  private async functions(lowered: Lowered): Promise<KernelFunction[]> {
    const key = lowered.kernels.map(kernelText).join("\n");
    let exports = this.modules.get(key);
    if (!exports) {
      const memory = { initial: 1, maximum: this.heap.maximum, shared: this.heap.shared };
      const bytes = kernelModule(lowered.kernels, { memory, madd: this.madd });
      exports = WebAssembly.instantiate(bytes, { m: { memory: this.heap.memory } }).then(
        (made) => made.instance.exports,
      );
      this.modules.set(key, exports);
    }
    const made = await exports;
    return lowered.kernels.map((_, i) => made[`k${i}`] as KernelFunction);
  }

  // ---------------------------------------------------------------- running

  async run(prepared: Prepared, feeds: Feeds): Promise<RunResult> {
    if (!(prepared instanceof CpuPrepared))
      throw new Error("expected a segment that this device prepared, got another");
    if (this.halted) return { fetched: {}, halted: false, skipped: true };
    const arena = this.heap.alloc(prepared.plan.bytes);
    try {
      this.resolve(prepared, arena);
      this.upload(prepared, feeds);
      this.execute(prepared.actions, prepared.addresses);
      return this.finish(prepared);
    } finally {
      this.heap.free(arena);
    }
  }

  private resolve(prepared: CpuPrepared, arena: number): void {
    const { addresses, plan } = prepared;
    prepared.lowered.buffers.forEach((b, id) => {
      const { place } = b;
      if (place.kind === "slot" || place.kind === "stage") {
        const cell = this.cell(place.path);
        if (cell.size !== b.size) throw new Error(`expected ${b.size} numbers in slot ${place.path}, got ${cell.size}`);
        if (place.kind === "stage") cell.next ??= this.heap.alloc(4 * cell.size);
        addresses[id] = place.kind === "slot" ? cell.now : (cell.next ?? 0);
      } else if ((plan.offsets[id] ?? -1) >= 0) addresses[id] = arena + (plan.offsets[id] ?? 0);
    });
  }

  private upload(prepared: CpuPrepared, feeds: Feeds): void {
    prepared.lowered.buffers.forEach((b, id) => {
      const { place } = b;
      if (place.kind !== "scalar" && place.kind !== "batch" && place.kind !== "column") return;
      if ((prepared.plan.offsets[id] ?? -1) < 0) return;
      const into = this.view(prepared.addresses[id] ?? 0, b.size, b.dtype);
      if (place.kind === "scalar") {
        const value = feeds.scalars[place.name];
        if (value === undefined) throw new Error(`expected the scalar ${place.name} to be fed`);
        into[0] = value;
        return;
      }
      const values = place.kind === "batch" ? feeds.batch?.[place.name] : feeds.column?.(place.name);
      if (!values) throw new Error(`expected the ${place.kind} ${place.name} to be fed`);
      if (values.length !== b.size)
        throw new Error(`expected ${b.size} numbers for ${place.name}, got ${values.length}`);
      into.set(values);
    });
  }

  private execute(actions: readonly Action[], addresses: Float64Array): void {
    for (const action of actions) {
      if (action.kind === "call") {
        const { argv, buffers } = action;
        for (let i = 0; i < buffers.length; i++) argv[i + 2] = addresses[buffers[i] as number] as number;
        action.run(...argv);
      } else if (action.kind === "copy") {
        const from = addresses[action.from] ?? 0;
        this.heap.bytes.copyWithin(addresses[action.to] ?? 0, from, from + action.bytes);
      } else {
        for (let n = 0; n < action.count; n++) {
          const tick = action.reverse ? action.count - 1 - n : n;
          this.heap.i32[(addresses[action.tick] ?? 0) / 4] = tick;
          for (const { id, even, odd } of action.swaps) addresses[id] = addresses[n % 2 === 0 ? even : odd] ?? 0;
          for (const { id, of, bytes } of action.slices) addresses[id] = (addresses[of] ?? 0) + tick * bytes;
          this.execute(action.body, addresses);
        }
      }
    }
  }

  private finish(prepared: CpuPrepared): RunResult {
    const { segment, lowered, addresses } = prepared;
    const read = (i: number): { readonly buffer: Buffer; readonly address: number } => {
      const id = lowered.outputs[i] ?? 0;
      return { buffer: lowered.buffers[id] as Buffer, address: addresses[id] ?? 0 };
    };
    const first = (i: number): number => {
      const { buffer, address } = read(i);
      return buffer.dtype === "f32" ? (this.heap.f32[address / 4] ?? 0) : (this.heap.i32[address / 4] ?? 0);
    };
    for (let i = 0; i < segment.outputs.length; i++) {
      const output = segment.outputs[i];
      if (output?.role.kind !== "finite") continue;
      const counted = sizeOf(output.node.type.shape) > 1;
      if (counted ? first(i) === 0 : sizeOf(output.node.type.shape) === 0 || Number.isFinite(first(i))) continue;
      const { what, span } = output.role;
      return { fetched: {}, halted: false, skipped: false, failed: span ? { what, span } : { what } };
    }
    const fetched: Record<string, Numbers> = {};
    segment.outputs.forEach(({ role, node }, i) => {
      if (role.kind === "halt" && first(i) !== 0) this.halted = true;
      if (role.kind !== "fetch") return;
      const { buffer, address } = read(i);
      fetched[role.name] = this.view(address, buffer.size, node.type.dtype).slice();
    });
    for (const { role } of segment.outputs) {
      if (role.kind !== "commit") continue;
      const cell = this.cell(role.path);
      const { now, next } = cell;
      if (next === undefined) throw new Error(`expected slot ${role.path} to be staged`);
      cell.now = next;
      cell.next = now;
    }
    return { fetched, halted: this.halted, skipped: false };
  }

  resume(): void {
    this.halted = false;
  }

  async dispose(): Promise<void> {
    this.cells.clear();
    this.modules.clear();
  }
}
