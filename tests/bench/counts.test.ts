/**
 * What a step of each workload costs, counted under the base limits of WebGPU by `dlx graph --stats --json`: dispatches,
 * bytes against those that cannot be left out, memory against what is alive.
 */
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { workplace } from "../runtime/cli.ts";

const root = resolve(import.meta.dirname, "../..");
const place = workplace();
afterAll(() => place.remove());

interface Step {
  readonly step: string;
  readonly dispatches: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly boundBytes: number;
  readonly peakBytes: number;
  readonly liveBytes: number;
}

const steps = (name: string, ...sets: readonly string[]) => stepsOn("webgpu", name, ...sets);

async function stepsOn(device: string, name: string, ...sets: readonly string[]): Promise<readonly Step[]> {
  const set = sets.flatMap((each) => ["--set", each]);
  const script = join(root, `bench/${name}.dlx`);
  const { code, out, err } = await place.run(["graph", script, "--stats", "--json", "--device", device, ...set]);
  expect(err).toBe("");
  expect(code).toBe(0);
  return (JSON.parse(out) as { programs: Step[] }).programs;
}

/** Distinct kernels of the step of a GPT on the processor, and distinct parts of those that are groups or chains. */
async function partsOf(layers: number): Promise<{ readonly kernels: number; readonly parts: number }> {
  const sets = [`layers=${layers}`, "width=64", "batch=4", "tokens=32"].flatMap((each) => ["--set", each]);
  const { code, out } = await place.run(["graph", join(root, "bench/w5.dlx"), "--kernels", "--json", ...sets]);
  expect(code).toBe(0);
  const { segments } = JSON.parse(out) as { segments: { name: string; kernels: string }[] };
  const kernels = segments.find(({ name }) => name.startsWith("train"))!.kernels.split(/\n(?=k\d+ )/);
  const parts = kernels.flatMap((kernel) => kernel.split(/\n {2}with .*\n/).slice(1));
  return { kernels: kernels.length, parts: new Set(parts).size };
}

/** Dispatches; bytes moved as a multiple of the bound. Between products adjoints pass through memory beside what is saved. */
const most: readonly [name: string, dispatches: number, moved: number, sets?: readonly string[]][] = [
  ["w1", 3, 2],
  ["w2", 12, 1.5],
  ["w3", 24, 1.5],
  ["w4", 60, 2.33],
  ["w5", 90, 2],
  ["w5", 90, 1.9, ["clip=false"]],
];

describe("a step", () => {
  test.each(most)(
    "of %s: at most %i dispatches, %d times the bytes of the bound",
    async (name, dispatches, moved, sets = []) => {
      const [step] = await steps(name, ...sets);
      expect(step!.step).toBe("full");
      expect(step!.dispatches).toBeLessThanOrEqual(dispatches);
      expect((step!.bytesRead + step!.bytesWritten) / step!.boundBytes).toBeLessThanOrEqual(moved);
      expect(step!.peakBytes).toBeLessThanOrEqual(1.15 * step!.liveBytes);
    },
  );

  test("of w5 with 2048 tokens on the processor: less memory than the scores of one layer take", async () => {
    const [step] = await stepsOn("cpu", "w5", "layers=1", "tokens=2048", "batch=4");
    expect(step!.peakBytes).toBeLessThan(4 * 4 * 4 * 2048 ** 2);
  });

  test("of w5 with twice the tokens: at most twice the memory and the bytes, as no scores are kept", async () => {
    const [[half], [full]] = [await steps("w5", "layers=1", "tokens=256"), await steps("w5", "layers=1", "tokens=512")];
    for (const key of ["peakBytes", "bytesWritten", "bytesRead"] as const)
      expect(full![key]).toBeLessThanOrEqual(2 * half![key]);
    expect(full!.dispatches).toBe(half!.dispatches);
    expect(full!.peakBytes).toBeLessThanOrEqual(1.15 * full!.liveBytes);
  });

  test("of w5 with eight times the layers: equal layers share their kernels", async () => {
    const [four, many] = [await partsOf(4), await partsOf(32)];
    expect(four.kernels).toBeGreaterThan(20);
    // sums over all layers have other sizes, and residual sums are stored every few layers
    expect(many.kernels - four.kernels).toBeLessThanOrEqual(6);
    expect(many.parts - four.parts).toBeLessThanOrEqual(4);
  });

  test.each(["w6", "w6b"])(
    "of %s: at most 3 dispatches for each tick of either direction, and a few besides",
    async (name) => {
      const counts: number[] = [];
      // behind clip_norm twice the bound is asked
      for (const [tokens, most] of [
        [16, 1.6],
        [64, 1.5],
      ] as const) {
        const [step] = await steps(name, `tokens=${tokens}`);
        counts.push(step!.dispatches);
        expect((step!.bytesRead + step!.bytesWritten) / step!.boundBytes).toBeLessThanOrEqual(most);
        expect(step!.peakBytes).toBeLessThanOrEqual(1.15 * step!.liveBytes);
      }
      const ticks = 2 * (64 - 16);
      expect((counts[1]! - counts[0]!) / ticks).toBeLessThanOrEqual(3);
      expect(counts[0]! - 3 * 2 * 16).toBeLessThanOrEqual(20);
    },
  );
});
