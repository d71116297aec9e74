/**
 * The right side of `let y[i, j] = ..` read with its indices: what holds no index is evaluated as usual, what stands in
 * brackets becomes places, and reductions name the indices that they end.
 */
import { UserError } from "../diagnostic.ts";
import * as mistake from "../errors/notation.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { toTensor } from "./arith.ts";
import { numberOf } from "./axes.ts";
import { evaluate, resolveName } from "./expr.ts";
import { atOf } from "./hooks.ts";
import { unknownSize } from "./notation-ranges.ts";
import type { Use } from "./notation-ranges.ts";
import type { Index, Place } from "./notation-views.ts";
import type { Checker, Env } from "./state.ts";
import { lookup } from "./state.ts";
import type { Tensor, Value } from "./values.ts";

export const reductions = ["sum", "mean", "max", "min", "prod"] as const;
export type Reduction = (typeof reductions)[number];
const isReduction = (name: string): name is Reduction => (reductions as readonly string[]).includes(name);

/** Integers of a tensor at indices, for a place that is no sum. */
export interface TermPlace {
  readonly kind: "term";
  readonly term: Term;
  readonly span: Span;
}
export type SumPlace = Place & { readonly kind: "sum" };

export type Term = { readonly span: Span } & (
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "place"; readonly index: Index }
  | { readonly kind: "axes"; readonly indices: readonly Index[]; readonly list: boolean }
  | { readonly kind: "at"; readonly tensor: Tensor; readonly places: readonly (SumPlace | TermPlace)[] }
  | { readonly kind: "unary"; readonly op: "-" | "not"; readonly value: Term }
  | { readonly kind: "binary"; readonly op: ast.BinaryOp; readonly left: Term; readonly right: Term }
  | { readonly kind: "ternary"; readonly cond: Term; readonly then: Term; readonly else: Term }
  | {
      readonly kind: "call";
      readonly callee: Value;
      readonly name: string;
      readonly args: readonly { readonly name?: ast.Name; readonly term: Term }[];
    }
  | { readonly kind: "reduce"; readonly how: Reduction; readonly over: readonly Index[]; readonly body: Term }
);

type Bound = ReadonlyMap<string, Index>;

/** Every name that stands in an expression. */
function namesIn(e: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(e)) for (const item of e) namesIn(item, found);
  else if (e !== null && typeof e === "object") {
    const node = e as { kind?: unknown; text?: unknown };
    if (node.kind === "name" && typeof node.text === "string") found.add(node.text);
    for (const part of Object.values(e)) namesIn(part, found);
  }
  return found;
}

/** The names between brackets of an expression. */
function namesInPlaces(e: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(e)) for (const item of e) namesInPlaces(item, found);
  else if (e !== null && typeof e === "object") {
    const node = e as { kind?: unknown; items?: unknown };
    if (node.kind === "index") namesIn(node.items, found);
    for (const part of Object.values(e)) namesInPlaces(part, found);
  }
  return found;
}

export class Reader {
  readonly indices: Index[] = [];
  readonly uses: Use[] = [];
  /** Something that is indexed has a mistake in it, so nothing is known of its indices. */
  broken = false;
  private readonly c: Checker;
  private readonly env: Env;
  private readonly left: readonly string[];

  constructor(c: Checker, env: Env, left: readonly string[]) {
    this.c = c;
    this.env = env;
    this.left = left;
  }

  index(name: ast.Name | (ast.Expr & { kind: "name" })): Index {
    const axis = this.c.freshAxis(name.text, unknownSize);
    const index: Index = { name: name.text, span: name.span, axis: { ...axis, uid: axis.uid! } };
    this.indices.push(index);
    return index;
  }

  term(e: ast.Expr, bound: Bound): Term {
    const { span } = e;
    if (e.kind === "index" && !this.mentions(e.target, bound)) return this.at(e, bound);
    if (e.kind === "call") {
      const reduced = this.reduction(e, bound);
      if (reduced) return reduced;
    }
    if (!this.mentions(e, bound) && !this.hasReduction(e, bound))
      return { kind: "value", value: evaluate(this.c, this.env, e), span };
    switch (e.kind) {
      case "name":
        return { kind: "place", index: bound.get(e.text)!, span };
      case "unary":
        return { kind: "unary", op: e.op, value: this.term(e.value, bound), span };
      case "binary":
        return { kind: "binary", op: e.op, left: this.term(e.left, bound), right: this.term(e.right, bound), span };
      case "ternary":
        return {
          kind: "ternary",
          cond: this.term(e.cond, bound),
          then: this.term(e.then, bound),
          else: this.term(e.else, bound),
          span,
        };
      case "call":
        return this.call(e.callee, e.args, [], e.span, bound);
      case "pipe": {
        const piped = { term: this.term(e.left, bound) };
        return e.right.kind === "call"
          ? this.call(e.right.callee, e.right.args, [piped], span, bound)
          : this.call(e.right, [], [piped], span, bound);
      }
      case "index":
        throw new UserError(
          mistake.notHere("an index of something indexed", span, "give all indices at once: `x[i, j]`"),
        );
      default:
        throw new UserError(
          mistake.notHere(`this ${e.kind}`, span, "indices stand in sums, products, calls and choices `c ? a : b`"),
        );
    }
  }

  private mentions(e: unknown, bound: Bound): boolean {
    for (const name of namesIn(e)) if (bound.has(name)) return true;
    return false;
  }

  /** A reduction over indices of its own may stand where no outer index does. */
  private hasReduction(e: unknown, bound: Bound): boolean {
    if (Array.isArray(e)) return e.some((item) => this.hasReduction(item, bound));
    if (e === null || typeof e !== "object") return false;
    const node = e as ast.Expr;
    if (node.kind === "call" && this.ends(node)) return true;
    return Object.values(e).some((part) => this.hasReduction(part, bound));
  }

  /** The names of `over:` when the call reduces indices: they stand in brackets of what is reduced. */
  private ends(e: ast.Call): (ast.Expr & { kind: "name" })[] | undefined {
    if (e.callee.kind !== "name" || !isReduction(e.callee.text) || lookup(this.env.scope, e.callee.text))
      return undefined;
    const over = e.args.find((arg) => arg.name?.text === "over")?.value;
    const items = over?.kind === "list" || over?.kind === "tuple" ? over.items : over ? [over] : [];
    const names = items.filter((item): item is ast.Expr & { kind: "name" } => item.kind === "name");
    const inside = namesInPlaces(e.args[0]?.value);
    return names.length > 0 && names.length === items.length && names.some((n) => inside.has(n.text))
      ? names
      : undefined;
  }

  private reduction(e: ast.Call, bound: Bound): Term | undefined {
    const names = this.ends(e);
    const first = e.args[0];
    if (!names || !first) {
      // `sum(x[i])` without `over`
      const name = e.callee.kind === "name" ? e.callee.text : "";
      if (isReduction(name) && e.args.length === 1 && this.mentions(first?.value, bound))
        throw new UserError(
          mistake.notHere(
            `\`${name}\` of everything`,
            e.span,
            `say which indices it reduces: \`${name}(.., over: [a, b])\``,
          ),
        );
      return undefined;
    }
    const other = e.args.find((arg, i) => i > 0 && arg.name?.text !== "over");
    if (other)
      throw new UserError(
        mistake.notHere("this argument", other.span, "a reduction of indices takes what it reduces and `over:`"),
      );
    const inner = new Map(bound);
    const over = names.map((name) => {
      if (bound.has(name.text) || names.some((n) => n !== name && n.text === name.text))
        throw new UserError(mistake.indexTwice(name.text, name.span));
      const index = this.index(name);
      inner.set(name.text, index);
      return index;
    });
    const how = (e.callee as ast.Expr & { kind: "name" }).text as Reduction;
    return { kind: "reduce", how, over, body: this.term(first.value, inner), span: e.span };
  }

  private call(
    callee: ast.Expr,
    args: readonly ast.Arg[],
    piped: readonly { term: Term }[],
    span: Span,
    bound: Bound,
  ): Term {
    if (this.mentions(callee, bound))
      throw new UserError(mistake.notHere("this call", span, "call a function by its name"));
    const value = evaluate(this.c, this.env, callee);
    const given = args.map((arg) => ({ name: arg.name, term: this.argument(arg, bound) }));
    const name = callee.kind === "name" ? callee.text : "this";
    return { kind: "call", callee: value, name, args: [...piped, ...given], span };
  }

  /** An index after `over:` is its axis. */
  private argument(arg: ast.Arg, bound: Bound): Term {
    const e = arg.value;
    const items = e.kind === "list" ? e.items : [e];
    const indices = items.map((item) => (item.kind === "name" ? bound.get(item.text) : undefined));
    if (arg.name?.text === "over" && indices.length > 0 && indices.every((i) => i !== undefined))
      return { kind: "axes", indices, list: e.kind === "list", span: e.span };
    return this.term(e, bound);
  }

  // ------------------------------------------------------------ places

  private at(e: ast.Expr & { kind: "index" }, bound: Bound): Term {
    const items = e.items.flatMap((item) => (item.kind === "at" ? [item.value] : []));
    if (!items.some((item) => this.mentions(item, bound))) {
      items.forEach((item) => this.refuseUnbound(item));
      return { kind: "value", value: evaluate(this.c, this.env, e), span: e.span };
    }
    const value = evaluate(this.c, this.env, e.target);
    if (value.kind === "broken") {
      this.broken = true;
      return { kind: "value", value, span: e.span };
    }
    const tensor = toTensor(value, atOf(this.c, this.env, e.target.span));
    const axes = tensor.axes.length;
    if (e.items.length !== axes || e.items.some((item) => item.kind === "rest"))
      throw new UserError(mistake.wrongCount(tensor, e.items.length, e.span));
    const places: (SumPlace | TermPlace)[] = [];
    e.items.forEach((item, i) => {
      if (item.kind === "rest") return;
      const named = item.axis ? tensor.axes.findIndex((axis) => axis.name === item.axis?.text) : i;
      if (named < 0 || places[named]) throw new UserError(mistake.wrongCount(tensor, e.items.length, item.span));
      const place = this.place(item.value, bound);
      places[named] = place;
      if (place.kind === "sum") this.uses.push({ tensor, place: named, at: place });
    });
    return { kind: "at", tensor, places, span: e.span };
  }

  private place(e: ast.Expr, bound: Bound): SumPlace | TermPlace {
    const sum = this.sum(e, bound);
    if (sum) return { kind: "sum", base: sum.base, terms: sum.terms, span: e.span };
    // What is computed from an index itself is no place that can be proved to be inside.
    if (namesInPlaces(e).size === 0 && this.mentions(e, bound)) throw new UserError(mistake.notAffine(e.span));
    const term = this.term(e, bound);
    return { kind: "term", term, span: e.span };
  }

  /** The parts of a sum of indices; undefined when it is none. */
  private sum(e: ast.Expr, bound: Bound): { base: number; terms: Map<Index, number> } | undefined {
    if (e.kind === "name" && bound.has(e.text)) return { base: 0, terms: new Map([[bound.get(e.text)!, 1]]) };
    if (!this.mentions(e, bound)) {
      if (e.kind === "range")
        throw new UserError(mistake.notHere("a range", e.span, "an index runs along the axis: cut x before, `x[1..]`"));
      this.refuseUnbound(e);
      if (e.kind === "index") return undefined;
      const value = evaluate(this.c, this.env, e);
      return value.kind === "num" && Number.isInteger(numberOf(value)) && !value.float
        ? { base: numberOf(value), terms: new Map() }
        : undefined;
    }
    if (e.kind === "unary" && e.op === "-") return scaled(this.sum(e.value, bound), -1);
    if (e.kind !== "binary" || !["+", "-", "*"].includes(e.op)) return undefined;
    const [left, right] = [this.sum(e.left, bound), this.sum(e.right, bound)];
    if (!left || !right) return undefined;
    if (e.op !== "*") return added(left, e.op === "-" ? scaled(right, -1)! : right);
    if (left.terms.size > 0 && right.terms.size > 0) return undefined;
    return left.terms.size > 0 ? scaled(left, right.base) : scaled(right, left.base);
  }

  /** A name that means nothing in the script is an index that was forgotten. */
  private refuseUnbound(e: ast.Expr): void {
    for (const name of namesIn(e)) {
      try {
        resolveName(this.c, this.env, name, e.span);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        throw new UserError(mistake.unboundIndex(name, this.left, e.span));
      }
    }
  }
}

function scaled(sum: { base: number; terms: Map<Index, number> } | undefined, by: number) {
  if (!sum) return undefined;
  return { base: sum.base * by, terms: new Map(by === 0 ? [] : [...sum.terms].map(([index, n]) => [index, n * by])) };
}

function added(a: { base: number; terms: Map<Index, number> }, c: { base: number; terms: Map<Index, number> }) {
  const terms = new Map(a.terms);
  for (const [index, n] of c.terms) terms.set(index, (terms.get(index) ?? 0) + n);
  for (const [index, n] of terms) if (n === 0) terms.delete(index);
  return { base: a.base + c.base, terms };
}
