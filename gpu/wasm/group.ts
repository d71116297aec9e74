/**
 * A group as one function: the places of its members are put end to end and cut as one range, so that threads share
 * members however large or small these are. Cheap members get several of their own steps to one place.
 */
import { kernelText } from "../kernel-text.ts";
import type { DotKernel, GroupKernel, RowsKernel } from "../kernel.ts";
import { flopsOf } from "../stats.ts";
import { Fn } from "./assembler.ts";
import { asWinograd, cutOf } from "./blocks.ts";
import { dotFunction } from "./dot.ts";
import type { Shared } from "./finish.ts";
import type { Helpers } from "./operations.ts";
import { outerSteps, rowsFunction } from "./rows.ts";

interface Range {
  /** First place in the group and how many. */
  readonly start: number;
  readonly places: number;
  /** Own steps to a place, and in all. */
  readonly step: number;
  readonly count: number;
  /** Of a place. */
  readonly work: number;
}

export const linkSteps = (kernel: RowsKernel | DotKernel) =>
  kernel.kind === "rows" ? outerSteps(kernel) : cutOf(kernel);

/** Arithmetic and memory of a kernel in one number. */
function workOf(kernel: RowsKernel | DotKernel): number {
  const flops = flopsOf(kernel) * (kernel.kind === "dot" ? (asWinograd(kernel)?.share ?? 1) : 1);
  return flops + kernel.params.reduce((n, param) => n + param.size, 0);
}

function rangesOf(kernel: GroupKernel): Range[] {
  const members = kernel.members.map(({ kernel: own }) => {
    const { count, unit } = linkSteps(own);
    const units = Math.max(1, Math.ceil(count / unit));
    return { count, unit, units, work: workOf(own) };
  });
  const total = members.reduce((n, m) => n + m.work, 0);
  /** Work of a place: no finer than the coarsest member's own step, within a sixty-fourth and a 1024th of all. */
  const wanted = Math.max(total / 1024, Math.min(total / 64, Math.max(...members.map((m) => m.work / m.units))));
  let start = 0;
  return members.map(({ count, unit, units, work }) => {
    const each = Math.min(units, Math.max(1, Math.floor((wanted * units) / Math.max(1, work))));
    const places = Math.ceil(units / each);
    const range = { start, places, step: each * unit, count, work: work / places };
    start += places;
    return range;
  });
}

/** Places of a group, and the work of each: members differ. */
export function groupSteps(kernel: GroupKernel): {
  readonly count: number;
  readonly unit: number;
  readonly work: readonly number[];
} {
  const work = rangesOf(kernel).flatMap((range) => Array.from({ length: range.places }, () => range.work));
  return { count: work.length, unit: 1, work };
}

const keys = new WeakMap<RowsKernel | DotKernel, string>();

/** One string for each kernel: an engine hashes a string once. */
function keyOf(own: RowsKernel | DotKernel): string {
  let key = keys.get(own);
  if (key === undefined) keys.set(own, (key = `member ${kernelText(own)}`));
  return key;
}

/** The function of a kernel within another one; where that is cut into units along several loops, a function of a unit. */
export const memberFunction = (
  own: RowsKernel | DotKernel,
  madd: boolean,
  shared: Shared,
  helpers: Helpers,
  units?: number,
) =>
  shared(units === undefined ? keyOf(own) : `${keyOf(own)} of ${units} units`, () =>
    own.kind === "rows"
      ? rowsFunction(own, helpers, units)
      : dotFunction(own, madd, shared, helpers, units === undefined ? undefined : { units }),
  );

export function groupFunction(kernel: GroupKernel, madd: boolean, shared: Shared, helpers: Helpers): Fn {
  const f = new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]);
  const [from, to] = [f.local("i32"), f.local("i32")];
  /** A border of the whole range as a border of a member's own steps. */
  const border = (local: number, into: number, { start, step, count }: Range) => {
    f.get(local).i32(start).op("i32.sub").set(into);
    f.get(into).i32(0).get(into).i32(0).op("i32.gt_s", "select").i32(step).op("i32.mul").set(into);
    f.get(into).i32(count).get(into).i32(count).op("i32.lt_s", "select").set(into);
  };
  rangesOf(kernel).forEach((range, i) => {
    const member = kernel.members[i];
    if (!member) throw new Error(`expected ${kernel.members.length} members, got fewer`);
    const call = memberFunction(member.kernel, madd, shared, helpers);
    border(0, from, range);
    border(1, to, range);
    f.get(from)
      .get(to)
      .op("i32.lt_s")
      .if(() => {
        f.get(from).get(to);
        for (const param of member.params) f.get(2 + param);
        f.call(call);
      });
  });
  return f;
}
