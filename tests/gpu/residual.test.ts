/**
 * A residual block with batch norm, forward and backward: statistics that several sums share, masks and sums behind
 * products, padded results. It means the same on every column of `columns.ts`.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { Numbers } from "../../gpu/device.ts";
import { hardware } from "../../gpu/wgsl/index.ts";
import { build as g, gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { gpu, open } from "../webgpu/setup.ts";
import { columns } from "./columns.ts";
import { distance, fetches, inFloat64, input, numbers, segment } from "./harness.ts";

const [B, C, S] = [8, 8, 16];
const shape = [B, C, S, S];

const relu = (x: Node) => make("max", [x, g.like(x, 0)]);

function convolution(x: Node, w: Node): Node {
  const wide = g.pad(x, [0, 0, 1, 1], [0, 0, 1, 1]);
  const patches = make("windows", [wide], { axes: [2, 3], size: [3, 3], stride: [1, 1], dilation: [1, 1] });
  const y = g.dot(patches, w, [], [[1, 1], [4, 2], [5, 3]]); // prettier-ignore
  return g.permute(y, [0, 3, 1, 2]);
}

function batchNorm(x: Node, scale: Node, shift: Node): Node {
  const mean = (of: Node) => g.scale(g.sum(of, [0, 2, 3]), 1 / (B * S * S));
  const per = (of: Node) => g.expand(of, shape, [1]);
  const off = g.sub(x, per(mean(x)));
  const spread = make("sqrt", [g.add(mean(g.mul(off, off)), g.fill(1e-5, { dtype: "f32", shape: [C] }))]);
  return g.add(g.mul(g.div(off, per(spread)), per(scale)), per(shift));
}

const weights = [0, 1, 2].map((i) => input("batch", `w${i}`, [C, C, 3, 3]));
const scales = [0, 1, 2].map((i) => input("batch", `s${i}`, [C]));
const shifts = [0, 1, 2].map((i) => input("batch", `b${i}`, [C]));

/** The pooled result and all gradients. */
function graph(): readonly Node[] {
  const layer = (x: Node, i: number) => batchNorm(convolution(x, weights[i]!), scales[i]!, shifts[i]!);
  const first = relu(layer(input("batch", "x", shape), 0));
  const last = relu(g.add(first, layer(relu(layer(first, 1)), 2)));
  const pooled = g.scale(g.sum(last, [2, 3]), 1 / S);
  const loss = g.sum(g.mul(make("sin", [pooled]), input("batch", "t", [B, C])), [0, 1]);
  return [pooled, ...gradient(loss, [...weights, ...scales, ...shifts])];
}

const batch: Record<string, Numbers> = {
  x: numbers(B * C * S * S, 1, 2, 4),
  t: numbers(B * C, 2),
  ...Object.fromEntries([0, 1, 2].flatMap((i) => [
    [`w${i}`, numbers(9 * C * C, 10 + i, -0.3, 0.3)],
    [`s${i}`, numbers(C, 20 + i, 0.5, 1.5)],
    [`b${i}`, numbers(C, 30 + i)],
  ])), // prettier-ignore
};

describe("a residual block with batch norm", () => {
  const devices = new Map(columns.map((column) => [column.name, column.open]));
  if (gpu) devices.set("webgpu in workgroups", () => open({ schedule: hardware }));
  const agree = new Map(columns.map((column) => [column.name, column.agree]));
  const opened: { dispose(): unknown }[] = [];
  afterAll(async () => {
    for (const device of opened) await device.dispose();
  });
  const nodes = graph();
  const exact = inFloat64(nodes, batch);
  const first: { values?: readonly Numbers[] } = {};
  const moved = new Map<string, number>();

  it.each([...devices.keys()])("is what it means: %s", async (name) => {
    const device = await devices.get(name)!();
    opened.push(device);
    const prepared = await device.prepare(segment("residual", fetches(nodes)));
    const { fetched } = await device.run(prepared, { scalars: {}, batch });
    const values = nodes.map((_, i) => fetched[`r${i}`]!);
    exact.forEach((v, i) => expect(distance(values[i]!, v)).toBeLessThan(2e-4));
    moved.set(name, prepared.stats.bytesRead + prepared.stats.bytesWritten);
    first.values ??= values;
    if (agree.get(name) === "bits") expect(values).toEqual(first.values);
  });

  it("moves fewer bytes than without a rule", () => {
    for (const rule of ["factor", "rows", "inline", "group"]) {
      expect(moved.get("cpu")!).toBeLessThan(0.97 * moved.get(`without ${rule}`)!);
    }
  });
});
