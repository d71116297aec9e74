/**
 * What ran with all checks is remembered and may run without them; an error takes it back. Kernels stay inside of their
 * tensors by themselves: the same numbers without the checks of Dawn.
 */
import { describe, expect, it } from "vitest";
import type { Device } from "../../gpu/device.ts";
import { Trust, trusting, type TextStore } from "../../gpu/trust.ts";
import { CpuDevice } from "../../gpu/cpu.ts";
import { openWebGpu } from "../../gpu/webgpu-open.ts";
import { openDawn } from "../../runtime/dawn.ts";
import { build as b, make } from "../../lang/graph/index.ts";
import { fetches, input, numbers, segment } from "../gpu/harness.ts";
import { build, samples } from "../graph/samples.ts";
import { gpu, open, runOn } from "./setup.ts";

function store(text?: string): TextStore & { text: string | undefined } {
  const own = {
    text,
    load: async () => own.text,
    save: async (next: string) => void (own.text = next),
  };
  return own;
}

const x = input("batch", "x", [4]);
const doubled = segment("doubled", fetches([b.add(x, x)]));
async function runs(device: Device, rows = 4): Promise<void> {
  try {
    await device.run(await device.prepare(doubled), { scalars: {}, batch: { x: numbers(rows, 1) } });
  } finally {
    await device.dispose();
  }
}

describe("trust", () => {
  it("begins with a run that ends well, and ends with an error", async () => {
    const kept = store();
    const named = (name: string) => new Trust(kept, async () => name);
    const [one, other] = [named("one"), named("other")];
    expect(await one.has()).toBe(false);
    await runs(trusting(new CpuDevice(), one));
    expect([await one.has(), await other.has()]).toEqual([true, false]);
    await runs(trusting(new CpuDevice(), other));
    expect(await other.has()).toBe(true);
    await expect(runs(trusting(new CpuDevice(), one), 3)).rejects.toThrow("expected 4 numbers");
    expect([await one.has(), await other.has()]).toEqual([false, true]);
  });

  it("is of the choices by which kernels were cut", async () => {
    const [kept, choices] = [store(), store("{}")];
    const trust = new Trust(kept, async () => `kernels ${choices.text}`);
    const tunes = trusting(new CpuDevice(), trust);
    // as a device does that measures in its first run
    choices.text = '{"a":"t8p2"}';
    await runs(tunes);
    expect(await trust.has()).toBe(true);
    choices.text = '{"a":"t4p1"}';
    expect(await trust.has()).toBe(false);
  });

  it("is not had by doing nothing, nor of a file that something else wrote", async () => {
    const kept = store("not { json");
    const trust = new Trust(kept, async () => "one");
    expect(await trust.has()).toBe(false);
    await trusting(new CpuDevice(), trust).dispose();
    expect(kept.text).toBe("not { json");
    await runs(trusting(new CpuDevice(), trust));
    expect(kept.text).toBe('["one"]');
  });
});

describe.skipIf(!gpu)("without the checks of Dawn", () => {
  it("what pads and shifts gives the same numbers", async () => {
    const bare = await openWebGpu(await openDawn(true));
    if (!bare) throw new Error("expected an adapter");
    const plain = await open();
    const images = input("batch", "x", [2, 3, 9, 9]);
    const padded = make("pad", [images], { lo: [1, 0, 8, 8], hi: [0, 2, 8, 8], value: 0.5 });
    const joined = make("concat", [b.scale(images, 2), images, b.scale(images, 3)], { axis: 3 });
    const nodes = [b.scale(padded, 3), b.scale(joined, 3), b.sum(b.mul(padded, padded), [2, 3])];
    const given = { x: numbers(2 * 3 * 81, 5) };
    const [fast, checked] = [await runOn(bare, nodes, given), await runOn(plain, nodes, given)];
    expect(fast.values).toEqual(checked.values);
    for (const sample of samples.filter(({ op }) => ["windows", "fold", "pad", "concat", "gather"].includes(op))) {
      const batch: Record<string, Float32Array | Int32Array> = {};
      const inputs = sample.inputs.map(({ dtype, data, shape }, i) => {
        batch[`x${i}`] = dtype === "f32" ? Float32Array.from(data) : Int32Array.from(data);
        return input("batch", `x${i}`, shape, dtype);
      });
      const results = build(sample, inputs);
      const scalars = { ...sample.scalars };
      const [one, two] = [await runOn(bare, results, batch, scalars), await runOn(plain, results, batch, scalars)];
      expect(one.values, `${sample.op}: ${sample.name}`).toEqual(two.values);
    }
    await bare.dispose();
    await plain.dispose();
  });
});
