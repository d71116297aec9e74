/**
 * Free runs: 50 losses of a training script on a device, never corrected, against those of the float64 reference from
 * the same seed. Rounding grows from step to step, so a few seeds may drift. The first seed again, after all others on
 * the same device, has the same bits.
 */
import { describe, expect, test } from "vitest";
import type { Device } from "../../gpu/device.ts";
import { CpuDevice } from "../../gpu/cpu.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { runText } from "../run-script.ts";
import { gpu, open } from "../webgpu/setup.ts";
import { scripts } from "./scripts.ts";

const STEPS = 50;
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const ENOUGH = 6;
const LIMIT = 1e-4;
/** Software drivers reach a GFLOP/s. */
const PATIENCE = 600_000;

async function losses(script: string, device: Device, seed: number): Promise<readonly number[]> {
  const { events } = await runText(script, device, { steps: STEPS, seed });
  return events.flatMap((e) => (e.event === "train" && !e.fold ? [e.metrics["loss"] as number] : []));
}

const known = new Map<string, Promise<readonly number[]>>();
function exact(name: string, seed: number): Promise<readonly number[]> {
  const key = `${name} ${seed}`;
  const found = known.get(key) ?? losses(scripts[name] as string, new ReferenceDevice(), seed);
  known.set(key, found);
  return found;
}

const devices: Readonly<Record<string, (() => Promise<Device>) | undefined>> = {
  cpu: async () => new CpuDevice(),
  webgpu: gpu && (() => open()),
};

for (const [kind, make] of Object.entries(devices)) {
  describe.skipIf(!make)(`free runs on ${kind}`, () => {
    test.each(Object.keys(scripts))(
      `%s: ${STEPS} losses stay within ${LIMIT} on ${ENOUGH} of ${SEEDS.length} seeds`,
      async (name) => {
        if (!make) throw new Error(`expected ${kind} to be there`);
        const device = await make();
        const drifts: number[] = [];
        const runs: (readonly number[])[] = [];
        for (const seed of SEEDS) {
          const own = await losses(scripts[name] as string, device, seed);
          runs.push(own);
          const expected = await exact(name, seed);
          expect([own.length, expected.length]).toEqual([STEPS, STEPS]);
          drifts.push(Math.max(...own.map((loss, i) => Math.abs(loss - (expected[i] as number)))));
        }
        expect(await losses(scripts[name] as string, device, SEEDS[0] as number)).toEqual(runs[0]);
        expect(runs[1]).not.toEqual(runs[0]);
        await device.dispose();
        expect(drifts.filter((drift) => drift <= LIMIT).length, drifts.join(" ")).toBeGreaterThanOrEqual(ENOUGH);
      },
      PATIENCE,
    );
  });
}
