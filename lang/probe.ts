/**
 * A probe: what it takes to see the value of one place of a script beside a run of it. Plain data. A view reads slots,
 * batch fields, scalars and random streams as the tick does that the place belongs to, and commits nothing; the program
 * is the same with and without it.
 */
import type { DType, Node } from "./graph/node.ts";
import type { Segment } from "./program.ts";
import type { Span } from "./source.ts";

/**
 * An expression or a name, by any place in it; several at once, which are parts of one probe by their number; or the
 * gradients of `minimize`, of some params (by path) or of all.
 */
export type ProbeAsk = Place | { readonly places: readonly Span[] } | { readonly gradients: readonly string[] | "all" };

/** `given`: as it is for so many rows that are given in place of a batch, with models in eval mode. */
export type Place = Span & { readonly given?: number };

export type ProbeAnswer = Probe | { readonly refused: string };

export interface Probe {
  /** The smallest expression around what was asked that has a value. Absent for gradients. */
  readonly span?: Span;
  /** Its text. */
  readonly label: string;
  /** `[B=128, 10] logits`. */
  readonly type: string;
  /** One for each clock and size of batch on which it is computed, those of a training first. */
  readonly views: readonly ProbeView[];
  /** It stands in a function, a model or a `for` that is written out so many times; the first is shown. */
  readonly instances: number;
}

export interface ProbeView {
  /** The top level, a step of a block, or between the steps of one. */
  readonly clock: "top" | "train" | "eval" | "between";
  readonly block?: string;
  /** The pass of a top-level `for`. */
  readonly run?: number;
  /** Whose batch and scalars it reads: a name of `tickOf`. Absent: those of the clock alone. */
  readonly tick?: string;
  /** Segments of the top level that give what it reads. */
  readonly after: readonly string[];
  /** Nothing that it reads ever changes. */
  readonly fixed: boolean;
  /** Without outputs when no part is a tensor of the device. */
  readonly segment: Segment;
  /** One for a tensor or a text; for tuples, records and models one for each value in it, by `name`. */
  readonly parts: readonly ProbePart[];
}

interface Named {
  /** Empty for a value that has no parts. */
  readonly name: string;
}

export interface ProbeTensor extends Named {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Names of axes, where they have one. */
  readonly axes: readonly (string | undefined)[];
  /** Integers below it. */
  readonly classes?: number;
  /** What is written for each class. */
  readonly labels?: readonly string[];
  /** What it is declared to be. */
  readonly tag?: "logits" | "prob" | "logprob";
}

export type ProbePart =
  | (ProbeTensor & { readonly kind: "tensor"; readonly fetch: string })
  /** Computed by the host from metrics. */
  | (ProbeTensor & { readonly kind: "host"; readonly node: Node })
  /** Numbers that are known without running. */
  | (ProbeTensor & { readonly kind: "numbers"; readonly values: readonly number[] })
  /** Known without running; a number or a truth also as such. */
  | (Named & { readonly kind: "text"; readonly text: string; readonly value?: number | boolean })
  | (Named & { readonly kind: "refused"; readonly why: string });
