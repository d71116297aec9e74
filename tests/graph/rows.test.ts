/**
 * Every row of the op table: it has samples, its rule accepts them with open sizes too, and its first and second
 * gradients agree with finite differences in float64. A row without gradient says why.
 */
import { describe, expect, test } from "vitest";
import { evaluate, make, ops, optimize, sizeOf, typeText, uniformAt, verify } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { samples, type Sample } from "./samples.ts";
import { derivatives, questions, type Questions } from "./weights.ts";

type Table = readonly (readonly number[])[];

const outside = (sample: Sample, data: Table) => (input: Node) => {
  const name = input.attrs["name"] as string;
  return input.attrs["source"] === "scalar" ? sample.scalars![name] : data[Number(name.slice(1))];
};
const dataOf = (sample: Sample): Table => sample.inputs.map((x) => x.data);

/** d y / d x by central differences, y a scalar node. */
function differences(sample: Sample, q: Questions, y: Node): number[][] {
  const step = 1e-5;
  return q.asked.map((i) =>
    sample.inputs[i]!.data.map((x, k) => {
      const at = (value: number) => {
        const data = dataOf(sample).map((d, j) => (j === i ? d.map((old, l) => (l === k ? value : old)) : d));
        return evaluate([y], outside(sample, data))[0]![0]!;
      };
      return (at(x + step) - at(x - step)) / (2 * step);
    }),
  );
}

function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  expect(got.length, what).toBe(expected.length);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++)
    if (!(Math.abs(got[i]! - expected[i]!) <= 1e-5 * scale))
      throw new Error(`${what}, element ${i}: expected ${expected[i]}, got ${got[i]}`);
}

const smooth = (sample: Sample) => {
  const q = questions(sample);
  return sample.kink || !derivatives(q) ? undefined : q;
};

describe("every row", () => {
  for (const row of Object.values(ops)) {
    const own = samples.filter((s) => s.op === row.name);
    test(`${row.name} has samples for shape, value and gradients`, () => {
      expect(own.length, "samples").toBeGreaterThan(0);
      expect(row.doc.length, "doc").toBeGreaterThan(2);
      expect(row.signature).toContain("->");
      if (typeof row.gradient !== "function") expect(row.gradient.none.length, "a reason").toBeGreaterThan(5);
      // a staircase: its rule is compared with PyTorch's alone
      else if (row.name !== "half")
        expect(own.filter((s) => smooth(s) !== undefined).length, "samples off kinks").toBeGreaterThan(0);
    });
  }
  test("knows its own name and no sample names another", () => {
    for (const [name, row] of Object.entries(ops)) expect(row.name).toBe(name);
    for (const s of samples) expect(Object.keys(ops)).toContain(s.op);
    expect(new Set(samples.map((s) => `${s.op}: ${s.name}`)).size).toBe(samples.length);
  });
});

describe("every sample", () => {
  for (const sample of samples) {
    const title = `${sample.op}: ${sample.name}`;
    test(`${title}: shape`, () => {
      const q = questions(sample);
      verify(q.outputs);
      const values = evaluate(q.outputs, outside(sample, dataOf(sample)));
      q.outputs.forEach((o, i) => expect(values[i]!.length, typeText(o.type)).toBe(sizeOf(o.type.shape)));
      for (const row of values)
        for (const x of row) if (!Number.isInteger(x)) expect(q.outputs.map((o) => o.type.dtype)).toContain("f32");
    });

    test(`${title}: open sizes`, () => {
      if (sample.op === "loop" || sample.op === "pick") return;
      const open = sample.inputs.map((x, i) =>
        make("input", [], { source: "state", name: `x${i}`, dtype: x.dtype, shape: x.shape.map(() => -1) }),
      );
      expect(make(sample.op, open, sample.attrs).type.shape.length).toBe(
        questions(sample).outputs[0]!.type.shape.length,
      );
    });

    test(`${title}: gradients by finite differences`, () => {
      const q = smooth(sample);
      if (!q) return;
      const { loss, first, slope, second } = derivatives(q)!;
      const env = outside(sample, dataOf(sample));
      const byStep = differences(sample, q, loss);
      evaluate(first, env).forEach((g, i) => expectClose(g, byStep[i]!, `gradient of input ${q.asked[i]}`));
      const againByStep = differences(sample, q, slope);
      evaluate(second, env).forEach((g, i) =>
        expectClose(g, againByStep[i]!, `second gradient of input ${q.asked[i]}`),
      );
    });

    test(`${title}: the passes keep values and gradients`, () => {
      const q = questions(sample);
      const d = derivatives(q);
      const outputs = [...q.outputs, ...(d ? [...d.first, ...d.second] : [])];
      const better = optimize(outputs);
      verify(better);
      const env = outside(sample, dataOf(sample));
      const after = evaluate(better, env);
      evaluate(outputs, env).forEach((v, i) => {
        expect(better[i]!.type).toEqual(outputs[i]!.type);
        v.forEach((x, k) => expect(after[i]![k]).toBeCloseTo(x, 9));
      });
    });
  }
});

describe("wrong inputs throw, saying expected and got", () => {
  const f = (shape: number[]) => make("input", [], { source: "state", name: "x", dtype: "f32", shape });
  const i = (shape: number[]) => make("input", [], { source: "state", name: "n", dtype: "i32", shape });
  const wrong: [string, () => Node][] = [
    ["unknown op", () => make("relu", [f([2])], {})],
    ["count", () => make("add", [f([2])], {})],
    ["shapes", () => make("add", [f([2]), f([3])], {})],
    ["dtypes", () => make("add", [f([2]), i([2])], {})],
    ["float only", () => make("exp", [i([2])], {})],
    ["reshape", () => make("reshape", [f([6])], { shape: [4] })],
    ["perm", () => make("permute", [f([2, 3])], { perm: [0, 0] })],
    ["expand", () => make("expand", [f([2])], { shape: [3, 2], axes: [0] })],
    ["slice", () => make("slice", [f([3])], { start: [0], stop: [4], step: [1] })],
    ["axis", () => make("sum", [f([3])], { axes: [1] })],
    ["dot", () => make("dot", [f([2, 3]), f([4, 2])], { batch: [], contract: [[1, 0]] })],
    ["windows", () => make("windows", [f([2])], { axes: [0], size: [3], stride: [1], dilation: [1] })],
    ["concat", () => make("concat", [f([2, 3]), f([2, 4])], { axis: 0 })],
    ["ids", () => make("gather", [f([2, 3]), f([2])], { axis: 0 })],
    ["solve", () => make("solve", [f([2, 3]), f([2])], {})],
    ["pick", () => make("pick", [f([2])], { index: 0 })],
    ["missing attrs", () => make("cumsum", [f([2])], { axis: 0 })],
  ];
  for (const [name, what] of wrong) test(name, () => expect(what).toThrow(/expected .*, got /));
});

describe("random", () => {
  const draw = (site: number, keys: number[], n: number) =>
    Array.from({ length: n }, (_, i) => uniformAt(site, keys, i));
  test("is uniform", () => {
    const n = 40000;
    const bins = new Array<number>(16).fill(0);
    for (const u of draw(7, [42, 1], n)) bins[Math.floor(u * 16)]!++;
    const chi = bins.reduce((sum, b) => sum + (b - n / 16) ** 2 / (n / 16), 0);
    expect(chi).toBeLessThan(40);
  });
  test("streams of neighbouring keys and sites are unrelated", () => {
    const n = 20000;
    const centred = (xs: number[]) => xs.map((x) => x - 0.5);
    const base = centred(draw(7, [42, 1], n));
    for (const other of [
      draw(7, [42, 2], n),
      draw(8, [42, 1], n),
      draw(7, [43, 1], n),
      draw(7, [1, 42], n),
      draw(7, [42, 1, 0], n),
    ]) {
      const correlation = centred(other).reduce((sum, x, i) => sum + x * base[i]!, 0) / n / (1 / 12);
      expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(n));
    }
  });
  test("keeps its bits", () => {
    expect(draw(0x9abcdef1, [42, 3], 3).map((u) => u * 16777216)).toMatchInlineSnapshot(`
      [
        4190569,
        16592044,
        14328932,
      ]
    `);
  });
});
