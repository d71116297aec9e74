/**
 * Data sets that stay on the device, as slots that nothing commits. A batch of a data set that fits is gathered there:
 * the batch fields of a segment become `gather(whole field, rows)`, and a tick uploads its row numbers alone. What does
 * not fit is gathered on the host, row by row, with the same bits.
 */
import type { Device, DeviceInfo, Numbers } from "../gpu/device.ts";
import { build, make, remake, rewrite } from "../lang/graph/index.ts";
import type { Node, Type } from "../lang/graph/node.ts";
import type { Segment } from "../lang/program.ts";
import type { Rows } from "./host.ts";
import { inputsBelow, refOf } from "./inputs.ts";
import { elements } from "./state.ts";

/** The batch field that holds the row numbers of a tick, i32[B]. No field of a script has this name. */
export const ROWS = "#rows";

/** Numbers that are converted at a time. */
const PIECE = 1 << 20;

/** Slots of the fields of a data set, by field. */
export type Held = ReadonlyMap<string, { readonly path: string; readonly type: Type }>;

/** Types of the whole fields that segments read in batches: the row axis is as long as the data set. */
export function fieldsOf(segments: readonly Segment[], rows: number): Map<string, Type> {
  const fields = new Map<string, Type>();
  for (const input of inputsBelow(segments.flatMap(({ outputs }) => outputs.map(({ node }) => node)))) {
    const { source, name } = refOf(input);
    const { dtype, shape } = input.type;
    if (source === "batch") fields.set(name, { dtype, shape: [rows, ...shape.slice(1)] });
  }
  return fields;
}

/** Where fields lie when all of them are held. */
export function placesOf(key: string, fields: ReadonlyMap<string, Type>): Held {
  return new Map([...fields].map(([field, type]) => [field, { path: `data ${key}.${field}`, type }]));
}

const bytesOf = (type: Type): number => 4 * elements(type);

/** Whether fields fit beside `used` bytes of others. */
export function fit(fields: readonly Type[], room: Room, used = 0): boolean {
  const sizes = fields.map(bytesOf);
  const total = sizes.reduce((sum, size) => sum + size, used);
  return total <= room.dataBytes && sizes.every((size) => size <= room.fieldBytes);
}

type Room = Pick<DeviceInfo, "dataBytes" | "fieldBytes">;

/** The same computation, reading batches from held fields and whole columns from their slots. */
export function onHeldData(segment: Segment, held: Held | undefined): Segment {
  const rule = (node: Node, inputs: readonly Node[]): Node => {
    if (node.op === "input") {
      const { source, name } = refOf(node);
      if (source === "column") return build.input("state", columnPath(name), node.type);
      const field = source === "batch" ? held?.get(name) : undefined;
      if (!field) return node;
      const rows = build.input("batch", ROWS, { dtype: "i32", shape: node.type.shape.slice(0, 1) });
      return make("gather", [build.input("state", field.path, field.type), rows], { axis: 0 }, node.span);
    }
    return remake(node, inputs);
  };
  const nodes = rewrite(
    segment.outputs.map(({ node }) => node),
    rule,
  );
  return { ...segment, outputs: segment.outputs.map((output, i) => ({ ...output, node: nodes[i] ?? output.node })) };
}

export const columnPath = (name: string): string => `column ${name}`;

/** What a device holds, and for which rows it was filled. */
export class Resident {
  private readonly device: Device;
  private readonly filled = new Map<string, unknown>();
  private readonly keys = new Map<string, number>();
  private readonly sizes = new Map<string, number>();
  private bytes = 0;

  constructor(device: Device) {
    this.device = device;
  }

  /** The fields as slots, made and filled if they were not; undefined when they do not all fit. */
  hold(rows: Rows, fields: ReadonlyMap<string, Type>): Held | undefined {
    const { key, held, missing, fits } = this.find(rows, fields);
    if (!fits) return undefined;
    this.keys.set(rows.source.key, key);
    for (const [field, { path, type }] of missing) {
      this.make(path, type);
      const width = elements(type) / rows.source.rows;
      const piece = Math.max(1, Math.floor(PIECE / width));
      for (let from = 0; from < rows.source.rows; from += piece) {
        const count = Math.min(piece, rows.source.rows - from);
        const numbers = Uint32Array.from({ length: count }, (_, i) => from + i);
        this.device.writeSlot(path, rows.gather(field, numbers), from * width);
      }
      this.filled.set(path, rows.source.key);
    }
    return held;
  }

  /** What `hold` answers as long as it has nothing to bring here; undefined when it has. */
  foresee(rows: Rows, fields: ReadonlyMap<string, Type>): { readonly held: Held | undefined } | undefined {
    const { held, missing, fits } = this.find(rows, fields);
    if (!fits) return { held: undefined };
    return missing.length > 0 ? undefined : { held };
  }

  private find(rows: Rows, fields: ReadonlyMap<string, Type>) {
    const key = this.keys.get(rows.source.key) ?? this.keys.size + 1;
    const held = placesOf(String(key), fields);
    const missing = [...held].filter(([, { path }]) => this.filled.get(path) === undefined);
    const types = missing.map(([, { type }]) => type);
    // what is here stays, whatever came beside it
    return { key, held, missing, fits: missing.length === 0 || fit(types, this.device.info, this.bytes) };
  }

  /** A whole column in the order of its plan, which depends on the seed. */
  column(name: string, type: Type, rows: Rows, values: () => Numbers): void {
    const path = columnPath(name);
    if (this.filled.get(path) === rows) return;
    if (this.filled.has(path)) this.bytes -= this.sizes.get(path) ?? 0;
    this.make(path, type);
    this.device.writeSlot(path, values());
    this.filled.set(path, rows);
  }

  private make(path: string, type: Type): void {
    this.device.createSlot(path, type);
    this.sizes.set(path, bytesOf(type));
    this.bytes += bytesOf(type);
  }

  drop(): void {
    for (const path of this.filled.keys()) this.device.dropSlot(path);
    this.filled.clear();
    this.bytes = 0;
  }
}
