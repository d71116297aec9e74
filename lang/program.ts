/**
 * The checked program: what `lang` hands to `runtime`. Plain data; equality ignores spans.
 * A program is a list of actions in the order of the script. Every number that changes lives in a slot with a
 * path; every computation is a segment: one static graph that reads slots and inputs and commits slots.
 */
import type { Node, Type } from "./graph/node.ts";
import type { Source, Span } from "./source.ts";

export interface Program {
  /** The script first, then its imports. */
  readonly sources: readonly Source[];
  readonly seed: number;
  readonly inputs: readonly InputDecl[];
  /** By path. */
  readonly slots: Readonly<Record<string, Slot>>;
  /** Of models, by path. */
  readonly instances: Readonly<Record<string, Made>>;
  /** Data plans by id; `column` inputs and blocks refer to them. */
  readonly plans: Readonly<Record<string, DataPlan>>;
  readonly body: readonly Action[];
  /** Only where the compiler was asked for them. */
  readonly tests: readonly TestBlock[];
}

/** An instance of a model, and where the script makes it. */
export interface Made {
  readonly model: string;
  /** Its path ends with the name of a `let`, not with a number of ours. */
  readonly named: boolean;
  readonly span: Span;
}

export interface InputDecl {
  readonly name: string;
  readonly value: number | boolean | string;
  readonly min?: number;
  readonly max?: number;
  readonly log?: boolean;
  readonly options?: readonly string[];
  /** `live` is sampled each tick as the scalar `input:<name>`; `shape` was used as a constant, so a change rebuilds. */
  readonly kind: "live" | "shape";
  readonly span: Span;
}

/** A cell of the state table. Its first value is what the first segment that commits it gives, or `init`. */
export interface Slot {
  readonly path: string;
  readonly type: Type;
  /** `param` counts as a parameter; `state` is model or block state; `slot` belongs to an optimizer; `value` is a kept intermediate. */
  readonly kind: "param" | "state" | "slot" | "value";
  /** Filled with this number when the program begins. */
  readonly init?: number;
  /** Read from a safetensors file after initialisation. */
  readonly load?: { readonly file: string; readonly name: string; readonly span: Span };
  /** Scalars that depend only on step, epoch, inputs and each other: the host keeps them in float64. */
  readonly host?: boolean;
  readonly span?: Span;
}

// ---------------------------------------------------------------- computation

export interface Segment {
  /** Unique in the program: `top1`, `train1`, `train1.short`, `train1.every2`, `val`. */
  readonly name: string;
  readonly outputs: readonly Output[];
  /** Scalars evaluated by the host in float64 before each run and uploaded as the scalar `h:<k>`. */
  readonly host: readonly HostScalar[];
}

export interface HostScalar {
  readonly name: string;
  readonly node: Node;
}

export interface Output {
  readonly node: Node;
  readonly role:
    /** All commits of a run happen together after everything is computed. */
    | { readonly kind: "commit"; readonly path: string }
    /** Read back by the host: what folds, prints and plots need. */
    | { readonly kind: "fetch"; readonly name: string }
    /** A bool scalar: when true this run commits and later ones do nothing until the host has reacted. */
    | { readonly kind: "halt" }
    /** A float scalar or tensor that must be finite; if not this run commits nothing and the program fails. */
    | { readonly kind: "finite"; readonly what: string; readonly span?: Span };
}

// ---------------------------------------------------------------- actions

/**
 * A value the host computes in float64 from folds, metrics, watches, scalars and whole slots
 * (`input` nodes with source fold, metric, watch, scalar, state). May be a tensor.
 * Text and other constants of the script are kept as they are.
 */
export type HostValue =
  | {
      readonly kind: "node";
      readonly node: Node;
      readonly classes?: readonly string[];
      /** The classes of a row are one text, with this between them. */
      readonly glue?: string;
    }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly HostValue[]; readonly tuple: boolean }
  | { readonly kind: "record"; readonly fields: Readonly<Record<string, HostValue>> };

export type Part = string | { readonly value: HostValue; readonly format?: string };

export type Action =
  | { readonly kind: "compute"; readonly segment: Segment }
  | Train
  | Eval
  | Run
  | {
      readonly kind: "print";
      readonly items: readonly (readonly Part[])[];
      readonly folds: readonly string[];
      readonly span: Span;
    }
  | { readonly kind: "plot" | "show" | "record"; readonly items: readonly PlotItem[]; readonly span: Span }
  | { readonly kind: "save"; readonly file: string; readonly entries: readonly SaveEntry[]; readonly span: Span }
  | { readonly kind: "stop"; readonly span: Span }
  | Assert
  | { readonly kind: "when"; readonly cond: Node; readonly body: readonly Action[]; readonly span: Span };

export interface PlotItem {
  readonly label: string;
  readonly value: HostValue;
}

export interface SaveEntry {
  /** Name in the file: the path below the saved value. */
  readonly name: string;
  readonly path: string;
}

/** One pass of a top-level `for`: begins with fresh slots (those under it are initialised again) and the seed's own random numbers. */
export interface Run {
  readonly kind: "run";
  readonly index: number;
  readonly seed: number;
  readonly body: readonly Action[];
  readonly span: Span;
}

export interface Train {
  readonly kind: "train";
  /** `train1` when unnamed. */
  readonly name: string;
  readonly data?: Batches;
  readonly limit: { readonly unit: "epochs" | "steps" | "seconds"; readonly count: number };
  /** What one tick runs, in order; a part with `every: n` only on steps n, 2n, … */
  readonly step: readonly TickPart[];
  /** The same for the last short batch, where there is one. */
  readonly short?: readonly TickPart[];
  readonly folds: readonly Fold[];
  /** Every metric and every scalar that a sink of the block names: the `metrics` of JSON events. */
  readonly report: readonly { readonly name: string; readonly value: Node }[];
  readonly watches: readonly Watch[];
  /** On the step clock: sinks and `when` in the body. */
  readonly sinks: readonly Action[];
  /** Between ticks, after the commit. */
  readonly reactions: readonly Reaction[];
  readonly span: Span;
}

export type TickPart = TickSegment | Repeat;

export interface TickSegment {
  readonly every?: number;
  readonly segment: Segment;
}

/**
 * Inner steps: the parts run again and again within one tick, each time on the next batch where there is data. Each run
 * commits; its number from 0 is the scalar `inner:<repeat>`. Rows go on from tick to tick and begin again when exhausted.
 */
export interface Repeat {
  readonly every?: number;
  /** Unique in the program but for the short batch, which repeats the same: `train1.repeat1`. */
  readonly repeat: string;
  readonly data?: Batches;
  readonly limit: { readonly unit: "epochs" | "steps"; readonly count: number };
  readonly step: readonly TickPart[];
  readonly short?: readonly TickPart[];
  readonly span: Span;
}

/** The segments of a tick, with those of inner steps. */
export function tickSegments(parts: readonly TickPart[] = []): Segment[] {
  return parts.flatMap((part) =>
    "segment" in part ? [part.segment] : [...tickSegments(part.step), ...tickSegments(part.short)],
  );
}

/** The name of the list of segments of a tick (the full batch, the short one, inner steps) that a segment is part of. */
export const tickOf = (segment: string): string => segment.replace(/\.(every\d+_)?\d+$/, "");

export interface Reaction {
  readonly clock: { readonly unit: "epochs" | "steps" | "seconds"; readonly every: number };
  readonly body: readonly Action[];
  readonly span: Span;
}

export interface Eval {
  readonly kind: "eval";
  readonly name: string;
  readonly data?: Batches;
  readonly step: readonly TickPart[];
  readonly short?: readonly TickPart[];
  readonly folds: readonly Fold[];
  readonly report: readonly { readonly name: string; readonly value: Node }[];
  readonly watches: readonly Watch[];
  /** Sinks in the body of the block, shown once after the pass. */
  readonly sinks: readonly Action[];
  readonly span: Span;
}

/**
 * A scalar (or tensor) of each tick, gathered over the reader's clock. `weight` is the number of rows of the tick
 * unless a fetch gives it. Readers see their own window: a step sink this tick, a reaction the ticks since it last
 * ran, `report` at an epoch's end the epoch, anything after the block its last epoch, an eval its pass.
 */
export interface Fold {
  readonly name: string;
  readonly how: "avg" | "total" | "last" | "lowest" | "highest" | "collect";
  readonly fetch: string;
  readonly weight?: string;
}

/** A condition with memory, evaluated when its reader runs. `best`: above all before; `stale`: n readings without a best; `rises`: true now, false before. */
export interface Watch {
  readonly name: string;
  readonly kind: "best" | "stale" | "rises";
  readonly value: Node;
  readonly count?: number;
}

/** In the body of a test: a condition, and the values that it compares. */
export interface Assert {
  readonly kind: "assert";
  readonly cond: HostValue;
  readonly sides: readonly { readonly value: HostValue; readonly span: Span }[];
  readonly span: Span;
}

/** A program of its own: `body` begins with what the top level computes outside of its blocks. */
export interface TestBlock extends Pick<Program, "slots" | "plans" | "body"> {
  readonly name: string;
  readonly span: Span;
}

// ---------------------------------------------------------------- data

/**
 * A data set as the script describes it; the runtime opens it. Rows stay whole. `source`, `concat`, `zip` and `windows`
 * make a table; the other operations choose and order rows of the table below them.
 */
export type DataPlan =
  | { readonly op: "source"; readonly source: SourceRef }
  /** Rows [from, to) of a partition of 0..1 after a seeded permutation, or as they stand. */
  | {
      readonly op: "split";
      readonly of: DataPlan;
      readonly from: number;
      readonly to: number;
      readonly site: number;
      readonly ordered?: boolean;
    }
  /** Fold `fold` of `k` (from 1) of a seeded permutation: the rows that it holds out, or the others. */
  | {
      readonly op: "fold";
      readonly of: DataPlan;
      readonly k: number;
      readonly fold: number;
      readonly held: boolean;
      readonly site: number;
    }
  /** A new permutation each epoch of the reading block (or one, outside of blocks). */
  | { readonly op: "shuffle"; readonly of: DataPlan; readonly site: number }
  | { readonly op: "take"; readonly of: DataPlan; readonly count: number }
  /** All rows, `times` times one after another. */
  | { readonly op: "again"; readonly of: DataPlan; readonly times: number }
  /** `keep` is a bool[R] of `batch` fields of R rows; `text` is the same as text, for keys. */
  | { readonly op: "filter"; readonly of: DataPlan; readonly keep: Node; readonly text: string }
  /** Row k of each batch continues row k of the one before. */
  | { readonly op: "lanes"; readonly of: DataPlan; readonly size: number; readonly dropLast: boolean }
  | { readonly op: "concat"; readonly parts: readonly DataPlan[] }
  /** Row i of each part side by side; `names` are old field names → new ones. */
  | { readonly op: "zip"; readonly parts: readonly ZipPart[] }
  /** `size` rows that follow one another, every `stride` rows; `pairs`: a `token` becomes `x`, and `y` one further. */
  | {
      readonly op: "windows";
      readonly of: DataPlan;
      readonly size: number;
      readonly stride: number;
      readonly pairs: boolean;
    };
export interface ZipPart {
  readonly of: DataPlan;
  readonly names: Readonly<Record<string, string>>;
}

/** A call of a data source with constant arguments. `part` is the split that the source itself has. */
export interface SourceRef {
  readonly name: string;
  readonly args: Readonly<Record<string, DataArg>>;
  readonly part?: "train" | "test";
  readonly span: Span;
  /** Of a tokenizer: the text that it cuts, and the text whose vocabulary it takes. */
  readonly of?: SourceRef;
  readonly like?: SourceRef;
  /** Of `filter`, as a question only: how many rows of a plan it keeps. */
  readonly over?: { readonly plan: DataPlan; readonly keep: Node };
}
export type DataArg = number | string | boolean | readonly number[] | readonly string[];

export interface Batches {
  readonly plan: DataPlan;
  readonly size: number;
  readonly dropLast: boolean;
  /** Rows of the plan, known before running. */
  readonly rows: number;
  /** Fields that the segments read. */
  readonly fields: readonly string[];
}

/** What a host tells about a data source before anything is read whole. */
export interface Facts {
  /** Field name → type of one row (shape without the row axis); `classes` marks integers below it; `axes` names axes. */
  readonly fields: Readonly<Record<string, FieldFact>>;
  /** Rows of the whole source, or by part where the source is split already. -1 when unknown. */
  readonly rows: number;
  readonly parts?: { readonly train: number; readonly test: number };
  /** Of a tokenizer. */
  readonly tokens?: Tokens;
}
/** A vocabulary and how it cuts text. Token i is `vocab[i]`; the first ones stand for no text (`<pad>`, `<unk>`). */
export interface Tokens {
  readonly kind: "chars" | "words" | "bpe";
  readonly vocab: readonly string[];
  readonly lower: boolean;
  /** Of `bpe`: pairs in the order in which they are joined. */
  readonly merges: readonly (readonly [string, string])[];
}
export interface FieldFact {
  readonly dtype: "f32" | "i32";
  readonly shape: readonly number[];
  readonly axes?: readonly (string | undefined)[];
  readonly classes?: number;
}
