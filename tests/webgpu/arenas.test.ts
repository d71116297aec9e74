/**
 * Where tensors lie, for the bindings of WebGPU: a bank that a dispatch only reads is bound for reading alone. Counted for
 * the workloads of the comparison, planned on small cases; that nothing lies over what still lives is checked for all.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { planArenas } from "../../gpu/arenas.ts";
import { sizeIn } from "../../gpu/plan.ts";
import type { Lowered } from "../../gpu/program.ts";
import { loweredForWebGpu, segmentBindings, segmentStats, segmentWgsl } from "../../gpu/webgpu-text.ts";
import { hardware } from "../../gpu/wgsl/index.ts";
import { make } from "../../lang/graph/index.ts";
import type { Segment } from "../../lang/program.ts";
import { segmentsOf } from "../../runtime/actions.ts";
import { heldBySegment, onDevice } from "../../runtime/inspect/kernels.ts";
import { fetches, input, segment } from "../gpu/harness.ts";
import { compileText } from "../run-script.ts";

const folder = join(import.meta.dirname, "../../bench");

async function stepOf(name: string): Promise<Segment> {
  const program = await compileText(readFileSync(join(folder, `${name}.dlx`), "utf8"), { folder });
  const step = segmentsOf(program.body).find((each) => each.name.startsWith("train"));
  if (!step) throw new Error(`expected ${name} to train`);
  return onDevice(program, step, heldBySegment(program).get(step.name));
}

/** No two temporaries of an arena share a place while both live. */
function expectApart(lowered: Lowered, plan: ReturnType<typeof planArenas>): void {
  const all = plan.lives.flatMap((range, id) => {
    const [at, arena] = [plan.offsets[id]!, plan.arenas[id]!];
    return range ? [{ ...range, arena, at, to: at + sizeIn(lowered.buffers[id]!) }] : [];
  });
  for (const [i, a] of all.entries()) {
    expect(a.at).toBeGreaterThanOrEqual(0);
    expect(a.to).toBeLessThanOrEqual(plan.sizes[a.arena]!);
    for (const b of all.slice(0, i)) {
      const meet = a.arena === b.arena && a.start <= b.end && b.start <= a.end;
      if (meet) expect(a.at >= b.to || b.at >= a.to).toBe(true);
    }
  }
}

describe("of the bindings of a step", () => {
  // read alone: of every dispatch one is written at least; written: one bank of most dispatches, two
  // of those whose results go to the state too
  test.each([
    ["w2", 0.52, 1.34],
    ["w3", 0.57, 1.4],
    ["w4", 0.57, 1.54],
    ["w5", 0.6, 1.12],
    ["w6", 0.52, 1.17],
  ])(
    "of %s a share of %d is for reading alone, %d a dispatch are written",
    async (name, share, written) => {
      const step = await stepOf(name);
      const { bindings, readOnly } = segmentBindings(step);
      const { dispatches } = segmentStats(step);
      expect(readOnly / bindings).toBeGreaterThanOrEqual(share);
      expect((bindings - readOnly) / dispatches).toBeLessThanOrEqual(written);
      const { lowered } = loweredForWebGpu(step, hardware);
      const plan = planArenas(lowered, 3);
      expectApart(lowered, plan);
      expect(plan.bytes).toBeLessThanOrEqual(1.1 * plan.live);
    },
    60_000,
  );
});

describe("a chain of maps", () => {
  // running sums are never fused
  const chain = (length: number) => {
    let at = input("batch", "x", [64, 64]);
    for (let i = 0; i < length; i++) at = make("cumsum", [at], { axis: i % 2, reverse: false });
    return segment("chain", fetches([at]));
  };

  it("goes to and fro between two arenas", () => {
    const { lowered } = loweredForWebGpu(chain(8), hardware);
    const plan = planArenas(lowered, 3);
    expectApart(lowered, plan);
    // a step reads one tensor and writes one: both live
    expect(plan.bytes).toBe(plan.live);
    const { bindings, readOnly } = segmentBindings(chain(8));
    // the last dispatch, which ends the run, writes both of its banks
    expect([bindings, readOnly]).toEqual([18, 8]);
  });

  it("has one arena when asked for one", () => {
    const { lowered } = loweredForWebGpu(chain(8), hardware);
    const plan = planArenas(lowered, 1);
    expect(plan.sizes).toEqual([plan.live]);
    expectApart(lowered, plan);
  });

  it("has the same shader wherever its tensors lie", () => {
    const text = segmentWgsl(chain(8));
    expect(text.match(/^\/\/ shader/gm)).toHaveLength(2);
    expect(text).toContain("var<storage, read> m0");
    expect(text).toContain("var<storage, read_write> m1");
  });
});
