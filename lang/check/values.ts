/**
 * What an expression means while the checker walks a script: tensors are nodes of a graph with named axes,
 * everything else (numbers, tuples, functions, models, data sets) is known now.
 */
import type { Node } from "../graph/node.ts";
import type { DataPlan, Facts, FieldFact } from "../program.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";

// ---------------------------------------------------------------- axes

/**
 * One axis of a tensor. Two axes are the same axis when their `uid`s are equal; `name` is for people.
 * Without a uid the axis is a number: it has a size only.
 */
export interface Axis {
  /** -1 is open: an unknown fact of the data. */
  readonly size: number;
  readonly uid?: number;
  readonly name?: string;
  /** Where the size came from, for messages: `84 comes from Linear(84)`. */
  readonly why?: Why;
}
export interface Why {
  readonly span: Span;
  readonly text: string;
}

/** `float` is f32 storage, `int` i32. An `int` with `classes` holds integers below it: index(C). */
export type Kind = "float" | "int" | "bool";
export type Tag = "logits" | "prob" | "logprob";

export interface Tensor {
  readonly kind: "tensor";
  readonly node: Node;
  readonly dtype: Kind;
  readonly axes: readonly Axis[];
  readonly classes?: number;
  /** What sinks write for each class. */
  readonly labels?: readonly string[];
  readonly tag?: Tag;
  /** How many elements a mean was taken over, for `unbiased`. */
  readonly count?: number;
}

// ---------------------------------------------------------------- constants

/** A number known now. `axis` is kept when it is the size of a named axis (`dim Z`, `Out: dim`, a signature's name). */
export interface Num {
  readonly kind: "num";
  readonly value: number;
  /** Written as, or computed from, a float; an int keeps being usable as a size. */
  readonly float?: boolean;
  readonly axis?: Axis;
}
export interface Bool {
  readonly kind: "bool";
  readonly value: boolean;
}
export interface Str {
  readonly kind: "str";
  readonly parts: readonly (string | { readonly value: Value; readonly format?: string; readonly span: Span })[];
}
export interface None {
  readonly kind: "none";
}
export interface Tuple {
  readonly kind: "tuple";
  readonly items: readonly Value[];
}
export interface List {
  readonly kind: "list";
  readonly items: readonly Value[];
}
export interface Rec {
  readonly kind: "record";
  readonly fields: ReadonlyMap<string, Value>;
}
/** `1..6`, both ends inclusive; an absent end is the end of what it indexes. */
export interface RangeV {
  readonly kind: "range";
  readonly from?: number;
  readonly to?: number;
}
/** `not B` in `over: not B`. */
export interface NotAxes {
  readonly kind: "not";
  readonly value: Value;
}

// ---------------------------------------------------------------- functions, models, optimizers

export interface Scope {
  readonly parent?: Scope;
  readonly names: Map<string, Binding>;
  /** Where the names of this scope come from: a person's file, the standard library, or one of its calls. */
  readonly prelude?: boolean;
}
export interface Binding {
  readonly value: Value;
  readonly span: Span;
  /** What `<-` may do to it; absent for a plain definition. */
  readonly role?: Role;
}
/** `carry` of a loop, `state` with its slot path, or `stage`: the p and g of an optimizer. */
export type Role =
  { readonly kind: "carry" } | { readonly kind: "state"; readonly path: string } | { readonly kind: "stage" };

/** A `fn` or lambda with the scope that it closes over. */
export interface Func {
  readonly kind: "func";
  readonly name: string;
  readonly params: readonly ast.Param[];
  readonly returns?: ast.TypeExpr;
  readonly body: ast.Expr;
  readonly scope: Scope;
}
/** A function given by the compiler; see builtins. */
export interface BuiltinV {
  readonly kind: "builtin";
  readonly name: string;
  /** Of a method (`corpus.encode`): its first argument. */
  readonly of?: Dataset;
}
export interface ModelDecl {
  readonly kind: "model";
  readonly name: string;
  readonly decl: ast.Model;
  readonly scope: Scope;
}
/** A model with its first list applied: owns params and states under `path`. */
export interface Instance {
  readonly kind: "instance";
  readonly decl: ModelDecl;
  readonly path: string;
  args: ReadonlyMap<string, Value>;
  readonly span: Span;
  /** Slot paths of its own params and states, by name, in order of declaration. Filled at the first application. */
  readonly params: Map<string, { readonly path: string; readonly type: readonly Axis[]; readonly span: Span }>;
  readonly states: Map<string, { readonly path: string; readonly type: readonly Axis[]; readonly span: Span }>;
  readonly children: Map<string, Instance>;
  /** Applied at least once, so its params exist. */
  applied?: boolean;
  /** `before` is in front of its names in the file: its place in a list. */
  loaded?: { readonly file: string; readonly span: Span; readonly before: string };
}
/** `net.with(p)`: the same model with other values for its params. */
export interface WithParams {
  readonly kind: "with";
  readonly instance: Instance;
  readonly params: Bundle;
}
export interface OptimizerDecl {
  readonly kind: "optimizer";
  readonly name: string;
  readonly decl: ast.Optimizer;
  readonly scope: Scope;
}
/** Stages run in order. */
export interface OptimizerV {
  readonly kind: "stages";
  readonly stages: readonly { readonly decl: OptimizerDecl; readonly args: ReadonlyMap<string, Value> }[];
}
/** Params (or anything of their shapes) as one value, by slot path. */
export interface Bundle {
  readonly kind: "bundle";
  readonly leaves: ReadonlyMap<string, Tensor>;
}

// ---------------------------------------------------------------- data and blocks

export interface Dataset {
  readonly kind: "dataset";
  readonly plan: DataPlan;
  /** -1 when unknown. */
  readonly rows: number;
  readonly fields: ReadonlyMap<string, FieldFact>;
  /** Parts reached by name: `data.train`. */
  readonly parts?: ReadonlyMap<string, Dataset>;
  /** What the rows may be used for: fitting asks for train. */
  readonly split?: "train" | "val" | "test";
  /** Row functions in order (`map`), compiled into the reading block. */
  readonly maps: readonly (Func | BuiltinV)[];
  /** Set by `batches`. */
  readonly batch?: { readonly size: number; readonly dropLast: boolean };
}
export type { Facts };

/** A finished `train` or `eval` block: its metrics by name. */
export interface BlockV {
  readonly kind: "block";
  readonly name: string;
  readonly metrics: ReadonlySet<string>;
  /** Of metrics that are tensors. */
  readonly axes: ReadonlyMap<string, readonly Axis[]>;
}
/** A namespace of builtins: `toy`. */
export interface Namespace {
  readonly kind: "namespace";
  readonly name: string;
  readonly members: ReadonlyMap<string, Value>;
}
/** The value of a mistake that was already reported: silences what follows from it. */
export interface Broken {
  readonly kind: "broken";
}

export type Value =
  | Tensor
  | Num
  | Bool
  | Str
  | None
  | Tuple
  | List
  | Rec
  | RangeV
  | NotAxes
  | Func
  | BuiltinV
  | ModelDecl
  | Instance
  | WithParams
  | OptimizerDecl
  | OptimizerV
  | Bundle
  | Dataset
  | BlockV
  | Namespace
  | Broken;
