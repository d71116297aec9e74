/**
 * The functions of lanes against float64 over wide ranges, in units in the last place of f32, and at the special values.
 */
import { describe, expect, it } from "vitest";
import { make } from "../../lang/graph/index.ts";
import { erf } from "../../lang/graph/ops/erf.ts";
import { toHalf } from "../../lang/graph/ops/half.ts";
import { input, numbers, runCpu } from "./harness.ts";

const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);
/** Distance to the next f32 at x. */
function ulp(x: number): number {
  float[0] = Math.abs(x);
  const at = float[0];
  bits[0] = (bits[0] ?? 0) + 1;
  return (float[0] ?? 0) - at;
}

function error(got: number, expected: number): number {
  const rounded = Math.fround(expected);
  if (Object.is(got, rounded) || got === rounded) return 0;
  if (!Number.isFinite(rounded)) return Infinity;
  return Math.abs(got - expected) / ulp(rounded);
}

async function worst(op: string, xs: Float32Array, exact: (x: number) => number): Promise<number> {
  const { values } = await runCpu([make(op, [input("batch", "x", [xs.length])])], { x: xs });
  let most = 0;
  xs.forEach((x, i) => (most = Math.max(most, error(values[0]?.[i] as number, exact(x)))));
  return most;
}

/** Evenly in [low, high], and small numbers of every size. */
function points(low: number, high: number): Float32Array {
  const even = numbers(40_000, 1, low, high);
  const small = Float32Array.from({ length: 1000 }, (_, i) => (i % 2 ? 1 : low < 0 ? -1 : 1) * 2 ** (-i / 8));
  return Float32Array.from([...even, ...small.filter((x) => x >= low && x <= high), 1, 1.0009765625, 0.99951171875]);
}

const rows: [string, (x: number) => number, number, number, number][] = [
  ["exp", Math.exp, -104, 89, 2],
  ["exp", Math.exp, -1, 1, 2],
  ["log", Math.log, 1e-38, 10, 2],
  ["log", Math.log, 0.5, 1.5, 2],
  ["log", Math.log, 1, 3e38, 2],
  ["log1p", Math.log1p, -0.99, 10, 4],
  ["log1p", Math.log1p, -0.01, 0.01, 4],
  ["tanh", Math.tanh, -10, 10, 2],
  ["tanh", Math.tanh, -1, 1, 2],
  ["erf", erf, -6, 6, 2],
  ["sin", Math.sin, -10, 10, 2],
  ["sin", Math.sin, -1e6, 1e6, 2],
  ["cos", Math.cos, -10, 10, 2],
  ["cos", Math.cos, -1e6, 1e6, 2],
];

describe("functions", () => {
  for (const [op, exact, low, high, limit] of rows) {
    it(`${op} on [${low}, ${high}] within ${limit} ulp`, async () => {
      expect(await worst(op, points(low, high), exact)).toBeLessThanOrEqual(limit);
    });
  }

  it("special values", async () => {
    const x = Float32Array.of(0, -0, Infinity, -Infinity, NaN, 1e4, -1e4, 1e-42, -1e-42, 88.7, 88.8, -103, -104.5);
    for (const [op, exact] of [
      ["exp", Math.exp],
      ["log", Math.log],
      ["log1p", Math.log1p],
      ["tanh", Math.tanh],
      ["erf", erf],
      ["sin", Math.sin],
      ["cos", Math.cos],
    ] as const) {
      const { values } = await runCpu([make(op, [input("batch", "x", [x.length])])], { x });
      x.forEach((at, i) => {
        const got = values[0]?.[i] as number;
        const expected = Math.fround(exact(at));
        const close = Object.is(got, expected) || Math.abs(got - expected) <= 4 * ulp(expected);
        expect(close, `${op}(${at}) = ${got}, expected ${expected}`).toBe(true);
      });
    }
  });

  it("half: every number of half precision, what lies between, ties, and the ends", async () => {
    const grid = Float32Array.from({ length: 0x7c00 }, (_, i) => {
      const [e, m] = [i >> 10, i & 1023];
      return e === 0 ? m * 2 ** -24 : (1 + m / 1024) * 2 ** (e - 15);
    });
    const odd = [65519.99, 65520, 70000, 3e38, Infinity, -Infinity, NaN, -0, 1e-40, 2 ** -25, 2 ** -25 * 1.0001];
    const near = Array.from(grid).flatMap((h, i) => {
      const next = grid[i + 1] ?? 65536;
      return [h, -h, (h + next) / 2, -(h + next * 3) / 4, h + (next - h) / 3];
    });
    const x = Float32Array.from([...near, ...odd]);
    const { values } = await runCpu([make("half", [input("batch", "x", [x.length])])], { x });
    const nearest = (v: number) => {
      if (Number.isNaN(v)) return v;
      const size = Math.abs(v);
      if (size >= 65520) return Math.sign(v) * Infinity;
      let [low, high] = [0, grid.length];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (grid[middle]! <= size) low = middle;
        else high = middle;
      }
      const [a, b] = [grid[low]!, grid[low + 1] ?? 65536];
      const up = size - a > b - size || (size - a === b - size && low % 2 === 1);
      return (v < 0 || Object.is(v, -0) ? -1 : 1) * (up ? b : a);
    };
    x.forEach((v, i) => {
      if (!Object.is(values[0]?.[i], nearest(v)))
        throw new Error(`half(${v}): expected ${nearest(v)}, got ${values[0]?.[i]}`);
      if (!Object.is(toHalf(v), nearest(v))) throw new Error(`toHalf(${v}): expected ${nearest(v)}, got ${toHalf(v)}`);
    });
  });

  it("pow: bases and exponents of all signs", async () => {
    const bases = [0, -0, 1, -1, 2, -2, 0.5, -0.5, 10, -10, 3.7, 1e-3, 1e20, 1e-20, Infinity, -Infinity, NaN];
    const exponents = [0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 2.5, 7, 10, 0.3333333, 38, -38, 100];
    const x = Float32Array.from(bases.flatMap((b) => exponents.map(() => b)));
    const y = Float32Array.from(bases.flatMap(() => exponents));
    const n = [x.length];
    const { values } = await runCpu([make("pow", [input("batch", "x", n), input("batch", "y", n)])], { x, y });
    x.forEach((base, i) => {
      const exact = Math.pow(base, y[i] as number);
      const got = values[0]?.[i] as number;
      expect(error(got, exact), `${base}^${y[i]} = ${got}, expected ${exact}`).toBeLessThanOrEqual(2);
    });
  });

  it("pow within 2 ulp", async () => {
    const x = numbers(20_000, 3, 0, 30);
    const y = numbers(20_000, 4, -20, 20);
    const { values } = await runCpu([make("pow", [input("batch", "x", [20_000]), input("batch", "y", [20_000])])], {
      x,
      y,
    });
    let most = 0;
    x.forEach((base, i) => (most = Math.max(most, error(values[0]?.[i] as number, Math.pow(base, y[i] as number)))));
    expect(most).toBeLessThanOrEqual(2);
  });
});

describe("sums", () => {
  it("of seven million numbers keep their digits", async () => {
    const n = 7_000_001;
    const x = numbers(n, 5, 0, 1);
    const exact = x.reduce((a, b) => a + b, 0);
    const node = input("batch", "x", [n]);
    const { values } = await runCpu([make("sum", [node], { axes: [0] })], { x });
    expect(Math.abs((values[0]?.[0] as number) - exact) / exact).toBeLessThanOrEqual(1e-6);
  });

  it("down long columns keep their digits", async () => {
    const rows = 200_000;
    const x = numbers(rows * 6, 6, 0, 1);
    const node = input("batch", "x", [rows, 6]);
    const { values } = await runCpu([make("sum", [node], { axes: [0] })], { x });
    for (let c = 0; c < 6; c++) {
      let exact = 0;
      for (let r = 0; r < rows; r++) exact += x[r * 6 + c] as number;
      expect(Math.abs((values[0]?.[c] as number) - exact) / exact).toBeLessThanOrEqual(1e-6);
    }
  });
});
