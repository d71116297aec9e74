/**
 * Which part of its loops a kernel runs for one unit of a chain, where units cut several loops: its function is told the
 * number of the unit instead of where to begin.
 */
import { turnsOf } from "../unit-window.ts";
import type { Fn } from "./assembler.ts";

/** Locals. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const UNIT = 0;

/** By loop: its range, none where it runs whole. The code for it stands at the beginning of the function. */
export function rangesOf(f: Fn, counts: readonly number[], units: number): readonly (Range | undefined)[] {
  const turns = turnsOf(counts, units);
  if (!turns) throw new Error(`expected loops of which ${units} units come out even, got ${counts.join(" × ")}`);
  let left = units;
  return counts.map((count, i): Range | undefined => {
    const each = turns[i] ?? 1;
    const parts = count / each;
    const whole = left;
    left /= parts;
    if (parts === 1) return undefined;
    const [from, to] = [f.local("i32"), f.local("i32")];
    f.get(UNIT);
    if (left > 1) f.i32(left).op("i32.div_u");
    if (whole < units) f.i32(parts).op("i32.rem_u");
    f.i32(each).op("i32.mul").tee(from).i32(each).op("i32.add").set(to);
    return { from, to };
  });
}
