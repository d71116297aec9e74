/**
 * A signature is a lens. On entry each axis takes its name in the signature (two names stay two, even when the caller
 * gave one axis twice); on return the caller's names come back. `..` keeps the caller's axes.
 */
import { UserError } from "../diagnostic.ts";
import type { Label } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import * as errors from "../errors/signature.ts";
import * as tags from "../errors/tags.ts";
import { wrongKind } from "../errors/sizes.ts";
import { make } from "../graph/index.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { toTensor } from "./arith.ts";
import { axisText, typeText } from "./axes.ts";
import { evaluate } from "./expr.ts";
import { atOf } from "./hooks.ts";
import type { Checker, Env } from "./state.ts";
import { lookup } from "./state.ts";
import { textOf } from "./tags.ts";
import { cast } from "./tensors.ts";
import type { Axis, Kind, Tag, Tensor, Value } from "./values.ts";

/** Local axis uid → the axis of the caller. */
export type Lens = Map<number, Axis>;

const FLOATS = new Set(["f32", "f16", "logits", "prob", "logprob"]);
const TAGS = new Set(["logits", "prob", "logprob"]);

export function enterSignature(
  c: Checker,
  env: Env,
  callee: string,
  params: readonly ast.Param[],
  bound: ReadonlyMap<string, Value>,
  spans: ReadonlyMap<string, Span>,
  span: Span,
): Lens {
  const lens: Lens = new Map();
  const own = new Map<string, Axis>();
  const apart = new Map<number, Axis>();
  for (const param of params) {
    if (!param.type) continue;
    const name = param.name.text;
    const value = bound.get(name);
    if (!value || value.kind === "broken") continue;
    if (param.type.head?.text === "dim") {
      bindDim(c, env, callee, param, value, spans.get(name) ?? span, lens, own);
      continue;
    }
    if (value.kind !== "tensor" && value.kind !== "num" && value.kind !== "bool" && value.kind !== "list") continue;
    if (!param.type.axes) continue;
    const at = spans.get(name) ?? span;
    const tensor = toTensor(value, atOf(c, env, at));
    const seen = matchParam(c, env, callee, param, tensor, at, lens, own, apart);
    env.scope.names.set(name, { value: seen, span: param.name.span });
  }
  lookThrough(env, params, bound, lens, own);
  return lens;
}

/** What has no written type is seen through the same lens: an axis that a written type names is that axis there too. */
function lookThrough(
  env: Env,
  params: readonly ast.Param[],
  bound: ReadonlyMap<string, Value>,
  lens: Lens,
  own: ReadonlyMap<string, Axis>,
): void {
  const inward: Lens = new Map();
  const twice = new Set<number>();
  for (const local of own.values()) {
    const outer = local.uid === undefined ? undefined : lens.get(local.uid)?.uid;
    if (outer === undefined) continue;
    if (inward.has(outer)) twice.add(outer);
    inward.set(outer, local);
  }
  for (const uid of twice) inward.delete(uid);
  if (inward.size === 0) return;
  for (const { name, type } of params) {
    const value = type ? undefined : bound.get(name.text);
    if (value) env.scope.names.set(name.text, { value: restore(value, inward), span: name.span });
  }
}

function bindDim(
  c: Checker,
  env: Env,
  callee: string,
  param: ast.Param,
  value: Value,
  span: Span,
  lens: Lens,
  own: Map<string, Axis>,
): void {
  const name = param.name.text;
  if (value.kind === "num" && !Number.isInteger(value.value) && !Number.isNaN(value.value))
    throw new UserError(
      names.sizeNotWhole(`the size \`${name}\` of \`${callee}\``, String(value.value), span, textOf(c, span)),
    );
  if (value.kind !== "num" || !Number.isInteger(value.value)) {
    throw new UserError(names.needsConstant(`the size \`${name}\` of \`${callee}\``, typeText(value), span));
  }
  // Below 0 would mean: not known yet.
  if (value.value < 0)
    throw new UserError(wrongKind(`the size \`${name}\` of \`${callee}\``, "at least 1", { value, span }));
  const local = c.freshAxis(name, value.value, value.axis?.why ?? { span, text: `${value.value} comes from here` });
  lens.set(local.uid!, value.axis ?? { size: value.value, why: local.why });
  own.set(name, local);
  env.scope.names.set(name, { value: { kind: "num", value: value.value, axis: local }, span: param.name.span });
}

function matchParam(
  c: Checker,
  env: Env,
  callee: string,
  param: ast.Param,
  tensor: Tensor,
  span: Span,
  lens: Lens,
  own: Map<string, Axis>,
  apart: Map<number, Axis>,
): Tensor {
  const type = param.type!;
  const pattern = type.axes!;
  const rest = pattern.findIndex((p) => p.kind === "rest");
  const fixed = pattern.filter((p) => p.kind === "size").length;
  const rank = tensor.axes.length;
  const fail = (why: readonly Label[] = []): never => {
    throw new UserError(
      errors.signatureMismatch(
        callee,
        param.name.text,
        typeExprText(type),
        typeText(tensor),
        span,
        type.span,
        why,
        rest < 0 ? fixed - rank : 0,
        rest < 0 ? mendOf(c, env, pattern, tensor.axes) : {},
      ),
    );
  };
  if (rank < fixed || (rest < 0 && rank !== fixed)) fail(whys(tensor.axes, span));
  const before = rest < 0 ? fixed : rest;
  const axes: Axis[] = [...tensor.axes];
  pattern.forEach((p, i) => {
    if (p.kind === "rest") return;
    const place = i < before || rest < 0 ? i : rank - (pattern.length - i);
    const given = tensor.axes[place]!;
    const name = p.value.kind === "name" ? p.value.text : undefined;
    if (name !== undefined) {
      const dim = own.get(name) ?? dimInScope(env, name);
      if (!dim) {
        const local = c.freshAxis(name, given.size, given.why);
        lens.set(local.uid!, given);
        own.set(name, local);
        env.scope.names.set(name, { value: { kind: "num", value: given.size, axis: local }, span: p.span });
        axes[place] = local;
        return;
      }
      if (!fits(dim.size, given.size)) fail(whys([given, dim], span));
      // Two places with one name are one axis; the first place's caller axis is what comes back.
      axes[place] = dim;
      return;
    }
    const size = sizeOf(c, env, p.value);
    if (!fits(size, given.size)) fail(whys([given], span));
    axes[place] = { size: given.size < 0 ? size : given.size, why: given.why };
  });
  if (rest >= 0) restApart(c, axes, rest, rank - (pattern.length - 1 - rest), lens, apart);
  const kind = kindOf(type);
  let node = tensor.node;
  let dtype = tensor.dtype;
  if (kind && kind !== dtype) {
    if (kind === "float") {
      node = make("cast", [node], { dtype: "f32" }, span);
      dtype = "float";
    } else if (!(kind === "int" && dtype === "bool")) fail();
  }
  const tag = type.head && TAGS.has(type.head.text) ? (type.head.text as Tag) : tensor.tag;
  if (isOther(tensor.tag, tag))
    throw new UserError(tags.otherMeaning(callee, tag!, { value: tensor, span }, tensor.tag!));
  let classes = tensor.classes;
  if (type.classes && dtype === "int") {
    const given = classes;
    classes = bindClasses(c, env, type.classes, classes, own);
    if (given !== undefined && classes !== undefined && given >= 0 && classes >= 0 && given > classes) fail();
  }
  return { ...tensor, node, dtype, axes, tag, classes };
}

/**
 * Logits stay logits when a number is added, so only of the other two is it sure what they are; log probabilities are
 * logits like others.
 */
const isOther = (given: Tag | undefined, wanted: Tag | undefined): boolean =>
  given !== wanted && (given === "prob" || (given === "logprob" && wanted === "prob"));

/** The axes of `..` are told apart from the named ones, also where a `dim` in scope is both. */
function restApart(c: Checker, axes: Axis[], from: number, to: number, lens: Lens, apart: Map<number, Axis>): void {
  const named = new Set(axes.flatMap((axis, i) => ((i < from || i >= to) && axis.uid !== undefined ? [axis.uid] : [])));
  for (let i = from; i < to; i++) {
    const given = axes[i]!;
    if (given.uid === undefined || !named.has(given.uid)) continue;
    const local = apart.get(given.uid) ?? c.freshAxis(given.name ?? "", given.size, given.why);
    apart.set(given.uid, local);
    lens.set(local.uid!, given);
    axes[i] = local;
  }
}

/** What would make a value fit: an axis of size 1 in front or behind the first, or another order of the axes. */
function mendOf(
  c: Checker,
  env: Env,
  pattern: readonly ast.AxisExpr[],
  axes: readonly Axis[],
): { at?: number; order?: readonly number[] } {
  const sizes = pattern.map((p) =>
    p.kind === "rest" ? -1 : p.value.kind === "number" ? p.value.value : (dimInScope(env, nameIn(p.value))?.size ?? -1),
  );
  if (sizes.length === axes.length + 1) {
    const place = missingByName(pattern.map(nameOfAxis), axes);
    if (place !== undefined) return { at: place };
    const without = sizes.slice(1);
    return {
      at: without.some((n) => n >= 0) && axes.every((a, i) => fits(without[i]!, a.size)) && axes.length < 3 ? 0 : 1,
    };
  }
  // Channels last where they are wanted second.
  const order = [0, axes.length - 1, ...axes.slice(1, -1).map((_, i) => i + 1)];
  const turned =
    axes.length === sizes.length && axes.length > 2 && order.every((from, i) => fits(sizes[i]!, axes[from]!.size));
  return turned ? { order } : {};
}

const nameOfAxis = (p: ast.AxisExpr): string => (p.kind === "rest" ? "" : nameIn(p.value));

/** The place of the axis that is missing, where the names of the others tell it. */
function missingByName(wanted: readonly string[], axes: readonly Axis[]): number | undefined {
  if (axes.filter((axis) => wanted.includes(axis.name ?? " ")).length < 2) return undefined;
  const fitting = wanted.flatMap((_, place) => {
    const left = wanted.toSpliced(place, 1);
    return axes.every((axis, i) => axis.name === undefined || axis.name === left[i]) ? [place] : [];
  });
  return fitting.length === 1 ? fitting[0] : undefined;
}

const nameIn = (e: ast.Expr): string => (e.kind === "name" ? e.text : "");

function bindClasses(
  c: Checker,
  env: Env,
  written: ast.Expr,
  given: number | undefined,
  own: Map<string, Axis>,
): number | undefined {
  if (written.kind === "name") {
    const known = own.get(written.text) ?? dimInScope(env, written.text);
    if (known) return known.size;
    if (given === undefined) return undefined;
    const local = c.freshAxis(written.text, given);
    own.set(written.text, local);
    env.scope.names.set(written.text, { value: { kind: "num", value: given, axis: local }, span: written.span });
    return given;
  }
  return sizeOf(c, env, written);
}

/** A `dim` in scope is that axis; any other capital in a signature binds anew. */
function dimInScope(env: Env, name: string): Axis | undefined {
  const value = lookup(env.scope, name)?.value;
  return value?.kind === "num" && value.axis?.uid !== undefined && value.axis.name === name ? value.axis : undefined;
}

export function leaveSignature(
  c: Checker,
  env: Env,
  callee: string,
  value: Value,
  returns: ast.TypeExpr | undefined,
  lens: Lens,
  span: Span,
): Value {
  if (value.kind === "broken") return value;
  const checked = returns?.axes ? checkReturn(c, env, callee, value, returns, span) : value;
  return lens.size === 0 ? checked : restore(checked, lens);
}

function checkReturn(c: Checker, env: Env, callee: string, value: Value, returns: ast.TypeExpr, span: Span): Value {
  const tensor = toTensor(value, atOf(c, env, span));
  const pattern = returns.axes!;
  const rest = pattern.findIndex((p) => p.kind === "rest");
  const fixed = pattern.filter((p) => p.kind === "size").length;
  const rank = tensor.axes.length;
  const fail = (make: typeof errors.returnsOther, why = whys(tensor.axes, span)): never => {
    const end = pattern.at(-1);
    const size = tensor.axes.at(-1)?.size;
    const layer =
      end && end.kind !== "rest" && size !== undefined ? { has: size, wants: exprText(end.value) } : undefined;
    throw new UserError(make(callee, typeExprText(returns), typeText(tensor), span, returns.span, why, layer));
  };
  const matches = (i: number, place: number): boolean => {
    const p = pattern[i]!;
    if (p.kind === "rest") return true;
    const axis = tensor.axes[place];
    if (!axis) return false;
    const declared = declaredAxis(c, env, p);
    if (!fits(declared.size, axis.size)) return false;
    return declared.uid === undefined || axis.uid === undefined || declared.uid === axis.uid;
  };
  if (rest < 0 && rank > fixed && fixed >= 2 && matches(0, 0) && matches(fixed - 1, rank - 1)) {
    fail(errors.forgottenFlatten);
  }
  if (rank < fixed || (rest < 0 && rank !== fixed)) fail(errors.returnsOther);
  const axes = [...tensor.axes];
  pattern.forEach((p, i) => {
    if (p.kind === "rest") return;
    const place = rest < 0 || i < rest ? i : rank - (pattern.length - i);
    if (!matches(i, place)) fail(errors.returnsOther);
    const declared = declaredAxis(c, env, p);
    // A size keeps its name only where the signature writes that name.
    axes[place] = declared.uid === undefined ? { size: axes[place]!.size, why: axes[place]!.why } : declared;
  });
  const tag = returns.head && TAGS.has(returns.head.text) ? (returns.head.text as Tag) : tensor.tag;
  if (isOther(tensor.tag, tag))
    throw new UserError(tags.returnsOtherMeaning(callee, tag!, { value: tensor, span }, returns.span));
  const kind = kindOf(returns);
  if (kind === undefined || kind === tensor.dtype) {
    const classes = returns.classes && tensor.dtype === "int" ? declaredClasses(c, env, returns.classes) : undefined;
    const most = tensor.classes;
    if (classes !== undefined && most !== undefined && classes >= 0 && most > classes) fail(errors.returnsOther, []);
    return { ...tensor, axes, tag, ...(classes !== undefined && { classes }) };
  }
  if (kind !== "float" && !(kind === "int" && tensor.dtype === "bool")) fail(errors.returnsOther, []);
  return { ...cast({ ...tensor, axes }, kind, atOf(c, env, span)), tag };
}

function declaredClasses(c: Checker, env: Env, written: ast.Expr): number | undefined {
  const known = written.kind === "name" ? dimInScope(env, written.text) : undefined;
  return known ? known.size : written.kind === "name" ? undefined : sizeOf(c, env, written);
}

/** Where the value of a body comes from: its last expression, and of a pipe the last stage. */
export function lastExpression(body: ast.Expr): Span {
  if (body.kind === "pipe") return body.right.span;
  if (body.kind !== "block") return body.span;
  const last = body.body.at(-1);
  return last?.kind === "expr" ? lastExpression(last.value) : (last?.span ?? body.span);
}

function declaredAxis(c: Checker, env: Env, p: ast.AxisExpr): Axis {
  if (p.kind === "rest") throw new Error("expected a size, got `..`");
  if (p.value.kind === "name") {
    const axis = dimInScope(env, p.value.text);
    if (axis) return axis;
  }
  const size = sizeOf(c, env, p.value);
  return p.value.kind === "number" ? { size, why: { span: p.span, text: `${size} is written here` } } : { size };
}

/** Gives back the caller's axes, in every tensor of a value. */
function restore(value: Value, lens: Lens): Value {
  switch (value.kind) {
    case "tensor":
      return {
        ...value,
        axes: value.axes.map((axis) => {
          const outer = axis.uid === undefined ? undefined : lens.get(axis.uid);
          if (!outer) return axis;
          return outer.size < 0 ? { ...outer, size: axis.size } : outer;
        }),
      };
    case "num": {
      const outer = value.axis?.uid === undefined ? undefined : lens.get(value.axis.uid);
      return outer ? { kind: "num", value: value.value, axis: outer } : value;
    }
    case "tuple":
    case "list":
      return { ...value, items: value.items.map((item) => restore(item, lens)) };
    case "record":
      return { kind: "record", fields: new Map([...value.fields].map(([name, v]) => [name, restore(v, lens)])) };
    default:
      return value;
  }
}

// ---------------------------------------------------------------- written types

/** The axes of a written type with known sizes: `[In, Out]` of a param, `[B, 128]` of a state. */
export function writtenAxes(c: Checker, env: Env, type: ast.TypeExpr | undefined): Axis[] {
  return (type?.axes ?? []).map((p) => {
    if (p.kind === "rest") throw new UserError(names.needsConstant("the shape of a param or state", "`..`", p.span));
    return declaredAxis(c, env, p);
  });
}

export function sizeOf(c: Checker, env: Env, e: ast.Expr): number {
  if (e.kind === "name" && !lookup(env.scope, e.text)) throw new UserError(errors.sizeUnknownName(e.text, e.span));
  const value = evaluate(c, env, e);
  if (value.kind === "num" && Number.isInteger(value.value)) return value.value;
  throw new UserError(names.needsConstant("a size", typeText(value), e.span));
}

export function kindOf(type: ast.TypeExpr): Kind | undefined {
  const head = type.head?.text;
  if (head === undefined) return undefined;
  if (FLOATS.has(head)) return "float";
  if (head === "bool") return "bool";
  return "int";
}

function fits(a: number, b: number): boolean {
  return a === b || a < 0 || b < 0;
}

function whys(axes: readonly Axis[], at: Span): Label[] {
  const labels: Label[] = [];
  for (const axis of axes) {
    if (!axis.why || axis.why.span.file !== at.file) continue;
    if (axis.why.span.start === at.start && axis.why.span.end === at.end) continue;
    if (labels.some((l) => l.span.start === axis.why!.span.start)) continue;
    labels.push({ span: axis.why.span, text: axis.why.text || `${axisText(axis)} comes from here` });
  }
  return labels.slice(0, 3);
}

export function typeExprText(type: ast.TypeExpr): string {
  const head = type.head ? type.head.text + (type.classes ? `(${exprText(type.classes)})` : "") : "";
  if (!type.axes) return head;
  return `${head}[${type.axes.map((a) => (a.kind === "rest" ? ".." : exprText(a.value))).join(", ")}]`;
}

function exprText(e: ast.Expr): string {
  switch (e.kind) {
    case "name":
      return e.text;
    case "number":
      return e.text;
    case "binary":
      return `${exprText(e.left)} ${e.op} ${exprText(e.right)}`;
    default:
      return "…";
  }
}
