/**
 * The functions that the compiler gives, by name. What can be written in dlx (softmax, losses, layers) is not here
 * but in the standard library.
 */
import type { Value } from "../values.ts";
import type { Builtin } from "./builtin.ts";
import { elementwiseBuiltins } from "./elementwise.ts";
import { gradientBuiltins } from "./gradients.ts";
import { linearBuiltins } from "./linear.ts";
import { orderBuiltins } from "./order.ts";
import { pieceBuiltins } from "./pieces.ts";
import { productBuiltins } from "./products.ts";
import { randomBuiltins } from "./random.ts";
import { reduceBuiltins } from "./reduce.ts";
import { tableBuiltins } from "./tables.ts";
import { viewBuiltins } from "./views.ts";

export type { Builtin, BuiltinParam } from "./builtin.ts";
export { transposed } from "./views.ts";

export const builtins: Record<string, Builtin> = Object.fromEntries(
  [
    ...elementwiseBuiltins,
    ...reduceBuiltins,
    ...productBuiltins,
    ...orderBuiltins,
    ...viewBuiltins,
    ...pieceBuiltins,
    ...tableBuiltins,
    ...randomBuiltins,
    ...linearBuiltins,
    ...gradientBuiltins,
  ].map((b) => [b.name, b]),
);

export const constants: Record<string, Value> = {
  pi: { kind: "num", value: Math.PI, float: true },
  e: { kind: "num", value: Math.E, float: true },
  inf: { kind: "num", value: Infinity, float: true },
};
