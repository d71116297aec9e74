/**
 * What the tensor algebra asks of the walk that calls it: random draws, calls of user functions, gradients,
 * fresh names. Interface only; the walk implements it.
 */
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import type { Axis, Bundle, Tensor, Value, Why } from "./values.ts";

export interface Ctx {
  /** Inside the step of a `train` block. */
  readonly training: boolean;
  /** `precision mixed`: products take and give numbers of half precision. */
  readonly mixed: boolean;
  /** One addressed random draw: f32 uniform in [0, 1). */
  uniform(shape: number[], span: Span): Node;
  apply(f: Value, args: { name?: string; value: Value }[], span: Span): Value;
  gradientOf(y: Tensor, xs: Tensor[], span: Span): Tensor[];
  freshAxis(name: string, size: number, why?: Why): Axis;
  /** The params of an instance or of a group of them; a bundle as it is. */
  paramsOf(v: Value, span: Span): Bundle;
}

/** Where an operation stands in the script. */
export interface At {
  readonly span: Span;
  readonly ctx: Ctx;
  /** Spans of the arguments of a call, by parameter. */
  readonly argSpans?: Record<string, Span>;
  /** Spans of the two sides of an operator. */
  readonly left?: Span;
  readonly right?: Span;
}
