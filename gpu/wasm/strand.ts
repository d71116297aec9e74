/**
 * The kernels of a strand in order, each for the same rows: `(begin, end, pointers…)` in rows, cut into parts.
 */
import { kernelText } from "../kernel-text.ts";
import type { StrandKernel } from "../kernel.ts";
import { Fn } from "./assembler.ts";
import { dotFunction } from "./dot.ts";
import type { Shared } from "./finish.ts";
import type { Helpers } from "./operations.ts";
import { rowsFunction } from "./rows.ts";

export function strandFunction(kernel: StrandKernel, madd: boolean, shared: Shared, helpers: Helpers): Fn {
  const f = new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]);
  for (const { kernel: own, params, each } of kernel.members) {
    const part = each * kernel.part;
    const index =
      own.kind === "rows"
        ? shared(`member ${kernelText(own)}`, () => rowsFunction(own, helpers))
        : shared(`member by ${part} ${kernelText(own)}`, () => dotFunction(own, madd, shared, helpers, { part }));
    for (const border of [0, 1]) f.get(border).i32(each).op("i32.mul");
    for (const param of params) f.get(2 + param);
    f.call(index);
  }
  return f;
}
