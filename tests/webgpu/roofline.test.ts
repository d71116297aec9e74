/** What a device does at most, measured on it: on every device that times its kernels, and kept out of its profile. */
import { describe, expect, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { Device } from "../../gpu/device.ts";
import { measureRoofline } from "../../gpu/roofline.ts";
import { ofRoofline, Profile } from "../../gpu/profile.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { gpu, open } from "./setup.ts";

const devices: Readonly<Record<string, (profile: Profile) => Promise<Device>>> = {
  cpu: async (profile) => new CpuDevice({ profile }),
  ...(gpu ? { webgpu: (profile) => open({ profile }) } : {}),
};

describe.each(Object.entries(devices))("the roofline of %s", (_, make) => {
  it("has a rate of bytes and one of operations, and leaves no kernel behind", async () => {
    const profile = new Profile();
    const device = await make(profile);
    const roofline = await measureRoofline(device, profile);
    expect(profile.kernels).toEqual([]);
    await expect(device.readSlot("roofline.x")).rejects.toThrow("expected a slot");
    await device.dispose();
    if (profile.missing !== undefined) {
      expect(roofline).toBeUndefined();
      return;
    }
    if (!roofline) throw new Error("expected a roofline");
    // a megabyte and a million operations a second are less than anything computes
    expect(roofline.bytes).toBeGreaterThan(1e3);
    expect(roofline.flops).toBeGreaterThan(1e3);
    expect(Number.isFinite(roofline.bytes + roofline.flops)).toBe(true);
  }, 120_000);
});

it("the nearer limit counts", () => {
  const row = { text: "", spans: [], calls: 1, ms: 2, least: 2 };
  expect(ofRoofline({ ...row, flops: 100, bytes: 30 }, { flops: 100, bytes: 20 })).toBe(0.75);
  expect(ofRoofline({ ...row, flops: 100, bytes: 30 }, undefined)).toBeUndefined();
});

it("reference has no times", async () => {
  expect(await measureRoofline(new ReferenceDevice(), new Profile())).toBeUndefined();
});
