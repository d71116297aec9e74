/**
 * Chains: attention forward and backward keeps no tensor of queries by keys, and a chain changes no number, however it
 * is cut, shuffled or poisoned.
 */
import { afterAll, describe, expect, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { build as g, gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import type { Numbers } from "../../gpu/device.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { segmentKernels, segmentStats } from "../../gpu/webgpu-text.ts";
import { hardware } from "../../gpu/wgsl/index.ts";
import { gpu, open } from "../webgpu/setup.ts";
import { columns } from "./columns.ts";
import { distance, fetches, inFloat64, input, numbers, segment } from "./harness.ts";
import { attention } from "./networks.ts";
import type { Heads } from "./networks.ts";

interface Case extends Heads {
  readonly name: string;
  readonly causal?: boolean;
}

const cases: readonly Case[] = [
  { name: "causal", batch: 4, heads: 4, rows: 32, keys: 32, width: 12, causal: true },
  { name: "of more keys than fit", batch: 4, heads: 1, rows: 64, keys: 64, width: 8, causal: true },
  { name: "plain", batch: 4, heads: 2, rows: 32, keys: 32, width: 8 },
  { name: "of odd sizes", batch: 5, heads: 3, rows: 37, keys: 37, width: 7, causal: true },
  { name: "across", batch: 6, heads: 2, rows: 19, keys: 41, width: 9 },
  { name: "across, of more rows than fit", batch: 3, heads: 2, rows: 96, keys: 130, width: 9, causal: true },
  { name: "of a prime number of rows", batch: 2, heads: 2, rows: 131, keys: 131, width: 8, causal: true },
  { name: "of 128 rows", batch: 2, heads: 2, rows: 128, keys: 128, width: 16, causal: true },
  { name: "of 256 rows", batch: 1, heads: 4, rows: 256, keys: 256, width: 16, causal: true },
  { name: "of 300 rows", batch: 2, heads: 2, rows: 300, keys: 300, width: 16 },
  { name: "of 512 rows", batch: 1, heads: 4, rows: 512, keys: 512, width: 16, causal: true },
];
const long: readonly Case[] = [16, 64].map((width) => ({
  name: `of 1024 rows, heads ${width} wide`, batch: 2, heads: 4, rows: 1024, keys: 1024, width, causal: true,
})); // prettier-ignore
/** Rows of these have no room in so much workgroup memory. */
const longest: readonly (Case & { readonly words?: number })[] = [
  { name: "of 1030 rows", batch: 2, heads: 2, rows: 1030, keys: 1030, width: 4, causal: true, words: 1024 },
  { name: "of few rows and many keys", batch: 2, heads: 2, rows: 24, keys: 4200, width: 4 },
];

/** The mixed values, and the gradients of a loss that needs them all. */
function graphOf(at: Case): readonly Node[] {
  const all = at.heads * at.width;
  const x = input("batch", "x", [at.batch, at.rows, all]);
  const y = input("batch", "y", [at.batch, at.keys, 2 * all]);
  const out = attention(at, x, y, at.causal ?? false);
  const loss = g.sum(g.mul(make("sin", [out]), input("batch", "t", out.type.shape)), [0, 1, 2]);
  return [out, ...gradient(loss, [x, y])];
}

function feedsOf({ batch, rows, keys, heads, width }: Case): Record<string, Numbers> {
  const all = batch * heads * width;
  return { x: numbers(all * rows, 1, -2, 2), y: numbers(2 * all * keys, 2, -2, 2), t: numbers(all * rows, 3) };
}

const devices = new Map(columns.map((column) => [column.name, column.open()]));
if (gpu) devices.set("webgpu in workgroups", open({ schedule: hardware }));
const able = (await gpu?.requestAdapter())?.features.has("subgroups") === true;
if (able) devices.set("webgpu by subgroups", open({ schedule: { ...hardware, subgroups: true } }));
devices.set("threads: 2", new CpuDevice({ threads: 2, startWorker: startNodeWorker, grain: 0 }));
devices.set("threads: 3", new CpuDevice({ threads: 3, startWorker: startNodeWorker, grain: 0 }));
afterAll(async () => {
  for (const device of devices.values()) await (await device).dispose();
});

/** A head's scores of more than that pass through workgroup memory by rows; of less they are kept whole. */
const WINDOW = 4096;

/** In float64, once for all devices. */
const exact = new Map<Case, readonly Float64Array[]>();
function exactly(at: Case): readonly Float64Array[] {
  const known = exact.get(at) ?? inFloat64(graphOf(at), feedsOf(at));
  exact.set(at, known);
  return known;
}

/** Of all parameters of kernels. */
async function sizes(name: string, at: Case): Promise<readonly number[]> {
  const device = (await devices.get(name)) as CpuDevice;
  return sizesIn((await device.prepare(segment("sizes", fetches(graphOf(at))))).kernels);
}
function sizesIn(kernels: string): readonly number[] {
  const params = kernels.split("\n").filter((line) => /^k\d/.test(line));
  return params.flatMap((line) => [...line.matchAll(/\[(\d+)\]/g)].map(([, n]) => Number(n)));
}

async function run(name: string, at: Case): Promise<readonly Numbers[]> {
  const device = (await devices.get(name))!;
  const nodes = graphOf(at);
  const prepared = await device.prepare(segment(`attention ${at.name}`, fetches(nodes)));
  const { fetched } = await device.run(prepared, { scalars: {}, batch: feedsOf(at) });
  return nodes.map((_, i) => fetched[`r${i}`]!);
}

describe.each(cases)("attention, $name,", (at) => {
  const bits = columns.filter(({ agree }) => agree === "bits").map(({ name }) => name);

  const inWorkgroups = gpu && at.causal ? ["webgpu in workgroups"] : [];
  // a row has all lanes of a workgroup where no more of them come out even
  const bySubgroups = able && at.rows === 131 ? ["webgpu by subgroups"] : [];

  it.each([...columns.map(({ name }) => name), ...inWorkgroups, ...bySubgroups])(
    "is what it means: %s",
    async (name) => {
      (await run(name, at)).forEach((values, i) => expect(distance(values, exactly(at)[i]!)).toBeLessThan(2e-5));
    },
  );
  it.each([...bits, "threads: 2", "threads: 3"])("has the same bits: %s", async (name) => {
    expect(await run(name, at)).toEqual(await run("cpu", at));
  });
});

it.skipIf(!gpu).each(longest)("attention, $name, is what it means: in slices of memory", async (at) => {
  const nodes = graphOf(at);
  const device = await open({ schedule: { ...hardware, ...(at.words ? { windows: at.words } : {}) } });
  const prepared = await device.prepare(segment("long", fetches(nodes)));
  expect(prepared.kernels).toMatch(/chain of .* slices/);
  expect(sizesIn(prepared.kernels)).not.toContain(at.batch * at.heads * at.rows * at.keys);
  const take = async () => (await device.run(prepared, { scalars: {}, batch: feedsOf(at) })).fetched;
  const first = await take();
  nodes.forEach((_, i) => expect(distance(first[`r${i}`]!, exactly(at)[i]!)).toBeLessThan(2e-5));
  expect(await take()).toEqual(first);
  await device.dispose();
});

/** Scores of these have no room in a thread's scratch. */
const large: readonly Case[] = [
  { name: "of 2053 rows", batch: 1, heads: 2, rows: 2053, keys: 2053, width: 4, causal: true },
  { name: "of 2200 rows", batch: 1, heads: 4, rows: 2200, keys: 2200, width: 32, causal: true },
  { name: "of 4096 rows", batch: 1, heads: 4, rows: 4096, keys: 4096, width: 32, causal: true },
];

it("attention of 2053 rows, in slices of scratch, is what it means", async () => {
  const at = large[0]!;
  const first = await run("cpu", at);
  first.forEach((values, i) => expect(distance(values, exactly(at)[i]!)).toBeLessThan(2e-5));
  expect(await run("threads: 2", at)).toEqual(first);
}, 60_000);

it.each(large)("attention $name needs far less than its scores take", async (at) => {
  const most = at.batch * at.heads * at.rows * at.keys;
  const nodes = segment("sizes", fetches(graphOf(at)));
  const device = (await devices.get("cpu")) as CpuDevice;
  for (const { peakBytes, liveBytes } of [(await device.prepare(nodes)).stats, segmentStats(nodes)]) {
    expect(peakBytes).toBeLessThan(4 * (most / 2));
    expect(peakBytes / liveBytes).toBeLessThan(1.15);
  }
});

it.each([...cases, ...long, ...longest, ...large])("attention, $name, keeps nothing of queries by keys", async (at) => {
  const most = at.batch * at.heads * at.rows * at.keys;
  for (const name of ["cpu", "threads: 2"]) expect(await sizes(name, at)).not.toContain(most);
  expect(await sizes("without chain", at)).toContain(most);
  const shaders = sizesIn(segmentKernels(segment("sizes", fetches(graphOf(at)))));
  if (at.rows * at.keys > WINDOW) expect(shaders).not.toContain(most);
});
