/**
 * Loops of expressions: `for` unrolls (types may change per pass), `scan` and `iterate` become one loop node whose body
 * is a graph of its own; values from outside enter it as constants.
 */
import { Reported, UserError } from "../diagnostic.ts";
import * as errors from "../errors/loops.ts";
import * as names from "../errors/names.ts";
import { make, topological } from "../graph/index.ts";
import type { Node, Type } from "../graph/node.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { toTensor } from "./arith.ts";
import { resolveAxis, shape, typeText } from "./axes.ts";
import { withAxesOf } from "./call.ts";
import { bindPattern, constantNumber, evaluate, iterationValues, joinPass } from "./expr.ts";
import { atOf } from "./hooks.ts";
import { rebuild } from "./host.ts";
import { runBlock } from "./statements.ts";
import type { Checker, Env, Frame } from "./state.ts";
import { callSite, child, lookup } from "./state.ts";
import type { Axis, Scope, Tensor, Value } from "./values.ts";

// ---------------------------------------------------------------- for

export function evaluateFor(c: Checker, env: Env, e: ast.For): Value {
  const outer = child(env.scope);
  for (const carry of e.carries) bindCarry(outer, carry, evaluate(c, env, carry.value));
  const yields: Value[] = [];
  const values: Value[] = [];
  iterationValues(c, env, e.source).forEach((item, i) => {
    const scope = child(outer);
    bindPattern(c, scope, e.pattern, item);
    const frame: Frame = { ...env.frame, yields, pass: joinPass(env.frame.pass, i), hint: undefined };
    values.push(runBlock(c, { scope, frame }, e.body));
  });
  return loopValue(c, outer, e.carries, yields.length > 0 ? { kind: "list", items: [...yields] } : undefined, {
    kind: "list",
    items: values,
  });
}

function bindCarry(scope: Scope, carry: ast.Carry, value: Value): void {
  scope.names.set(carry.name.text, { value, span: carry.name.span, role: { kind: "carry" } });
}

/** The yields if any, else the carry (a tuple if several), else the values of the passes. */
function loopValue(
  c: Checker,
  scope: Scope,
  carries: readonly ast.Carry[],
  yields: Value | undefined,
  otherwise: Value,
): Value {
  const last = new Map(carries.map((carry) => [carry.name.text, lookup(scope, carry.name.text)!.value]));
  const items = [...last.values()];
  const carried: Value | undefined =
    items.length === 0 ? undefined : items.length === 1 ? items[0] : { kind: "tuple", items };
  // A copy, so that `s.h` belongs to this loop and not to a value that others share.
  const value: Value = { ...(yields ?? carried ?? otherwise) };
  if (last.size > 0) c.carries.set(value, last);
  return value;
}

// ---------------------------------------------------------------- scan, iterate

export function evaluateIterate(c: Checker, env: Env, e: ast.Iterate): Value {
  const count = constantNumber(c, env, e.count, "the number of rounds");
  return loop(c, env, e, Math.max(0, count), [], () => undefined);
}

export function evaluateScan(c: Checker, env: Env, e: ast.Scan): Value {
  const source = evaluate(c, env, e.source);
  if (source.kind === "broken") return source;
  if (source.kind === "range") {
    const { from, to } = source;
    if (from === undefined || to === undefined) {
      throw new UserError(names.needsConstant("the range of `scan`", "open", e.source.span));
    }
    return loop(c, env, e, Math.max(0, to - from + 1), [], (scope, tick) => {
      const start = make("const", [], { value: from, dtype: "i32" }, e.source.span);
      const node = make("add", [tick, start], {}, e.source.span);
      bindPattern(c, scope, e.pattern, { kind: "tensor", node, dtype: "int", axes: [] });
    });
  }
  const items = source.kind === "tuple" || source.kind === "list" ? source.items : [source];
  const tensors = items.map((item) => toTensor(item, atOf(c, env, e.source.span)));
  if (!e.over)
    throw new UserError(errors.scanWithoutOver(e.source.span, tensors[0] ? typeText(tensors[0]) : "nothing"));
  const over = evaluate(c, withAxesOf(env, tensors), e.over);
  const places = tensors.map((t) => resolveAxis(t, over, atOf(c, env, e.over!.span), "scan"));
  const axis = tensors[0]!.axes[places[0]!]!;
  const scanned = tensors.map((t, i) => ({ tensor: t, place: places[i]! }));
  for (const s of scanned) {
    const size = s.tensor.axes[s.place]!.size;
    if (size !== axis.size && size >= 0 && axis.size >= 0) {
      throw new UserError(errors.scanSizes(e.source.span, axis.size, size));
    }
  }
  return loop(
    c,
    env,
    e,
    axis.size,
    scanned,
    (scope, _tick, slices) => {
      const values: Value[] = slices;
      const value: Value =
        source.kind === "tuple" || source.kind === "list" ? { kind: "tuple", items: values } : values[0]!;
      bindPattern(c, scope, e.pattern, value);
    },
    { axis, place: places[0]! },
  );
}

const MAX_TICKS = 1_000_000;

interface Scanned {
  readonly tensor: Tensor;
  readonly place: number;
}

export function loop(
  c: Checker,
  env: Env,
  e: ast.Scan | ast.Iterate,
  count: number,
  scanned: readonly Scanned[],
  bindItems: (scope: Scope, tick: Node, slices: Tensor[]) => void,
  stacked?: { readonly axis: Axis; readonly place: number },
): Value {
  if (!Number.isInteger(count) || count === 0 || count < -1) {
    throw new UserError(names.needsConstant("the number of ticks (1 or more)", String(count), e.span));
  }
  if (count > MAX_TICKS) throw new UserError(errors.tooManyTicks(e.kind, count, MAX_TICKS, e.span));
  const outer = child(env.scope);
  const site = callSite(env.frame.site, e.kind);
  const carries = e.carries.map((carry) => firstCarry(c, env, carry));
  const first = carries.flatMap(({ leaves }) => leaves);
  const carryInputs = first.map((t, i) => loopInput(`carry${i}`, t.node.type, e.span));
  const slices = scanned.map((s, i): Tensor => {
    const axes = s.tensor.axes.filter((_, k) => k !== s.place);
    const type: Type = { dtype: s.tensor.node.type.dtype, shape: shape(axes) };
    return { ...s.tensor, node: loopInput(`scan${i}`, type, e.span), axes };
  });
  const tick = loopInput("tick", { dtype: "i32", shape: [] }, e.span);
  const within = (nodes: readonly Node[]) =>
    refill(
      carries,
      first.map((t, i) => ({ ...t, node: nodes[i]! })),
    );
  within(carryInputs).forEach((value, i) => bindCarry(outer, e.carries[i]!, value));
  const body = child(outer);
  bindItems(body, tick, slices);
  const yields: Value[] = [];
  const key = make("cast", [tick], { dtype: "u32" }, e.span);
  const frame: Frame = {
    ...env.frame,
    yields,
    site,
    keys: [...env.frame.keys, key],
    hint: undefined,
    actions: [],
  };
  const versions = new Map(c.build.state);
  const slots = new Set(c.slots.keys());
  runBlock(c, { scope: body, frame }, e.body);
  refuseCommits(c, versions, slots, e.span);
  const nextCarries = e.carries.flatMap((carry, i) => lastCarry(c, env, outer, carry, carries[i]!));
  const flat: Tensor[] = [];
  const template =
    yields.length === 0
      ? undefined
      : flatten(yields.length === 1 ? yields[0]! : { kind: "tuple", items: yields }, flat, (value) =>
          toTensor(value, atOf(c, env, e.span)),
        );
  const params = [...carryInputs, ...slices.map((s) => s.node), tick];
  const results = [...nextCarries.map((t) => t.node), ...flat.map((t) => t.node)];
  if (results.length === 0) throw new UserError(errors.loopWithoutValue(e.kind, e.span));
  const scans = scanned.map((s) => toFront(s.tensor, s.place));
  const made = (results: readonly Node[]): Node => {
    const captured = capture(results, new Set(params));
    const attrs = {
      count,
      consts: captured.params.length,
      carries: first.length,
      scans: scans.length,
      reverse: false,
      body: { params: [...captured.params, ...params], results: captured.results },
    };
    return make("loop", [...captured.values, ...first.map((t) => t.node), ...scans], attrs, e.span);
  };
  const node = made(results);
  const pick = (index: number): Node => make("pick", [node], { index }, e.span);
  const last = refill(
    carries,
    nextCarries.map((t, i) => ({ ...t, node: pick(i), axes: first[i]!.axes })),
  );
  last.forEach((value, i) => outer.names.set(e.carries[i]!.name.text, { value, span: e.span }));
  c.settings.hears?.looped((t) => {
    if (!dependsOn(t.node, new Set(params))) return undefined;
    const all = make("pick", [made([...results.slice(0, first.length), t.node])], { index: first.length }, e.span);
    return { ...t, node: all, axes: [stacked?.axis ?? { size: count }, ...t.axes] };
  });
  let place = first.length;
  const stack = (t: Tensor): Tensor => stackedAt(pick(place++), t, stacked, count);
  const value = template ? fillTemplate(template, flat.map(stack)) : undefined;
  return loopValue(c, outer, e.carries, value, { kind: "none" });
}

export function loopInput(name: string, type: Type, span: Span): Node {
  return make("input", [], { source: "loop", name, dtype: type.dtype, shape: type.shape }, span);
}

/** A carry: tensors, and how they make one value. */
interface Carried {
  readonly template: Template;
  readonly leaves: readonly Tensor[];
}

function firstCarry(c: Checker, env: Env, carry: ast.Carry): Carried {
  const leaves: Tensor[] = [];
  const template = flatten(evaluate(c, env, carry.value), leaves, (value) => {
    const tensor = toTensor(value, atOf(c, env, carry.value.span));
    // A number carried round a loop is a float unless it stays whole.
    if (value.kind !== "num" || tensor.dtype !== "int") return tensor;
    const node = make("const", [], { value: value.value, dtype: "f32" }, carry.value.span);
    return { ...tensor, dtype: "float", node };
  });
  return { template, leaves };
}

function lastCarry(c: Checker, env: Env, scope: Scope, carry: ast.Carry, { template, leaves }: Carried): Tensor[] {
  const value = lookup(scope, carry.name.text)!.value;
  const found: Tensor[] = [];
  const own = flatten(value, found, (leaf) => toTensor(leaf, atOf(c, env, carry.span)));
  const same = (tensor: Tensor, first: Tensor) =>
    tensor.node.type.dtype === first.node.type.dtype &&
    tensor.axes.length === first.axes.length &&
    tensor.axes.every((a, i) => a.size === first.axes[i]!.size || a.size < 0 || first.axes[i]!.size < 0);
  const alike = JSON.stringify(outline(own)) === JSON.stringify(outline(template));
  const wrong = found.findIndex((tensor, i) => !leaves[i] || !same(tensor, leaves[i]));
  if (alike && wrong < 0) return found;
  const was = refill([{ template, leaves }], leaves)[0]!;
  const [before, after] = alike ? [leaves[wrong]!, found[wrong]!] : [was, value];
  throw new UserError(names.carryChanges(carry.name.text, typeText(before), typeText(after), carry.span));
}

/** A model that keeps running statistics cannot commit them once per tick of a loop. */
function refuseCommits(c: Checker, before: ReadonlyMap<string, Node>, slots: ReadonlySet<string>, span: Span): void {
  for (const [path, node] of c.build.state) {
    // The first value of a slot that the loop's own layers brought is no commit.
    if (!slots.has(path) && c.build === c.top) continue;
    const was = before.get(path);
    const isRead = node.op === "input" && node.attrs.source === "state";
    if (was !== node && !isRead) throw new UserError(errors.commitInLoop(path, span));
  }
}

/** Values that do not depend on the loop's own inputs enter it as constants. */
function capture(
  results: readonly Node[],
  own: ReadonlySet<Node>,
): { params: Node[]; values: Node[]; results: Node[] } {
  const inside = new Map<Node, boolean>();
  const isInside = (n: Node): boolean => {
    const known = inside.get(n);
    if (known !== undefined) return known;
    const result = own.has(n) || n.inputs.some(isInside);
    inside.set(n, result);
    return result;
  };
  const params: Node[] = [];
  const values: Node[] = [];
  const replaced = new Map<Node, Node>();
  // A `let x = 2.0` above the loop is one that gradients may be taken for, so it is no part of the body.
  const first = Math.min(...[...own].map((n) => n.id));
  const isVariableOutside = (n: Node): boolean => n.attrs.let !== undefined && n.id < first;
  const walk = (n: Node): Node => {
    const known = replaced.get(n);
    if (known) return known;
    let result: Node;
    if (own.has(n) || (n.op === "const" && !isVariableOutside(n))) result = n;
    // Repeated where it is read; a captured repetition would be stored and loaded each tick.
    else if (isInside(n) || n.op === "expand") result = rebuild(n, n.inputs.map(walk));
    else {
      result = loopInput(`const${params.length}`, n.type, n.span ?? { file: "", start: 0, end: 0 });
      params.push(result);
      values.push(n);
    }
    replaced.set(n, result);
    return result;
  };
  return { results: results.map(walk), params, values };
}

function dependsOn(node: Node, own: ReadonlySet<Node>): boolean {
  return topological([node]).some((n) => own.has(n));
}

function toFront(t: Tensor, place: number): Node {
  if (place === 0) return t.node;
  const perm = [place, ...t.axes.map((_, i) => i).filter((i) => i !== place)];
  return make("permute", [t.node], { perm }, t.node.span);
}

/** Yields are stacked where the axis stood. */
function stackedAt(node: Node, t: Tensor, stacked: { axis: Axis; place: number } | undefined, count: number): Tensor {
  const axis: Axis = stacked?.axis ?? { size: count };
  const place = Math.min(stacked?.place ?? 0, t.axes.length);
  const axes = [...t.axes.slice(0, place), axis, ...t.axes.slice(place)];
  if (place === 0) return { ...t, node, axes };
  const perm = axes.map((_, i) => (i < place ? i + 1 : i === place ? 0 : i));
  return { ...t, node: make("permute", [node], { perm }, node.span), axes };
}

// ---------------------------------------------------------------- tuples, records and bundles of tensors

type Template =
  | { readonly kind: "leaf"; readonly place: number }
  | { readonly kind: "tuple" | "list"; readonly items: readonly Template[] }
  | { readonly kind: "record" | "bundle"; readonly fields: ReadonlyMap<string, Template> };

function flatten(value: Value, into: Tensor[], leaf: (value: Value) => Tensor): Template {
  const inner = (each: Value) => flatten(each, into, leaf);
  switch (value.kind) {
    case "list":
      // A list of numbers is a tensor.
      if (value.items.every(({ kind }) => kind === "num")) break;
      return { kind: "list", items: value.items.map(inner) };
    case "tuple":
      return { kind: "tuple", items: value.items.map(inner) };
    case "record":
      return { kind: "record", fields: new Map([...value.fields].map(([name, field]) => [name, inner(field)])) };
    case "bundle":
      return { kind: "bundle", fields: new Map([...value.leaves].map(([path, each]) => [path, inner(each)])) };
    case "broken":
      throw new Reported();
  }
  into.push(leaf(value));
  return { kind: "leaf", place: into.length - 1 };
}

function fillTemplate(t: Template, values: readonly Tensor[]): Value {
  switch (t.kind) {
    case "leaf":
      return values[t.place]!;
    case "record":
      return { kind: "record", fields: new Map([...t.fields].map(([n, v]) => [n, fillTemplate(v, values)])) };
    case "bundle":
      return { kind: "bundle", leaves: new Map([...t.fields].map(([n, v]) => [n, fillTemplate(v, values) as Tensor])) };
    default:
      return { kind: t.kind, items: t.items.map((item) => fillTemplate(item, values)) };
  }
}

/** Values of carries whose tensors lie one after the other. */
function refill(carries: readonly Carried[], tensors: readonly Tensor[]): Value[] {
  let from = 0;
  return carries.map(({ template, leaves }) => {
    const own = tensors.slice(from, (from += leaves.length));
    return fillTemplate(template, own);
  });
}

/** The form of a value without its tensors. */
function outline(t: Template): unknown {
  if (t.kind === "leaf") return 0;
  if ("items" in t) return [t.kind, t.items.map(outline)];
  return [t.kind, [...t.fields].map(([name, field]) => [name, outline(field)])];
}
