/**
 * The text of shaders: a softmax, a product with its epilogue, and of all kinds that loops are unit steps to a constant
 * bound, as compilers of WGSL count the turns of others at run time.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Kernel } from "../../gpu/kernel.ts";
import { lower } from "../../gpu/lower.ts";
import { lowerForShaders } from "../../gpu/webgpu-lower.ts";
import { segmentWgsl } from "../../gpu/webgpu-text.ts";
import { hardware, lowerOptions, shadersOf, software } from "../../gpu/wgsl/index.ts";
import { build as g, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { distance, fetches, inFloat64, input, numbers, segment } from "../gpu/harness.ts";
import { relu, softmax } from "../gpu/networks.ts";
import { segmentsOf } from "../../runtime/actions.ts";
import { onDevice } from "../../runtime/inspect/kernels.ts";
import { compileText } from "../run-script.ts";
import { gpu, open } from "./setup.ts";

const banksOf = ({ params }: Kernel) => params.map(({ access }) => (access === "write" ? 1 : 0));

function texts(node: Node): string[] {
  const { kernels } = lower([{ node }], lowerOptions(new Set(), hardware));
  return kernels.flatMap((kernel) =>
    shadersOf(kernel, banksOf(kernel), hardware).map((s) => `// groups: ${s.groups}\n${s.code}`),
  );
}

describe("wgsl", () => {
  it("of softmax is one shader", () => {
    const list = texts(softmax(input("batch", "x", [64, 50])));
    expect(list).toHaveLength(1);
    expect(list[0]).toMatchSnapshot();
  });

  it("of a product applies bias and relu to its sums", () => {
    const y = g.dot(input("batch", "x", [64, 40]), input("state", "w", [40, 32]), [], [[1, 0]]);
    const list = texts(relu(g.add(y, g.expand(input("state", "b", [32]), [64, 32], [1]))));
    expect(list).toHaveLength(1);
    expect(list[0]).toMatchSnapshot();
  });

  it("of a deep product with few elements cuts the depth", () => {
    const list = texts(g.dot(input("batch", "x", [4096, 16]), input("batch", "y", [4096, 16]), [], [[0, 0]]));
    expect(list).toHaveLength(2);
  });
});

describe("lanes that share a row", () => {
  it("wait for each other before a result may be put where they read", () => {
    const [f32, inner] = ["f32" as const, { lo: 0, hi: 4 * 4096 - 1, dynamic: [] }];
    const row = (param: number) => ({ param, base: 0, terms: [[0, 1]] as const, dynamic: [], lo: 0, hi: 3 });
    const all = (param: number) => ({ param, base: 0, terms: [[0, 4096], [1, 1]] as const, ...inner }); // prettier-ignore
    const kernel: Kernel = {
      kind: "rows",
      params: [
        { dtype: f32, size: 4, access: "read" },
        { dtype: f32, size: 4 * 4096, access: "read" },
        { dtype: f32, size: 4 * 4096, access: "write" },
        { dtype: f32, size: 4, access: "write" },
      ],
      axes: [4, 4096],
      grid: 1,
      values: [
        { op: "load", dtype: f32, access: row(0), args: [] },
        { op: "load", dtype: f32, access: all(1), args: [] },
        { op: "mul", dtype: f32, args: [0, 1] },
        { op: "neg", dtype: f32, args: [0] },
      ],
      stages: [
        { axes: [1], accs: [], stores: [{ access: all(2), value: 2 }] },
        { axes: [], accs: [], stores: [{ access: row(3), value: 3 }] },
      ],
    };
    const [{ code } = { code: "" }] = shadersOf(kernel, banksOf(kernel), hardware);
    const [first, second, ...more] = code.split("storageBarrier();").slice(1);
    expect(more).toEqual([]);
    expect(first).toContain("for (");
    expect(second).toContain("if (lane == 0u)");
  });
});

describe("sums of one tensor", () => {
  const x = input("batch", "x", [3, 2500]);
  const each = (of: (x: Node) => Node) =>
    Array.from({ length: 9 }, (_, i) => of(g.scale(x, (i % 2 === 0 ? 1 : -1) * (i + 1))));
  const sums = [
    ...each((y) => g.sum(make("sin", [y]), [1])),
    ...each((y) => g.sum(make("cast", [make("lt", [y, g.like(y, 0.3)])], { dtype: "i32" }), [1])),
    ...each((y) => make("argmax", [y], { axis: 1 })),
    ...each((y) => make("amax", [y], { axes: [1] })),
  ];

  it("are one shader within the workgroup memory that every device has", () => {
    const { kernels } = lower(sums.map((node) => ({ node })), lowerOptions(new Set(), hardware)); // prettier-ignore
    expect(kernels).toHaveLength(1);
    const { code } = shadersOf(kernels[0]!, banksOf(kernels[0]!), hardware)[0]!;
    const words = [...code.matchAll(/var<workgroup> \w+: array<\w+, (\d+)>/g)].map(([, count]) => Number(count));
    expect(4 * words.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(16384);
  });
  it.runIf(gpu).each([true, false])("mean what they say; by subgroups: %s", async (subgroups) => {
    const device = await open({ schedule: { ...hardware, subgroups } });
    const batch = { x: numbers(7500, 1) };
    const { fetched } = await device.run(await device.prepare(segment("sums", fetches(sums))), { scalars: {}, batch });
    inFloat64(sums, batch).forEach((sum, i) => expect(distance(fetched[`r${i}`]!, sum)).toBeLessThan(1e-4));
    await device.dispose();
  });
});

describe("every loop of a shader takes unit steps to a constant bound", () => {
  const LOOP = /^\s*for \(var (\w+) = \d+u?; \1 < \d+u?; \1\+\+\) \{/;
  const schedules = { hardware, software, subgroups: { ...hardware, subgroups: true } };
  const x = input("batch", "x", [5, 37, 37]);
  const deep = input("batch", "y", [1003, 7]);
  const ids = input("batch", "ids", [37], "i32");
  const forms: Readonly<Record<string, readonly Node[]>> = {
    rows: [softmax(input("batch", "x", [64, 50])), softmax(input("batch", "long", [7, 5000]))],
    "a deep product": [g.dot(deep, deep, [], [[0, 0]])],
    "a large product": [g.dot(input("batch", "a", [512, 520]), input("batch", "b", [520, 516]), [], [[1, 0]])],
    "factors of matrices": [
      make("cholesky", [x]),
      make("eigh", [x]),
      make("solve", [x, input("batch", "right", [5, 37, 3])]),
    ],
    "serial ones": [
      make("cumsum", [x], { axis: 1, reverse: true }),
      make("argsort", [x], {}),
      make("scatter", [x, ids], { axis: 1, size: 9 }),
    ],
  };
  for (const [kind, schedule] of Object.entries(schedules)) {
    it.each(Object.keys(forms))(`${kind}: %s`, (name) => {
      const wanted = forms[name]!.map((node) => ({ node }));
      const lowered = lowerForShaders(wanted, new Set(), schedule);
      const code = lowered.kernels.flatMap((kernel) => shadersOf(kernel, banksOf(kernel), schedule));
      const loops = code.flatMap((shader) =>
        shader.code.split("\n").filter((line) => /\b(for|while|loop)\b/.test(line)),
      );
      expect(loops.length).toBeGreaterThan(0);
      for (const loop of loops) expect(loop).toMatch(LOOP);
    });
  }

  it("in a step of an attention, in half precision", async () => {
    const text = readFileSync(join(import.meta.dirname, "../../bench/w5.dlx"), "utf8");
    const program = await compileText(`precision mixed\n${text}`);
    const step = segmentsOf(program.body).find((each) => each.name.startsWith("train"))!;
    const loops = segmentWgsl(onDevice(program, step, undefined))
      .split("\n")
      .filter((line) => line.includes("for ("));
    expect(loops.length).toBeGreaterThan(50);
    for (const loop of loops) expect(loop).toMatch(LOOP);
  });
});
