/**
 * Which rows of a table a plan takes, and in which order. Orders are functions of (seed, place in the script, epoch), so
 * a run can be repeated and continued from any epoch. Under a split, a fold, `zip` and `windows` the order of epoch 0
 * holds for good: a row never changes its part.
 */
import { splitRange } from "../../lang/check/sources.ts";
import type { DataPlan } from "../../lang/program.ts";
import { keyOf, permutation } from "./random.ts";

export type Order = (epoch: number) => Uint32Array;

const purpose = { split: 0x5911, shuffle: 0x5481, fold: 0xf01d };

/** Plans that choose and order rows of the table below them; a filter needs its values and stands elsewhere. */
export type Arranged = Extract<DataPlan, { op: "split" | "fold" | "shuffle" | "take" | "again" | "lanes" }>;

export function wholeOrder(rows: number): Order {
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  return () => all;
}

export function arranged(plan: Arranged, seed: number, below: Order): Order {
  switch (plan.op) {
    case "split": {
      const all = below(0);
      const { start, stop } = splitRange(all.length, plan.from, plan.to);
      if (plan.ordered) return always(all.subarray(start, stop));
      return always(pick(all, permutation(all.length, keyOf(purpose.split, seed, plan.site)).subarray(start, stop)));
    }
    case "fold": {
      const all = below(0);
      const { start, stop } = splitRange(all.length, (plan.fold - 1) / plan.k, plan.fold / plan.k);
      const order = permutation(all.length, keyOf(purpose.fold, seed, plan.site));
      if (plan.held) return always(pick(all, order.subarray(start, stop)));
      return always(pick(all, joined([order.subarray(0, start), order.subarray(stop)])));
    }
    case "shuffle":
      return (epoch) => {
        const all = below(epoch);
        return pick(all, permutation(all.length, keyOf(purpose.shuffle, seed, plan.site, epoch)));
      };
    case "take":
      return (epoch) => below(epoch).subarray(0, plan.count);
    case "again":
      return (epoch) => joined(new Array<Uint32Array>(plan.times).fill(below(epoch)));
    case "lanes":
      return (epoch) => lanes(below(epoch), plan.size, plan.dropLast);
  }
}

/**
 * Rows are cut into `size` lanes of neighbours; batch t takes the t-th row of each. Where they do not come out even the
 * first lanes are one longer, which is the short batch; with `dropLast` what is left over comes last.
 */
function lanes(all: Uint32Array, size: number, dropLast: boolean): Uint32Array {
  const width = Math.min(size, all.length);
  const long = Math.floor(all.length / width);
  const rest = dropLast ? 0 : all.length % width;
  const order = new Uint32Array(all.length);
  for (let at = 0; at < width * long + rest; at++) {
    const [tick, lane] = [Math.floor(at / width), at % width];
    order[at] = all[lane * long + Math.min(lane, rest) + tick] as number;
  }
  order.set(all.subarray(width * long + rest), width * long + rest);
  return order;
}

function always(rows: Uint32Array): Order {
  return () => rows;
}

function pick(all: Uint32Array, places: Uint32Array): Uint32Array {
  return places.map((at) => all[at] as number);
}

export function joined(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Asked for again and again within an epoch; two, because a block may read epoch 0 as columns meanwhile. */
export function keepLast(order: Order): Order {
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
