/**
 * Index notation: `let y[i, j] = sum(k[a, b] * x[i + a, j + b], over: [a, b])`. Every index is an axis of its own; what
 * stands in brackets becomes views with these axes, operands meet on the axes of both, and a sum of products becomes
 * products of tensors. All of it is made of the ops that are there, so gradients and fused kernels come with them.
 */
import { UserError } from "../diagnostic.ts";
import * as mistake from "../errors/notation.ts";
import { build as b } from "../graph/index.ts";
import type * as ast from "../syntax/ast.ts";
import { binary, select, toTensor, unary } from "./arith.ts";
import { numberAxis } from "./axes.ts";
import { spreadTo } from "./broadcast.ts";
import { reduced } from "./builtins/reduce.ts";
import { product } from "./builtins/products.ts";
import { callValue } from "./call.ts";
import { atOf } from "./hooks.ts";
import { findRanges } from "./notation-ranges.ts";
import { Reader } from "./notation-terms.ts";
import type { Term } from "./notation-terms.ts";
import { viewed } from "./notation-views.ts";
import type { Index, Place } from "./notation-views.ts";
import type { Checker, Env } from "./state.ts";
import { cast, contraction, indices as counted, reorder, tensor } from "./tensors.ts";
import type { Axis, Tensor, Value } from "./values.ts";

export function evaluateNotation(c: Checker, env: Env, left: readonly ast.Name[], e: ast.Expr): Value {
  const reader = new Reader(
    c,
    env,
    left.map((name) => name.text),
  );
  const bound = new Map<string, Index>();
  for (const name of left) {
    if (bound.has(name.text)) throw new UserError(mistake.indexTwice(name.text, name.span));
    bound.set(name.text, reader.index(name));
  }
  const term = reader.term(e, bound);
  if (reader.broken) return { kind: "broken" };
  const outer = new Set(bound.values());
  findRanges(reader.indices, reader.uses, outer);
  const walk = new Walk(c, env, reader.indices);
  const value = walk.value(term);
  if (value.kind === "broken") return value;
  const result = walk.over(toTensor(value, atOf(c, env, e.span)), [...outer].map((index) => index.axis)); // prettier-ignore
  const order = [...outer].map((index) => result.axes.findIndex((axis) => axis.uid === index.axis.uid));
  const named = reorder(result, order, atOf(c, env, e.span));
  return tensor(named.node, [...outer].map(resultAxis), named.dtype);
}

/** The axis of the tensor that the index runs along; else its size. */
function resultAxis(index: Index): Axis {
  if (index.along) return index.along;
  return numberAxis(index.axis.size, index.span, `places of the index ${index.name}`);
}

class Walk {
  private readonly c: Checker;
  private readonly env: Env;
  /** By uid of its axis: the place of an index among all, which orders the axes of results. */
  private readonly order: ReadonlyMap<number, number>;

  constructor(c: Checker, env: Env, indices: readonly Index[]) {
    this.c = c;
    this.env = env;
    this.order = new Map(indices.map((index, i) => [index.axis.uid, i]));
  }

  private rank = (axis: Axis): number => this.order.get(axis.uid ?? -1) ?? -1;

  /** All axes of some tensors and of a list, in order. */
  private union(tensors: readonly Tensor[], more: readonly Axis[] = []): Axis[] {
    const all = new Map<number, Axis>();
    for (const axis of [...tensors.flatMap((t) => t.axes), ...more]) all.set(this.rank(axis), axis);
    return [...all].sort(([p], [q]) => p - q).map(([, axis]) => axis);
  }

  /** t with its axes in order, and repeated over the others of a list. */
  over(t: Tensor, more: readonly Axis[]): Tensor {
    const at = atOf(this.c, this.env, t.node.span ?? { file: "", start: 0, end: 0 });
    const axes = this.union([t], more);
    const sorted = t.axes.map((_, i) => i).sort((p, q) => this.rank(t.axes[p]!) - this.rank(t.axes[q]!));
    const ordered = reorder(t, sorted, at);
    const places = ordered.axes.map((own) => axes.findIndex((axis) => axis.uid === own.uid));
    return { ...ordered, node: spreadTo(ordered, axes, places, at), axes };
  }

  /** Operands with axes meet on the axes of all; numbers stay what they are. */
  private meet(values: readonly Value[]): Value[] {
    const wide = values.filter((v): v is Tensor => v.kind === "tensor" && v.axes.length > 0);
    const axes = this.union(wide);
    return values.map((v) => (v.kind === "tensor" && v.axes.length > 0 ? this.over(v, axes) : v));
  }

  value(term: Term): Value {
    const at = { ...atOf(this.c, this.env, term.span), left: term.span, right: term.span };
    switch (term.kind) {
      case "value":
        if (term.value.kind === "tensor" && term.value.axes.length > 0)
          throw new UserError(mistake.wrongCount(term.value, 0, term.span));
        if (term.value.kind === "list") {
          const t = toTensor(term.value, at);
          if (t.axes.length > 0) throw new UserError(mistake.wrongCount(t, 0, term.span));
        }
        return term.value;
      case "place":
        return counted([term.index.axis], 0, at);
      case "axes": {
        const items = term.indices.map(({ axis }): Value => ({ kind: "num", value: axis.size, axis }));
        return term.list ? { kind: "list", items } : items[0]!;
      }
      case "at": {
        const places = term.places.map((place): Place => {
          if (place.kind === "sum") return place;
          const ids = this.value(place.term);
          const t = toTensor(ids, { ...at, span: place.span });
          if (t.dtype !== "int") throw new UserError(mistake.notAffine(place.span));
          return { kind: "tensor", ids: t, span: place.span };
        });
        const result = viewed(term.tensor, places, at);
        this.c.seen?.(term.span, result, this.env.frame);
        return result;
      }
      case "unary":
        return unary(term.op, this.value(term.value), at);
      case "binary": {
        const [x, y] = this.meet([this.value(term.left), this.value(term.right)]);
        return binary(term.op, x!, y!, { ...at, left: term.left.span, right: term.right.span });
      }
      case "ternary": {
        const cond = this.value(term.cond);
        if (cond.kind === "bool") return this.value(cond.value ? term.then : term.else);
        const [q, x, y] = this.meet([cond, this.value(term.then), this.value(term.else)]);
        return select(q!, x!, y!, at);
      }
      case "call": {
        const values = this.meet(term.args.map((arg) => this.value(arg.term)));
        const args = term.args.map((arg, i) => ({
          name: arg.name?.text,
          nameSpan: arg.name?.span,
          value: values[i]!,
          span: arg.term.span,
        }));
        const result = callValue(this.c, this.env, term.callee, args, term.span, term.name);
        if (result.kind === "tensor" && result.axes.some((axis) => this.rank(axis) < 0))
          throw new UserError(
            mistake.notHere(
              `what \`${term.name}\` gives here`,
              term.span,
              "its axes are no indices: compute it in a `let` of its own and index that",
            ),
          );
        return result;
      }
      case "reduce":
        return this.reduce(term);
    }
  }

  // ------------------------------------------------------------ reductions

  private reduce(term: Term & { kind: "reduce" }): Value {
    const at = { ...atOf(this.c, this.env, term.span), left: term.span, right: term.span };
    const axes = term.over.map((index) => index.axis);
    const count = axes.reduce((n, axis) => (n < 0 || axis.size < 0 ? -1 : n * axis.size), 1);
    if (term.how === "sum") return this.sum(term.body, axes);
    if (term.how === "mean") {
      const n: Value = { kind: "num", value: count, ...(count < 0 && { axis: { size: -1 } }) };
      return binary("/", this.sum(term.body, axes), n, at);
    }
    const body = this.value(term.body);
    if (body.kind === "broken") return body;
    const t = toTensor(body, at);
    const wide = this.over(t.dtype === "bool" ? cast(t, "int", at) : t, axes);
    const places = wide.axes.flatMap((axis, i) => (axes.some((own) => own.uid === axis.uid) ? [i] : []));
    if (term.how === "prod") return product(wide, places, false, { at });
    if (term.how === "max") return reduced(wide, "amax", places, false, at);
    const low = reduced({ ...wide, node: b.neg(wide.node) }, "amax", places, false, at);
    return { ...low, node: b.neg(low.node) };
  }

  private factors(term: Term): Term[] {
    if (term.kind === "binary" && term.op === "*") return [...this.factors(term.left), ...this.factors(term.right)];
    if (term.kind === "unary" && term.op === "-")
      return [{ kind: "value", value: { kind: "num", value: -1 }, span: term.span }, ...this.factors(term.value)];
    return [term];
  }

  /** The sum of a product: factors meet two by two, and an index is summed as soon as no other factor has it. */
  private sum(body: Term, over: readonly Axis[]): Value {
    const at = { ...atOf(this.c, this.env, body.span), left: body.span, right: body.span };
    const values = this.factors(body).map((factor) => this.value(factor));
    if (values.some((v) => v.kind === "broken")) return { kind: "broken" };
    const isOver = (axis: Axis): boolean => over.some((own) => own.uid === axis.uid);
    const inside = values.filter((v): v is Tensor => v.kind === "tensor" && v.axes.some(isOver));
    const outside = values.filter((v) => !inside.includes(v as Tensor));
    const missing = over.filter((axis) => !inside.some((t) => t.axes.some((own) => own.uid === axis.uid)));
    const times = missing.reduce((n, axis) => n * axis.size, 1);
    const rest: Value[] = missing.length > 0 ? [{ kind: "num", value: times }, ...outside] : [...outside];
    const summed = this.contracted(inside, isOver, at);
    const all = summed ? [summed, ...rest] : rest;
    return all.reduce((x, y) => {
      const [p, q] = this.meet([x, y]);
      return binary("*", p!, q!, at);
    });
  }

  private contracted(
    inside: readonly Tensor[],
    isOver: (axis: Axis) => boolean,
    at: ReturnType<typeof atOf>,
  ): Tensor | undefined {
    const [first, ...others] = inside;
    if (!first) return undefined;
    const whole = inside.every((t) => t.dtype !== "float");
    const ready = (t: Tensor): Tensor => cast(t, whole ? "int" : "float", at);
    const has = (t: Tensor, axis: Axis): boolean => t.axes.some((own) => own.uid === axis.uid);
    const without = (t: Tensor, later: readonly Tensor[]): Tensor => {
      const places = t.axes.flatMap((axis, i) => (isOver(axis) && !later.some((o) => has(o, axis)) ? [i] : []));
      return reduced(t, "sum", places, false, at);
    };
    let now = without(ready(first), others);
    others.forEach((other, i) => {
      const later = others.slice(i + 1);
      const next = without(ready(other), [now, ...later]);
      const meets = now.axes.some((axis) => isOver(axis) && has(next, axis) && !later.some((o) => has(o, axis)));
      if (meets && !whole) {
        now = this.product(now, next, (axis) => isOver(axis) && !later.some((o) => has(o, axis)), at);
        return;
      }
      const [x, y] = this.meet([now, next]) as [Tensor, Tensor];
      const both = x.axes.length === 0 || y.axes.length === 0;
      const times = both
        ? (binary("*", x, y, { ...at, left: at.span, right: at.span }) as Tensor)
        : tensor(b.mul(x.node, y.node), x.axes, x.dtype);
      now = without(times, later);
    });
    return now;
  }

  private product(x: Tensor, y: Tensor, ends: (axis: Axis) => boolean, at: ReturnType<typeof atOf>): Tensor {
    const pairs = x.axes.flatMap((axis, i) => {
      const j = y.axes.findIndex((other) => other.uid === axis.uid);
      return j < 0 ? [] : [{ axis, pair: [i, j] as const }];
    });
    const contract = pairs.filter(({ axis }) => ends(axis)).map(({ pair }) => pair);
    const kept = pairs.filter(({ axis }) => !ends(axis));
    const batch = kept.map(({ pair }) => pair);
    const paired = (side: 0 | 1, i: number): boolean => pairs.some(({ pair }) => pair[side] === i);
    const axes = [
      ...kept.map(({ axis }) => axis),
      ...x.axes.filter((_, i) => !paired(0, i)),
      ...y.axes.filter((_, j) => !paired(1, j)),
    ];
    return this.over(tensor(contraction(x, y, { batch, contract }, at), axes, "float"), []);
  }
}
