/**
 * The door of the graph: the op table, making nodes, gradients, the passes in the order in which they run, running.
 */
export { ops } from "./ops/index.ts";
export type { Adjoint, Env, Gradient, Op, Value } from "./ops/row.ts";
export { sizeOf, stridesOf, typeText } from "./ops/row.ts";
export { axesOfDot } from "./ops/dot.ts";
export { loopParts, paramNames, resultType } from "./ops/loop.ts";
export { keyWords, mix, uniformAt } from "./ops/random.ts";
export { adopt, make, nextId, rowOf, withInputs } from "./make.ts";
export { fromCall, type Origin, type Role } from "./origin.ts";
export * as build from "./build.ts";
export { constant, fill, scalar } from "./build.ts";
export { assembleLoop } from "./assemble.ts";
export { forward, gradient, pullBack } from "./grad.ts";
export { ByNode, consumersIn } from "./by-node.ts";
export { after, remake, rewrite, substitute, topological } from "./walk.ts";
export { simplify } from "./simplify.ts";
export { cse } from "./cse.ts";
export { tidyLoops } from "./loops.ts";
export { optimize } from "./optimize.ts";
export { hoistScalars, hostable } from "./hoist.ts";
export { verify } from "./verify.ts";
export { attrsText, text } from "./text.ts";
export { evaluate } from "./interpret.ts";
