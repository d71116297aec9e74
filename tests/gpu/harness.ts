/**
 * Runs a graph on the cpu device and in float64 and compares them.
 */
import { setFlagsFromString } from "node:v8";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { CpuOptions } from "../../gpu/cpu.ts";
import type { Numbers, Prepared } from "../../gpu/device.ts";
import { evaluate } from "../../lang/graph/index.ts";
import { make } from "../../lang/graph/index.ts";
import type { DType, Node } from "../../lang/graph/node.ts";
import type { Output, Segment } from "../../lang/program.ts";

// Node 20 knows relaxed SIMD only by a flag, to be set before the first module
setFlagsFromString("--experimental-wasm-relaxed-simd");

export interface Ran {
  readonly values: readonly Numbers[];
  readonly prepared: Prepared;
}

export const input = (source: string, name: string, shape: readonly number[], dtype: DType = "f32"): Node =>
  make("input", [], { source, name, dtype, shape });

export function segment(name: string, outputs: readonly Output[]): Segment {
  return { name, outputs, host: [] };
}

export const fetches = (nodes: readonly Node[]): Output[] =>
  nodes.map((node, i) => ({ node, role: { kind: "fetch", name: `r${i}` } }));

/** Every batch input by name. */
export async function runOn(
  device: CpuDevice,
  nodes: readonly Node[],
  batch: Readonly<Record<string, Numbers>>,
  scalars: Readonly<Record<string, number>> = {},
): Promise<Ran> {
  const prepared = await device.prepare(segment("test", fetches(nodes)));
  const { fetched } = await device.run(prepared, { scalars, batch });
  return { values: nodes.map((_, i) => fetched[`r${i}`] as Numbers), prepared };
}

export async function runCpu(
  nodes: readonly Node[],
  batch: Readonly<Record<string, Numbers>>,
  scalars: Readonly<Record<string, number>> = {},
  options: CpuOptions = {},
): Promise<Ran> {
  const device = new CpuDevice(options);
  const ran = await runOn(device, nodes, batch, scalars);
  await device.dispose();
  return ran;
}

export function inFloat64(
  nodes: readonly Node[],
  batch: Readonly<Record<string, Numbers>>,
  scalars: Readonly<Record<string, number>> = {},
): readonly Float64Array[] {
  return evaluate(nodes, (node) => {
    const name = node.attrs["name"] as string;
    return node.attrs["source"] === "scalar" ? scalars[name] : batch[name];
  });
}

/** The largest error, relative above 1 and absolute below; infinite where only one is NaN or infinite. */
export function distance(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) throw new Error(`expected ${expected.length} numbers, got ${got.length}`);
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    const a = got[i] as number;
    const b = expected[i] as number;
    if (Object.is(a, b) || a === b) continue;
    const error = Math.abs(a - b) / Math.max(1, Math.abs(b));
    if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error;
  }
  return worst;
}

/** Numbers in [low, high) from a seed. */
export function numbers(n: number, seed: number, low = -1, high = 1): Float32Array {
  let s = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from({ length: n }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return low + ((s >>> 8) / 16777216) * (high - low);
  });
}
