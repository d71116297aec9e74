/** The broadcasting table of the language critique, its traps, and products of matrices. */
import { describe, expect, test } from "vitest";
import { binary, select, unary } from "../../lang/check/arith.ts";
import type { Axis, Tensor, Value } from "../../lang/check/values.ts";
import { at, bundle, dim, ints, list, num, numbers, said, tensor, type } from "./tensors.ts";

const B = dim("B", 4);
const C = dim("C", 3);
const T = dim("T", 5);
const S = dim("S", 5);
const N = dim("N", 6);
type Axes = (Axis | number)[];
const minus = (a: Value, b: Value) => binary("-", a, b, at);
const outcome = (a: Axes, b: Axes): string => {
  try {
    return type(minus(tensor(a), tensor(b)));
  } catch {
    return said(() => minus(tensor(a), tensor(b))).slice(0, 7);
  }
};

describe("which shapes pair", () => {
  const rows: [string, Axes, Axes, string][] = [
    ["a bias on features", [B, 16], [16], "f32[B, 16]"],
    ["channels of images", [B, C, 8, 8], [C], "f32[B, C, 8, 8]"],
    ["channels as many as rows of pixels", [B, C, 3, 3], [C], "f32[B, C, 3, 3]"],
    ["features as many as the batch", [B, 4], [4], "f32[B, 4]"],
    ["a number never meets the batch", [dim("B", 64), 128], [64], "DLX0201"],
    ["groups of channels", [B, C, 4, 8, 8], [B, C], "f32[B, C, 4, 8, 8]"],
    ["a scalar", [B, C], [], "f32[B, C]"],
    ["softmax with local names", [B, T, S], [B, T], "f32[B, T, S]"],
    ["twins", [B, T, T], [B, T], "DLX0206"],
    ["two equal numbers", [16, 6, 6, 6], [16, 6], "DLX0206"],
    ["a table on kernels", [16, 6, 5, 5], [16, 6], "f32[16, 6, 5, 5]"],
    ["equal rank, names", [B, T], [B, T], "f32[B, T]"],
    ["equal rank, a name and a number", [B, 5], [B, T], "f32[B, T]"],
    ["equal rank, other names", [B, T], [B, S], "DLX0201"],
    ["equal rank, other sizes", [B, 84], [B, 10], "DLX0201"],
    ["twins by place", [T, T], [T, T], "f32[T, T]"],
    ["size 1 never stretches", [B, 1], [B, 10], "DLX0201"],
    ["a column and a vector", [N, 1], [N], "DLX0202"],
    ["a vector and a column", [N], [N, 1], "DLX0202"],
    ["a column of numbers", [6, 1], [6], "DLX0202"],
    ["one output and its bias", [N, 1], [1], "f32[N, 1]"],
    ["one row and its bias", [1, 16], [16], "f32[1, 16]"],
    ["one row, one output", [1, 1], [1], "f32[1, 1]"],
    ["another order", [B, C, T], [T, B], "DLX0201"],
    ["a name and an equal number", [B, 5], [T], "DLX0201"],
    ["an open size", [B, -1], [7], "f32[B, 7]"],
  ];
  test.each(rows)("%s", (_, a, b, result) => expect(outcome(a, b)).toBe(result));

  test("scaling rows by a vector is no slip, also with one feature", () => {
    expect(type(binary("*", tensor([N, 1]), tensor([N]), at))).toBe("f32[N, 1]");
  });
});

test("values follow the axes", () => {
  const x = tensor([B, C]);
  expect(numbers(minus(x, tensor([B])))).toEqual([0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8]);
  expect(numbers(minus(x, tensor([C])))).toEqual([0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9]);
  expect(numbers(minus(tensor([C]), x))).toEqual([0, 0, 0, -3, -3, -3, -6, -6, -6, -9, -9, -9]);
});

describe("what is said", () => {
  test("a column of scores beside a vector of targets", () =>
    expect(said(() => minus(tensor([N, 1]), tensor([N])))).toMatchInlineSnapshot(`
      "DLX0202 \`-\` between f32[N, 1] and f32[N]: one side has an extra axis of size 1
        0..1: f32[N, 1]
        4..5: f32[N]
        note: a size of 1 never stretches, so no table of all pairs is made by accident
        help: drop the axis of size 1 on the left: \`squeeze(x, -1)\`"
    `));
  test("two sizes, with where each comes from", () => {
    const left: Axis = {
      size: 84,
      why: { span: { file: "test.dlx", start: 40, end: 50 }, text: "84 comes from Linear(84)" },
    };
    const right: Axis = {
      size: 10,
      why: { span: { file: "other.dlx", start: 1, end: 2 }, text: "10 comes from Linear(10)" },
    };
    expect(said(() => minus(tensor([B, left]), tensor([B, right])))).toMatchInlineSnapshot(`
      "DLX0201 \`-\` needs equal sizes, but the second axis is 84 on the left and 10 on the right
        0..1: f32[B, 84]
        4..5: f32[B, 10]
        40..50: 84 comes from Linear(84)
        note: 10 comes from Linear(10)
        help: one of the two sizes must change; the labels show where each comes from"
    `);
  });
  test("a number of the size of a name", () =>
    expect(said(() => minus(tensor([B, 5]), tensor([T])))).toMatchInlineSnapshot(`
      "DLX0201 \`-\` cannot pair f32[B, 5] and f32[T]
        0..1: f32[B, 5]
        4..5: f32[T]
        note: T is a name; [B, 5] has the number 5 of the same size, and a name is never found by a number
        help: give the number that name: \`rename(x, -1, T)\`, or write the size as T where the tensor is made"
    `));
  test("a name of the size of a number", () =>
    expect(said(() => binary("+", tensor([dim("B", 64), 128]), tensor([64]), at))).toMatchInlineSnapshot(`
      "DLX0201 \`+\` cannot pair f32[B, 128] and f32[64]
        0..1: f32[B, 128]
        4..5: f32[64]
        note: 64 is a number; [B, 128] has the name B of the same size, and a number is never found by a name
        help: write the name B instead of 64 where the right side is made"
    `));
  test("two names", () =>
    expect(said(() => minus(tensor([B, T]), tensor([B, S])))).toMatchInlineSnapshot(`
    "DLX0201 \`-\` pairs axes by place here, and the second is T on the left but S on the right
      0..1: f32[B, T]
      4..5: f32[B, S]
      help: if the two are meant to be one axis, write \`rename(x, S: T)\` on the right"
  `));
  test("another order", () =>
    expect(said(() => minus(tensor([B, C]), tensor([C, B])))).toMatchInlineSnapshot(`
    "DLX0201 \`-\` pairs axes by place here, and the first is B on the left but C on the right
      0..1: f32[B, C]
      4..5: f32[C, B]
      help: bring the axes into one order: \`permute(x, [B, C])\` on the right"
  `));
  test("twins", () =>
    expect(said(() => binary("/", tensor([T, T]), tensor([T]), at))).toMatchInlineSnapshot(`
    "DLX0206 \`/\` can pair f32[T, T] and f32[T] in more than one way
      0..1: f32[T, T]
      4..5: f32[T]
      note: the axis T of the smaller side fits more than one axis of the larger
      help: keep the reduced axis in place with \`spread: true\`, or give one of the two another name: \`rename(x, -1, T2)\`"
  `));
  test("equal numbers", () =>
    expect(said(() => binary("*", tensor([16, 6, 6, 6]), tensor([16, 6]), at))).toMatchInlineSnapshot(`
    "DLX0206 \`*\` can pair f32[16, 6, 6, 6] and f32[16, 6] in more than one way
      0..1: f32[16, 6, 6, 6]
      4..5: f32[16, 6]
      note: the axis 6 of the smaller side fits more than one axis of the larger
      help: say where it belongs: keep the reduced axis in place with \`spread: true\`, or give the axes names with \`dim\`"
  `));
  test("a size of 1", () =>
    expect(said(() => minus(tensor([B, 1]), tensor([B, 10])))).toMatchInlineSnapshot(`
    "DLX0201 \`-\` needs equal sizes, but the second axis is 1 on the left and 10 on the right
      0..1: f32[B, 1]
      4..5: f32[B, 10]
      help: a size of 1 never stretches: \`squeeze(x, 1)\` drops it, and the other axes then pair by name or size"
  `));
  test("an absent value", () =>
    expect(said(() => minus(tensor([B]), { kind: "none" }))).toMatchInlineSnapshot(`
    "DLX0210 \`-\` has no meaning for f32[B] and none
      0..1: f32[B]
      4..5: none
      help: this value may be absent: test it with \`== none\` first"
  `));
});

describe("products of matrices", () => {
  const product = (a: Axes, b: Axes) => binary("@", tensor(a), tensor(b), at) as Tensor;
  const rows: [Axes, Axes, string][] = [
    [[B, 3], [3, 2], "f32[B, 2]"],
    [[B, T, 3], [3, 2], "f32[B, T, 2]"],
    [[3], [3, 2], "f32[2]"],
    [[B, 3], [3], "f32[B]"],
    [[3], [3], "f32"],
    [[B, C, T, 2], [B, C, 2, S], "f32[B, C, T, S]"],
    [[B, C, T, 2], [C, 2, S], "f32[B, C, T, S]"],
    [[T, 2], [B, 2, S], "f32[B, T, S]"],
    [[N, 3], [3, N], "f32[N, N]"],
  ];
  test.each(rows)("%# shapes", (a, b, result) => expect(type(product(a, b))).toBe(result));

  test("values", () => {
    expect(numbers(product([2, 3], [3, 2]))).toEqual([22, 28, 49, 64]);
    // The batch of either side keeps its place.
    const a = tensor([2, 2]);
    const b = tensor([B, 2, 1]);
    expect(numbers(binary("@", a, b, at))).toEqual([5, 11, 11, 25, 17, 39, 23, 53]);
    const c = tensor([B, C, 1, 2]);
    const d = tensor([C, 2, 1]);
    expect(numbers(binary("@", c, d, at)).slice(0, 4)).toEqual([5, 25, 61, 23]);
  });

  test("sizes that differ", () =>
    expect(said(() => product([B, 784], [100, 10]))).toMatchInlineSnapshot(`
      "DLX0203 \`@\` sums over the last axis of the left (784) and the rows of the right (100), which differ
        0..1: f32[B, 784]
        4..5: f32[100, 10]
        help: the last axis of the left side must be the second to last of the right side"
    `));
  test("a forgotten flatten", () =>
    expect(said(() => product([B, 28, 28], [784, 10]))).toMatchInlineSnapshot(`
    "DLX0203 \`@\` sums over the last axis of the left (28) and the rows of the right (784), which differ
      0..1: f32[B, 28, 28]
      4..5: f32[784, 10]
      help: \`flatten(x)\` joins the axes after the first into one of 784"
  `));
  test("a forgotten transpose", () =>
    expect(said(() => product([B, 3], [2, 3]))).toMatchInlineSnapshot(`
    "DLX0203 \`@\` sums over the last axis of the left (3) and the rows of the right (2), which differ
      0..1: f32[B, 3]
      4..5: f32[2, 3]
      help: transpose the right side: \`a @ b.T\`"
  `));
  test("two names of one size", () =>
    expect(said(() => product([B, T], [S, 2]))).toMatchInlineSnapshot(`
    "DLX0203 \`@\` sums over the last axis of the left (T = 5) and the rows of the right (S = 5), which differ
      0..1: f32[B, T]
      4..5: f32[S, 2]
      help: if T and S are meant to be one axis, write \`rename(x, S: T)\`"
  `));
  test("a scalar", () =>
    expect(said(() => binary("@", tensor([B]), num(2), at))).toMatchInlineSnapshot(`
    "DLX0203 \`@\` multiplies matrices and vectors, and one side is a single number
      0..1: f32[B]
      4..5: i32
      help: write \`*\` to scale by a number"
  `));
});

describe("numbers and kinds", () => {
  const fold = (op: Parameters<typeof binary>[0], a: number, b: number) => binary(op, num(a), num(b), at);
  test("numbers fold now", () => {
    expect(fold("+", 2, 3)).toEqual({ kind: "num", value: 5 });
    expect(fold("/", 4, 2)).toEqual({ kind: "num", value: 2, float: true });
    expect(fold("//", -7, 2)).toEqual({ kind: "num", value: -4 });
    expect(fold("%", -7, 3)).toEqual({ kind: "num", value: 2 });
    expect(fold("^", 2, 10)).toEqual({ kind: "num", value: 1024 });
    expect(fold("^", 2, -1)).toEqual({ kind: "num", value: 0.5, float: true });
    expect(fold("<", 1, 2)).toEqual({ kind: "bool", value: true });
    expect(binary("*", { kind: "num", value: 4, axis: B }, num(2), at)).toEqual({ kind: "num", value: 8 });
  });
  test("an open size stays open", () => {
    const unknown = binary("*", num(2), { kind: "num", value: -1, axis: { size: -1 } }, at);
    expect(type(unknown)).toBe("?");
    expect(type(binary("+", unknown, num(1), at))).toBe("?");
  });
  test("promotion", () => {
    const i = ints([B], [1, 2, 3, 4], 10);
    expect(type(i)).toBe("index(10)[B]");
    expect(type(binary("+", i, num(1), at))).toBe("i32[B]");
    expect(type(binary("*", i, num(0.5), at))).toBe("f32[B]");
    expect(type(binary("/", i, num(2), at))).toBe("f32[B]");
    expect(numbers(binary("/", i, num(2), at))).toEqual([0.5, 1, 1.5, 2]);
    expect(numbers(binary("//", i, num(2), at))).toEqual([0, 1, 1, 2]);
    const c = binary(">", i, num(2), at);
    expect(type(c)).toBe("bool[B]");
    expect(numbers(c)).toEqual([0, 0, 1, 1]);
    expect(type(binary("+", c, c, at))).toBe("i32[B]");
    expect(numbers(binary("*", c, tensor([B]), at))).toEqual([0, 0, 3, 4]);
    expect(numbers(binary("and", c, unary("not", c, at), at))).toEqual([0, 0, 0, 0]);
  });
  test("powers", () => {
    const x = tensor([3], "float", [-2, 0, 3]);
    expect(numbers(binary("^", x, num(3), at))).toEqual([-8, 0, 27]);
    expect(numbers(binary("^", x, num(0), at))).toEqual([1, 1, 1]);
    expect(numbers(binary("^", x, num(-1), at))).toEqual([-0.5, Infinity, 0.333333333]);
    expect(numbers(binary("^", num(2), ints([3], [1, 2, 3]), at))).toEqual([2, 4, 8]);
    expect(type(binary("^", ints([3], [1, 2, 3]), num(2), at))).toBe("i32[3]");
  });
  test("what is known of a value", () => {
    expect(binary("==", { kind: "none" }, { kind: "none" }, at)).toEqual({ kind: "bool", value: true });
    expect(binary("==", tensor([B]), { kind: "none" }, at)).toEqual({ kind: "bool", value: false });
    const z = tensor([B], "float", undefined, { tag: "logits" });
    expect((binary("+", z, tensor([B]), at) as Tensor).tag).toBe("logits");
    expect((binary("*", z, num(2), at) as Tensor).tag).toBeUndefined();
  });
  test("lists of numbers count as tensors", () =>
    expect(numbers(binary("+", list(1, 2, 3), tensor([3]), at))).toEqual([2, 4, 6]));
});

describe("choice and bundles", () => {
  test("element by element", () => {
    const x = tensor([B, C]);
    const c = binary(">", tensor([B]), num(2), at);
    const y = select(c, x, num(0), at);
    expect(type(y)).toBe("f32[B, C]");
    expect(numbers(y)).toEqual([0, 0, 0, 0, 0, 0, 7, 8, 9, 10, 11, 12]);
  });
  test("a condition must be a bool", () =>
    expect(said(() => select(num(1), num(2), num(3), at))).toMatchInlineSnapshot(`
    "DLX0210 a condition must be true or false, and this is 1
      0..9: 1
      help: compare it: \`x > 0\`, \`x != 0\`, \`x == none\`"
  `));
  test("leaf by leaf", () => {
    const p = bundle({ w: tensor([2, 2]), b: tensor([2]) });
    const q = minus(p, binary("*", num(0.5), p, at));
    if (q.kind !== "bundle") throw new Error("expected a bundle");
    expect(numbers(q.leaves.get("w")!)).toEqual([0.5, 1, 1.5, 2]);
    const ok = select(tensor([], "bool", [0]), p, q, at);
    expect(ok.kind === "bundle" && numbers(ok.leaves.get("b")!)).toEqual([0.5, 1]);
    expect(said(() => minus(p, tensor([2])))).toMatchInlineSnapshot(`
      "DLX0210 \`-\` has no meaning for a bundle of 2 tensors and f32[2]
        0..1: a bundle of 2 tensors
        4..5: f32[2]
        help: beside a bundle stands a bundle of the same params or a single number"
    `);
    expect(said(() => minus(p, bundle({ w: tensor([2, 2]) })))).toMatchInlineSnapshot(`
      "DLX0210 \`-\` works on bundles leaf by leaf, and only one side has b
        0..1: a bundle of 2 tensors
        4..5: a bundle of 1 tensor
        help: both sides must hold the same params, for instance \`params(net)\` and \`grad(loss, net)\` of one model"
    `);
  });
});
