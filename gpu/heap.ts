/**
 * The one memory of the cpu device: regions by first fit, growing on demand. Regions stay 16-byte aligned and away from
 * both ends, so that reads a little outside of a buffer (masked or behind a tail) stay inside the memory.
 */
import type { DType } from "../lang/graph/node.ts";
import { MemoryError } from "./memory-error.ts";

const PAGE = 65536;
const ALIGN = 16;

interface Hole {
  start: number;
  end: number;
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly maximum: number;
  /** Pages that may be used; tests take fewer than there are. */
  readonly limit: number;
  readonly shared: boolean;
  bytes: Uint8Array;
  f32: Float32Array;
  i32: Int32Array;
  private readonly sizes = new Map<number, number>();
  private readonly holes: Hole[] = [];
  /** Where unused memory begins. */
  private top = PAGE;

  constructor(shared = true) {
    this.shared = shared && typeof SharedArrayBuffer !== "undefined";
    let memory: WebAssembly.Memory | undefined;
    let maximum = 65536;
    for (; !memory; maximum /= 2) {
      try {
        memory = new WebAssembly.Memory({ initial: 4, maximum, shared: this.shared });
        break;
      } catch (error) {
        // engines with less address space refuse the large reservation
        if (maximum <= 4096) throw error;
      }
    }
    this.memory = memory;
    this.maximum = maximum;
    this.limit = maximum;
    this.bytes = new Uint8Array(memory.buffer);
    this.f32 = new Float32Array(memory.buffer);
    this.i32 = new Int32Array(memory.buffer);
  }

  /** Good until the memory grows. */
  view(address: number, size: number, dtype: DType): Float32Array | Int32Array | Uint32Array {
    const { buffer } = this.memory;
    if (dtype === "f32") return new Float32Array(buffer, address, size);
    return dtype === "u32" ? new Uint32Array(buffer, address, size) : new Int32Array(buffer, address, size);
  }

  /** A copy; it takes no view where the memory has one. */
  numbers(address: number, size: number, dtype: DType): Float32Array | Int32Array | Uint32Array {
    if (dtype === "u32") return this.view(address, size, dtype).slice();
    return (dtype === "f32" ? this.f32 : this.i32).slice(address / 4, address / 4 + size);
  }

  alloc(size: number): number {
    const bytes = Math.max(ALIGN, Math.ceil(size / ALIGN) * ALIGN);
    const at = this.holes.findIndex((h) => h.end - h.start >= bytes);
    const hole = this.holes[at];
    if (hole) {
      const start = hole.start;
      hole.start += bytes;
      if (hole.start === hole.end) this.holes.splice(at, 1);
      this.sizes.set(start, bytes);
      return start;
    }
    const last = this.holes[this.holes.length - 1];
    const start = last && last.end === this.top ? last.start : this.top;
    this.reserve(start + bytes);
    if (start < this.top) this.holes.pop();
    this.top = start + bytes;
    this.sizes.set(start, bytes);
    return start;
  }

  free(start: number): void {
    const bytes = this.sizes.get(start);
    if (bytes === undefined) throw new Error(`expected an allocated region, got ${start}`);
    this.sizes.delete(start);
    const end = start + bytes;
    let at = this.holes.findIndex((h) => h.start > start);
    if (at < 0) at = this.holes.length;
    const before = this.holes[at - 1];
    const after = this.holes[at];
    const joinsBefore = before !== undefined && before.end === start;
    const joinsAfter = after !== undefined && after.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.holes.splice(at, 1);
    } else if (joinsBefore) before.end = end;
    else if (joinsAfter) after.start = start;
    else this.holes.splice(at, 0, { start, end });
  }

  /** Bytes in use. */
  get used(): number {
    let used = 0;
    for (const bytes of this.sizes.values()) used += bytes;
    return used;
  }

  private reserve(end: number): void {
    const pages = Math.ceil(end / PAGE) + 1;
    const have = this.memory.buffer.byteLength / PAGE;
    if (pages <= have) return;
    if (pages > this.limit) throw new MemoryError(pages * PAGE, this.limit * PAGE);
    try {
      // doubling keeps the number of growths (and of new views) small
      this.memory.grow(Math.min(this.limit, Math.max(pages, Math.min(2 * have, have + 4096))) - have);
    } catch (error) {
      // the engine cannot have what it promised: the machine is full
      if (error instanceof RangeError) throw new MemoryError(pages * PAGE, have * PAGE);
      throw error;
    }
    this.bytes = new Uint8Array(this.memory.buffer);
    this.f32 = new Float32Array(this.memory.buffer);
    this.i32 = new Int32Array(this.memory.buffer);
  }
}
