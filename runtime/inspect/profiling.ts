/** Times of kernels in a running session, from `start` until `stop`; in between it runs more slowly, with the same bits. */
import type { Device } from "../../gpu/device.ts";
import { Profile, type KernelTime } from "../../gpu/profile.ts";

export interface Measured {
  /** Steps of train blocks in which these times were taken. */
  readonly steps: number;
  /** The dearest first. Times and calls are of all steps together. */
  readonly rows: readonly KernelTime[];
  /** Why there are no times. */
  readonly missing?: string;
}

export class Profiling {
  private readonly device: Device;
  private readonly stepNow: () => number;
  private readonly profile = new Profile();
  private since: number;
  private last: number | undefined;

  constructor(device: Device, stepNow: () => number) {
    this.device = device;
    this.stepNow = stepNow;
    this.since = stepNow();
    if (device.measure) device.measure(this.profile);
    else this.profile.missing = `${device.info.name} has no kernels`;
  }

  read(): Measured {
    const { kernels, missing } = this.profile;
    const rows = kernels.map((row) => ({ ...row }));
    return { steps: (this.last ?? this.stepNow()) - this.since, rows, ...(missing === undefined ? {} : { missing }) };
  }

  /** What was measured so far is forgotten: first calls compile. */
  reset(): void {
    this.profile.reset();
    this.since = this.last ?? this.stepNow();
  }

  stop(): void {
    if (this.last !== undefined) return;
    this.last = this.stepNow();
    this.device.measure?.(undefined);
  }
}
