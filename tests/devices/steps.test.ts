/**
 * Training on the `cpu` device against the float64 reference: each of 50 single steps started from the reference's own
 * state; the same seed twice, bit for bit; another seed, other numbers.
 */
import { describe, expect, test } from "vitest";
import { openDevice } from "../../gpu/index.ts";
import { runText } from "../run-script.ts";
import { MirrorDevice } from "./mirror.ts";
import { scripts } from "./scripts.ts";

describe("cpu against reference", () => {
  test.each(Object.keys(scripts))("%s: each of 50 steps from the reference's state", async (name) => {
    const device = new MirrorDevice(await openDevice("cpu"));
    const ran = await runText(scripts[name]!, device, { steps: 50 });
    expect(ran.events.filter((e) => e.event === "train" && !e.fold)).toHaveLength(50);
    expect(device.worst.error, device.worst.where).toBeLessThan(1e-5);
    await device.dispose();
  });

  test.each(Object.keys(scripts))("%s: the same seed twice is the same run, another is not", async (name) => {
    const state = async (seed: number) => {
      const device = await openDevice("cpu");
      const ran = await runText(scripts[name]!, device, { steps: 20, seed });
      await device.dispose();
      return ran.state;
    };
    const first = await state(7);
    expect(await state(7)).toEqual(first);
    expect(await state(8)).not.toEqual(first);
  });
});
