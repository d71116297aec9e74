/**
 * Order along an axis: sorting, the largest few, and reading by place. One primitive gives the places; values are
 * gathered by them, so gradients go back to where they came from.
 */
import { UserError } from "../../diagnostic.ts";
import * as mistake from "../../errors/shapes.ts";
import { build as b } from "../../graph/index.ts";
import type { Node } from "../../graph/node.ts";
import { numberAxis, open, resolveAxis } from "../axes.ts";
import { pairAxes } from "../broadcast.ts";
import { checkClasses, slicedAt } from "../index.ts";
import { cast, op, reorder, tensor } from "../tensors.ts";
import type { Tensor } from "../values.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, flag, optional, required } from "./builtin.ts";

/** The axis moved behind the others, and the way back. */
function last(t: Tensor, axis: number, a: Args): { t: Tensor; back: (t: Tensor) => Tensor } {
  const others = t.axes.map((_, i) => i).filter((i) => i !== axis);
  const home = t.axes.map((_, i) => (i === axis ? others.length : others.indexOf(i)));
  return { t: reorder(t, [...others, axis], a.at), back: (r) => reorder(r, home, a.at) };
}

/** Of each line along the last axis the elements at the places that the same line of `ids` names. */
function taken(x: Node, ids: Node): Node {
  return b.make("gather", [x, ids], { axis: x.type.shape.length - 1, paired: true });
}

/** Places in order along the last axis, and how to name them. */
function ordered(t: Tensor, descending: boolean, a: Args): Tensor {
  const node = descending ? op("neg", [t.node], {}, a.at) : t.node;
  const classes = t.axes.at(-1)!.size;
  return tensor(op("argsort", [node], {}, a.at), t.axes, "int", open(classes) ? {} : { classes });
}

const params = [required("x"), optional("over"), optional("descending", flag(false))];

const argsort = builtin(
  "argsort",
  params,
  "`argsort(x, over: T, descending: false)` The places along one axis in the order of their values: `x[.., argsort(x)]` of a vector is sorted. Equals keep their order, NaN comes last.",
  (a) => {
    const x = a.number("x");
    const line = last(x, resolveAxis(x, a.value("over"), a.at, "argsort"), a);
    return line.back(ordered(line.t, a.flag("descending"), a));
  },
);

const sort = builtin(
  "sort",
  params,
  "`sort(x, over: T, descending: false)` The values along one axis in order; NaN comes last. Gradients go back to where the values came from.",
  (a) => {
    const x = a.number("x");
    const line = last(x, resolveAxis(x, a.value("over"), a.at, "sort"), a);
    const places = ordered(line.t, a.flag("descending"), a);
    return line.back({ ...line.t, node: taken(line.t.node, places.node), tag: undefined });
  },
);

const topk = builtin(
  "topk",
  [required("x"), required("k"), optional("over")],
  "`topk(x, k, over: C)` `(values, places)` of the k largest along one axis, the largest first. The axis becomes k.",
  (a) => {
    const x = a.number("x");
    const place = resolveAxis(x, a.value("over"), a.at, "topk");
    const axis = x.axes[place]!;
    const k = a.whole("k", 1);
    if (!open(axis.size) && k > axis.size) throw a.wrong("k", `at most ${axis.size}, the size of the axis`);
    const line = last(x, place, a);
    const all = ordered(line.t, true, a);
    const axes = [...line.t.axes.slice(0, -1), numberAxis(k, a.span("k"), "largest are asked for here")];
    const cut = slicedAt(all, axes.length - 1, 0, k, a.at);
    const places: Tensor = { ...cut, axes };
    const values: Tensor = { ...line.t, node: taken(line.t.node, places.node), axes, tag: undefined };
    return { kind: "tuple", items: [line.back(values), line.back(places)] };
  },
);

const gather = builtin(
  "gather",
  [required("x"), required("i"), optional("over")],
  "`gather(x, i, over: T)` In each line along T the elements at the places of i: i has the other axes of x, and the result is shaped like i. For whole rows write `x[i]`.",
  (a) => {
    const x = a.tensor("x");
    const i = a.ints("i");
    const place = resolveAxis(x, a.value("over"), a.at, "gather");
    const axis = x.axes[place]!;
    checkClasses(i, axis, a.span("i"), a.operand("x"));
    if (i.axes.length !== x.axes.length) throw a.wrong("i", `integers with ${x.axes.length} axes, like x`);
    const pairing = pairAxes(x.axes.toSpliced(place, 1), i.axes.toSpliced(place, 1));
    if ("why" in pairing)
      throw new UserError(mistake.cannotBroadcast("gather", a.operand("x"), a.operand("i"), pairing));
    const line = last(cast(x, x.dtype === "bool" ? "int" : x.dtype, a.at), place, a);
    const node = taken(line.t.node, last(i, place, a).t.node);
    const axes = [...pairing.axes, i.axes[place]!];
    return cast(line.back({ ...line.t, node, axes }), x.dtype, a.at);
  },
);

const roll = builtin(
  "roll",
  [required("x"), required("n"), optional("over")],
  "`roll(x, n, over: T)` Each element n places further along one axis; what leaves at the end comes in at the beginning.",
  (a) => {
    const x = a.tensor("x");
    const axis = resolveAxis(x, a.value("over"), a.at, "roll");
    const size = x.axes[axis]!.size;
    const n = a.whole("n");
    if (open(size)) return x;
    const by = ((n % size) + size) % size;
    if (by === 0) return x;
    const parts = [slicedAt(x, axis, size - by, size, a.at), slicedAt(x, axis, 0, size - by, a.at)];
    return { ...x, node: op("concat", parts.map((p) => p.node), { axis }, a.at) }; // prettier-ignore
  },
);

export const orderBuiltins: readonly Builtin[] = [sort, argsort, topk, gather, roll];
