/**
 * Whether an adapter's own conversions keep every number of half precision: WGSL lets them flush the smallest ones and
 * forget what is not finite. All of them are tried, once for each device, before the first segment that needs it.
 */
/// <reference types="@webgpu/types" />
import { USAGE } from "./webgpu-memory.ts";
import type { ReadRing } from "./webgpu-ring.ts";
import type { Schedule } from "./wgsl/index.ts";

export type Conversions = Required<Pick<Schedule, "unpacks" | "f16">>;

const ALL = 2 ** 16;
/** Through workgroup memory, so that no compiler knows the numbers. */
const code = (enable: string, type: string, given: string, pair: string) => `${enable}
@group(0) @binding(0) var<storage, read_write> found: array<u32>;
var<workgroup> kept: array<${type}, 256>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let bits = id.x;
  // either half of a word
  let word = select(bits, bits << 16u, (bits & 1u) == 1u);
  kept[lane] = ${given};
  let pair = ${pair};
  found[bits] = bitcast<u32>(pair[bits & 1u]);
}`;
const UNPACKED = code("", "u32", "word", "unpack2x16float(kept[lane])");
const WIDENED = code("enable f16;", "vec2<f16>", "bitcast<vec2<f16>>(word)", "vec2<f32>(kept[lane])");

/** The f32 of 16 bits; NaN for all of its bits. */
function numberOf(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  const value = exponent < 31 ? size : fraction === 0 ? Infinity : NaN;
  return bits >> 15 ? -value : value;
}

async function isExact(gpu: GPUDevice, ring: ReadRing, code: string): Promise<boolean> {
  const module = gpu.createShaderModule({ code });
  const pipeline = await gpu.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  const found = gpu.createBuffer({ size: 4 * ALL, usage: USAGE.storage | USAGE.copySrc });
  const group = gpu.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: found } }],
  });
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(ALL / 256);
  pass.end();
  const read = ring.copy(encoder, found, 0, ALL);
  gpu.queue.submit([encoder.finish()]);
  const numbers = await ring.arrived(read, ALL, (words) => words.numbers("f32", 0, ALL));
  found.destroy();
  // all NaN are one
  return numbers.every((number, bits) => Object.is(number, numberOf(bits)));
}

export async function exactConversions(gpu: GPUDevice, ring: ReadRing): Promise<Conversions> {
  return {
    unpacks: await isExact(gpu, ring, UNPACKED),
    f16: gpu.features.has("shader-f16") && (await isExact(gpu, ring, WIDENED)),
  };
}
