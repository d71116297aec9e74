/**
 * Reading back without waiting in line: mapped buffers that are used again. As many are made as submits are in flight.
 */
/// <reference types="@webgpu/types" />
import { MAP_READ, USAGE } from "./webgpu-memory.ts";

interface ReadBuffer {
  readonly buffer: GPUBuffer;
  readonly size: number;
}

/** The fewest bytes of a buffer of the ring. */
const LEAST = 256;
/** How long what failed is waited for, in turns of 10 ms. */
const TURNS = 200;

export class ReadRing {
  private readonly device: GPUDevice;
  private readonly idle: ReadBuffer[] = [];
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

  async arrived(read: ReadBuffer, words: number): Promise<ArrayBuffer> {
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
    const copy = read.buffer.getMappedRange(0, bytes).slice(0);
    read.buffer.unmap();
    this.idle.push(read);
    // the smallest that fits is found first
    this.idle.sort((a, b) => a.size - b.size);
    const failure = this.failure();
    if (failure) throw failure;
    return copy;
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
