/** Graphs of attention in many forms, with their gradients. */
import * as fc from "fast-check";
import { build as g, gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { input, numbers } from "./harness.ts";
import { softmax } from "./networks.ts";

export interface Form {
  readonly rows: number;
  readonly keys: number;
  readonly batch: readonly number[];
  readonly width: number;
  /** Which operand of the two products comes first. */
  readonly scores: "rows first" | "keys first";
  readonly mixed: "scores first" | "values first";
  /** Keys lie along the last axis. */
  readonly across: boolean;
  readonly over: "keys" | "rows" | "nothing";
  readonly masked: boolean;
  readonly bias: boolean;
  readonly dropped: boolean;
  readonly layers: number;
}

export const forms = (...sizes: readonly (readonly [rows: number, keys: number])[]): fc.Arbitrary<Form> =>
  fc.constantFrom(...sizes).chain(([rows, keys]) => formsOf.map((form) => ({ ...form, rows, keys })));

const formsOf = fc.record<Omit<Form, "rows" | "keys">>({
  batch: fc.constantFrom([6], [2, 3]),
  width: fc.constantFrom(3, 4),
  scores: fc.constantFrom("rows first", "keys first"),
  mixed: fc.constantFrom("scores first", "values first"),
  across: fc.boolean(),
  over: fc.constantFrom("keys", "keys", "rows", "nothing"),
  masked: fc.boolean(),
  bias: fc.boolean(),
  dropped: fc.boolean(),
  layers: fc.constantFrom(1, 2),
});

const swapped = (x: Node): Node => {
  const last = x.type.shape.length - 1;
  return g.permute(x, [...x.type.shape.keys()].slice(0, -2).concat(last, last - 1));
};

function attention(form: Form, q: Node, k: Node, v: Node, bias: Node, site: number): Node {
  const n = form.batch.length;
  const pairs = form.batch.map((_, i) => [i, i] as const);
  const keys = form.across ? swapped(k) : k;
  const deep = form.across ? n : n + 1;
  const rowsFirst = form.scores === "rows first";
  let at = rowsFirst ? g.dot(q, keys, pairs, [[n + 1, deep]]) : g.dot(keys, q, pairs, [[deep, n + 1]]);
  const { shape } = at.type;
  const [row, key] = rowsFirst ? [n, n + 1] : [n + 1, n];
  if (form.bias) at = g.add(at, g.expand(rowsFirst ? bias : swapped(bias), shape, [n, n + 1]));
  const seen = make("le", [make("iota", [], { shape, axis: key }), make("iota", [], { shape, axis: row })]);
  if (form.masked) at = g.select(seen, at, g.like(at, -1e30));
  const turned = form.over !== "nothing" && (form.over === "keys" ? key : row) === n;
  if (turned) at = swapped(at);
  at = form.over === "nothing" ? make("tanh", [at]) : softmax(at);
  if (turned) at = swapped(at);
  if (form.dropped) {
    const random = make("random", [input("scalar", "seed", [], "u32")], { site, shape });
    at = g.select(make("lt", [random, g.like(at, 0.7)]), at, g.like(at, 0));
  }
  if (form.mixed === "scores first") return g.dot(at, v, pairs, [[key, n]]);
  return swapped(g.dot(v, at, pairs, [[n, key]]));
}

export function graphOf(form: Form): readonly Node[] {
  const of = (name: string, places: number) => input("batch", name, [...form.batch, places, form.width]);
  const { rows, keys } = form;
  const [x, k, v, bias] = [of("x", rows), of("k", keys), of("v", keys), input("batch", "b", [rows, keys])];
  let at = x;
  for (let i = 0; i < form.layers; i++) at = attention(form, at, k, v, bias, i);
  const loss = g.sum(g.mul(make("sin", [at]), of("t", rows)), [...at.type.shape.keys()]);
  return [at, ...gradient(loss, form.bias ? [x, k, v, bias] : [x, k, v])];
}

export function feedsOf({ width, rows, keys }: Form): Record<string, Float32Array> {
  const [ofRows, ofKeys] = [6 * rows * width, 6 * keys * width];
  return { x: numbers(ofRows, 1, -2, 2), k: numbers(ofKeys, 2, -2, 2), v: numbers(ofKeys, 3, -2, 2), t: numbers(ofRows, 4), b: numbers(rows * keys, 5) }; // prettier-ignore
}
