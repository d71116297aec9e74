/** Products of rows that are asked for by number: each row is multiplied once, and every number stays but for rounding. */
import { describe, expect, test } from "vitest";
import { build as b, evaluate, gradient, make, optimize, topological } from "../../lang/graph/index.ts";
import type { Dims, Node } from "../../lang/graph/node.ts";
import { numbers } from "./samples.ts";

const input = (name: string, shape: readonly number[]) => b.input("state", name, { dtype: "f32", shape });
const ids = (shape: readonly number[]) => b.input("batch", "ids", { dtype: "i32", shape });
const sizeOf = (shape: readonly number[]) => shape.reduce((a, n) => a * n, 1);
const env = (node: Node) => {
  const size = sizeOf(node.type.shape);
  // some numbers are outside and held in range
  if (node.type.dtype === "i32") return Array.from({ length: size }, (_, i) => ((i * 7) % 9) - 2);
  return numbers(size, (node.attrs["name"] as string).charCodeAt(0));
};

/** The optimised graph has the same values. */
function same(outputs: readonly Node[]): readonly Node[] {
  const fast = optimize(outputs);
  const [expected, got] = [evaluate(outputs, env), evaluate(fast, env)];
  got.forEach((values, i) => {
    expect(values.length).toBe(expected[i]!.length);
    values.forEach((value, at) => expect(value).toBeCloseTo(expected[i]![at]!, 8));
  });
  return fast;
}
/** What all products of a graph multiply. */
const work = (outputs: readonly Node[]): number =>
  topological(outputs)
    .filter(({ op }) => op === "dot")
    .reduce((sum, dot) => {
      const summed = (dot.attrs["contract"] as Dims).map(([axis]) => dot.inputs[0]!.type.shape[axis]!);
      return sum + sizeOf(dot.type.shape) * sizeOf(summed);
    }, 0);
const count = (outputs: readonly Node[], op: string) => topological(outputs).filter((node) => node.op === op).length;

const PLACES = [4, 6];
const [WORDS, WIDTH, OUT] = [5, 8, 10];

/** The table, its axis, and the product with weights; where rows stand in the product. */
const layouts: readonly (readonly [string, readonly number[], number, (rows: Node, w: Node) => Node])[] = [
  ["rows first", [WORDS, WIDTH], 0, (x, w) => b.dot(x, w, [], [[2, 1]])],
  ["rows last", [WIDTH, WORDS], 1, (x, w) => b.dot(x, w, [], [[0, 1]])],
  ["rows second", [WORDS, WIDTH], 0, (x, w) => b.dot(w, x, [], [[1, 2]])],
  ["rows between", [2, WORDS, WIDTH / 2], 1, (x, w) => b.dot(x, make("reshape", [w], { shape: [OUT, 2, WIDTH / 2] }), [], [[0, 1], [3, 2]])],
]; // prettier-ignore

describe.each(layouts)("%s", (name, shape, axis, multiply) => {
  const table = input("t", shape);
  const w = input("w", [OUT, WIDTH]);
  const rows = make("gather", [table, ids(PLACES)], { axis });
  const y = make("sin", [multiply(rows, w)]);
  const all = y.type.shape.map((_, i) => i);

  test("forward", () => {
    expect(work(same([y]))).toBe(WORDS * WIDTH * OUT);
  });
  test("with its gradients", () => {
    const outputs = [y, ...gradient(b.sum(make("sin", [y]), all), [table, w])];
    const fast = same(outputs);
    expect(work(fast)).toBe(3 * WORDS * WIDTH * OUT);
    // added up once for both, where that is a sum of rows
    expect(count(fast, "scatter")).toBe(name === "rows second" ? 2 : 1);
  });
});

test("the places in another order, as a recurrence has them: it is the ids that are put in order", () => {
  const [table, w, g] = [input("t", [WORDS, WIDTH]), input("w", [WIDTH, OUT]), input("g", [6, 4, OUT])];
  const rows = make("gather", [table, ids(PLACES)], { axis: 0 });
  const y = make("permute", [b.dot(rows, w, [], [[2, 0]])], { perm: [1, 0, 2] });
  const fast = same(gradient(b.sum(b.mul(y, g), [0, 1, 2]), [table, w]));
  const moved = topological(fast).filter(({ op }) => op === "permute");
  expect(moved.map(({ type }) => type)).toEqual([{ dtype: "i32", shape: [6, 4] }]);
});

describe("left alone", () => {
  test("gradients through a table that is no param: it may be infinite where nobody asks", () => {
    const table = make("log", [make("abs", [input("t", [WORDS, WIDTH])])]);
    const w = input("w", [WIDTH, OUT]);
    const [zero, seen] = [
      new Float64Array(WORDS * WIDTH).fill(0),
      b.input("batch", "seen", { dtype: "i32", shape: [24] }),
    ];
    const y = b.dot(make("gather", [table, seen], { axis: 0 }), w, [], [[1, 0]]);
    const of = (node: Node) => {
      if (node.attrs["name"] === "seen") return Array.from({ length: 24 }, (_, i) => i % 3);
      return node.attrs["name"] === "t" ? zero.map((_, i) => (i < 3 * WIDTH ? 1 + i : 0)) : env(node);
    };
    const [dw] = evaluate(optimize(gradient(b.sum(make("sin", [y]), [0, 1]), [w])), of);
    expect([...dw!].every(Number.isFinite)).toBe(true);
  });
  test("sums of rows of a product with what is no param", () => {
    const w = make("tanh", [input("w", [OUT, WIDTH])]);
    const sums = make("scatter", [b.dot(input("g", [...PLACES, OUT]), w, [], [[2, 0]]), ids(PLACES)], { axis: 0, size: WORDS }); // prettier-ignore
    expect(work(same([sums]))).toBe(24 * WIDTH * OUT);
  });
  const gradients = (words: number, width: number, out: number, places: readonly number[]) => {
    const [table, w] = [input("t", [words, width]), input("w", [width, out])];
    const y = b.dot(make("gather", [table, ids(places)], { axis: 0 }), w, [], [[places.length, 0]]);
    const all = y.type.shape.map((_, i) => i);
    return { table, outputs: [y, ...gradient(b.sum(make("sin", [y]), all), [table, w])] };
  };

  test("where hardly more rows are asked for than there are", () => {
    const { outputs } = gradients(13, WIDTH, OUT, PLACES);
    expect(work(same(outputs))).toBe(work(outputs));
  });
  test("each line with ids of its own", () => {
    const table = input("t", [4, WORDS, WIDTH]);
    const own = make("gather", [table, ids([4, 12])], { axis: 1, paired: true });
    const y = b.dot(own, input("w", [WIDTH, OUT]), [], [[2, 0]]);
    expect(work(same([y]))).toBe(4 * 12 * WIDTH * OUT);
  });
  test("a product over some of the places", () => {
    const rows = make("gather", [input("t", [WORDS, WIDTH]), ids(PLACES)], { axis: 0 });
    const y = b.dot(rows, input("g", [4, OUT]), [], [[0, 0]]);
    expect(work(same([y]))).toBe(24 * WIDTH * OUT);
  });
  test("one product for each batch", () => {
    const rows = make("gather", [input("t", [WORDS, WIDTH]), ids(PLACES)], { axis: 0 });
    const y = b.dot(rows, input("v", [4, WIDTH, OUT]), [[0, 0]], [[2, 1]]);
    expect(work(same([y]))).toBe(24 * WIDTH * OUT);
  });
});
