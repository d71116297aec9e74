/**
 * The gradient of a convolution by its input, where it stays a fold of columns: image by image the columns are never
 * whole in memory, and no number changes by how they are cut.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { CpuDevice } from "../../gpu/cpu.ts";
import { build as g, gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import type { Numbers } from "../../gpu/device.ts";
import { columns } from "./columns.ts";
import { distance, fetches, inFloat64, input, numbers, segment } from "./harness.ts";

interface Case {
  readonly name: string;
  /** Images, channels before and after, their side, that of a window, and its step. */
  readonly images: number;
  readonly channels: readonly [number, number];
  readonly side: number;
  readonly size: number;
  readonly stride: number;
}

const cases: readonly Case[] = [
  { name: "of LeNet", images: 12, channels: [6, 16], side: 14, size: 5, stride: 1 },
  { name: "of seven images", images: 7, channels: [8, 3], side: 14, size: 5, stride: 1 },
  { name: "with a stride", images: 16, channels: [8, 5], side: 17, size: 5, stride: 2 },
];

const placesOf = ({ side, size, stride }: Case) => Math.floor((side - size) / stride) + 1;

/** By the input, and by the weights, of a loss that needs the output. */
function graphOf(at: Case): readonly Node[] {
  const { images, channels, side, size, stride } = at;
  const x = input("batch", "x", [images, channels[0], side, side]);
  const w = input("batch", "w", [channels[1], channels[0], size, size]);
  const attrs = { axes: [2, 3], size: [size, size], stride: [stride, stride], dilation: [1, 1] };
  const contract: (readonly [number, number])[] = [[1, 1], [4, 2], [5, 3]]; // prettier-ignore
  const y = make("dot", [make("windows", [x], attrs), w], { batch: [], contract });
  const loss = g.sum(g.mul(make("sin", [y]), input("batch", "t", y.type.shape)), [0, 1, 2, 3]);
  return gradient(loss, [x, w]);
}

function feedsOf(at: Case): Record<string, Numbers> {
  const { images, channels, side, size } = at;
  return {
    x: numbers(images * channels[0] * side * side, 1, -1, 1),
    w: numbers(channels[1] * channels[0] * size * size, 2, -0.3, 0.3),
    t: numbers(images * placesOf(at) ** 2 * channels[1], 3),
  };
}

const devices = new Map(columns.map((column) => [column.name, column.open()]));
afterAll(async () => {
  for (const device of devices.values()) await (await device).dispose();
});

async function run(name: string, at: Case): Promise<readonly Numbers[]> {
  const device = (await devices.get(name))!;
  const nodes = graphOf(at);
  const prepared = await device.prepare(segment(`convolution ${at.name}`, fetches(nodes)));
  const { fetched } = await device.run(prepared, { scalars: {}, batch: feedsOf(at) });
  return nodes.map((_, i) => fetched[`r${i}`]!);
}

describe.each(cases)("the gradient of a convolution $name", (at) => {
  it.each(columns.map(({ name }) => name))("is what it means: %s", async (name) => {
    const exact = inFloat64(graphOf(at), feedsOf(at));
    (await run(name, at)).forEach((values, i) => expect(distance(values, exact[i]!)).toBeLessThan(2e-5));
  });
  it.each(columns.filter(({ agree }) => agree === "bits").map(({ name }) => name))(
    "has the same bits: %s",
    async (name) => {
      expect(await run(name, at)).toEqual(await run("cpu", at));
    },
  );
  it("keeps the columns of one image at a time, where windows bound what an image reads", async () => {
    const all = at.images * placesOf(at) ** 2 * at.channels[0] * at.size ** 2;
    const kernels = async (name: string) => {
      const device = (await devices.get(name)) as CpuDevice;
      return (await device.prepare(segment("sizes", fetches(graphOf(at))))).kernels;
    };
    const whole = new RegExp(`^k\\d+ .*\\[${all}\\]`, "m");
    if (at.stride === 1) {
      const chain = new RegExp(`chain of ${at.images} units with p\\d+\\[${all / at.images}\\]`);
      expect(await kernels("cpu")).toMatch(chain);
      expect(await kernels("cpu")).not.toMatch(whole);
      for (const rule of ["batches", "chain"]) expect(await kernels(`without ${rule}`)).toMatch(whole);
    } else expect(await kernels("cpu")).toMatch(whole);
  });
});
