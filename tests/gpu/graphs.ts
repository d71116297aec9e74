/**
 * Random graphs: a list of small numbers becomes a well-typed graph over a few inputs, however it is cut, so that
 * fast-check can shrink a failure. Values stay within about 1: what adds n numbers divides by n.
 * Choices by comparison (argmax, masks) read exact numbers only, for rounding would flip them; with `smooth` so do the
 * kinks of max and abs, whose gradients would jump.
 */
import fc from "fast-check";
import { build as g, gradient, make, topological } from "../../lang/graph/index.ts";
import type { Body, Node } from "../../lang/graph/node.ts";
import { input, numbers } from "./harness.ts";

export interface Choice {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export interface Made {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Node[];
}

export const batch = {
  x: numbers(24, 1),
  y: numbers(24, 2),
  v: numbers(4, 3),
  z: numbers(24 * 20, 4),
  t: numbers(96 * 200, 5),
  i: Int32Array.from({ length: 5 }, (_, i) => (i * 3) % 4),
};
export const scalars = { seed: 77, step: 5 };

const sizeOf = (shape: readonly number[]) => shape.reduce((p, q) => p * q, 1);

interface Place {
  readonly u: Node;
  readonly shape: readonly number[];
  readonly rank: number;
  /** An axis of u, when it has any. */
  readonly axis: number;
  readonly size: number;
  readonly b: number;
  readonly c: number;
  readonly all: readonly number[];
  /** A node of the same shape, and one whose numbers are exact. */
  readonly w: Node;
  readonly exact: Node | undefined;
  /** u itself, or an exact node where a kink would matter. */
  readonly kinked: Node | undefined;
  readonly n: number;
}

const zeros = (shape: readonly number[]) => shape.map(() => 0);
const ones = (shape: readonly number[]) => shape.map(() => 1);
const pick = (list: readonly string[], at: number) => list[at % list.length] as string;
const mask = (p: Place, node: Node) => make("lt", [node, g.like(node, ((p.c % 5) - 2) / 4)]);
const ids = (values: readonly number[]) => make("const", [], { values, shape: [values.length], dtype: "i32" });
/** Back to the shape of u along all but `axis`. */
const spread = (p: Place, node: Node) =>
  g.expand(node, p.shape, p.all.filter((axis) => axis !== p.axis)); // prettier-ignore

function scan(p: Place): Node {
  const [count = 1, ...row] = p.shape;
  const from = (name: string, shape: readonly number[], dtype: "f32" | "i32" = "f32") =>
    make("input", [], { source: "loop", name, dtype, shape });
  const [carry, given, tick] = [from("carry0", row), from("scan0", row), from("tick", [], "i32")];
  const late = g.expand(g.scale(g.cast(tick, "f32"), 1 / (8 * count)), row, []);
  const next = make("tanh", [g.add(g.add(g.scale(carry, 0.5), given), late)]);
  const body: Body = { params: [carry, given, tick], results: [next, g.mul(next, carry)] };
  const start = g.fill(0.25, { dtype: "f32", shape: row });
  const loop = make("loop", [start, p.u], { body, count, consts: 0, carries: 1, scans: 1, reverse: p.c % 2 === 1 });
  return p.b % 2 ? make("pick", [loop], { index: 1 }) : make("pick", [loop], { index: 0 });
}

const softmax = (p: Place): Node => {
  const top = make("stop", [make("amax", [p.u], { axes: [p.axis] })]);
  const e = make("exp", [g.sub(p.u, spread(p, top))]);
  return g.div(e, spread(p, g.sum(e, [p.axis])));
};

const norm = (p: Place): Node => {
  const centred = g.sub(p.u, spread(p, g.scale(g.sum(p.u, [p.axis]), 1 / p.n)));
  const variance = g.scale(g.sum(g.mul(centred, centred), [p.axis]), 1 / p.n);
  return g.scale(g.div(centred, spread(p, make("sqrt", [g.add(variance, g.like(variance, 0.1))]))), 0.3);
};

/** A square that is read with its row sums along both axes. */
const crossed = (p: Place): Node => {
  const square = g.scale(g.dot(p.u, p.u, [], [[1, 1]]), 1 / (p.shape[1] ?? 1));
  const { shape } = square.type;
  const rows = g.scale(g.sum(make("tanh", [square]), [1]), 1 / (shape[0] ?? 1));
  return g.scale(g.sub(g.sub(square, g.expand(rows, shape, [0])), g.expand(rows, shape, [1])), 0.5);
};

function windows(p: Place): Node {
  const seen = make("windows", [p.u], { axes: [p.axis], size: [2], stride: [1 + (p.c % 2)], dilation: [1] });
  if (p.b % 3 === 0) return seen;
  const of = { shape: p.shape, axes: [p.axis], size: [2], stride: [1 + (p.c % 2)], dilation: [1] };
  return g.scale(make("fold", [make("sin", [seen])], of), 0.5);
}

/** Undefined where the op does not fit the place. */
const kinds: readonly ((p: Place) => Node | undefined)[] = [
  ({ u, b }) => make(pick(["neg", "tanh", "sin", "erf", "stop", "cos"], b), [u]),
  ({ u, w, b }) => g.scale(make(pick(["add", "sub", "mul"], b), [u, w]), 0.5),
  ({ kinked, w, b }) => kinked && make(pick(["max", "min"], b), [kinked, w]),
  ({ kinked, b }) => kinked && make(pick(["abs", "neg"], b), [kinked]),
  // rounding is only alike where no sum can differ
  ({ exact }) => exact && make("half", [exact]),
  (p) => p.exact && make("select", [mask(p, p.exact), p.w, make("mul", [p.u, p.u])]),
  ({ u, rank, axis, n }) => (rank > 0 ? g.scale(g.sum(u, [axis]), 1 / n) : undefined),
  ({ u, rank, all, size }) => (rank > 0 ? g.scale(g.sum(u, all), 1 / size) : undefined),
  ({ kinked, rank, c, axis, all }) =>
    kinked && rank > 0 ? make("amax", [kinked], { axes: c % 2 ? [axis] : all }) : undefined,
  ({ u, rank, all }) => (rank > 1 ? make("permute", [u], { perm: [...all.slice(1), 0] }) : undefined),
  ({ u, rank, b, shape, all }) => {
    const at = b % (rank + 1);
    return rank < 4
      ? make("expand", [u], { shape: shape.toSpliced(at, 0, 3), axes: all.map((i) => (i < at ? i : i + 1)) })
      : undefined;
  },
  ({ u, size, b, c }) =>
    size % 2 === 0 && b % 2 ? g.reshape(u, c % 2 ? [2, size / 2] : [size / 2, 2]) : g.reshape(u, [size]),
  ({ u, rank, shape, axis, b, c }) =>
    rank > 0
      ? make("pad", [u], { lo: zeros(shape).with(axis, c % 3), hi: zeros(shape).with(axis, b % 2), value: c % 2 })
      : undefined,
  ({ u, w, rank, axis }) => (rank > 0 ? make("concat", [u, w], { axis }) : undefined),
  ({ u, rank, axis }) => (rank > 0 ? make("flip", [u], { axes: [axis] }) : undefined),
  ({ u, rank, shape, axis, n, c }) =>
    rank > 0 && n > 2
      ? make("slice", [u], {
          start: zeros(shape).with(axis, 1),
          stop: shape,
          step: ones(shape).with(axis, 1 + (c % 2)),
        })
      : undefined,
  (p) => (p.rank > 0 && p.rank < 4 && p.n > 2 ? windows(p) : undefined),
  ({ u, w, rank, shape }) => (rank === 2 ? g.scale(g.dot(u, w, [], [[1, 1]]), 2 / (shape[1] ?? 1)) : undefined),
  ({ u, w, rank, shape }) => (rank === 2 ? g.scale(g.dot(u, w, [], [[0, 0]]), 2 / (shape[0] ?? 1)) : undefined),
  ({ u, w, rank, shape }) => (rank === 3 ? g.scale(g.dot(u, w, [[0, 0]], [[2, 2]]), 2 / (shape[2] ?? 1)) : undefined),
  ({ u, rank, axis, n, c }) =>
    rank > 0 ? g.scale(make("cumsum", [u], { axis, reverse: c % 2 === 1 }), 1 / n) : undefined,
  ({ exact, axis, rank, n }) =>
    exact && rank > 0 ? g.scale(g.cast(make("argmax", [exact], { axis }), "f32"), 1 / n) : undefined,
  ({ u, rank, axis, c }) => (rank > 0 ? make("gather", [u, ids([0, 2, 1, 1, c])], { axis }) : undefined),
  ({ u, rank, axis }) => (rank > 0 ? make("gather", [u, input("batch", "i", [5], "i32")], { axis }) : undefined),
  ({ u, rank, axis, n, c }) =>
    rank > 0
      ? g.scale(make("scatter", [u, ids(Array.from({ length: n }, (_, i) => (i * c) % 3))], { axis, size: 3 }), 1 / n)
      : undefined,
  (p) => (p.rank > 0 && p.n > 1 && p.n < 7 ? scan(p) : undefined),
  (p) => (p.rank > 0 ? softmax(p) : undefined),
  (p) => (p.rank === 2 && (p.shape[0] ?? 1) < 50 ? crossed(p) : undefined),
  (p) => (p.rank > 0 && p.n > 1 ? norm(p) : undefined),
  ({ u, shape, c }) =>
    g.mul(
      u,
      make("random", [input("scalar", "seed", [], "u32"), input("scalar", "step", [], "u32")], { site: c, shape }),
    ),
  ({ u, shape, rank, axis, n }) =>
    rank > 0 ? g.add(u, g.scale(g.cast(make("iota", [], { shape, axis }), "f32"), 1 / (2 * n))) : undefined,
];

const VIEWS = new Set(["permute", "expand", "reshape", "pad", "concat", "flip", "slice", "windows", "stop", "neg", "abs", "max", "min", "amax", "input", "gather"]); // prettier-ignore

/** Numbers that no rounding has touched. */
function isExact(node: Node): boolean {
  return topological([node]).every((n) => n.type.dtype !== "f32" || VIEWS.has(n.op) || n.op === "const");
}

export function grow(choices: readonly Choice[], large: boolean, smooth: boolean): Made {
  const inputs = [
    input("batch", "x", [6, 4]),
    input("batch", "y", [6, 4]),
    input("batch", "v", [4]),
    input("batch", "z", [24, 20]),
    ...(large ? [input("batch", "t", [96, 200])] : []),
  ];
  const nodes: Node[] = [...inputs];
  const exact = new Set<Node>(inputs);
  for (const { kind, a, b, c } of choices) {
    // later nodes more often, so that chains grow
    const u = nodes[nodes.length - 1 - (Math.floor((a * a) / 24) % nodes.length)] as Node;
    const { shape } = u.type;
    const rank = shape.length;
    const axis = rank > 0 ? b % rank : 0;
    const same = nodes.filter((n) => n.type.shape.join() === shape.join());
    const sure = same.filter((n) => exact.has(n));
    const w = same[c % same.length] as Node;
    const kinked = !smooth || exact.has(u) ? u : sure[c % Math.max(1, sure.length)];
    const place: Place = {
      u, shape, rank, axis, b, c, w, kinked,
      size: sizeOf(shape), all: shape.map((_, i) => i), exact: sure[b % Math.max(1, sure.length)], n: shape[axis] ?? 1,
    }; // prettier-ignore
    const made = kinds[kind % kinds.length]?.(
      smooth && !exact.has(w) && kind === 2 ? { ...place, w: kinked ?? u } : place,
    );
    if (!made || sizeOf(made.type.shape) > (large ? 20000 : 3000)) continue;
    nodes.push(made);
    if (isExact(made)) exact.add(made);
  }
  // what nobody reads: everything else is free to go when it was read for the last time
  const read = new Set(topological(nodes).flatMap((node) => node.inputs));
  const ends = nodes.slice(inputs.length).filter((node) => !read.has(node));
  return { nodes: ends.length > 0 ? ends.slice(-3) : [make("neg", [nodes[0] as Node])], inputs };
}

/** The gradients of a number that every element of the last node enters differently. */
export function gradientsOf({ nodes, inputs }: Made): Node[] {
  const last = nodes.at(-1) as Node;
  const all = last.type.shape.map((_, i) => i);
  const weights = make("const", [], {
    values: [...numbers(sizeOf(last.type.shape), 9)],
    shape: last.type.shape,
    dtype: "f32",
  });
  const weighted = last.type.dtype === "f32" ? g.mul(make("sin", [last]), weights) : weights;
  return gradient(all.length > 0 ? g.sum(weighted, all) : weighted, inputs);
}

export const choices = (most: number) =>
  fc.array(fc.record({ kind: fc.nat(kinds.length - 1), a: fc.nat(20), b: fc.nat(20), c: fc.nat(20) }), {
    minLength: 1,
    maxLength: most,
  });
