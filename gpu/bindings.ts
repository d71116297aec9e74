/**
 * How many storage bindings a kernel needs. Tensors are ranges of arenas and an arena is one binding, however many
 * tensors of it a kernel touches: where a tensor begins is data of the call, not a binding. Arenas are
 *   temp   intermediates            slot   committed values of slots      stage   their next values
 *   feed   scalars and batch fields data   constants and offset tables
 * An arena larger than one binding may be is cut into windows, each a binding; no tensor straddles two.
 * On the cpu pointers are parameters and nothing is counted.
 */
import type { Node } from "../lang/graph/node.ts";
import type { Buffer } from "./program.ts";
import { sizeOf } from "./space.ts";

export interface BindingLimits {
  /** Storage buffers one kernel may bind: 8 is the base limit of WebGPU. */
  readonly maxBindings?: number;
  /** Bytes one binding may show: 128 MiB is the base limit of WebGPU. */
  readonly maxBindingBytes?: number;
}

type Arena = string;

/** The arena of a buffer. */
export function arenaOf(buffers: readonly Buffer[], id: number): Arena {
  const place = buffers[id]?.place;
  if (!place) throw new Error(`expected a buffer below ${buffers.length}, got ${id}`);
  switch (place.kind) {
    case "scalar":
    case "batch":
      return "feed";
    case "slice":
      return arenaOf(buffers, place.of);
    case "swap":
      return arenaOf(buffers, place.even);
    default:
      return place.kind;
  }
}

/** Arenas where a node's tensor may lie; what a kernel writes is a temporary or the next value of a slot. */
function arenasOf(node: Node): readonly Arena[] {
  if (node.op === "const") return ["data"];
  if (node.op !== "input") return ["temp"];
  const source = node.attrs["source"];
  if (source === "state") return ["slot"];
  // a parameter of a loop's body may be a range of any of these
  return source === "loop" ? ["temp", "slot", "feed"] : ["feed"];
}

/** Windows of each touched arena: never more than its tensors, nor than the whole arena has. */
function windows(touched: ReadonlyMap<Arena, number>, bytes: ReadonlyMap<Arena, number>, limit: number): number {
  let count = 0;
  for (const [arena, tensors] of touched) {
    count += Math.min(tensors, Math.max(1, Math.ceil((bytes.get(arena) ?? 0) / limit)));
  }
  return count;
}

const increase = (map: Map<Arena, number>, key: Arena, by: number) => void map.set(key, (map.get(key) ?? 0) + by);

/** Counts bindings of kernels-to-be by the nodes that they read and write; never too few. */
export class NodeBindings {
  private readonly bytes = new Map<Arena, number>();
  private readonly limits: BindingLimits;

  constructor(inMemory: Iterable<Node>, limits: BindingLimits) {
    this.limits = limits;
    if (limits.maxBindings === undefined) return;
    for (const node of inMemory) {
      for (const arena of arenasOf(node)) increase(this.bytes, arena, 4 * sizeOf(node.type.shape));
    }
  }

  fits(reads: Iterable<Node>, writes: Iterable<Node>, product: boolean): boolean {
    const { maxBindings, maxBindingBytes = Infinity } = this.limits;
    if (maxBindings === undefined) return true;
    const touched = new Map<Arena, number>();
    // offset tables and scratch
    if (product) for (const arena of ["data", "temp"]) increase(touched, arena, 1);
    for (const node of reads) for (const arena of arenasOf(node)) increase(touched, arena, 1);
    for (const _ of writes) for (const arena of ["temp", "stage"]) increase(touched, arena, 1);
    return windows(touched, this.bytes, maxBindingBytes) <= maxBindings;
  }
}

/** Counts bindings of kernels by their buffers. */
export class BufferBindings {
  private readonly buffers: readonly Buffer[];
  private readonly limits: BindingLimits;
  private readonly bytes = new Map<Arena, number>();

  constructor(buffers: readonly Buffer[], limits: BindingLimits) {
    this.buffers = buffers;
    this.limits = limits;
    if (limits.maxBindings === undefined) return;
    buffers.forEach(({ place, size }, id) => {
      if (place.kind !== "slice" && place.kind !== "swap") increase(this.bytes, arenaOf(buffers, id), 4 * size);
    });
  }

  count(args: Iterable<number>): number {
    const touched = new Map<Arena, number>();
    for (const id of new Set(args)) increase(touched, arenaOf(this.buffers, id), 1);
    return windows(touched, this.bytes, this.limits.maxBindingBytes ?? Infinity);
  }

  fits(args: Iterable<number>, more: Iterable<number> = []): boolean {
    return this.limits.maxBindings === undefined || this.count([...args, ...more]) <= this.limits.maxBindings;
  }
}
