/** Curves keep their extremes when they are thinned, and the mean of the start is not pulled to zero. */
import { expect, test } from "vitest";
import { csvOf } from "../../playground/share/csv.ts";
import { Curve, smoothed } from "../../playground/state/curve.ts";

test("a spike among many points stays, with its step", () => {
  const curve = new Curve();
  for (let block = 0; block < 30; block++) {
    const steps = Float64Array.from({ length: 5000 }, (_, i) => block * 5000 + i + 1);
    const values = Float32Array.from(steps, (step) => (step === 12_345 ? 99 : step === 77_777 ? -99 : Math.sin(step)));
    curve.add(steps, values);
  }
  expect(curve.steps.length).toBeLessThanOrEqual(20_000);
  expect(curve.steps.length).toBeGreaterThan(5_000);
  expect(curve.values[curve.steps.indexOf(12_345)]).toBe(99);
  expect(curve.values[curve.steps.indexOf(77_777)]).toBe(-99);
  expect([...curve.steps].sort((a, b) => a - b)).toEqual([...curve.steps]);
  expect(curve.last).toBeCloseTo(Math.sin(150_000), 5);
});

test("a value that is no number is kept", () => {
  const curve = new Curve();
  const steps = Float64Array.from({ length: 20_004 }, (_, i) => i);
  curve.add(
    steps,
    Float32Array.from(steps, (step) => (step === 10_001 ? NaN : 1)),
  );
  expect(curve.values.filter(Number.isNaN)).toHaveLength(1);
});

test("smoothing begins at the first value", () => {
  expect(smoothed([4, 4, 4], 0.9)).toEqual([expect.closeTo(4), expect.closeTo(4), expect.closeTo(4)]);
  expect(smoothed([0, NaN, 1], 0.5)).toEqual([0, NaN, expect.closeTo(2 / 3)]);
});

test("curves as a table have a row for each step of any", () => {
  const [a, b] = [new Curve(), new Curve()];
  a.add([1, 2], [0.5, 0.25]);
  b.add([2, 3], [1, 2]);
  expect(
    csvOf(
      new Map([
        ["loss", a],
        ['val, "x"', b],
      ]),
    ),
  ).toBe('step,loss,"val, ""x"""\n1,0.5,\n2,0.25,1\n3,,2\n');
});
