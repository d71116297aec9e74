/** How types read, which axes `over:` means, and indexing. */
import { describe, expect, test } from "vitest";
import { axesFromList, resolveAxes, sameAxis, typeText } from "../../lang/check/axes.ts";
import { indexTensor } from "../../lang/check/index.ts";
import type { Item } from "../../lang/check/index.ts";
import type { Tensor, Value } from "../../lang/check/values.ts";
import { at, bundle, dim, dimNum, ints, list, num, numbers, said, span, tensor, type } from "./tensors.ts";

const B = dim("B", 2);
const C = dim("C", 3);
const H = dim("H", 4);
const T = dim("T", 3);

test("types read as a script writes them", () => {
  const cases: [Value, string][] = [
    [tensor([B, 84]), "f32[B, 84]"],
    [tensor([]), "f32"],
    [ints([B], [0, 1], 10), "index(10)[B]"],
    [tensor([-1], "bool"), "bool[?]"],
    [tensor([B, 10], "float", undefined, { tag: "logits" }), "logits[B, 10]"],
    [num(3), "3"],
    [num(3, true), "3.0"],
    [dimNum(H), "H = 4"],
    [{ kind: "tuple", items: [tensor([B]), num(1)] }, "(f32[B], 1)"],
    [{ kind: "range", from: 1 }, "1.."],
    [bundle({ w: tensor([2]) }), "a bundle of 1 tensor"],
  ];
  for (const [value, text] of cases) expect(typeText(value)).toBe(text);
});

test("a name is itself, a number any equal number", () => {
  expect(sameAxis(T, C)).toBe(false);
  expect(sameAxis(B, { ...B, size: 5 })).toBe(true);
  expect(sameAxis({ size: 3 }, C)).toBe(false);
  expect(sameAxis({ size: 3 }, { size: -1 })).toBe(true);
});

test("shapes are lists of sizes that keep their names", () => {
  expect(axesFromList(list(dimNum(B), 7), at).map((a) => a.name ?? a.size)).toEqual(["B", 7]);
  expect(said(() => axesFromList(list(num(2, true)), at))).toMatchInlineSnapshot(`
    "DLX0210 a size must be a whole number, and this is 2.0
      0..9: 2.0
      help: 2.0 is a float; \`//\` divides whole numbers and gives a whole number"
  `);
  expect(said(() => axesFromList(list(0), at))).toMatchInlineSnapshot(`
    "DLX0210 a size must be at least 1, and this is 0
      0..9: 0
      help: an axis has one element or more"
  `);
  expect(said(() => axesFromList(list(tensor([])), at))).toMatchInlineSnapshot(`
    "DLX0210 a size must be a whole number, and this is f32
      0..9: f32
      help: sizes are known before anything runs: they come from \`dim\`, numbers and data sets, never from the values of a tensor"
  `);
});

describe("over", () => {
  const x = tensor([B, C, H, 5]);
  test("names, places, lists, all but", () => {
    expect(resolveAxes(x, undefined, at)).toEqual([0, 1, 2, 3]);
    expect(resolveAxes(x, dimNum(C), at)).toEqual([1]);
    expect(resolveAxes(x, num(-1), at)).toEqual([3]);
    expect(resolveAxes(x, list(dimNum(H), 0), at)).toEqual([2, 0]);
    expect(resolveAxes(x, { kind: "not", value: dimNum(C) }, at)).toEqual([0, 2, 3]);
    expect(resolveAxes(x, { kind: "not", value: list(dimNum(B), dimNum(H)) }, at)).toEqual([1, 3]);
  });
  test("mistakes", () => {
    expect(said(() => resolveAxes(x, dimNum(T), at))).toMatchInlineSnapshot(`
      "DLX0205 there is no axis T in f32[B, C, H, 5]
        0..9: not an axis here
        help: name one of B, C, H, 5, or count places: 0 is the first, -1 the last"
    `);
    expect(said(() => resolveAxes(x, num(4), at))).toMatchInlineSnapshot(`
      "DLX0205 there is no axis 4 in f32[B, C, H, 5]
        0..9: not an axis here
        help: places run from 0 to 3, or from -1 (the last) to -4"
    `);
    expect(said(() => resolveAxes(tensor([T, T]), dimNum(T), at))).toMatchInlineSnapshot(`
      "DLX0205 f32[T, T] has the axis T twice
        0..9: which T?
        help: reach it by place: \`-2\` or \`-1\`"
    `);
    expect(said(() => resolveAxes(tensor([B, 3]), dimNum(T), at))).toMatchInlineSnapshot(`
      "DLX0205 there is no axis T in f32[B, 3]
        0..9: not an axis here
        help: the axis of size 3 has no name here; reach it by place: \`-1\`"
    `);
    expect(said(() => resolveAxes(x, list(dimNum(C), 1), at))).toMatchInlineSnapshot(`
      "DLX0205 the axis C of f32[B, C, H, 5] is named twice
        0..9: again
        help: name each axis once"
    `);
  });
});

describe("index", () => {
  const get = (x: Tensor, ...items: (Value | number | "..")[]): Tensor =>
    indexTensor(
      x,
      items.map((v): Item =>
        v === ".." ? { rest: true } : { value: typeof v === "number" ? num(v) : v, span: span(20) },
      ),
      at,
    );
  const from = (a?: number, b?: number): Value => ({ kind: "range", from: a, to: b });
  const x = tensor([B, C]);

  test("numbers drop their axis", () => {
    expect(numbers(get(x, 1))).toEqual([4, 5, 6]);
    expect(type(get(x, 1))).toBe("f32[C]");
    expect(numbers(get(x, "..", -1))).toEqual([3, 6]);
    expect(type(get(x, 0, 0))).toBe("f32");
    expect(numbers(get(x, 1, "..", 0))).toEqual([4]);
  });
  test("ranges keep it as a number, both ends inside", () => {
    expect(type(get(x, "..", from(1)))).toBe("f32[B, 2]");
    expect(numbers(get(x, "..", from(1)))).toEqual([2, 3, 5, 6]);
    expect(numbers(get(x, "..", from(undefined, -2)))).toEqual([1, 2, 4, 5]);
    expect(numbers(get(x, "..", from(1, 1)))).toEqual([2, 5]);
    expect(numbers(indexTensor(x, [{ axis: dimNum(C), value: from(1), span: span(20) }], at))).toEqual([2, 3, 5, 6]);
  });
  test("an index puts its axes in the place of the indexed one", () => {
    const table = tensor([C, 2]);
    const ids = ints([B, 4], [0, 1, 2, 0, 2, 2, 1, 0], 3);
    expect(type(get(table, ids))).toBe("f32[B, 4, 2]");
    expect(numbers(get(table, ids)).slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(numbers(get(table, list(2, 0)))).toEqual([5, 6, 1, 2]);
    // A permutation of the axis it indexes.
    expect(type(get(x, ints([B], [1, 0], 2)))).toBe("f32[B, C]");
    expect(numbers(get(x, ints([B], [1, 0], 2)))).toEqual([4, 5, 6, 1, 2, 3]);
    expect(numbers(get(tensor([3]), ints([], [2])))).toEqual([3]);
  });
  test("shared names are aligned", () => {
    expect(type(get(x, "..", ints([B], [2, 0], 3)))).toBe("f32[B]");
    expect(numbers(get(x, "..", ints([B], [2, 0], 3)))).toEqual([3, 4]);
    const y = tensor([B, T, 3]);
    const label = ints([B, T], [0, 1, 2, 2, 1, 0], 3);
    expect(type(get(y, "..", label))).toBe("f32[B, T]");
    expect(numbers(get(y, "..", label))).toEqual([1, 5, 9, 12, 14, 16]);
    // Names in another order than in x.
    expect(numbers(get(y, "..", ints([T, B], [0, 2, 1, 1, 2, 0], 3)))).toEqual([1, 5, 9, 12, 14, 16]);
    expect(numbers(get(tensor([B, 2], "bool", [1, 0, 0, 1]), "..", ints([B], [0, 0])))).toEqual([1, 0]);
  });
  test("several places per row", () => {
    const y = tensor([B, 4, 2]);
    const picked = get(y, 0 as never as Value);
    expect(type(picked)).toBe("f32[4, 2]");
    const ids = ints([B, 3], [3, 0, 1, 2, 2, 0], 4);
    const rows = indexTensor(y, [{ axis: num(1), value: ids, span: span(20) }], at);
    expect(type(rows)).toBe("f32[B, 3, 2]");
    expect(numbers(rows)).toEqual([7, 8, 1, 2, 3, 4, 13, 14, 13, 14, 9, 10]);
    // The shared axis behind the indexed one.
    const z = tensor([4, 5, B]);
    const last = indexTensor(z, [{ axis: num(0), value: ints([3, B], [0, 1, 2, 3, 3, 0]), span: span(20) }], at);
    expect(type(last)).toBe("f32[3, 5, B]");
    expect(numbers(last).slice(0, 4)).toEqual([1, 12, 3, 14]);
  });
  test("two indices that share a name", () => {
    const N = dim("N", 3);
    const p = tensor([4, 5]);
    expect(type(get(p, ints([N], [0, 1, 3]), ints([N], [0, 4, 2])))).toBe("f32[N]");
    expect(numbers(get(p, ints([N], [0, 1, 3]), ints([N], [0, 4, 2])))).toEqual([1, 10, 18]);
  });
  test("mistakes", () => {
    expect(said(() => get(x, 2))).toMatchInlineSnapshot(`
      "DLX0213 2 is outside of the first axis of f32[B, C], which has B = 2 places
        20..21: 0 to 1, or -1 to -2 from the end
        help: the first is 0, and the last is -1"
    `);
    expect(said(() => get(x, from(1, 5)))).toMatchInlineSnapshot(`
      "DLX0213 5 is outside of the first axis of f32[B, C], which has B = 2 places
        20..21: 0 to 1, or -1 to -2 from the end
        help: the first is 0, and the last is -1"
    `);
    expect(said(() => get(x, "..", from(2, 1)))).toMatchInlineSnapshot(`
      "DLX0213 the range 2..1 holds no place of the second axis of f32[B, C]
        20..21: empty
        note: both ends of a range are part of it
        help: the first end must not lie behind the second"
    `);
    expect(said(() => get(x, 0, 0, 0))).toMatchInlineSnapshot(`
      "DLX0213 3 indices for f32[B, C], which has 2 axes
        0..9: f32[B, C]
        help: give one index per axis at most; \`..\` stands for all axes that are not named"
    `);
    expect(said(() => get(x, "..", ints([B], [0, 1], 12)))).toMatchInlineSnapshot(`
      "DLX0209 these indices run from 0 to 11, and the axis they point into has only C = 3
        20..21: index(12)[B]
        0..9: f32[B, C]
        help: make the axis 12 long, or the indices smaller than 3"
    `);
    expect(said(() => get(x, tensor([B])))).toMatchInlineSnapshot(`
      "DLX0210 an index must be a whole number, a range or a tensor of integers, and this is f32[B]
        20..21: f32[B]
        help: indices are whole numbers: \`i32(x)\` converts"
    `);
    expect(said(() => get(x, tensor([B], "bool")))).toMatchInlineSnapshot(`
      "DLX0210 an index must be a whole number, a range or a tensor of integers, and this is bool[B]
        20..21: bool[B]
        help: sizes never depend on values: keep all places and use \`where(c, x, 0)\` or \`weight: c\`"
    `);
    expect(said(() => indexTensor(x, [{ axis: dimNum(T), value: num(0), span: span(20) }], at))).toMatchInlineSnapshot(`
      "DLX0205 there is no axis T in f32[B, C]
        20..21: not an axis here
        0..9: f32[B, C]
        help: name one of B, C, or count places: 0 is the first, -1 the last"
    `);
  });
});
