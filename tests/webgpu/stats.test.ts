/** What `dlx graph --stats` says without a device is what the device runs. */
import { describe, expect, test } from "vitest";
import type { Device, Prepared, Stats } from "../../gpu/device.ts";
import { segmentStats } from "../../gpu/webgpu-text.ts";
import { hardware } from "../../gpu/wgsl/index.ts";
import type { Segment } from "../../lang/program.ts";
import { scripts } from "../devices/scripts.ts";
import { runText } from "../run-script.ts";
import { gpu, open } from "./setup.ts";

const counted = ({ dispatches, bytesRead, bytesWritten, boundBytes, flops, peakBytes, liveBytes }: Stats) =>
  ({ dispatches, bytesRead, bytesWritten, boundBytes, flops, peakBytes, liveBytes }) satisfies Stats;

describe.skipIf(!gpu)("counts without a device", () => {
  test.each(Object.keys(scripts))("%s: equal those of the device", async (name) => {
    const device = await open({ schedule: hardware });
    const made: { segment: Segment; prepared: Prepared }[] = [];
    const prepare = async (segment: Segment) => {
      const prepared = await device.prepare(segment);
      made.push({ segment, prepared });
      return prepared;
    };
    const watched = new Proxy(device, {
      get: (target, key: keyof Device) => {
        const own = key === "prepare" ? prepare : target[key];
        return typeof own === "function" ? own.bind(target) : own;
      },
    });
    await runText(scripts[name]!, watched, { steps: 1 });
    await device.dispose();
    expect(made.some(({ segment }) => segment.name.startsWith("train"))).toBe(true);
    for (const { segment, prepared } of made) {
      if (prepared.stats.dispatches === 0) continue;
      expect({ name: segment.name, ...counted(segmentStats(segment)) }).toEqual({
        name: segment.name,
        ...counted(prepared.stats),
      });
    }
  });
});
