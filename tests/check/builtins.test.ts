/** The table of builtins: types and values of each, and what is said of wrong arguments. */
import { describe, expect, test } from "vitest";
import { binary } from "../../lang/check/arith.ts";
import { builtins, transposed } from "../../lang/check/builtins/index.ts";
import { indexTensor } from "../../lang/check/index.ts";
import type { Item } from "../../lang/check/index.ts";
import type { Tensor, Value } from "../../lang/check/values.ts";
import { at, bundle, call, dim, dimNum, ints, list, num, numbers, said, tensor, type } from "./tensors.ts";

const B = dim("B", 2);
const C = dim("C", 3);
const H = dim("H", 4);
const K = dim("K", 2);
const yes: Value = { kind: "bool", value: true };
const x = tensor([B, C]);
const shows = (v: Value) =>
  `${type(v)} ${v.kind === "tuple" ? v.items.map((i) => numbers(i).join(" ")).join(" | ") : numbers(v).join(" ")}`;

test("each has a doc that begins with how it is called", () => {
  for (const [name, b] of Object.entries(builtins)) {
    expect(b.name).toBe(name);
    expect(b.doc).toMatch(new RegExp(`^\`${name}\\(`));
  }
});

describe("elementwise", () => {
  test("numbers fold, tensors and bundles compute", () => {
    expect(call("sqrt", [4])).toEqual({ kind: "num", value: 2, float: true });
    expect(call("floor", [2.5])).toEqual({ kind: "num", value: 2 });
    expect(call("max", [3, 7])).toEqual({ kind: "num", value: 7 });
    expect(numbers(call("exp", [ints([2], [0, 1])]))).toEqual([1, 2.71828183]);
    expect(shows(call("abs", [ints([2], [-1, 3])]))).toBe("i32[2] 1 3");
    const p = call("sqrt", [bundle({ w: tensor([2], "float", [4, 9]) })]);
    expect(p.kind === "bundle" && numbers(p.leaves.get("w")!)).toEqual([2, 3]);
  });
  test("tags", () => {
    const prob = tensor([B, C], "float", undefined, { tag: "prob" });
    const log = call("log", [prob]) as Tensor;
    expect(log.tag).toBe("logprob");
    expect((call("exp", [log]) as Tensor).tag).toBe("prob");
    expect((call("exp", [x]) as Tensor).tag).toBeUndefined();
  });
  test("limits and choice", () => {
    expect(numbers(call("max", [x, 3]))).toEqual([3, 3, 3, 4, 5, 6]);
    expect(numbers(call("clamp", [x, 2, 5]))).toEqual([2, 2, 3, 4, 5, 5]);
    expect(numbers(call("where", [binary(">", x, num(3), at), x, 0]))).toEqual([0, 0, 0, 4, 5, 6]);
    expect(shows(call("i32", [tensor([2], "float", [1.7, -1.7])]))).toBe("i32[2] 1 -1");
    expect(shows(call("bool", [tensor([2], "float", [0, 2])]))).toBe("bool[2] 0 1");
  });
});

describe("reductions", () => {
  test("by name, by place, all but, in place", () => {
    expect(shows(call("sum", [x]))).toBe("f32 21");
    expect(shows(call("sum", [x], { over: dimNum(B) }))).toBe("f32[C] 5 7 9");
    expect(shows(call("sum", [x], { over: { kind: "not", value: dimNum(B) } }))).toBe("f32[B] 6 15");
    expect(shows(call("mean", [x], { over: -1 }))).toBe("f32[B] 2 5");
    expect(shows(call("max", [x], { over: dimNum(C), spread: yes }))).toBe("f32[B, C] 3 3 3 6 6 6");
    expect(shows(call("min", [x], { over: dimNum(B) }))).toBe("f32[C] 1 2 3");
    expect(shows(call("sum", [tensor([B], "bool", [1, 0])]))).toBe("i32 1");
    expect(shows(call("mean", [tensor([B], "bool", [1, 0])]))).toBe("f32 0.5");
    expect(call("mean", [list(1, 2, 6)])).toEqual({ kind: "num", value: 3, float: true });
    expect(shows(call("mean", [list(tensor([], "float", [1]), tensor([], "float", [2]))]))).toBe("f32 1.5");
  });
  test("weights", () => {
    expect(shows(call("mean", [x], { over: dimNum(B), weight: tensor([B], "float", [1, 3]) }))).toBe(
      "f32[C] 3.25 4.25 5.25",
    );
    expect(shows(call("sum", [x], { weight: tensor([C], "bool", [1, 0, 0]) }))).toBe("f32 5");
  });
  test("rows added by an index", () => {
    const N = dim("N", 3);
    const m = tensor([4, 2]);
    expect(shows(call("sum", [m], { by: ints([4], [0, 2, 0, 2], 3), into: dimNum(N) }))).toBe(
      "f32[N, 2] 6 8 0 0 10 12",
    );
    expect(shows(call("sum", [1], { by: ints([4], [0, 2, 0, 2]), into: 3 }))).toBe("i32[3] 2 0 2");
    expect(shows(call("sum", [1], { by: ints([4], [0, 2, 0, 2], 4) }))).toBe("i32[4] 2 0 2 0");
  });
  test("lengths, products, places, runs", () => {
    expect(shows(call("norm", [tensor([2], "float", [3, 4])]))).toBe("f32 5");
    expect(shows(call("norm", [bundle({ a: tensor([1], "float", [3]), b: tensor([], "float", [4]) })]))).toBe("f32 5");
    expect(shows(call("dot", [x, x]))).toBe("f32 91");
    expect(shows(call("argmax", [x], { over: dimNum(C) }))).toBe("index(3)[B] 2 2");
    expect(shows(call("argmin", [x], { over: 0 }))).toBe("index(2)[C] 0 0 0");
    expect(shows(call("cumsum", [x], { over: -1, reverse: yes }))).toBe("f32[B, C] 6 5 3 15 11 6");
  });
  test("the unbiased variance", () => {
    const v = call("mean", [binary("^", x, num(2), at)], { over: dimNum(C) });
    expect((v as Tensor).count).toBe(3);
    expect(shows(call("unbiased", [v]))).toBe("f32[B] 7 38.5");
  });
  test("tests of all elements", () => {
    expect(shows(call("all", [binary(">", x, num(0), at)]))).toBe("bool 1");
    expect(shows(call("any", [binary(">", x, num(3), at)], { over: dimNum(C) }))).toBe("bool[B] 0 1");
    expect(shows(call("finite", [x]))).toBe("bool 1");
    expect(shows(call("finite", [tensor([2], "float", [1, Infinity])]))).toBe("bool 0");
    expect(shows(call("close", [x, binary("+", x, num(1e-9), at)]))).toBe("bool 1");
    expect(shows(call("close", [x, binary("+", x, num(0.1), at), 0.01]))).toBe("bool 0");
    expect(call("close", [1, 1.5])).toEqual({ kind: "bool", value: false });
  });
  test("linear equations", () =>
    expect(shows(call("solve", [tensor([2, 2], "float", [2, 0, 0, 4]), tensor([2], "float", [2, 2])]))).toBe(
      "f32[2] 1 0.5",
    ));
});

describe("views", () => {
  const image = tensor([B, 1, 2, 2]);
  test("other axes", () => {
    expect(type(call("reshape", [x, list(dimNum(B), 3)]))).toBe("f32[B, 3]");
    expect(type(call("reshape", [x, list(-1, 2)]))).toBe("f32[3, 2]");
    expect(type(call("flatten", [image]))).toBe("f32[B, 4]");
    expect(type(call("flatten", [image], { from: 0 }))).toBe("f32[8]");
    expect(type(call("squeeze", [image]))).toBe("f32[B, 2, 2]");
    expect(type(call("squeeze", [tensor([dim("B", 1), 1])]))).toBe("f32[B]");
    expect(type(call("squeeze", [tensor([B, 1]), -1]))).toBe("f32[B]");
    expect(type(call("unsqueeze", [x, 1]))).toBe("f32[B, 1, C]");
    expect(type(call("unsqueeze", [x, -1]))).toBe("f32[B, C, 1]");
    expect(shows(call("expand", [tensor([C]), list(dimNum(K), dimNum(C))]))).toBe("f32[K, C] 1 2 3 1 2 3");
    expect(type(call("permute", [x, list(dimNum(C), dimNum(B))]))).toBe("f32[C, B]");
    expect(shows(transposed(x))).toBe("f32[C, B] 1 4 2 5 3 6");
    expect(type(call("rename", [x], { B: dimNum(K) }))).toBe("f32[K, C]");
    expect(type(call("rename", [tensor([B, 3]), -1, dimNum(C)]))).toBe("f32[B, C]");
  });
  test("pieces", () => {
    expect(shows(call("concat", [list(x, x)], { over: dimNum(B) }))).toBe("f32[4, C] 1 2 3 4 5 6 1 2 3 4 5 6");
    expect(shows(call("concat", [list(x, x)], { over: -1 }))).toBe("f32[B, 6] 1 2 3 1 2 3 4 5 6 4 5 6");
    expect(shows(call("stack", [list(tensor([2]), tensor([2]))], { at: -1 }))).toBe("f32[2, 2] 1 1 2 2");
    expect(shows(call("split", [tensor([B, 4]), 2]))).toBe("(f32[B, 2], f32[B, 2]) 1 2 5 6 | 3 4 7 8");
    expect(shows(call("split", [tensor([4]), list(1, 3)]))).toBe("(f32[1], f32[3]) 1 | 2 3 4");
  });
  test("windows and borders", () => {
    expect(shows(call("windows", [tensor([4]), 2]))).toBe("f32[3, 2] 1 2 2 3 3 4");
    expect(type(call("windows", [tensor([B, 28, 28]), list(dimNum(C), 3)], { over: list(1, 2), stride: 2 }))).toBe(
      "f32[B, 13, 13, C, 3]",
    );
    expect(shows(call("pad", [tensor([2]), 1]))).toBe("f32[4] 0 1 2 0");
    expect(shows(call("pad", [tensor([B, 1]), list(0, 2)], { over: -1, value: -1 }))).toBe("f32[B, 3] 1 -1 -1 2 -1 -1");
    expect(shows(call("flip", [x], { over: dimNum(C) }))).toBe("f32[B, C] 3 2 1 6 5 4");
  });
  test("sizes", () => {
    expect(call("size", [x, 1])).toMatchObject({ value: 3, axis: C });
    expect(call("size", [x])).toEqual({ kind: "num", value: 6 });
    expect(type(call("size", [tensor([-1]), 0]))).toBe("?");
    expect(call("rank", [x])).toEqual({ kind: "num", value: 2 });
  });
});

describe("tables", () => {
  test("ranges and shapes", () => {
    expect(shows(call("range", [dimNum(C)]))).toBe("index(3)[C] 0 1 2");
    expect(shows(call("range", [{ kind: "range", from: 2, to: 4 }]))).toBe("i32[3] 2 3 4");
    expect(shows(call("linspace", [0, 1, 5]))).toBe("f32[5] 0 0.25 0.5 0.75 1");
    expect(shows(call("ones", [list(dimNum(B))]))).toBe("f32[B] 1 1");
    expect(shows(call("full", [list(dimNum(B)), 7]))).toBe("i32[B] 7 7");
    expect(shows(call("eye", [2]))).toBe("f32[2, 2] 1 0 0 1");
    expect(shows(call("lower", [2, 3]))).toBe("bool[2, 3] 1 0 0 1 1 0");
    expect(shows(call("one_hot", [ints([B], [2, 0], 3), dimNum(C)]))).toBe("f32[B, C] 0 0 1 1 0 0");
  });
  test("put writes one place, or several", () => {
    expect(shows(call("put", [x, tensor([B], "float", [8, 9])], { at: 1, over: dimNum(C) }))).toBe(
      "f32[B, C] 1 8 3 4 9 6",
    );
    expect(shows(call("put", [x, tensor([B, 1], "float", [8, 9])], { at: ints([], [0]), over: 1 }))).toBe(
      "f32[B, C] 8 2 3 9 5 6",
    );
    expect(shows(call("put", [x, tensor([B, 2], "float", [7, 7, 8, 8])], { at: 1, over: 1 }))).toBe(
      "f32[B, C] 1 7 7 4 8 8",
    );
    expect(shows(call("put", [x, 0], { at: ints([B], [2, 0]), over: 1 }))).toBe("f32[B, C] 1 2 0 0 5 6");
    expect(shows(call("put", [tensor([3]), 9], { at: -1 }))).toBe("f32[3] 1 2 9");
  });
});

describe("random", () => {
  const many = 4000;
  const moments = (v: Value): [number, number] => {
    const data = numbers(v);
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    return [mean, data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length];
  };
  test("distributions", () => {
    const [m, v] = moments(call("normal", [list(many)], { mean: 3, std: 2 }));
    expect(m).toBeCloseTo(3, 0);
    expect(Math.abs(v - 4)).toBeLessThan(0.4);
    const u = numbers(call("uniform", [list(many)], { low: -1, high: 3 }));
    expect(Math.min(...u)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...u)).toBeLessThan(3);
    expect(moments(call("bernoulli", [list(many), 0.25]))[0]).toBeCloseTo(0.25, 1);
  });
  test("permutations and samples", () => {
    const p = call("permutation", [dimNum(H)]);
    expect(type(p)).toBe("index(4)[H]");
    expect(numbers(p).sort()).toEqual([0, 1, 2, 3]);
    const draws = call("sample", [call("expand", [tensor([C], "float", [0.5, 0, 0.5]), list(many, dimNum(C))])]);
    expect(type(draws)).toBe(`index(3)[${many}]`);
    expect(numbers(draws).filter((i) => i === 1)).toEqual([]);
    expect(moments(draws)[0]).toBeCloseTo(1, 1);
    expect(type(call("normal_like", [x]))).toBe("f32[B, C]");
  });
});

describe("gradients", () => {
  const square = (v: Value) => binary("^", v, num(2), at);
  const u = tensor([], "float", [3]);
  const v = tensor([], "float", [2]);
  const surface = binary("-", square(u), square(v), at);
  const pair: Value = { kind: "tuple", items: [u, v] };
  test("of tensors, tuples, bundles", () => {
    expect(shows(call("grad", [call("sum", [square(x)]), x]))).toBe("f32[B, C] 2 4 6 8 10 12");
    expect(shows(call("grad", [surface, pair]))).toBe("(f32, f32) 6 | -4");
    const p = bundle({ w: tensor([2]) });
    const g = call("grad", [call("sum", [square(p)]), p]);
    expect(g.kind === "bundle" && numbers(g.leaves.get("w")!)).toEqual([2, 4]);
    expect(shows(call("grad", [call("sum", [square(x)], { over: dimNum(C) }), x], { per: dimNum(B) }))).toBe(
      "f32[B, C] 2 4 6 8 10 12",
    );
  });
  test("products and matrices", () => {
    expect(shows(call("hessian", [surface, pair]))).toBe("f32[2, 2] 2 0 0 -2");
    const y = square(x);
    expect(shows(call("jvp", [y, x, x]))).toBe("f32[B, C] 2 8 18 32 50 72");
    expect(shows(call("vjp", [y, x, x]))).toBe("f32[B, C] 2 8 18 32 50 72");
    expect(shows(call("hvp", [call("sum", [y]), x, x]))).toBe("f32[B, C] 2 4 6 8 10 12");
    const w = tensor([2]);
    expect(shows(call("jacobian", [square(w), w]))).toBe("f32[2, 2] 2 0 0 4");
  });
  test("bundles", () => {
    const p = bundle({ w: tensor([2], "float", [3, 0]), b: tensor([], "float", [4]) });
    expect(shows(call("norm", [call("unit", [p])]))).toBe("f32 1");
    expect(shows(call("flatten", [p]))).toBe("f32[3] 3 0 4");
    const back = call("unflatten", [tensor([3]), p]);
    expect(back.kind === "bundle" && numbers(back.leaves.get("b")!)).toEqual([3]);
  });
  test("mistakes", () => {
    expect(said(() => call("grad", [tensor([B]), x]))).toMatchInlineSnapshot(`
      "DLX0401 \`grad\` needs a single number to go down, and this has the axes [B]
        10..11: f32[B]
        help: reduce it first, for instance \`mean(y)\` or \`sum(y)\`; for one gradient per row of independent rows, \`per: B\`"
    `);
    expect(said(() => call("grad", [surface, ints([B], [0, 1])]))).toMatchInlineSnapshot(`
      "DLX0402 \`grad\` cannot go by i32[B]
        11..12: i32[B]
        help: only floats change by little steps: integers and bools have no gradient"
    `);
    expect(said(() => call("grad", [surface, 2]))).toMatchInlineSnapshot(`
      "DLX0402 \`grad\` cannot go by 2
        11..12: 2
        help: only floats change by little steps: integers and bools have no gradient"
    `);
    expect(said(() => call("grad", [x, x], { per: dimNum(B) }))).toMatchInlineSnapshot(`
      "DLX0401 \`per: B\` needs one number per place of B, and this is f32[B, C]
        10..11: f32[B, C]
        help: reduce the other axes first: \`sum(y, over: not B)\`"
    `);
    expect(said(() => call("hvp", [surface, u, x]))).toMatchInlineSnapshot(`
      "DLX0403 the direction of \`hvp\` must have the shape of f32, and this is f32[B, C]
        12..13: f32[B, C]
        11..12: f32
        help: for params take \`normal_like(params(net))\` or another gradient; for a tensor one of the same axes"
    `);
    expect(said(() => call("jacobian", [tensor([100]), u]))).toMatchInlineSnapshot(`
      "DLX0404 \`jacobian\` would take 100 gradients, one per row; at most 64 are written out
        10..11: f32[100]
        help: products with it are cheap at any size: \`hvp(y, x, v)\`, \`jvp(y, x, v)\`, \`vjp(y, x, v)\`"
    `);
  });
});

test("what is said of wrong arguments", () => {
  expect(said(() => call("exp", [{ kind: "none" }]))).toMatchInlineSnapshot(`
    "DLX0210 \`x\` of \`exp\` must be a tensor or a number, and this is none
      10..11: none
      help: \`none\` stands for no value; compare with \`== none\` first"
  `);
  expect(said(() => call("mean", [bundle({ w: x })]))).toMatchInlineSnapshot(`
    "DLX0210 \`x\` of \`mean\` must be a tensor or a number, and this is a bundle of 1 tensor
      10..11: a bundle of 1 tensor
      help: a bundle holds several tensors: reduce it with \`norm\`, \`sum\` or \`dot\`, or reach one leaf by its name"
  `);
  expect(said(() => call("reshape", [tensor([B, 784]), list(dimNum(B), 28, 27)]))).toMatchInlineSnapshot(`
    "DLX0211 f32[B, 784] has 2 * 784 = 1568 elements, and [B, 28, 27] asks for 2 * 28 * 27 = 1512
      10..11: f32[B, 784]
      11..12: 1512 elements
      help: a reshape keeps every element; write -1 for the one size that follows from the others"
  `);
  expect(said(() => call("reshape", [x, list(-1, 4)]))).toMatchInlineSnapshot(`
    "DLX0211 6 elements do not divide into 4 equal parts, so no size fits the -1
      10..11: f32[B, C]
      11..12: 4 without the -1
      help: the other sizes must multiply to a divisor of 6"
  `);
  expect(said(() => call("squeeze", [x, -1]))).toMatchInlineSnapshot(`
    "DLX0210 \`squeeze\` drops axes of size 1, and this one has C = 3
      10..11: f32[B, C]
      help: to drop it, choose one place, \`x[.., 0]\`, or reduce it, \`mean(x, over: -1)\`"
  `);
  expect(said(() => call("argmax", [x]))).toMatchInlineSnapshot(`
    "DLX0205 \`argmax\` works along one axis, and f32[B, C] has 2
      10..11: f32[B, C]
      help: say which: \`over: C\` or a place, \`over: -1\`"
  `);
  expect(said(() => call("split", [tensor([B, 10]), 3]))).toMatchInlineSnapshot(`
    "DLX0211 an axis of 10 does not split into 3 equal parts
      10..11: f32[B, 10]
      help: the parts must add up to the whole axis: a list gives them different sizes, \`split(x, [4, 6])\`"
  `);
  expect(said(() => call("windows", [tensor([B, 4]), 5], { over: -1 }))).toMatchInlineSnapshot(`
    "DLX0218 a window that reaches over 5 places does not fit an axis of 4
      10..11: f32[B, 4]
      help: make the window or its dilation smaller, or pad the axis first: \`pad: 1\` in a convolution, \`pad(x, 1, over: ..)\` elsewhere"
  `);
  expect(said(() => call("concat", [list(x, tensor([B, 4, 2]))]))).toMatchInlineSnapshot(`
    "DLX0210 \`concat\` has no meaning for f32[B, C] and f32[B, 4, 2]
      10..11: f32[B, C] and f32[B, 4, 2]
      help: all items must have the same number of axes"
  `);
  expect(said(() => call("concat", [list(x, tensor([K, 4]))], { over: 1 }))).toMatchInlineSnapshot(`
    "DLX0201 \`concat\` pairs axes by place here, and the first is B on the left but K on the right
      10..11: f32[B, C] and f32[K, 4]
      help: if the two are meant to be one axis, write \`rename(x, K: B)\` on the right"
  `);
  expect(said(() => call("one_hot", [ints([B], [0, 1], 12), 10]))).toMatchInlineSnapshot(`
    "DLX0209 these indices run from 0 to 11, and the axis they point into has only 10
      10..11: index(12)[B]
      11..12: 10 is written here
      help: make the axis 12 long, or the indices smaller than 10"
  `);
  expect(said(() => call("sum", [x], { by: ints([7], [0, 0, 0, 0, 0, 0, 0]), into: 3 }))).toMatchInlineSnapshot(`
    "DLX0201 \`by\` cannot pair f32[B, C] and i32[7]
      10..11: f32[B, C]
      30..31: i32[7]
      note: [B, C] has no axis 7
      help: each axis of the smaller side must be in the larger one; reduce it with \`over:\`, or add it to the larger one with \`expand(x, [..])\`"
  `);
  expect(said(() => call("expand", [tensor([5]), list(dimNum(B), 3)]))).toMatchInlineSnapshot(`
    "DLX0201 f32[5] does not expand to [B, 3]
      10..11: f32[5]
      11..12: wanted: [B, 3]
      help: each axis of x must be among the wanted ones, a name by its name, a number by an equal number; 5 is not"
  `);
  expect(said(() => call("solve", [x, tensor([B])]))).toMatchInlineSnapshot(`
    "DLX0203 \`solve\` needs a square matrix, and this is f32[B, C]
      10..11: f32[B, C]
      help: for least squares write \`solve(X.T @ X, X.T @ y)\`"
  `);
  expect(said(() => call("sample", [tensor([B, C], "float", undefined, { tag: "logits" })]))).toMatchInlineSnapshot(`
    "DLX0210 \`p\` of \`sample\` must be probabilities, and this is logits[B, C]
      10..11: logits[B, C]
      help: \`sample(softmax(z))\`"
  `);
  expect(said(() => call("put", [x, 0], { at: 5, over: 1 }))).toMatchInlineSnapshot(`
    "DLX0213 5 is outside of the second axis of f32[B, C], which has C = 3 places
      30..31: 0 to 2, or -1 to -3 from the end
      help: the first is 0, and the last is -1"
  `);
});

test("an open size passes through everything", () => {
  const o = tensor([B, -1]);
  const cases: [string, Value, string][] = [
    ["sum", call("sum", [o], { over: 1 }), "f32[B]"],
    ["mean", call("mean", [o], { over: 1, spread: yes }), "f32[B, ?]"],
    ["unbiased", call("unbiased", [call("mean", [o], { over: 1 })]), "f32[B]"],
    ["argmax", call("argmax", [o], { over: 1 }), "index(?)[B]"],
    ["flatten", call("flatten", [tensor([B, -1, 3])]), "f32[B, ?]"],
    ["reshape", call("reshape", [o, list(dimNum(B), -1, 2)]), "f32[B, ?, 2]"],
    ["split", call("split", [o, 2]), "(f32[B, ?], f32[B, ?])"],
    ["concat", call("concat", [list(o, x)], { over: 1 }), "f32[B, ?]"],
    ["windows", call("windows", [o, 3], { over: 1 }), "f32[B, ?, 3]"],
    ["pad", call("pad", [o, 1], { over: 1 }), "f32[B, ?]"],
    ["flip", call("flip", [o], { over: 1 }), "f32[B, ?]"],
    ["cumsum", call("cumsum", [o], { over: 1 }), "f32[B, ?]"],
    ["zeros", call("zeros", [list(call("size", [o, 1]))]), "f32[?]"],
    ["range", call("range", [call("size", [o, 1])]), "i32[?]"],
    ["put", call("put", [o, 0], { at: 0, over: 1 }), "f32[B, ?]"],
    ["sample", call("sample", [o]), "index(?)[B]"],
    ["normal", call("normal", [list(call("size", [o, 1]))]), "f32[?]"],
    ["product", binary("@", o, tensor([10, 3]), at), "f32[B, 3]"],
    ["sum of two", binary("+", o, x, at), "f32[B, C]"],
    ["size", call("size", [o]), "?"],
  ];
  for (const [name, value, want] of cases) expect([name, type(value)]).toEqual([name, want]);
  const get = (...items: Item[]) => type(indexTensor(o, items, at));
  const whole = { rest: true } as const;
  expect(get(whole, { value: num(-1), span: at.span })).toBe("f32[B]");
  expect(get(whole, { value: { kind: "range", from: 1 }, span: at.span })).toBe("f32[B, ?]");
  expect(get(whole, { value: { kind: "range", to: -2 }, span: at.span })).toBe("f32[B, ?]");
  expect(get(whole, { value: ints([B], [0, 0]), span: at.span })).toBe("f32[B]");
  expect(get(whole, { value: ints([B, 5], []), span: at.span })).toBe("f32[B, 5]");
  expect(type(call("one_hot", [ints([-1], []), 10]))).toBe("f32[?, 10]");
});
