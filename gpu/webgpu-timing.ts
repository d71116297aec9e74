/**
 * The time of each dispatch on the adapter: a pass of its own with a timestamp at either end. Passes cost little, but
 * nothing overlaps between them, so their sum may be a little more than the step.
 */
/// <reference types="@webgpu/types" />
import { sizeOf } from "./space.ts";
import { took } from "./profile.ts";
import type { KernelTime, Profile } from "./profile.ts";
import type { Dispatch } from "./webgpu-tape.ts";
import type { Encoded, WebGpuPrepared } from "./webgpu-prepared.ts";
import { USAGE } from "./webgpu-memory.ts";
import type { ReadRing } from "./webgpu-ring.ts";

/** Timestamps of a query set: WebGPU's most. Two for each dispatch. */
const MOST = 4096;

/** Undefined, with the reason in the profile, where the device has no timestamps. */
export function timingOf(gpu: GPUDevice, ring: ReadRing, profile: Profile, name: string): Timing | undefined {
  if (gpu.features.has("timestamp-query")) return new Timing(gpu, ring, profile);
  profile.missing = `${name} has no timestamps (the feature timestamp-query)`;
  return undefined;
}

export class Timing {
  private readonly gpu: GPUDevice;
  private readonly ring: ReadRing;
  private readonly profile: Profile;
  private readonly rows = new WeakMap<readonly Encoded[], readonly KernelTime[]>();
  private readonly sets: { readonly queries: GPUQuerySet; readonly times: GPUBuffer }[] = [];

  constructor(gpu: GPUDevice, ring: ReadRing, profile: Profile) {
    this.gpu = gpu;
    this.ring = ring;
    this.profile = profile;
  }

  private row({ lowered, segment }: WebGpuPrepared, of: Dispatch["of"]): KernelTime {
    if (of === "copy") return this.profile.row("copy of what a loop begins with");
    if (of === "commit") {
      const sizes = segment.outputs.map(({ role, node }) => (role.kind === "commit" ? sizeOf(node.type.shape) : 0));
      return this.profile.row(`commit of ${segment.name}`, [], 8 * sizes.reduce((a, b) => a + b, 0));
    }
    const kernel = lowered.kernels[of];
    if (!kernel) throw new Error(`expected a kernel below ${lowered.kernels.length}, got ${of}`);
    return this.profile.row(kernel, lowered.spans[of]);
  }

  private rowsOf(prepared: WebGpuPrepared, steps: readonly Encoded[]): readonly KernelTime[] {
    const known = this.rows.get(steps);
    if (known) return known;
    const own = new Map<Dispatch["of"], KernelTime>();
    const rows = steps.map(({ of }) => {
      const row = own.get(of) ?? this.row(prepared, of);
      own.set(of, row);
      return row;
    });
    this.rows.set(steps, rows);
    return rows;
  }

  private set(index: number) {
    return (this.sets[index] ??= {
      queries: this.gpu.createQuerySet({ type: "timestamp", count: MOST }),
      times: this.gpu.createBuffer({ size: 8 * MOST, usage: USAGE.queryResolve | USAGE.copySrc }),
    });
  }

  /** The whole tape; the result, asked for once it is submitted, ends when its times are put down. */
  encode(
    encoder: GPUCommandEncoder,
    prepared: WebGpuPrepared,
    steps: readonly Encoded[],
    groups: readonly GPUBindGroup[],
  ): () => Promise<void> {
    const rows = this.rowsOf(prepared, steps);
    steps.forEach((step, i) => {
      const at = (2 * i) % MOST;
      const pass = encoder.beginComputePass({
        timestampWrites: {
          querySet: this.set(Math.floor((2 * i) / MOST)).queries,
          beginningOfPassWriteIndex: at,
          endOfPassWriteIndex: at + 1,
        },
      });
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, groups[step.form] as GPUBindGroup, [step.offset]);
      pass.dispatchWorkgroups(step.x, step.y);
      pass.end();
    });
    const reads = Array.from({ length: Math.ceil((2 * steps.length) / MOST) }, (_, i) => {
      const { queries, times } = this.set(i);
      const count = Math.min(MOST, 2 * steps.length - i * MOST);
      encoder.resolveQuerySet(queries, 0, count, times, 0);
      return { count, read: this.ring.copy(encoder, times, 0, 2 * count) };
    });
    return async () => {
      const times = await Promise.all(
        reads.map(({ read, count }) =>
          this.ring.arrived(read, 2 * count, ({ buffer }) => new BigUint64Array(buffer.slice(0, 8 * count))),
        ),
      );
      let ms = 0;
      steps.forEach((_, i) => {
        const row = rows[i];
        const [begin = 0n, end = 0n] = [0, 1].map((n) => times[Math.floor((2 * i) / MOST)]?.[((2 * i) % MOST) + n]);
        ms += Math.max(0, Number(end - begin) / 1e6);
        if (steps[i + 1]?.begins === false || !row) return;
        took(row, ms);
        ms = 0;
      });
    };
  }
}
