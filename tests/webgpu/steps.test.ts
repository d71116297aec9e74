/**
 * Training on the `webgpu` device against the float64 reference: single steps, each started from the reference's own
 * state; and the same run twice, bit for bit.
 */
import { describe, expect, test } from "vitest";
import { MirrorDevice } from "../devices/mirror.ts";
import { scripts } from "../devices/scripts.ts";
import { runText } from "../run-script.ts";
import { gpu, open } from "./setup.ts";

/** Software drivers reach a GFLOP/s. */
const STEPS = 50;
const PATIENCE = 400_000;

describe.skipIf(!gpu)("webgpu against reference", () => {
  test.each(Object.keys(scripts))(
    "%s: each step from the reference's state",
    async (name) => {
      const device = new MirrorDevice(await open());
      const ran = await runText(scripts[name]!, device, { steps: STEPS });
      expect(ran.events.filter((e) => e.event === "train" && !e.fold)).toHaveLength(STEPS);
      expect(device.worst.error, device.worst.where).toBeLessThan(1e-5);
      await device.dispose();
    },
    PATIENCE,
  );

  test.each(Object.keys(scripts))(
    "%s: the same seed twice is the same run",
    async (name) => {
      const state = async () => {
        const device = await open();
        const ran = await runText(scripts[name]!, device, { steps: 6, seed: 7 });
        await device.dispose();
        return ran.state;
      };
      expect(await state()).toEqual(await state());
    },
    PATIENCE,
  );
});
