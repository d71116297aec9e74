/**
 * What a session asks of the place it runs in: rows of data and files. Node's is in `node.ts`; the playground brings
 * its own, so nothing here names a disk.
 */
import type { Numbers } from "../gpu/device.ts";
import type { DType, Node } from "../lang/graph/node.ts";
import type { DataPlan } from "../lang/program.ts";
import type { Span } from "../lang/source.ts";

export interface Rows {
  readonly count: number;
  /** What row numbers count in: equal keys have equal rows. */
  readonly source: { readonly key: string; readonly rows: number };
  /** Row numbers in the order of this epoch (from 1). */
  order(epoch: number): Uint32Array;
  /** Row-major `[rows.length, ..row]`; into `out` if given and of that length. */
  gather(field: string, rows: Uint32Array, out?: Numbers): Numbers;
  /** The whole field. */
  column(field: string): Numbers;
}

export interface FileTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Numbers;
}

/** A file that cannot be had is a `UserError` at the span. */
export interface Files {
  load(file: string, span?: Span): Promise<ReadonlyMap<string, FileTensor>>;
  /** Returns the path to show. */
  save(file: string, tensors: ReadonlyMap<string, FileTensor>, span?: Span): Promise<string>;
}

export interface Host extends Files {
  open(plan: DataPlan, seed: number): Promise<Rows>;
}

/**
 * Evaluates host expressions in float64. `lookup` gives the row-major values of each `input` node that they reach.
 * One result for each output, row-major.
 */
export type HostMath = (
  outputs: readonly Node[],
  lookup: (input: Node) => ArrayLike<number>,
) => readonly ArrayLike<number>[];
