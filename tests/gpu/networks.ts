/**
 * Whole training steps as graphs: a multilayer perceptron and a convolutional net, by several optimizers.
 */
import { build as g, gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import type { Output } from "../../lang/program.ts";
import { input } from "./harness.ts";

export interface Network {
  /** Shapes by path: parameters, and Adam's `m.` and `v.` of each. */
  readonly slots: Readonly<Record<string, readonly number[]>>;
  readonly outputs: readonly Output[];
}

const state = (name: string, shape: readonly number[]) => input("state", name, shape);
export const relu = (x: Node) => make("max", [x, g.like(x, 0)]);

/** Mean over rows of log Σ exp(z - max z) - z[y] + max z. */
export function crossEntropy(logits: Node, y: Node): Node {
  const [rows, classes] = logits.type.shape as [number, number];
  const shape = [rows, classes];
  const top = make("stop", [make("amax", [logits], { axes: [1] })]);
  const z = g.sub(logits, g.expand(top, shape, [0]));
  const total = make("log", [g.sum(make("exp", [z]), [1])]);
  const hot = make("cast", [make("eq", [make("iota", [], { shape, axis: 1 }), g.expand(y, shape, [0])])], {
    dtype: "f32",
  });
  return g.mul(g.sum(g.sub(total, g.sum(g.mul(z, hot), [1])), [0]), g.scalar(1 / rows));
}

export function softmax(x: Node): Node {
  const { shape } = x.type;
  const last = shape.length - 1;
  const rows = shape.map((_, i) => i).slice(0, last);
  const e = make("exp", [g.sub(x, g.expand(make("amax", [x], { axes: [last] }), shape, rows))]);
  return g.div(e, g.expand(g.sum(e, [last]), shape, rows));
}

export interface Heads {
  readonly batch: number;
  readonly heads: number;
  /** Queries, and keys. */
  readonly rows: number;
  readonly keys: number;
  readonly width: number;
}

/** Softmax of the scores of queries (from `x`) against keys and values (from `y`), along their heads. */
export function attention({ batch, heads, rows, keys, width }: Heads, x: Node, y: Node, causal: boolean): Node {
  const head = (from: Node, i: number, n: number) => {
    const all = heads * width;
    const cut = g.slice(from, [0, 0, i * all], [batch, n, (i + 1) * all]);
    return g.permute(g.reshape(cut, [batch, n, heads, width]), [0, 2, 1, 3]);
  };
  const pairs = [[0, 0], [1, 1]] as const; // prettier-ignore
  const score = g.scale(g.dot(head(x, 0, rows), head(y, 0, keys), pairs, [[3, 3]]), 1 / Math.sqrt(width));
  const { shape } = score.type;
  const seen = make("le", [make("iota", [], { shape, axis: 3 }), make("iota", [], { shape, axis: 2 })]);
  const masked = causal ? g.select(seen, score, g.like(score, -1e30)) : score;
  const mixed = g.dot(softmax(masked), head(y, 1, keys), pairs, [[3, 2]]);
  return g.reshape(g.permute(mixed, [0, 2, 1, 3]), [batch, rows, heads * width]);
}

export function layerNorm(x: Node): Node {
  const { shape } = x.type;
  const last = shape.length - 1;
  const rows = shape.map((_, i) => i).slice(0, last);
  const mean = (v: Node) => g.expand(g.scale(g.sum(v, [last]), 1 / (shape[last] ?? 1)), shape, rows);
  const centred = g.sub(x, mean(x));
  const variance = mean(g.mul(centred, centred));
  return g.div(centred, make("sqrt", [g.add(variance, g.like(variance, 1e-5))]));
}

function linear(x: Node, w: Node, b: Node): Node {
  const y = g.dot(x, w, [], [[1, 0]]);
  return g.add(y, g.expand(b, y.type.shape, [1]));
}

type Params = Readonly<Record<string, Node>>;

/** What a step commits beside the loss: an update of every parameter, or its gradient alone. */
export type Optimizer = "adam" | "momentum" | "adamw and clip" | "gradients";

/** New values by path; `m.` and `v.` are slots of the optimizer. */
type Update = (p: Node, grad: Node, name: string, rate: Node) => Readonly<Record<string, Node>>;

function adam(p: Node, grad: Node, name: string, rate: Node): Readonly<Record<string, Node>> {
  const { shape } = p.type;
  const m = g.add(g.scale(state(`m.${name}`, shape), 0.9), g.scale(grad, 0.1));
  const v = g.add(g.scale(state(`v.${name}`, shape), 0.999), g.scale(g.mul(grad, grad), 0.001));
  const step = g.div(m, g.add(make("sqrt", [v]), g.like(v, 1e-8)));
  return { [`m.${name}`]: m, [`v.${name}`]: v, [name]: g.sub(p, g.mul(g.expand(rate, shape, []), step)) };
}

const updates: Readonly<Record<Optimizer, Update>> = {
  adam,
  momentum(p, grad, name, rate) {
    const m = g.add(g.scale(state(`m.${name}`, p.type.shape), 0.9), grad);
    return { [`m.${name}`]: m, [name]: g.sub(p, g.mul(g.expand(rate, p.type.shape, []), m)) };
  },
  "adamw and clip"(p, grad, name, rate) {
    const next = adam(p, grad, name, rate);
    return { ...next, [name]: g.sub(next[name] as Node, g.scale(p, 1e-5)) };
  },
  gradients: (_, grad, name) => ({ [`m.${name}`]: grad }),
};

/** All gradients scaled so that their norm together is at most 1. */
function clipped(grads: readonly Node[]): Node[] {
  const squares = grads.map((grad) => {
    const axes = grad.type.shape.map((_, axis) => axis);
    return g.sum(g.mul(grad, grad), axes);
  });
  const norm = make("sqrt", [squares.reduce((a, b) => g.add(a, b))]);
  const factor = make("min", [g.scalar(1), g.div(g.scalar(1), norm)]);
  return grads.map((grad) => g.mul(grad, g.expand(factor, grad.type.shape, [])));
}

function train(params: Params, loss: Node, optimizer: Optimizer): Network {
  const slots: Record<string, readonly number[]> = {};
  const outputs: Output[] = [];
  const names = Object.keys(params);
  const found = gradient(
    loss,
    names.map((n) => params[n] as Node),
  );
  const grads = optimizer === "adamw and clip" ? clipped(found) : found;
  const rate = input("scalar", "h:0", []);
  names.forEach((name, i) => {
    const p = params[name] as Node;
    slots[name] = p.type.shape;
    const next = updates[optimizer](p, grads[i] as Node, name, rate);
    for (const [path, node] of Object.entries(next)) {
      slots[path] = p.type.shape;
      outputs.push({ node, role: { kind: "commit", path } });
    }
  });
  outputs.push(
    { node: loss, role: { kind: "fetch", name: "loss" } },
    { node: loss, role: { kind: "finite", what: "loss" } },
  );
  return { slots, outputs };
}

export function mlp(rows: number, sizes: readonly number[], optimizer: Optimizer = "adam"): Network {
  const params: Record<string, Node> = {};
  let h = input("batch", "x", [rows, sizes[0] ?? 1]);
  sizes.slice(1).forEach((size, i) => {
    const w = (params[`w${i}`] = state(`w${i}`, [sizes[i] ?? 1, size]));
    const b = (params[`b${i}`] = state(`b${i}`, [size]));
    h = linear(h, w, b);
    if (i + 2 < sizes.length) h = relu(h);
  });
  return train(params, crossEntropy(h, input("batch", "y", [rows], "i32")), optimizer);
}

function convolution(x: Node, w: Node, b: Node, padding: number): Node {
  const k = w.type.shape[2] ?? 1;
  const edge = [0, 0, padding, padding];
  const seen = make("windows", [g.pad(x, edge, edge)], {
    axes: [2, 3],
    size: [k, k],
    stride: [1, 1],
    dilation: [1, 1],
  });
  const y = g.permute(g.dot(seen, w, [], [[1, 1], [4, 2], [5, 3]]), [0, 3, 1, 2]); // prettier-ignore
  return g.add(y, g.expand(b, y.type.shape, [1]));
}

function maxPool(x: Node): Node {
  const seen = make("windows", [x], { axes: [2, 3], size: [2, 2], stride: [2, 2], dilation: [1, 1] });
  return make("amax", [seen], { axes: [4, 5] });
}

/** conv 5×5 1→6 pad 2, pool, conv 5×5 6→16, pool, 120, 84, 10, on 28×28 images. */
export function lenet(rows: number, optimizer: Optimizer = "adam"): Network {
  const p: Record<string, Node> = {
    c1: state("c1", [6, 1, 5, 5]),
    d1: state("d1", [6]),
    c2: state("c2", [16, 6, 5, 5]),
    d2: state("d2", [16]),
    w1: state("w1", [400, 120]),
    b1: state("b1", [120]),
    w2: state("w2", [120, 84]),
    b2: state("b2", [84]),
    w3: state("w3", [84, 10]),
    b3: state("b3", [10]),
  };
  const at = (name: string) => p[name] as Node;
  let h = input("batch", "x", [rows, 1, 28, 28]);
  h = maxPool(relu(convolution(h, at("c1"), at("d1"), 2)));
  h = maxPool(relu(convolution(h, at("c2"), at("d2"), 0)));
  h = relu(linear(g.reshape(h, [rows, 400]), at("w1"), at("b1")));
  h = relu(linear(h, at("w2"), at("b2")));
  return train(p, crossEntropy(linear(h, at("w3"), at("b3")), input("batch", "y", [rows], "i32")), optimizer);
}
