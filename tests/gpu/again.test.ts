/**
 * What is computed again by rows, and turned: graphs of attention in many forms mean the same after the pass as before,
 * also on a device that has room for a few rows of scores; products over queries read scores that have keys outermost.
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { hardware } from "../../gpu/wgsl/index.ts";
import { gpu, open } from "../webgpu/setup.ts";
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

it("leaves scores that sums over queries need whole", () => {
  const nodes = graphOf({ ...plain, over: "rows" });
  expect(sizes(computedAgain(nodes, LIMITS).outputs)).toEqual(sizes(nodes));
});
