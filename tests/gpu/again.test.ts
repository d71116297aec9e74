/**
 * What is computed again by rows, and turned: graphs of attention in many forms mean the same after the pass as before,
 * also on a device that has room for a few rows of scores; products over queries read scores that have keys outermost.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitOf } from "../../gpu/fit.ts";
import { hardware, lowerOptions } from "../../gpu/wgsl/index.ts";
import { gpu, open } from "../webgpu/setup.ts";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { CpuOptions } from "../../gpu/cpu.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { computedAgain } from "../../gpu/again.ts";
import { dotIsRows, dotSizes } from "../../gpu/space.ts";
import { topological } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { feedsOf, forms, graphOf } from "./attention-forms.ts";
import type { Form } from "./attention-forms.ts";
import { distance, fetches, inFloat64, segment } from "./harness.ts";

/** Scores of 14 by 12 do not fit whole, four of their rows do. */
const LIMITS = { room: 64, byRows: true };
const [ROWS, KEYS] = [14, 12];

const sizes = (nodes: readonly Node[]) =>
  topological(nodes)
    .filter((node) => node.op === "dot" && !dotIsRows(node))
    .map((node) => dotSizes(node));

it("means the same as before, in any form", () => {
  fc.assert(
    fc.property(forms([ROWS, KEYS]), (form) => {
      const nodes = graphOf(form);
      const { outputs } = computedAgain(nodes, LIMITS);
      const [now, before] = [outputs, nodes].map((each) => inFloat64(each, feedsOf(form), { seed: 3 }));
      now!.forEach((values, i) => {
        expect(outputs[i]!.type).toEqual(nodes[i]!.type);
        expect(distance(values, before![i]!)).toBeLessThan(1e-11);
      });
    }),
    { numRuns: 150 },
  );
});

/** One row has no room there, some in memory, for fewer workgroups than there are units. */
const rooms = [
  ["in workgroup memory", { windows: LIMITS.room }],
  ["in memory", { windows: 32, slices: 1024 }],
] as const;

it.skipIf(!gpu).each(rooms)(
  "has the same numbers on a device: %s",
  async (where, room) => {
    const device = await open({ schedule: { ...hardware, ...room } });
    let [chains, slices] = [0, 0];
    await fc.assert(
      fc.asyncProperty(forms([ROWS, KEYS]), async (form) => {
        const nodes = graphOf(form);
        const prepared = await device.prepare(segment("form", fetches(nodes)));
        if (prepared.kernels.includes("chain of")) chains++;
        if (/chain of .*slices/.test(prepared.kernels)) slices++;
        const { fetched } = await device.run(prepared, { scalars: { seed: 3 }, batch: feedsOf(form) });
        const exact = inFloat64(nodes, feedsOf(form), { seed: 3 });
        // two layers without softmax grow what is rounded off
        exact.forEach((values, i) => expect(distance(fetched[`r${i}`]!, values)).toBeLessThan(2e-4));
      }),
      { numRuns: 20, endOnFailure: true },
    );
    expect(chains).toBeGreaterThan(0);
    expect(slices > 0).toBe(where === "in memory");
    await device.dispose();
  },
  300_000,
);

/** Scores have no room there, units of one row or several of them do; vectors and blocks end within a unit or not. */
const onCpu = [[ROWS, KEYS, 256], [24, 40, 1024], [33, 19, 1024], [64, 48, 12000], [21, 6, 384]] as const; // prettier-ignore

it.each(onCpu)(
  "has the same numbers by rows on the processor, and the same bits however they are shared: %i by %i",
  async (rows, keys, room) => {
    const options: readonly CpuOptions[] = [
      {}, { pieces: 3 }, { debug: "poison" }, { threads: 2, startWorker: startNodeWorker, grain: 0 }, { disable: ["triangle"] }]; // prettier-ignore
    const devices = options.map((each) => new CpuDevice({ ...each, room }));
    let slices = 0;
    await fc.assert(
      fc.asyncProperty(forms([rows, keys]), async (form) => {
        const nodes = graphOf(form);
        const run = async (device: CpuDevice) => {
          const prepared = await device.prepare(segment("form", fetches(nodes)));
          if (/chain of .* slices/.test(prepared.kernels)) slices++;
          return (await device.run(prepared, { scalars: { seed: 3 }, batch: feedsOf(form) })).fetched;
        };
        const first = await run(devices[0]!);
        const exact = inFloat64(nodes, feedsOf(form), { seed: 3 });
        // of long sums, without softmax, as many digits are lost where nothing is cut
        exact.forEach((values, i) => expect(distance(first[`r${i}`]!, values)).toBeLessThan(1e-3));
        for (const device of devices.slice(1)) expect(await run(device)).toEqual(first);
      }),
      { numRuns: 12, endOnFailure: true },
    );
    expect(slices).toBeGreaterThan(0);
    for (const device of devices) await device.dispose();
  },
  300_000,
);

const plain: Form = { rows: ROWS, keys: KEYS, batch: [2, 3], width: 4, scores: "rows first", mixed: "scores first", across: false, over: "keys", masked: true, bias: false, dropped: false, layers: 1 }; // prettier-ignore

it.each([
  ["scores first", true],
  ["scores first", false],
  ["values first", true],
] as const)("has units of rows: %s, keys across %s", (mixed, across) => {
  const { outputs } = computedAgain(graphOf({ ...plain, mixed, across }), LIMITS);
  const found = sizes(outputs);
  // scores, once more, and turned; the gradient of probabilities, and turned
  expect(found.filter(({ m, n }) => m === ROWS && n === KEYS)).toHaveLength(3);
  expect(found.filter(({ m, n }) => m === KEYS && n === ROWS)).toHaveLength(2);
  // what is made of them: values, gradients of queries, of keys and of values
  expect(found.filter(({ m, n, k }) => m === ROWS && n === 4 && k === KEYS)).toHaveLength(2);
  expect(found.filter(({ m, n, k }) => m === KEYS && n === 4 && k === ROWS)).toHaveLength(2);
});

describe("on the processor", () => {
  const kernelsOf = async (form: Form, room?: number) => {
    const device = new CpuDevice(room ? { room } : {});
    const { kernels } = await device.prepare(segment("plain", fetches(graphOf(form))));
    await device.dispose();
    return kernels;
  };

  it("keeps nothing of queries by keys where they have no room", async () => {
    const kept = async (room?: number) =>
      (await kernelsOf({ ...plain, rows: 24, keys: 40 }, room))
        .split("\n")
        .some((line) => /^k\d/.test(line) && line.includes(`f32[${6 * 24 * 40}]`));
    expect([await kept(), await kept(1024), await kept(400)]).toEqual([false, false, true]);
  });

  it("leaves out of turned products what lies behind a causal mask", async () => {
    const kernels = await kernelsOf({ ...plain, rows: 40, keys: 40, width: 3 }, 2048);
    // scores and gradients of probabilities, turned; gradients of keys and of values
    expect(kernels.match(/n >= m/g)).toHaveLength(2);
    expect(kernels.match(/k >= m/g)).toHaveLength(2);
  });
});

it("cuts into rows what kernels can count the places of", () => {
  const inMemory = lowerOptions(new Set(), hardware).chains!;
  const fits = (g: number, rows: number) => fitOf({ g, m: rows, n: rows, k: 32 }, inMemory);
  expect([fits(4, 1024), fits(4, 1025), fits(4, 16384), fits(64, 4096)]).toEqual([
    "rows",
    ...Array(3).fill("in memory"),
  ]);
  expect([fits(64, 8192), fits(4, 32768), fits(1, 4096)]).toEqual([undefined, undefined, undefined]);
});

it("leaves scores that sums over queries need whole", () => {
  const nodes = graphOf({ ...plain, over: "rows" });
  expect(sizes(computedAgain(nodes, LIMITS).outputs)).toEqual(sizes(nodes));
});
