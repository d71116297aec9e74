/**
 * Compute pipelines by their text: equal texts are one pipeline. Bindings are the block of offsets (uniform, dynamic) and
 * banks (storage), for reading alone where the shader only reads; so one bind group serves all dispatches of a tape that
 * read and write the same banks.
 */
import type { Module } from "./wgsl/index.ts";

const COMPUTE_STAGE = 4;
/** Pipelines that are remembered, besides those at work. */
const MOST = 256;
/** Workgroups along one dimension. */
const MOST_GROUPS = 65535;

interface Layout {
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

export class Pipelines {
  private readonly device: GPUDevice;
  private readonly layouts = new Map<string, Layout>();
  /** By text, the one asked for last at the end. */
  private readonly known = new Map<string, GPUComputePipeline>();
  /** Those that are being compiled, by text. */
  private readonly coming = new Map<string, Promise<void>>();

  constructor(device: GPUDevice) {
    this.device = device;
  }

  private layout(writes: readonly boolean[]): Layout {
    const key = writes.join();
    let layout = this.layouts.get(key);
    if (!layout) {
      const entries: GPUBindGroupLayoutEntry[] = [
        { binding: 0, visibility: COMPUTE_STAGE, buffer: { type: "uniform", hasDynamicOffset: true } },
        ...writes.map((written, i): GPUBindGroupLayoutEntry => {
          const type = written ? "storage" : "read-only-storage";
          return { binding: i + 1, visibility: COMPUTE_STAGE, buffer: { type } };
        }),
      ];
      const group = this.device.createBindGroupLayout({ entries });
      layout = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.layouts.set(key, layout);
    }
    return layout;
  }

  bindGroup(
    args: GPUBuffer,
    blockBytes: number,
    banks: readonly GPUBuffer[],
    writes: readonly boolean[],
  ): GPUBindGroup {
    return this.device.createBindGroup({
      layout: this.layout(writes).group,
      entries: [
        { binding: 0, resource: { buffer: args, offset: 0, size: blockBytes } },
        ...banks.map((buffer, i) => ({ binding: i + 1, resource: { buffer } })),
      ],
    });
  }

  private descriptor({ code, writes }: Module): GPUComputePipelineDescriptor {
    const module = this.device.createShaderModule({ code });
    return { layout: this.layout(writes).pipeline, compute: { module, entryPoint: "main" } };
  }

  /** Compiles what is not known yet, several at once. */
  async load(modules: Iterable<Module>): Promise<void> {
    for (const code of this.known.keys()) if (this.known.size > MOST) this.known.delete(code);
    const missing = [...modules].filter(({ code }) => !this.known.has(code));
    for (const module of missing) {
      const { code } = module;
      if (this.coming.has(code)) continue;
      const made = this.compile(module).finally(() => this.coming.delete(code));
      this.coming.set(code, made);
    }
    await Promise.all(missing.map(({ code }) => this.coming.get(code)));
  }

  private async compile(module: Module): Promise<void> {
    const { code } = module;
    try {
      this.known.set(code, await this.device.createComputePipelineAsync(this.descriptor(module)));
    } catch (error) {
      throw new Error(`expected a shader that compiles, got ${String(error)}\n${code}`);
    }
  }

  get(module: Module): GPUComputePipeline {
    const pipeline = this.known.get(module.code) ?? this.device.createComputePipeline(this.descriptor(module));
    this.known.delete(module.code);
    this.known.set(module.code, pipeline);
    return pipeline;
  }
}

/** A number of workgroups as x and y. */
export function folded(groups: number): readonly [number, number] {
  const x = Math.min(groups, MOST_GROUPS);
  return [x, Math.ceil(groups / x)];
}
