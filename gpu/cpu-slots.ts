/**
 * The state table of the cpu device: two cells for each slot, the committed value and, once a run stages one, the next.
 */
import type { Type } from "../lang/graph/node.ts";
import { expectPart } from "./device.ts";
import type { Numbers } from "./device.ts";
import type { Heap } from "./heap.ts";
import { sizeOf } from "./space.ts";

interface Cell {
  readonly type: Type;
  readonly size: number;
  /** Address of the committed value. */
  now: number;
  /** Address where a run puts the next one. */
  next: number | undefined;
}

export class Slots {
  private readonly heap: Heap;
  private readonly cells = new Map<string, Cell>();

  constructor(heap: Heap) {
    this.heap = heap;
  }

  create(path: string, type: Type): void {
    this.drop(path);
    const size = sizeOf(type.shape);
    const now = this.heap.alloc(4 * size);
    this.heap.bytes.fill(0, now, now + 4 * size);
    this.cells.set(path, { type, size, now, next: undefined });
  }

  drop(path: string): void {
    const cell = this.cells.get(path);
    if (!cell) return;
    this.heap.free(cell.now);
    if (cell.next !== undefined) this.heap.free(cell.next);
    this.cells.delete(path);
  }

  write(path: string, value: number | ArrayLike<number>, at?: number): void {
    const cell = this.cell(path);
    if (typeof value !== "number") expectPart(path, cell.size, value.length, at);
    const into = this.heap.view(cell.now, cell.size, cell.type.dtype);
    if (typeof value === "number") into.fill(value);
    else into.set(value, at);
  }

  read(path: string): Numbers {
    const cell = this.cell(path);
    return this.heap.numbers(cell.now, cell.size, cell.type.dtype);
  }

  now(path: string, size: number): number {
    return this.cell(path, size).now;
  }

  stage(path: string, size: number): number {
    const cell = this.cell(path, size);
    return (cell.next ??= this.heap.alloc(4 * cell.size));
  }

  /** The staged value becomes the committed one. */
  commit(path: string): void {
    const cell = this.cell(path);
    const { now, next } = cell;
    if (next === undefined) throw new Error(`expected slot ${path} to be staged`);
    cell.now = next;
    cell.next = now;
  }

  clear(): void {
    this.cells.clear();
  }

  private cell(path: string, size?: number): Cell {
    const cell = this.cells.get(path);
    if (!cell) throw new Error(`expected a slot ${path}, got none`);
    if (size !== undefined && cell.size !== size) {
      throw new Error(`expected ${size} numbers in slot ${path}, got ${cell.size}`);
    }
    return cell;
  }
}
