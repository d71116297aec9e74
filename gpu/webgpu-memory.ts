/**
 * Memory of the webgpu device: a few large storage buffers (banks) with regions by first fit. WebGPU binds a buffer for
 * reading or for writing, never for both, so each kind of content has a bank of its own, and a kernel's inputs are seldom
 * where its results go. A full bank is replaced by a larger one until it is as large as one binding may be; then there is
 * another bank of its kind, or, where no more can be bound, any bank serves. Counts in words of 4 bytes.
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

/** Arenas of intermediates. */
export const TEMPS = 3;
/**
 * By bank, those beyond the first ones again by number: what a run is steered by (flags, tables, fetched values); what a
 * run only reads (committed values, feeds, constants); next values; intermediates.
 */
export const STEERING = 0;
export const GIVEN = 1;
export const NEXT = 2;
export const FIRST_TEMP = 3;
const KINDS = FIRST_TEMP + TEMPS;

const ALIGN = 4;
const FIRST_SIZE = 1 << 16;

interface Hole {
  start: number;
  end: number;
}

interface Bank {
  readonly kind: number;
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
    for (let kind = 0; kind < Math.min(KINDS, this.most); kind++) this.addBank(kind, FIRST_SIZE);
  }

  private create(size: number): GPUBuffer {
    return this.device.createBuffer({ size: 4 * size, usage: USAGE.storage | USAGE.copySrc | USAGE.copyDst });
  }

  private addBank(kind: number, size: number): void {
    this.banks.push({ kind, buffer: this.create(size), size, holes: [{ start: 0, end: size }] });
  }

  buffer(bank: number): GPUBuffer {
    const found = this.banks[bank];
    if (!found) throw new Error(`expected a bank below ${this.banks.length}, got ${bank}`);
    return found.buffer;
  }

  /** In a bank of a kind, if there is room. The region holds anything. */
  alloc(words: number, kind: number): Region {
    const size = Math.max(ALIGN, Math.ceil(words / ALIGN) * ALIGN);
    if (size > this.limit) throw new MemoryError(4 * size, 4 * this.limit);
    const numbers = [...this.banks.keys()];
    const own = numbers.filter((bank) => this.banks[bank]?.kind === kind);
    const found = this.within(own, size);
    if (found) return found;
    if (kind !== STEERING && this.banks.length < this.most) {
      this.addBank(kind, Math.max(size, FIRST_SIZE));
      return this.alloc(words, kind);
    }
    const other = kind === STEERING ? undefined : this.within(numbers.slice(STEERING + 1), size);
    if (other) return other;
    const used = this.banks.reduce((sum, bank) => sum + bank.size, 0);
    throw new MemoryError(4 * (used + size), 4 * this.limit * (this.most - 1));
  }

  /** Where there is a hole, else where a bank may grow. */
  private within(banks: readonly number[], size: number): Region | undefined {
    for (const bank of banks) {
      const region = this.take(bank, size);
      if (region) return region;
    }
    for (const bank of banks) {
      const { size: have, holes } = this.banks[bank] as Bank;
      const tail = holes.at(-1);
      const used = tail?.end === have ? tail.start : have;
      if (used + size > this.limit) continue;
      this.grow(bank, Math.min(this.limit, Math.max(2 * have, used + size)));
      return this.take(bank, size);
    }
    return undefined;
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
