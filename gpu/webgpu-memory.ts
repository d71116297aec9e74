/**
 * Memory of the webgpu device: a few large storage buffers (banks) with regions by first fit. Bank 0 holds what a run
 * is steered by (flags, tables, fetched values); the others everything else. A full bank is replaced by a larger one
 * until it is as large as one binding may be; then there is another bank. Counts in words of 4 bytes.
 */
import { MemoryError } from "./memory-error.ts";

export interface Region {
  readonly bank: number;
  readonly at: number;
  readonly size: number;
}

/** Values of GPUBufferUsage and GPUMapMode, which are globals of browsers alone. */
export const USAGE = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128, queryResolve: 512 } as const;
export const MAP_READ = 1;

const ALIGN = 4;
const FIRST_SIZE = [1 << 14, 1 << 18] as const;

interface Hole {
  start: number;
  end: number;
}

interface Bank {
  buffer: GPUBuffer;
  size: number;
  /** Sorted by place, never adjacent. */
  readonly holes: Hole[];
}

export class Memory {
  /** Counts up when a buffer is replaced: bind groups made before are void. */
  version = 0;
  readonly banks: Bank[] = [];
  /** Called before a command of its own is put into the queue: what was asked for earlier goes first. */
  before: () => void = () => undefined;
  private readonly device: GPUDevice;
  /** Words of the largest binding, and how many bindings there may be. */
  private readonly limit: number;
  private readonly most: number;

  constructor(device: GPUDevice) {
    this.device = device;
    const { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage } = device.limits;
    this.limit = Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / 4 / ALIGN) * ALIGN;
    this.most = maxStorageBuffersPerShaderStage;
    for (const size of FIRST_SIZE) this.addBank(size);
  }

  private create(size: number): GPUBuffer {
    return this.device.createBuffer({ size: 4 * size, usage: USAGE.storage | USAGE.copySrc | USAGE.copyDst });
  }

  private addBank(size: number): void {
    this.banks.push({ buffer: this.create(size), size, holes: [{ start: 0, end: size }] });
  }

  buffer(bank: number): GPUBuffer {
    const found = this.banks[bank];
    if (!found) throw new Error(`expected a bank below ${this.banks.length}, got ${bank}`);
    return found.buffer;
  }

  /** `steering` asks for bank 0. The region holds anything. */
  alloc(words: number, steering = false): Region {
    const size = Math.max(ALIGN, Math.ceil(words / ALIGN) * ALIGN);
    if (size > this.limit) throw new MemoryError(4 * size, 4 * this.limit);
    const first = steering ? 0 : 1;
    const last = steering ? 0 : this.banks.length - 1;
    for (let bank = first; bank <= last; bank++) {
      const region = this.take(bank, size);
      if (region) return region;
    }
    for (let bank = first; bank <= last; bank++) {
      const { size: have, holes } = this.banks[bank] as Bank;
      const tail = holes.at(-1);
      const used = tail?.end === have ? tail.start : have;
      if (used + size > this.limit) continue;
      this.grow(bank, Math.min(this.limit, Math.max(2 * have, used + size)));
      const region = this.take(bank, size);
      if (region) return region;
    }
    if (steering || this.banks.length >= this.most) {
      const used = this.banks.reduce((words, bank) => words + bank.size, 0);
      throw new MemoryError(4 * (used + size), 4 * this.limit * (this.most - 1));
    }
    this.addBank(Math.max(size, FIRST_SIZE[1]));
    return this.alloc(words, steering);
  }

  private take(bank: number, size: number): Region | undefined {
    const { holes } = this.banks[bank] as Bank;
    const at = holes.findIndex((h) => h.end - h.start >= size);
    const hole = holes[at];
    if (!hole) return undefined;
    const region = { bank, at: hole.start, size };
    hole.start += size;
    if (hole.start === hole.end) holes.splice(at, 1);
    return region;
  }

  free({ bank, at: start, size }: Region): void {
    const { holes } = this.banks[bank] as Bank;
    const end = start + size;
    let at = holes.findIndex((h) => h.start > start);
    if (at < 0) at = holes.length;
    const before = holes[at - 1];
    const after = holes[at];
    if (before?.end === start) {
      before.end = end;
      if (after?.start === end) {
        before.end = after.end;
        holes.splice(at, 1);
      }
    } else if (after?.start === end) after.start = start;
    else holes.splice(at, 0, { start, end });
  }

  private grow(index: number, size: number): void {
    this.before();
    const bank = this.banks[index] as Bank;
    const buffer = this.create(size);
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(bank.buffer, 0, buffer, 0, 4 * bank.size);
    this.device.queue.submit([encoder.finish()]);
    bank.buffer.destroy();
    const tail = bank.holes.at(-1);
    if (tail?.end === bank.size) tail.end = size;
    else bank.holes.push({ start: bank.size, end: size });
    bank.buffer = buffer;
    bank.size = size;
    this.version++;
  }

  clear({ bank, at, size }: Region): void {
    this.before();
    const encoder = this.device.createCommandEncoder();
    encoder.clearBuffer(this.buffer(bank), 4 * at, 4 * size);
    this.device.queue.submit([encoder.finish()]);
  }

  write({ bank, at }: Region, words: ArrayBufferView<ArrayBuffer>): void {
    if (words.byteLength === 0) return;
    this.before();
    this.device.queue.writeBuffer(this.buffer(bank), 4 * at, words);
  }

  /** Words that are taken. */
  get used(): number {
    const free = (holes: readonly Hole[]) => holes.reduce((sum, { start, end }) => sum + end - start, 0);
    return this.banks.reduce((sum, { size, holes }) => sum + size - free(holes), 0);
  }
}
