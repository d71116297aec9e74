/**
 * Reading back without waiting in line: mapped buffers that are used again. As many are made as submits are in flight.
 * A mapping is new memory each time, by the standard: the one view of it that this takes is all that is made of it.
 */
/// <reference types="@webgpu/types" />
import type { DType } from "../lang/graph/node.ts";
import type { Numbers } from "./device.ts";
import { MAP_READ, USAGE } from "./webgpu-memory.ts";

interface ReadBuffer {
  readonly buffer: GPUBuffer;
  readonly size: number;
}

/** What came back last, to be looked at before anything else comes. */
export class Words {
  readonly buffer: ArrayBuffer;
  readonly u32: Uint32Array;
  private readonly f32: Float32Array;
  private readonly i32: Int32Array;

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
    this.u32 = new Uint32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.i32 = new Int32Array(buffer);
  }

  /** A copy of some, as numbers of a type. */
  numbers(dtype: DType, at: number, size: number): Numbers {
    if (dtype === "f32") return this.f32.slice(at, at + size);
    return dtype === "u32" ? this.u32.slice(at, at + size) : this.i32.slice(at, at + size);
  }
}

/** Bytes that are copied to memory that stays; more is looked at where it was mapped. */
const KEPT = 2 ** 22;
/** The fewest bytes of a buffer of the ring. */
const LEAST = 256;
/** How long what failed is waited for, in turns of 10 ms. */
const TURNS = 200;

export class ReadRing {
  private readonly device: GPUDevice;
  private readonly idle: ReadBuffer[] = [];
  private words = new Words(new ArrayBuffer(0));
  private readonly failure: () => Error | undefined;
  private readonly rest: (() => void) | undefined;
  /** Results that are waited for. */
  private awaited = 0;
  private dozing = false;

  /** `failure` tells what happened to the device, if anything; `rest` is called between looks for results. */
  constructor(device: GPUDevice, failure: () => Error | undefined, rest?: () => void) {
    this.device = device;
    this.failure = failure;
    this.rest = rest;
  }

  /** A buffer to copy to; `arrived` may be asked once that is submitted. */
  take(words: number): ReadBuffer {
    const bytes = Math.max(4, 4 * words);
    const fits = this.idle.findIndex((each) => each.size >= bytes);
    const [found] = fits >= 0 ? this.idle.splice(fits, 1) : [];
    const size = Math.max(LEAST, 2 ** Math.ceil(Math.log2(bytes)));
    return found ?? { size, buffer: this.device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyDst }) };
  }

  copy(encoder: GPUCommandEncoder, from: GPUBuffer, at: number, words: number): ReadBuffer {
    const read = this.take(words);
    encoder.copyBufferToBuffer(from, 4 * at, read.buffer, 0, Math.max(4, 4 * words));
    return read;
  }

  /** What `look` makes of so many words of a buffer, once they have come. */
  async arrived<T>(read: ReadBuffer, words: number, look: (words: Words) => T): Promise<T> {
    const bytes = Math.max(4, 4 * words);
    this.awaited++;
    this.doze();
    try {
      await read.buffer.mapAsync(MAP_READ, 0, bytes);
    } catch (error) {
      // the loss of the device is told by its own event, some turns later
      for (let turn = 0; turn < TURNS && !this.failure(); turn++) {
        await new Promise<void>((resolve) => void setTimeout(resolve, 10));
      }
      throw this.failure() ?? error;
    } finally {
      this.awaited--;
    }
    try {
      const failure = this.failure();
      if (failure) throw failure;
      const mapped = read.buffer.getMappedRange(0, bytes);
      return look(bytes > KEPT ? new Words(mapped) : this.kept(mapped));
    } finally {
      read.buffer.unmap();
      this.idle.push(read);
      // the smallest that fits is found first
      this.idle.sort((a, b) => a.size - b.size);
    }
  }

  private kept(mapped: ArrayBuffer): Words {
    if (this.words.buffer.byteLength < mapped.byteLength) {
      this.words = new Words(new ArrayBuffer(2 ** Math.ceil(Math.log2(mapped.byteLength))));
    }
    this.words.u32.set(new Uint32Array(mapped));
    return this.words;
  }

  private doze(): void {
    const { rest } = this;
    if (!rest || this.dozing) return;
    this.dozing = true;
    soon(() => {
      this.dozing = false;
      if (this.awaited === 0) return;
      rest();
      this.doze();
    });
  }
}

/** After what runs now: a macrotask, and no timer, which browsers hold back. */
export function soon(act: () => void): void {
  if (typeof setImmediate === "function") {
    setImmediate(act);
    return;
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    act();
  };
  port2.postMessage(0);
}
