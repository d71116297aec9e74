/**
 * Making and converting tensors: constants, casts, filled shapes, values as tensors, tensors as constants.
 */
import { UserError } from "../diagnostic.ts";
import * as mistake from "../errors/shapes.ts";
import { tooManyElements } from "../errors/sizes.ts";
import { make } from "../graph/index.ts";
import type { Attrs, Dims, DType, Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import { numberOf, shape } from "./axes.ts";
import type { At } from "./ctx.ts";
import type { Axis, Bundle, Kind, List, Num, Tensor, Value } from "./values.ts";

export const dtypeOf: Record<Kind, DType> = { float: "f32", int: "i32", bool: "bool" };

/** A node of the op table at the place of `at`. */
export function op(name: string, inputs: readonly Node[], attrs: Attrs, at: At): Node {
  const node = make(name, inputs, attrs, at.span);
  const { shape: sizes } = node.type;
  // Above this, products of sizes are no whole numbers any more.
  let elements = 1;
  for (const size of sizes) elements *= Math.abs(size);
  if (elements > Number.MAX_SAFE_INTEGER) throw new UserError(tooManyElements(sizes, at.span));
  return node;
}

export function tensor(node: Node, axes: readonly Axis[], dtype: Kind, more: Partial<Tensor> = {}): Tensor {
  return { kind: "tensor", node, dtype, axes, ...more };
}

/** One number everywhere. */
export function filled(value: number, axes: readonly Axis[], dtype: Kind, at: At): Tensor {
  const scalar = op("const", [], { value, dtype: dtypeOf[dtype] }, at);
  return tensor(axes.length === 0 ? scalar : op("expand", [scalar], { shape: shape(axes), axes: [] }, at), axes, dtype);
}

/** The index along one axis. */
export function indices(axes: readonly Axis[], axis: number, at: At): Tensor {
  return tensor(op("iota", [], { shape: shape(axes), axis }, at), axes, "int");
}

export function cast(t: Tensor, kind: Kind, at: At): Tensor {
  if (t.dtype === kind) return t;
  return tensor(op("cast", [t.node], { dtype: dtypeOf[kind] }, at), t.axes, kind);
}

/** The sum of products over pairs of axes. Mixed precision takes and gives half precision, and sums in full. */
export function contraction(a: Tensor, b: Tensor, pairs: { batch: Dims; contract: Dims }, at: At): Node {
  const rounded = (node: Node): Node => (at.ctx.mixed ? op("half", [node], {}, at) : node);
  const [x, y] = [a, b].map((side) => rounded(cast(side, "float", at).node));
  return rounded(op("dot", [x!, y!], pairs, at));
}

/** A new order of axes; the identity is no node. */
export function reorder(t: Tensor, perm: readonly number[], at: At): Tensor {
  if (perm.every((p, i) => p === i)) return t;
  return { ...t, node: op("permute", [t.node], { perm }, at), axes: perm.map((p) => t.axes[p]!) };
}

/** Other axes over the same elements. */
export function viewAs(t: Tensor, axes: readonly Axis[], at: At): Tensor {
  const to = shape(axes);
  const same = to.length === t.axes.length && to.every((n, i) => n === t.axes[i]!.size);
  return { ...t, node: same ? t.node : op("reshape", [t.node], { shape: to }, at), axes };
}

/** An int fits an i32; anything else is a float. */
export function kindOfNum(n: Num): Kind {
  const value = numberOf(n);
  return !n.float && Number.isInteger(value) && Math.abs(value) < 2 ** 31
    ? "int"
    : Number.isNaN(value) && !n.float
      ? "int"
      : "float";
}

function numbers(v: Value): number[] | undefined {
  if (v.kind === "num") return [numberOf(v)];
  if (v.kind !== "list") return undefined;
  const parts = v.items.map(numbers);
  return parts.every((p) => p !== undefined) ? parts.flat() : undefined;
}

const anyFloat = (v: Value): boolean =>
  v.kind === "list" ? v.items.some(anyFloat) : v.kind === "num" && kindOfNum(v) === "float";

/** Of lists that were asked: a list may hold another one many times, and so on. */
const listShapes = new WeakMap<List, readonly number[] | "none">();

/** The sizes of nested lists of numbers; undefined when rows differ. */
function listShape(v: Value): readonly number[] | undefined {
  if (v.kind !== "list") return [];
  const known = listShapes.get(v) ?? shapeOfItems(v) ?? "none";
  listShapes.set(v, known);
  return known === "none" ? undefined : known;
}

function shapeOfItems(v: List): number[] | undefined {
  const [first, ...rest] = v.items.map(listShape);
  if (!first || rest.some((s) => s?.join() !== first.join())) return undefined;
  return [v.items.length, ...first];
}

/** Lists of floats that a `let` names: one tensor wherever they are used, so that gradients can be taken for them. */
const variables = new WeakMap<List, Tensor>();

export function variableOf(v: List): Tensor | undefined {
  return variables.get(v);
}

/** More are never written, but lists of lists of lists may have them. */
const MOST_NUMBERS = 200_000;

/** Two equal lists stay two: `uid` gives what tells them apart. */
export function rememberVariable(v: List, uid: () => number, span: Span): void {
  const sizes = listShape(v);
  if (variables.has(v) || !sizes || sizes.reduce((a, b) => a * b, 1) > MOST_NUMBERS) return;
  const values = numbers(v);
  if (!values || values.length === 0 || !anyFloat(v)) return;
  const axes = sizes.map((size) => ({ size, why: { span, text: `${size} numbers are written here` } }));
  variables.set(v, tensor(make("const", [], { values, shape: sizes, dtype: "f32", let: uid() }, span), axes, "float"));
}

function fromList(v: List, at: At): Tensor {
  const variable = variables.get(v);
  if (variable) return variable;
  const values = numbers(v);
  const sizes = values && listShape(v);
  if (values && sizes && values.length > 0) {
    const kind = anyFloat(v) ? "float" : "int";
    const axes = sizes.map((size) => ({ size, why: { span: at.span, text: `${size} numbers are written here` } }));
    return tensor(op("const", [], { values, shape: sizes, dtype: dtypeOf[kind] }, at), axes, kind);
  }
  const parts = v.items.map((item) => toTensor(item, at));
  const first = parts[0];
  if (!first || parts.some((p) => shape(p.axes).join() !== shape(first.axes).join()))
    throw new UserError(
      mistake.wrongKind(
        "this",
        "a list of tensors of one shape",
        { value: v, span: at.span },
        "a list counts as a tensor when all its items have the same axes",
      ),
    );
  const kind = parts.some((p) => p.dtype === "float") ? "float" : parts.some((p) => p.dtype === "int") ? "int" : "bool";
  const axes: Axis[] = [{ size: parts.length }, ...first.axes];
  const rows = parts.map((p) => op("reshape", [cast(p, kind, at).node], { shape: [1, ...shape(p.axes)] }, at));
  return tensor(rows.length === 1 ? rows[0]! : op("concat", rows, { axis: 0 }, at), axes, kind);
}

export function isTensorLike(v: Value): boolean {
  return (
    v.kind === "tensor" ||
    v.kind === "num" ||
    v.kind === "bool" ||
    (v.kind === "list" && v.items.length > 0 && v.items.every(isTensorLike))
  );
}

/** A value as a tensor: numbers and bools are scalars, lists of them have an axis. */
export function toTensor(v: Value, at: At, what = "this"): Tensor {
  switch (v.kind) {
    case "tensor":
      return v;
    case "num":
      return filled(numberOf(v), [], kindOfNum(v), at);
    case "bool":
      return filled(v.value ? 1 : 0, [], "bool", at);
    case "list":
      return fromList(v, at);
    default:
      throw new UserError(mistake.wrongKind(what, "a tensor or a number", { value: v, span: at.span }, helpFor(v)));
  }
}

function helpFor(v: Value): string | undefined {
  switch (v.kind) {
    case "bundle":
      return "a bundle holds several tensors: reduce it with `norm`, `sum` or `dot`, or reach one leaf by its name";
    case "instance":
      return "apply the model, `net(x)`, or take its params, `params(net)`";
    case "model":
      return `a model is made and then applied: \`${v.name}(..)(x)\` or \`x |> ${v.name}(..)\``;
    case "tuple":
      return "take it apart first: `let (a, b) = ..`";
    case "record":
      return `choose a field: ${[...v.fields.keys()].map((f) => `\`.${f}\``).join(", ")}`;
    case "dataset":
      return "choose a field of it, for instance `data.train.image`, or read it in a `train` or `eval` block";
    case "func":
    case "builtin":
      return "call the function: `f(x)`";
    case "none":
      return "`none` stands for no value; compare with `== none` first";
    default:
      return undefined;
  }
}

/** A tensor (or number) without axes. */
export function scalarOf(v: Value, at: At, what = "this"): Tensor {
  const t = toTensor(v, at, what);
  if (t.axes.length === 0) return t;
  throw new UserError(
    mistake.wrongKind(
      what,
      "a single number",
      { value: v, span: at.span },
      "reduce it first, for instance with `mean`",
    ),
  );
}

const folds: Record<string, (...x: number[]) => number> = {
  neg: (x) => -x!,
  exp: (x) => Math.exp(x!),
  log: (x) => Math.log(x!),
  sqrt: (x) => Math.sqrt(x!),
  tanh: (x) => Math.tanh(x!),
  abs: (x) => Math.abs(x!),
  floor: (x) => Math.floor(x!),
  sign: (x) => Math.sign(x!),
  stop: (x) => x!,
  add: (x, y) => x! + y!,
  sub: (x, y) => x! - y!,
  mul: (x, y) => x! * y!,
  max: (x, y) => Math.max(x!, y!),
  min: (x, y) => Math.min(x!, y!),
  pow: (x, y) => x! ** y!,
  eq: (x, y) => Number(x! === y!),
  ne: (x, y) => Number(x! !== y!),
  lt: (x, y) => Number(x! < y!),
  le: (x, y) => Number(x! <= y!),
  not: (x) => Number(x! === 0),
  and: (x, y) => Number(x! !== 0 && y! !== 0),
  or: (x, y) => Number(x! !== 0 || y! !== 0),
};

function constantNode(n: Node): number | undefined {
  const element = constantElement(n);
  if (element !== undefined) return element;
  if (n.op === "const") return typeof n.attrs["value"] === "number" ? n.attrs["value"] : undefined;
  if (n.op !== "cast" && n.op !== "div" && !Object.hasOwn(folds, n.op)) return undefined;
  const xs = n.inputs.map(constantNode);
  if (!xs.every((x) => x !== undefined)) return undefined;
  if (n.op === "cast")
    return n.type.dtype === "f32" ? xs[0] : n.type.dtype === "bool" ? Number(xs[0] !== 0) : Math.trunc(xs[0]!);
  if (n.op === "div") return n.type.dtype === "f32" ? xs[0]! / xs[1]! : Math.floor(xs[0]! / xs[1]!);
  return folds[n.op]!(...xs);
}

/** One element of a list of a `let`, cut out of it. */
function constantElement(n: Node): number | undefined {
  if (n.type.shape.length > 0 || n.op !== "reshape" || n.inputs[0]!.op !== "slice") return undefined;
  const [cut] = n.inputs;
  const [list] = cut!.inputs;
  const values = list!.op === "const" ? (list!.attrs["values"] as readonly number[] | undefined) : undefined;
  const start = cut!.attrs["start"] as readonly number[];
  const place = start.reduce((at, from, i) => at * list!.type.shape[i]! + from, 0);
  return values?.[place];
}

/** The number that a value is, when it is known now. */
export function constant(v: Value): number | undefined {
  if (v.kind === "num") return numberOf(v);
  return v.kind === "tensor" && v.axes.length === 0 ? constantNode(v.node) : undefined;
}

// ---------------------------------------------------------------- bundles

const isScalar = (v: Value): boolean =>
  v.kind === "num" || v.kind === "bool" || v.kind === "none" || (v.kind === "tensor" && v.axes.length === 0);

/** The names of the leaves below what all of them have in front. */
function belowRoot(b: Bundle): string[] {
  const paths = [...b.leaves.keys()].map((path) => path.split("."));
  const first = paths[0] ?? [];
  const differs = first.findIndex((part, i) => paths.some((path) => path[i] !== part));
  const root = Math.min(differs < 0 ? first.length : differs, first.length - 1);
  return paths.map((path) => path.slice(root).join("."));
}

/** The params of a model and of its copy, or of another of the same kind: the same names and shapes in one order. */
function areTwins(a: Bundle, b: Bundle): boolean {
  const [x, y] = [[...a.leaves.values()], [...b.leaves.values()]];
  return (
    belowRoot(a).join() === belowRoot(b).join() &&
    x.every((leaf, i) => shape(leaf.axes).join() === shape(y[i]!.axes).join())
  );
}

/**
 * An elementwise rule on bundles: leaf by leaf, scalars beside every leaf. Undefined when no value is a bundle.
 * `spans` are those of the values.
 */
export function byLeaf(
  what: string,
  values: readonly Value[],
  at: At,
  rule: (leaves: Value[]) => Value,
): Bundle | undefined {
  const first = values.findIndex((v) => v.kind === "bundle");
  if (first < 0) return undefined;
  const bundle = values[first] as Bundle;
  const span = (i: number) => (i === 0 ? at.left : i === 1 ? at.right : undefined) ?? at.span;
  values.forEach((v, i) => {
    const [a, b] = i < first ? [i, first] : [first, i];
    const sides = [
      { value: values[a]!, span: span(a) },
      { value: values[b]!, span: span(b) },
    ] as const;
    if (v.kind !== "bundle") {
      if (!isScalar(v))
        throw new UserError(
          mistake.wrongOperands(
            what,
            ...sides,
            "beside a bundle stands a bundle of the same params or a single number",
          ),
        );
      return;
    }
    const lacks =
      [...bundle.leaves.keys()].find((k) => !v.leaves.has(k)) ??
      [...v.leaves.keys()].find((k) => !bundle.leaves.has(k));
    if (lacks !== undefined && areTwins(bundle, v)) return;
    if (lacks !== undefined) throw new UserError(mistake.differentLeaves(what, ...sides, lacks));
  });
  const leaves = new Map<string, Tensor>();
  // twins have their leaves in one order, by other names
  const lists = values.map((v) => (v.kind === "bundle" ? [...v.leaves.values()] : []));
  [...bundle.leaves.keys()].forEach((path, i) => {
    const own = values.map((v, k) => (v.kind === "bundle" ? (v.leaves.get(path) ?? lists[k]![i]!) : v));
    leaves.set(path, toTensor(rule(own), at));
  });
  return { kind: "bundle", leaves };
}
