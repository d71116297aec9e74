/** Linear algebra and order: types, edges, and what is said of wrong arguments. Values and gradients: builtins-torch. */
import { describe, expect, test } from "vitest";
import type { Tensor, Value } from "../../lang/check/values.ts";
import { evaluate, gradient } from "../../lang/graph/index.ts";
import { call, dim, dimNum, ints, list, num, numbers, said, tensor, type } from "./tensors.ts";
import { expectClose, printed, prints } from "./semantics.ts";

const shows = (v: Value): string =>
  v.kind === "tuple" ? v.items.map(shows).join(" | ") : `${type(v)} ${numbers(v).map((x) => Number(x.toFixed(4))).join(" ")}`; // prettier-ignore
const matrix = (...rows: number[][]) => list(...rows.map((r) => list(...r.map((x) => num(x, true)))));
const yes: Value = { kind: "bool", value: true };
const [N, M, B] = [dim("N", 3), dim("M", 2), dim("B", 2)];

describe("types", () => {
  test("keep names", () => {
    const A = tensor([B, N, N]);
    expect(type(call("solve", [A, tensor([B, N])]))).toBe("f32[B, N]");
    expect(type(call("solve", [A, tensor([B, N, M])]))).toBe("f32[B, N, M]");
    expect(type(call("inv", [A]))).toBe("f32[B, N, N]");
    expect(type(call("det", [A]))).toBe("f32[B]");
    expect(type(call("logdet", [A]))).toBe("f32[B]");
    expect(type(call("cholesky", [A]))).toBe("f32[B, N, N]");
    expect(type(call("eigvals", [A]))).toBe("f32[B, 3]");
    expect(type(call("eigh", [A]))).toBe("(f32[B, 3], f32[B, N, 3])");
    expect(type(call("diag", [A]))).toBe("f32[B, N]");
    expect(type(call("diag", [tensor([N])]))).toBe("f32[N, N]");
    expect(type(call("trace", [A]))).toBe("f32[B]");
    expect(type(call("outer", [tensor([N]), tensor([M])]))).toBe("f32[N, M]");
    expect(type(call("critical_point", [A]))).toBe("index(4)[B]");
  });
  test("of order", () => {
    const x = tensor([B, N]);
    expect(type(call("sort", [x], { over: dimNum(N) }))).toBe("f32[B, N]");
    expect(type(call("argsort", [x], { over: dimNum(B) }))).toBe("index(2)[B, N]");
    expect(type(call("topk", [x, 2], { over: dimNum(N) }))).toBe("(f32[B, 2], index(3)[B, 2])");
    expect(type(call("sort", [ints([3], [2, 0, 1], 3)]))).toBe("index(3)[3]");
    expect(type(call("prod", [x], { over: dimNum(N), spread: yes }))).toBe("f32[B, N]");
  });
});

describe("values", () => {
  test("of small matrices", () => {
    const A = matrix([2, 1], [1, 2]);
    expect(shows(call("eigvals", [A]))).toBe("f32[2] 1 3");
    expect(shows(call("eigh", [A]))).toBe("f32[2] 1 3 | f32[2, 2] 0.7071 0.7071 -0.7071 0.7071");
    expect(shows(call("det", [matrix([0, 2], [3, 4])]))).toBe("f32 -6");
    expect(shows(call("det", [matrix([1, 2], [2, 4])]))).toBe("f32 0");
    expect(shows(call("logdet", [matrix([1e30, 0], [0, 1e30])]))).toBe("f32 138.1551");
    expect(shows(call("inv", [matrix([2, 0], [0, 4])]))).toBe("f32[2, 2] 0.5 0 0 0.25");
    expect(numbers(call("cholesky", [matrix([1, 2], [2, 1])])).some(Number.isNaN)).toBe(true);
    expect(shows(call("diag", [list(1, 2)]))).toBe("i32[2, 2] 1 0 0 2");
    expect(shows(call("upper", [2, 3]))).toBe("bool[2, 3] 1 1 1 0 1 1");
  });
  test("of order: equals keep theirs, NaN comes last", () => {
    const x = tensor([6], "float", [2, NaN, -1, 2, -Infinity, 0]);
    expect(shows(call("argsort", [x]))).toBe("index(6)[6] 4 2 5 0 3 1");
    expect(shows(call("argsort", [x], { descending: yes }))).toBe("index(6)[6] 0 3 5 2 4 1");
    expect(shows(call("topk", [ints([5], [3, 9, 9, 1, 4]), 3]))).toBe("i32[3] 9 9 4 | index(5)[3] 1 2 4");
    expect(shows(call("gather", [tensor([2, 3], "bool", [1, 0, 1, 0, 0, 1]), list(list(0), list(2))], { over: -1 }))).toBe("bool[2, 1] 1 1"); // prettier-ignore
    expect(shows(call("roll", [ints([4], [1, 2, 3, 4]), -1]))).toBe("i32[4] 2 3 4 1");
    expect(shows(call("cumprod", [ints([4], [1, 2, 3, 4])], { reverse: yes }))).toBe("i32[4] 24 24 12 4");
    expect(shows(call("prod", [ints([2, 2], [1, 2, 3, 4])]))).toBe("i32 24");
  });
  test("rounding, and what is no number", () => {
    const x = tensor([7], "float", [-1.5, -0.5, 0.5, 1.5, 2.5, 8388609, 0.49999997]);
    expect(shows(call("round", [x]))).toBe("f32[7] -2 0 0 2 2 8388609 0");
    expect(shows(call("ceil", [tensor([3], "float", [-1.5, 0.25, 2])]))).toBe("f32[3] -1 1 2");
    expect(call("round", [num(2.5)])).toEqual({ kind: "num", value: 2 });
    expect(call("ceil", [num(2.5)])).toEqual({ kind: "num", value: 3 });
    const y = tensor([4], "float", [1, NaN, Infinity, -Infinity]);
    expect(shows(call("isnan", [y]))).toBe("bool[4] 0 1 0 0");
    expect(shows(call("isfinite", [y]))).toBe("bool[4] 1 0 0 0");
    expect(shows(call("isfinite", [ints([2], [1, 2])]))).toBe("bool[2] 1 1");
  });
});

describe("gradients at edges", () => {
  const slope = (y: Tensor, x: Tensor, data: number[]) =>
    [...evaluate(gradient(y.node, [x.node]), (n) => (n === x.node ? data : undefined))[0]!].map((v) => v + 0);
  test("of a norm at zeros is 0, as in PyTorch; of rows each for itself", () => {
    const x = tensor([3]);
    expect(slope(call("norm", [x]) as Tensor, x, [0, 0, 0])).toEqual([0, 0, 0]);
    const rows = tensor([2, 2]);
    const y = call("sum", [call("norm", [rows], { over: -1 })]) as Tensor;
    expectClose(slope(y, rows, [0, 0, 3, 4]), [0, 0, 0.6, 0.8], 9);
  });
  test("a penalty of gradients at zeros stays finite in the second order", async () => {
    const [line] = await printed("let x = zeros([3])\nprint grad(sum(grad(norm(x)^2 + norm(x), x) * ones([3])), x)");
    expect(line).toEqual([0, 0, 0]);
  });
  test("of equal eigenvalues: a function of all of them has its gradient", () => {
    const A = tensor([3, 3]);
    const y = call("sum", [call("exp", [call("eigvals", [A])])]) as Tensor;
    const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    slope(y, A, identity).forEach((g, i) => expect(g).toBeCloseTo(Math.E * identity[i]!, 9));
  });
  test("of a singular determinant: the cofactors", () => {
    const A = tensor([2, 2]);
    expect(slope(call("det", [A]) as Tensor, A, [1, 2, 2, 4])).toEqual([4, -2, -2, 1]);
  });
});

describe("critical points", () => {
  const kind = async (surface: string) =>
    (await prints(`let x = 0.0\nlet y = 0.0\nlet s = ${surface}\nprint critical_point(hessian(s, (x, y)))`))[0];
  test.each([
    ["x^2 + y^2 + x * y", "minimum"],
    ["-x^2 - 3 * y^2", "maximum"],
    ["x^2 - y^2", "saddle"],
    ["x * y", "saddle"],
    ["x^2 + y^4", "undecided"],
    ["x^3 + y^3", "undecided"],
  ])("%s is a %s", async (surface, wanted) => expect(await kind(surface)).toBe(wanted));
  test("the saddle of the founding design, and a step along the vector of the negative eigenvalue", async () => {
    const lines = await prints(`
let x = 0.0
let y = 0.0
let surface = x^2 - y^2
let H = hessian(surface, (x, y))
print grad(surface, (x, y)), eigvals(H), critical_point(H)
print "it is a {critical_point(H)}"
let (w, v) = eigh(H)
let d = 0.1 * v[.., 0]
print w[0], d[0]^2 - d[1]^2`);
    expect(lines).toEqual(["(0, 0) [-2, 2] saddle", "it is a saddle", "-2 -0.01"]);
  });
});

test("wrong arguments", () => {
  const told = (name: string, ...args: (Value | number)[]) => said(() => call(name, args)).split("\n")[0];
  expect(told("inv", tensor([2, 3]))).toBe("DLX0203 `inv` needs a square matrix, and this is f32[2, 3]");
  expect(told("eigh", tensor([3]))).toBe("DLX0203 `eigh` needs a square matrix, and this is f32[3]");
  expect(told("diag", tensor([2, 3]))).toBe("DLX0203 `diag` needs a square matrix, and this is f32[2, 3]");
  expect(told("cholesky", matrix([1, 2], [0, 1]))).toBe(
    "DLX0210 `A` of `cholesky` must be a symmetric matrix, and this is [[1.0, 2.0], [0.0, 1.0]]",
  );
  expect(told("solve", tensor([2, 3, 3]), tensor([3]))).toContain(
    "`b` of `solve` must be a vector or a matrix for each",
  );
  expect(told("topk", tensor([3]), 4)).toContain("`k` of `topk` must be at most 3");
  expect(told("gather", tensor([2, 3]), ints([2], [0, 1]))).toContain("DLX02");
  expect(said(() => call("gather", [tensor([2, 3]), ints([3, 1], [0, 1, 0])], { over: -1 }))).toContain("DLX0201");
});
