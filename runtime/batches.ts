/** Rows of data on their way to the device: opened plans, whole columns, and the batches of one tick. */
import type { Device, Numbers } from "../gpu/device.ts";
import { UserError } from "../lang/diagnostic.ts";
import { rowsChanged } from "../lang/errors/running.ts";
import type { Batches, DataPlan, Program, Segment } from "../lang/program.ts";
import type { Span } from "../lang/source.ts";
import type { Host, Rows } from "./host.ts";
import { inputsBelow, refOf } from "./inputs.ts";
import type { Standing } from "./position.ts";
import { fieldsOf, Resident, ROWS, type Held } from "./resident.ts";

/** Each plan is opened once for each seed. */
export class DataTables {
  private readonly host: Host;
  private plans: Program["plans"];
  private readonly opened = new Map<string, Promise<Rows>>();
  private readonly resident: Resident;

  constructor(host: Host, plans: Program["plans"], device: Device) {
    this.host = host;
    this.plans = plans;
    this.resident = new Resident(device);
  }

  drop(): void {
    this.resident.drop();
  }

  /** Another program reads what is open and held already. */
  use(plans: Program["plans"]): void {
    this.plans = plans;
  }

  open(plan: DataPlan, seed: number): Promise<Rows> {
    const key = `${seed} ${JSON.stringify(plan, (name, value: unknown) => (name === "span" || name === "keep" ? undefined : value))}`;
    let rows = this.opened.get(key);
    if (!rows) {
      rows = this.host.open(plan, seed);
      this.opened.set(key, rows);
    }
    return rows;
  }

  async batches(data: Batches, seed: number, span: Span): Promise<Rows> {
    const rows = await this.open(data.plan, seed);
    if (data.rows >= 0 && rows.count !== data.rows) throw new UserError(rowsChanged(data.rows, rows.count, span));
    return rows;
  }

  /** The batch fields that segments read, on the device if the whole data set fits there. */
  hold(rows: Rows, segments: readonly Segment[]): Held | undefined {
    return this.resident.hold(rows, fieldsOf(segments, rows.source.rows));
  }

  /** What `hold` answers, if nothing has to be brought to the device for it. */
  foresee(rows: Rows, segments: readonly Segment[]): { readonly held: Held | undefined } | undefined {
    return this.resident.foresee(rows, fieldsOf(segments, rows.source.rows));
  }

  /** Before segments that read whole columns are prepared. */
  async openColumns(segments: readonly Segment[], seed: number): Promise<void> {
    const inputs = inputsBelow(segments.flatMap(({ outputs }) => outputs.map(({ node }) => node)));
    for (const input of inputs) {
      const { source, name } = refOf(input);
      if (source !== "column") continue;
      const dot = name.lastIndexOf(".");
      const [id, field] = [name.slice(0, dot), name.slice(dot + 1)];
      const plan = this.plans[id];
      if (!plan) throw new Error(`expected a plan for the column ${name}, got ${Object.keys(this.plans).join(", ")}`);
      const rows = await this.open(plan, seed);
      this.resident.column(name, input.type, rows, () => rows.column(field));
    }
  }
}

/** The rows of one tick. */
export interface Slice {
  readonly rows: Uint32Array;
  readonly epoch: number;
  /** Its place in the epoch, from 0. */
  readonly place: number;
  readonly short: boolean;
  /** The last of its epoch. */
  readonly last: boolean;
}

export function ticksPerEpoch(data: Batches, count: number): number {
  return data.dropLast ? Math.floor(count / data.size) : Math.ceil(count / data.size);
}

/** `epochs` passes from `epoch` on; of the first one `taken` batches are behind. */
export function* slices(
  data: Batches,
  rows: Rows,
  epochs: number,
  { epoch: firstEpoch, taken }: Standing = { epoch: 1, taken: 0 },
): Generator<Slice> {
  const count = ticksPerEpoch(data, rows.count);
  for (let epoch = firstEpoch; epoch < firstEpoch + epochs && count > 0; epoch++) {
    const order = rows.order(epoch);
    for (let i = epoch === firstEpoch ? taken : 0; i < count; i++) {
      const part = order.subarray(i * data.size, (i + 1) * data.size);
      yield { rows: part, epoch, place: i, short: part.length < data.size, last: i + 1 === count };
    }
  }
}

/** From the rows of a tick to what the device is fed. */
export type Feed = (rows: Uint32Array) => Record<string, Numbers>;

/** For a data set that lies on the device. */
export const rowNumbers: Feed = (rows) => ({ [ROWS]: new Int32Array(rows.buffer, rows.byteOffset, rows.length) });

/** Gathers batches into a ring of buffers: one more than can be in flight. */
export class Feeder {
  private readonly rows: Rows;
  private readonly fields: readonly string[];
  private readonly ring: Map<string, Numbers>[];
  private turn = 0;

  constructor(rows: Rows, fields: readonly string[], credit: number) {
    this.rows = rows;
    this.fields = fields;
    this.ring = Array.from({ length: credit + 1 }, () => new Map<string, Numbers>());
  }

  gather: Feed = (rows) => {
    const buffers = this.ring[this.turn++ % this.ring.length] ?? new Map<string, Numbers>();
    const batch: Record<string, Numbers> = {};
    for (const field of this.fields) {
      // The short batch has buffers of its own.
      const key = `${field} ${rows.length}`;
      const values = this.rows.gather(field, rows, buffers.get(key));
      buffers.set(key, values);
      batch[field] = values;
    }
    return batch;
  };
}
