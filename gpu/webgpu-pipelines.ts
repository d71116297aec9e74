/**
 * Compute pipelines by their text: equal texts are one pipeline. All share one form of bindings: the block of offsets
 * (uniform, dynamic) and the banks (storage), so that one bind group serves every dispatch of a tape.
 */
const COMPUTE_STAGE = 4;
/** Workgroups along one dimension. */
const MOST_GROUPS = 65535;

export class Pipelines {
  private readonly device: GPUDevice;
  private readonly layouts = new Map<
    number,
    { readonly group: GPUBindGroupLayout; readonly pipeline: GPUPipelineLayout }
  >();
  private readonly known = new Map<string, GPUComputePipeline>();

  constructor(device: GPUDevice) {
    this.device = device;
  }

  private layout(banks: number) {
    let layout = this.layouts.get(banks);
    if (!layout) {
      const entries: GPUBindGroupLayoutEntry[] = [
        { binding: 0, visibility: COMPUTE_STAGE, buffer: { type: "uniform", hasDynamicOffset: true } },
      ];
      for (let bank = 0; bank < banks; bank++) {
        entries.push({ binding: bank + 1, visibility: COMPUTE_STAGE, buffer: { type: "storage" } });
      }
      const group = this.device.createBindGroupLayout({ entries });
      layout = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.layouts.set(banks, layout);
    }
    return layout;
  }

  bindGroup(args: GPUBuffer, blockBytes: number, banks: readonly GPUBuffer[]): GPUBindGroup {
    return this.device.createBindGroup({
      layout: this.layout(banks.length).group,
      entries: [
        { binding: 0, resource: { buffer: args, offset: 0, size: blockBytes } },
        ...banks.map((buffer, bank) => ({ binding: bank + 1, resource: { buffer } })),
      ],
    });
  }

  private descriptor(code: string, banks: number): GPUComputePipelineDescriptor {
    const module = this.device.createShaderModule({ code });
    return { layout: this.layout(banks).pipeline, compute: { module, entryPoint: "main" } };
  }

  /** Compiles what is not known yet, several at once. */
  async load(codes: Iterable<string>, banks: number): Promise<void> {
    const missing = [...new Set(codes)].filter((code) => !this.known.has(`${banks}\n${code}`));
    await Promise.all(
      missing.map(async (code) => {
        try {
          const pipeline = await this.device.createComputePipelineAsync(this.descriptor(code, banks));
          this.known.set(`${banks}\n${code}`, pipeline);
        } catch (error) {
          throw new Error(`expected a shader that compiles, got ${String(error)}\n${code}`);
        }
      }),
    );
  }

  get(code: string, banks: number): GPUComputePipeline {
    const key = `${banks}\n${code}`;
    let pipeline = this.known.get(key);
    if (!pipeline) {
      pipeline = this.device.createComputePipeline(this.descriptor(code, banks));
      this.known.set(key, pipeline);
    }
    return pipeline;
  }
}

/** A number of workgroups as x and y. */
export function folded(groups: number): readonly [number, number] {
  const x = Math.min(groups, MOST_GROUPS);
  return [x, Math.ceil(groups / x)];
}
