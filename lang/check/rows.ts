/**
 * Row functions: `map(row => …)` and `filter(row => …)` see one row. What is elementwise gives the same on a whole batch and is computed
 * there; anything else (a mean, a draw, an index) is a loop over the rows of the batch.
 */
import { elementwise } from "../graph/ops/elementwise.ts";
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { callValue } from "./call.ts";
import { loop, loopInput } from "./loops.ts";
import type { Checker, Env } from "./state.ts";
import { shape } from "./axes.ts";
import type { Axis, Tensor, Value } from "./values.ts";

/** Names that no script can write. */
const ROW = "·row";
const FUNCTION = "·f";

/** Applies a row function to each row of a batch; the batch axis is the first of every field. */
export function mapRows(
  c: Checker,
  env: Env,
  f: Value,
  fields: ReadonlyMap<string, Tensor>,
  batch: Axis,
  span: Span,
): Value {
  if (isElementwise(c, env, f, fields, span)) {
    return callValue(c, env, f, [{ value: { kind: "record", fields: new Map(fields) }, span }], span);
  }
  const name = (text: string): ast.Expr => ({ kind: "name", text, span });
  const call: ast.Expr = { kind: "call", callee: name(FUNCTION), args: [{ value: name(ROW), span }], span };
  const e: ast.Scan = {
    kind: "scan",
    pattern: { text: ROW, span },
    source: name(ROW),
    carries: [],
    body: { kind: "block", body: [{ kind: "yield", value: call, span }], span },
    span,
  };
  const names = [...fields.keys()];
  const scanned = [...fields.values()].map((tensor) => ({ tensor, place: 0 }));
  return loop(
    c,
    env,
    e,
    batch.size,
    scanned,
    (scope, _tick, slices) => {
      const row: Value = { kind: "record", fields: new Map(slices.map((s, i) => [names[i]!, s])) };
      scope.names.set(ROW, { value: row, span });
      scope.names.set(FUNCTION, { value: f, span });
    },
    { axis: batch, place: 0 },
  );
}

/** Tries the function on one row and looks at what came of it; the draws of the try are not counted. */
function isElementwise(c: Checker, env: Env, f: Value, fields: ReadonlyMap<string, Tensor>, span: Span): boolean {
  const own = new Set<Node>();
  const row = new Map<string, Value>();
  for (const [name, tensor] of fields) {
    const axes = tensor.axes.slice(1);
    const node = loopInput(name, { dtype: tensor.node.type.dtype, shape: shape(axes) }, span);
    own.add(node);
    row.set(name, { ...tensor, node, axes });
  }
  const frame = { ...env.frame, site: { path: "row", counts: new Map<string, number>() }, ordinals: new Map() };
  const value = callValue(c, { scope: env.scope, frame }, f, [{ value: { kind: "record", fields: row }, span }], span);
  if (value.kind !== "record" && value.kind !== "tensor") return true;
  const seen = new Map<Node, "free" | "row" | "mixed">();
  const kind = (n: Node): "free" | "row" | "mixed" => {
    const known = seen.get(n);
    if (known) return known;
    const below = n.inputs.map(kind);
    let result: "free" | "row" | "mixed";
    if (own.has(n)) result = "row";
    else if (n.op === "random" || below.includes("mixed")) result = "mixed";
    else if (!below.includes("row")) result = "free";
    else result = Object.hasOwn(elementwise, n.op) ? "row" : "mixed";
    seen.set(n, result);
    return result;
  };
  // A field that no longer depends on its row would lose the batch axis.
  const results = value.kind === "record" ? [...value.fields.values()] : [value];
  return results.every((v) => v.kind === "tensor" && kind(v.node) === "row");
}
