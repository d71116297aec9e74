/**
 * Numbers of half precision as such, where the adapter has `shader-f16`: tiles of products hold them in 16 bits, and every
 * result has the bits that it has without. Where no adapter has it, Dawn's null backend checks the shaders.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create } from "webgpu";
import type { WebGpuDevice } from "../../gpu/webgpu.ts";
import { lowerForShaders } from "../../gpu/webgpu-lower.ts";
import { ReadRing } from "../../gpu/webgpu-ring.ts";
import { exactConversions } from "../../gpu/webgpu-unpacks.ts";
import { hardware, shadersOf } from "../../gpu/wgsl/index.ts";
import { make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { input, numbers } from "../gpu/harness.ts";
import { gpu, open, runOn } from "./setup.ts";

const half = (x: Node): Node => make("half", [x]);
const dot = (x: Node, y: Node): Node => make("dot", [x, y], { batch: [], contract: [[1, 0]] });
const turned = (x: Node): Node => make("permute", [x], { perm: [1, 0] });

const x = input("batch", "x", [130, 130]);
/** Depths that tiles divide and do not, either operand turned, one of the operands in full. */
const cases: Readonly<Record<string, Node>> = {
  "a product": dot(half(x), half(make("tanh", [x]))),
  "a product of turned operands": dot(turned(half(x)), turned(half(make("tanh", [x])))),
  "two after each other": dot(half(dot(half(x), half(x))), half(x)),
  "one operand in full": dot(half(dot(x, x)), make("tanh", [x])),
};
/** Tiles for products that are small. */
const tiles = { ...hardware, tiles: 2 };
/** Rounded operands lie in memory. */
const STORED = ["inline", "rows", "prologue", "maps", "siblings", "epilogue"];

const codesOf = (node: Node, f16: boolean) => {
  const schedule = { ...tiles, f16 };
  const { kernels } = lowerForShaders([{ node }], new Set(STORED), schedule);
  return kernels.flatMap((kernel) =>
    shadersOf(
      kernel,
      kernel.params.map(({ access }) => (access === "write" ? 1 : 0)),
      schedule,
    ),
  );
};

describe("the shaders of tiles", () => {
  /** Held until the end: one that is collected takes its threads with it while they work. */
  let instance: GPU | undefined;
  afterAll(() => (instance = undefined));

  it.each(Object.keys(cases))("of %s hold halves as such", (name) => {
    const [narrow, wide] = [codesOf(cases[name]!, true), codesOf(cases[name]!, false)];
    const held = (codes: typeof narrow, type: string) =>
      codes.flatMap(({ code }) => code.match(new RegExp(`var<workgroup> tile_[ab]: array<vec4<${type}>`, "g")) ?? []);
    const all = held(wide, "f32").length;
    expect(all).toBeGreaterThan(0);
    expect(held(wide, "f16")).toHaveLength(0);
    expect(held(narrow, "f16").length + held(narrow, "f32").length).toBe(all);
    expect(held(narrow, "f16")).toHaveLength(name === "one operand in full" ? 1 : all);
    for (const { code } of narrow) {
      expect(code.startsWith("enable f16;")).toBe(code.includes("vec4<f16>"));
      // products are multiplied and summed in full
      expect(code).not.toMatch(/var s\d+_\d+ = vec4<f16>/);
    }
  });

  it("pass the checks of Dawn", async () => {
    instance = create(["backend=null"]);
    const adapter = await instance.requestAdapter();
    const device = await adapter?.requestDevice({ requiredFeatures: ["shader-f16"] });
    if (!device) throw new Error("expected Dawn's null backend to have f16");
    const codes = new Set(Object.values(cases).flatMap((node) => codesOf(node, true).map(({ code }) => code)));
    const refused = (code: string) =>
      device
        .createComputePipelineAsync({ layout: "auto", compute: { module: device.createShaderModule({ code }) } })
        .then(() => undefined, String);
    for (const code of codes) expect(await refused(code), code).toBeUndefined();
    const wrong = [...codes].find((code) => code.includes("vec4<f16>"))!;
    device.pushErrorScope("validation");
    expect(await refused(wrong.replace("enable f16;", ""))).toContain("invalid");
    expect(await device.popErrorScope()).not.toBeNull();
    device.destroy();
    await device.lost;
  });
});

const adapter = await gpu?.requestAdapter();
const has = adapter?.features.has("shader-f16") === true;
if (!has) console.warn("skipped: no adapter with shader-f16 (Mesa's lavapipe is one)");

describe.skipIf(!has)("on an adapter", () => {
  const devices: WebGpuDevice[] = [];
  beforeAll(async () => {
    for (const schedule of [
      { ...tiles, f16: true },
      { ...tiles, f16: false, unpacks: false },
    ])
      devices.push(await open({ schedule, disable: STORED }));
  });
  afterAll(() => Promise.all(devices.map((device) => device.dispose())));

  it.each(Object.keys(cases))("%s has the same bits", async (name) => {
    const values = numbers(130 * 130, 7);
    const [narrow, wide] = await Promise.all(devices.map((device) => runOn(device, [cases[name]!], { x: values })));
    expect(narrow!.values).toEqual(wide!.values);
  });

  it("all numbers there are come through workgroup memory as they are", async () => {
    const device = await adapter!.requestDevice({ requiredFeatures: ["shader-f16"] });
    const { f16 } = await exactConversions(device, new ReadRing(device, () => undefined));
    expect(f16).toBe(true);
    device.destroy();
  });
});
