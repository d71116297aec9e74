/**
 * The static graph: an immutable DAG of nodes, each one row of the op table applied to inputs.
 * Plain data: a node holds only strings, numbers, arrays and its inputs, so structuredClone keeps it.
 * Names of axes live in `check`; here a shape is a list of sizes. A size of -1 is open (an unknown fact):
 * rules carry it on and never fail on it, but such a graph cannot be compiled.
 */
import type { Span } from "../source.ts";
import type { Origin } from "./origin.ts";

/** Storage is 4 bytes for each; a bool is the i32 0 or 1. */
export type DType = "f32" | "i32" | "u32" | "bool";

export interface Type {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export type Attr = number | string | boolean | readonly number[] | readonly string[] | Body | Dims;
export type Attrs = Readonly<Record<string, Attr>>;

/** Pairs of axes of the two operands of `dot`. */
export type Dims = readonly (readonly [number, number])[];

/** The body graph of a `loop` (see ops/loop.ts). */
export interface Body {
  readonly params: readonly Node[];
  readonly results: readonly Node[];
}

export interface Node {
  /** Order of creation in this process: a name, never part of equality. */
  readonly id: number;
  readonly op: string;
  readonly inputs: readonly Node[];
  readonly attrs: Attrs;
  readonly type: Type;
  readonly span?: Span | undefined;
  readonly origin?: Origin | undefined;
  /** Where it stood in the order that was made last; 0 of a new one (`by-node`): no part of what the node is. */
  place?: number;
}

/**
 * `input` nodes name a value from outside the graph by `attrs.source` and `attrs.name`:
 *  state   a slot of the state table by its path (params, states, optimizer slots, kept values)
 *  batch   a field of the current batch, shape [B, ..row]
 *  column  a whole field of a data set, shape [N, ..row]; `name` is `<plan id>.<field>`
 *  scalar  a number the host uploads before each run: `step epoch tick seed input:<name> h:<k>`
 *  loop    a parameter of a loop body: `const<i> carry<i> scan<i>` or `tick`
 *  fold    (host expressions only) a metric folded over its reader's clock
 *  metric  (host expressions only) the last result of a block's metric: `val.acc`
 *  watch   (host expressions only) `best`, `stale`, `rises`: a condition with memory
 */
export type InputSource = "state" | "batch" | "column" | "scalar" | "loop" | "fold" | "metric" | "watch";
