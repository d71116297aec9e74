/**
 * A plan over its table. What the plan makes of tables (`concat`, `zip`, `windows`) is a table too, with a key that is
 * equal for equal content, so plans over one table share its memory.
 */
import type { Numbers } from "../../gpu/device.ts";
import { evaluate } from "../../lang/graph/index.ts";
import type { DataPlan, SourceRef, ZipPart } from "../../lang/program.ts";
import type { Rows } from "../host.ts";
import { arranged, joined, keepLast, type Order, wholeOrder } from "./order.ts";
import { type Column, gatherRows, joinTables, sizeOf, type Table } from "./table.ts";

export interface Opened {
  readonly table: Table;
  /** Of the table. */
  readonly key: string;
  readonly order: Order;
}

export type OpenTable = (ref: SourceRef) => Promise<Table>;

export async function rowsOf(plan: DataPlan, seed: number, open: OpenTable): Promise<Rows> {
  const { table, key, order: written } = await openRows(plan, seed, open);
  const order = keepLast(written);
  return {
    count: order(0).length,
    source: { key, rows: table.rows },
    order,
    gather: (field, rows, out) => gatherRows(columnOf(table, field), rows, out),
    column: (field) => gatherRows(columnOf(table, field), order(0)),
  };
}

export async function openRows(plan: DataPlan, seed: number, open: OpenTable): Promise<Opened> {
  const below = (of: DataPlan) => openRows(of, seed, open);
  switch (plan.op) {
    case "source": {
      const table = await open(plan.source);
      return { table, key: planText(plan.source), order: wholeOrder(table.rows) };
    }
    case "concat": {
      const parts: Opened[] = [];
      for (const part of plan.parts) parts.push(await below(part));
      return concat(parts);
    }
    case "zip": {
      const parts: (Opened & ZipPart)[] = [];
      for (const part of plan.parts) parts.push({ ...part, ...(await below(part.of)) });
      const key = JSON.stringify(["zip", parts.map(({ key: own }) => own), planText(plan), isSeeded(plan) ? seed : 0]);
      return derived(parts, key, () => zip(parts));
    }
    case "windows": {
      const of = await below(plan.of);
      const key = JSON.stringify(["windows", of.key, planText(plan), isSeeded(plan) ? seed : 0]);
      return derived([of], key, () => windows(of, plan.size, plan.stride, plan.pairs));
    }
    case "filter": {
      const of = await below(plan.of);
      const kept = keptRows(plan, of.table);
      return { ...of, order: (epoch) => of.order(epoch).filter((row) => kept[row] === 1) };
    }
    default: {
      const of = await below(plan.of);
      return { ...of, order: arranged(plan, seed, of.order) };
    }
  }
}

/** A plan as text, without the places in the script. */
export function planText(plan: DataPlan | SourceRef): string {
  return JSON.stringify(plan, (name, value: unknown) => (name === "span" || name === "keep" ? undefined : value));
}

/** The table below a plan, for people: the name of its source, or what made it. */
export function tableName(plan: DataPlan): string {
  if (plan.op === "source") return plan.source.name;
  return plan.op === "concat" || plan.op === "zip" || plan.op === "windows" ? plan.op : tableName(plan.of);
}

/** Whether its rows of epoch 0 depend on the seed. */
function isSeeded(plan: DataPlan): boolean {
  if (plan.op === "source") return false;
  if (plan.op === "concat") return plan.parts.some(isSeeded);
  if (plan.op === "zip") return plan.parts.some((part) => isSeeded(part.of));
  const draws = plan.op === "shuffle" || plan.op === "fold" || (plan.op === "split" && !plan.ordered);
  return draws || isSeeded(plan.of);
}

function columnOf(table: Table, field: string): Column {
  const column = table.columns[field];
  if (!column) throw new Error(`expected one of the fields ${Object.keys(table.columns).join(", ")}, got ${field}`);
  return column;
}

// ---------------------------------------------------------------- tables from tables

/** Made once for each set of tables below it, as long as the first of these is there; the last few of each. */
const MOST = 8;
const made = new WeakMap<Table, Map<string, { from: readonly Table[]; table: Table }>>();

function derived(parts: readonly Opened[], key: string, make: () => Table): Opened {
  const from = parts.map(({ table }) => table);
  const known = made.get(from[0]!) ?? new Map<string, { from: readonly Table[]; table: Table }>();
  made.set(from[0]!, known);
  const found = known.get(key);
  const table = found && found.from.every((t, i) => t === from[i]) ? found.table : make();
  known.delete(key);
  known.set(key, { from, table });
  for (const oldest of known.keys()) {
    if (known.size <= MOST) break;
    known.delete(oldest);
  }
  return { table, key, order: wholeOrder(table.rows) };
}

/** The orders of the parts go on from epoch to epoch. Parts of one table need no other. */
function concat(parts: readonly Opened[]): Opened {
  const [first] = parts as [Opened];
  const order = (starts: readonly number[]): Order => {
    return (epoch) => joined(parts.map((part, i) => part.order(epoch).map((row) => row + starts[i]!)));
  };
  if (parts.every(({ key }) => key === first.key)) return { ...first, order: order(parts.map(() => 0)) };
  const key = JSON.stringify(["concat", parts.map((part) => part.key)]);
  const { table } = derived(parts, key, () => parts.map((part) => part.table).reduce(joinTables));
  let rows = 0;
  const starts = parts.map((part) => (rows += part.table.rows) - part.table.rows);
  return { table, key, order: order(starts) };
}

function zip(parts: readonly (Opened & ZipPart)[]): Table {
  const columns: Record<string, Column> = {};
  for (const { names, ...part } of parts)
    for (const [name, column] of Object.entries(inOrder(part))) columns[names[name] ?? name] = column;
  return { rows: parts[0]!.order(0).length, columns };
}

function windows(of: Opened, size: number, stride: number, pairs: boolean): Table {
  const columns: Record<string, Column> = {};
  const count = of.order(0).length;
  for (const [name, column] of Object.entries(inOrder(of))) {
    const width = sizeOf(column.shape);
    const over = { ...column, shape: [size, ...column.shape], step: stride * width };
    if (!pairs) columns[name] = over;
    else if (name === "token") {
      columns.x = over;
      columns.y = { ...over, from: width };
    }
  }
  return { rows: Math.floor((count - size - (pairs ? 1 : 0)) / stride) + 1, columns };
}

/** The columns in the order of epoch 0, one row behind another; those of a whole table as they are. */
function inOrder({ table, order }: Opened): Readonly<Record<string, Column>> {
  const rows = order(0);
  const whole = rows.length === table.rows && rows.every((row, i) => row === i);
  return Object.fromEntries(
    Object.entries(table.columns).map(([name, column]) => {
      const packed = column.step === undefined && column.from === undefined;
      if (whole && packed) return [name, column];
      return [name, { shape: column.shape, names: column.names, data: gatherRows(column, rows) }];
    }),
  );
}

// ---------------------------------------------------------------- filter

/** For each row of a table 1 where the condition holds; it is computed for R rows at a time. */
export function keptRows({ keep }: Pick<Extract<DataPlan, { op: "filter" }>, "keep">, table: Table): Uint8Array {
  const kept = new Uint8Array(table.rows);
  const [piece = 1] = keep.type.shape;
  for (let start = 0; start < table.rows; start += piece) {
    // The last piece is filled up with its last row.
    const rows = Uint32Array.from({ length: piece }, (_, i) => Math.min(start + i, table.rows - 1));
    const fields = new Map<string, Numbers>();
    const [flags] = evaluate([keep], (input) => {
      const name = String(input.attrs.name);
      const values = fields.get(name) ?? gatherRows(columnOf(table, name), rows);
      fields.set(name, values);
      return values;
    });
    rows.forEach((row, i) => (kept[row] = flags![i] === 0 ? 0 : 1));
  }
  return kept;
}

export async function countKept(over: NonNullable<SourceRef["over"]>, open: OpenTable): Promise<number> {
  // What a seed chooses is filtered before it is chosen, so any seed counts alike.
  const of = await openRows(over.plan, 0, open);
  const kept = keptRows(over, of.table);
  return of.order(0).reduce((count, row) => count + kept[row]!, 0);
}
