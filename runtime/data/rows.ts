/**
 * A plan over an opened table: which rows, in which order, and their values gathered as batches. Orders are functions
 * of (seed, place in the script, epoch), so a run can be repeated and continued from any epoch.
 * Under a split the order of epoch 0 holds for good: a row never changes its part.
 */
import { splitRange } from "../../lang/check/sources.ts";
import type { DataPlan, SourceRef } from "../../lang/program.ts";
import type { Numbers } from "../../gpu/device.ts";
import type { Rows } from "../host.ts";
import { keyOf, permutation } from "./random.ts";
import { type Column, sizeOf, type Table } from "./table.ts";

const purpose = { split: 0x5911, shuffle: 0x5481 };

type Order = (epoch: number) => Uint32Array;

export function rowsOf(plan: DataPlan, seed: number, table: Table): Rows {
  const order = keepLast(orderOf(plan, seed, table.rows));
  const columnOf = (field: string): Column => {
    const column = table.columns[field];
    if (!column) throw new Error(`expected one of the fields ${Object.keys(table.columns).join(", ")}, got ${field}`);
    return column;
  };
  return {
    count: order(0).length,
    source: {
      key: JSON.stringify(sourceOf(plan), (name, value: unknown) => (name === "span" ? undefined : value)),
      rows: table.rows,
    },
    order,
    gather: (field, rows, out) => gather(columnOf(field), rows, out),
    column: (field) => gather(columnOf(field), order(0)),
  };
}

/** The source at the bottom of a plan. */
export function sourceOf(plan: DataPlan): SourceRef {
  return plan.op === "source" ? plan.source : sourceOf(plan.of);
}

function orderOf(plan: DataPlan, seed: number, rows: number): Order {
  switch (plan.op) {
    case "source": {
      const all = Uint32Array.from({ length: rows }, (_, row) => row);
      return () => all;
    }
    case "split": {
      const all = orderOf(plan.of, seed, rows)(0);
      const { start, stop } = splitRange(all.length, plan.from, plan.to);
      const part = permutation(all.length, keyOf(purpose.split, seed, plan.site)).slice(start, stop);
      const chosen = part.map((at) => all[at] as number);
      return () => chosen;
    }
    case "shuffle": {
      const below = orderOf(plan.of, seed, rows);
      return (epoch) => {
        const all = below(epoch);
        return permutation(all.length, keyOf(purpose.shuffle, seed, plan.site, epoch)).map((at) => all[at] as number);
      };
    }
    case "take": {
      const below = orderOf(plan.of, seed, rows);
      return (epoch) => below(epoch).subarray(0, plan.count);
    }
  }
}

/** Asked for again and again within an epoch; two, because a block may read epoch 0 as columns meanwhile. */
function keepLast(order: Order): Order {
  const kept: { epoch: number; rows: Uint32Array }[] = [];
  return (epoch) => {
    const found = kept.find((entry) => entry.epoch === epoch);
    if (found) return found.rows;
    const rows = order(epoch);
    kept.unshift({ epoch, rows });
    kept.length = Math.min(kept.length, 2);
    return rows;
  };
}

/** Row-major `[rows, ..shape]`; bytes become floats here. */
function gather({ data, shape, scale = 1 }: Column, rows: Uint32Array, out?: Numbers): Numbers {
  const size = sizeOf(shape);
  const length = rows.length * size;
  const whole = data instanceof Int32Array;
  const fits = out?.length === length && (whole ? out instanceof Int32Array : out instanceof Float32Array);
  const into = fits ? out : whole ? new Int32Array(length) : new Float32Array(length);
  let to = 0;
  for (const row of rows) {
    const from = row * size;
    if (from + size > data.length) throw new Error(`expected a row below ${data.length / size}, got ${row}`);
    if (data instanceof Uint8Array) {
      for (let k = 0; k < size; k++) into[to + k] = (data[from + k] as number) * scale;
    } else if (size < 32) {
      for (let k = 0; k < size; k++) into[to + k] = data[from + k] as number;
    } else {
      into.set(data.subarray(from, from + size), to);
    }
    to += size;
  }
  return into;
}
