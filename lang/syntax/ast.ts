/**
 * The syntax tree: node types only. Every node has a span. A half-typed script still has a tree: what is absent is
 * `missing`. Comments and blank lines are kept in `File.trivia`, so a formatter loses nothing.
 */
import type { Span } from "../source.ts";

interface At {
  readonly span: Span;
}

export interface File extends At {
  readonly body: readonly Stmt[];
  /** Comments (`#`, `##`) and runs of blank lines, in order of place. */
  readonly trivia: readonly Trivia[];
}
export interface Trivia extends At {
  readonly kind: "comment" | "doc" | "blank";
  readonly text: string;
}

export interface Name extends At {
  readonly text: string;
}

// ---------------------------------------------------------------- expressions

export type Expr =
  | (At & { readonly kind: "number"; readonly value: number; readonly float: boolean; readonly text: string })
  | StringExpr
  | (At & { readonly kind: "bool"; readonly value: boolean })
  | (At & { readonly kind: "none" })
  | (At & { readonly kind: "name"; readonly text: string })
  | Call
  | (At & { readonly kind: "index"; readonly target: Expr; readonly items: readonly IndexItem[] })
  | (At & { readonly kind: "member"; readonly target: Expr; readonly name: Name })
  | (At & { readonly kind: "unary"; readonly op: "-" | "not"; readonly value: Expr })
  | (At & {
      readonly kind: "binary";
      readonly op: BinaryOp;
      readonly opSpan: Span;
      readonly left: Expr;
      readonly right: Expr;
    })
  | (At & { readonly kind: "ternary"; readonly cond: Expr; readonly then: Expr; readonly else: Expr })
  | (At & { readonly kind: "pipe"; readonly left: Expr; readonly right: Expr })
  | Lambda
  | (At & { readonly kind: "tuple"; readonly items: readonly Expr[] })
  | (At & { readonly kind: "list"; readonly items: readonly Expr[] })
  | (At & { readonly kind: "comprehension"; readonly value: Expr; readonly pattern: Pattern; readonly source: Expr })
  | (At & { readonly kind: "record"; readonly fields: readonly Field[] })
  | (At & { readonly kind: "range"; readonly from?: Expr; readonly to?: Expr })
  | Block
  | For
  | Scan
  | Iterate
  | If
  /** Where an expression was expected and none could be read; a message was given. */
  | (At & { readonly kind: "missing" });

export type BinaryOp =
  "^" | "@" | "*" | "/" | "//" | "%" | "+" | "-" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "and" | "or";

export interface StringExpr extends At {
  readonly kind: "string";
  readonly parts: readonly (string | StringHole)[];
}
export interface StringHole extends At {
  readonly value: Expr;
  /** As written between `:` and `}`: `.4f`, `+.2%`, `d`. */
  readonly format?: string;
}
export interface Call extends At {
  readonly kind: "call";
  readonly callee: Expr;
  readonly args: readonly Arg[];
}
export interface Arg extends At {
  readonly name?: Name;
  readonly value: Expr;
}
/** `0`, `1..`, `..` (kind rest), `T: 1..`, `.., -1`. */
export type IndexItem =
  (At & { readonly kind: "rest" }) | (At & { readonly kind: "at"; readonly axis?: Name; readonly value: Expr });
export type Field = (At & { readonly name: Name; readonly value: Expr }) | (At & { readonly spread: Expr });
export interface Lambda extends At {
  readonly kind: "lambda";
  readonly params: readonly Param[];
  readonly body: Expr;
}
/** The value of a block is that of its last statement if that is an expression. */
export interface Block extends At {
  readonly kind: "block";
  readonly body: readonly Stmt[];
}
/** `for i in 1..n with x = x0 { }`; also the top-level sequence of runs. */
export interface For extends At {
  readonly kind: "for";
  readonly pattern: Pattern;
  readonly source: Expr;
  readonly carries: readonly Carry[];
  readonly body: Block;
}
/** `scan (xt, mt) in (x, m) over T with h = h0 { }`; `over` is absent for a count. */
export interface Scan extends At {
  readonly kind: "scan";
  readonly pattern: Pattern;
  readonly source: Expr;
  readonly over?: Expr;
  readonly carries: readonly Carry[];
  readonly body: Block;
}
export interface Iterate extends At {
  readonly kind: "iterate";
  readonly count: Expr;
  readonly carries: readonly Carry[];
  readonly body: Block;
}
export interface Carry extends At {
  readonly name: Name;
  readonly value: Expr;
}
export interface If extends At {
  readonly kind: "if";
  readonly cond: Expr;
  readonly then: Block;
  readonly else?: Block | If;
}

/** `x`, `(a, b)`, nested. */
export type Pattern = Name | (At & { readonly items: readonly Pattern[] });

// ---------------------------------------------------------------- types

/** `f32[B, 784]`, `logits[B, C]`, `index(10)[B]`, `[B, ..]`, `dim`. */
export interface TypeExpr extends At {
  /** f32 f16 i32 u8 bool index dim logits prob logprob; absent in `[B, 784]`. */
  readonly head?: Name;
  /** The 10 of `index(10)`. */
  readonly classes?: Expr;
  /** Absent in `f32` (any shape is not meant: a scalar) and `dim`. */
  readonly axes?: readonly AxisExpr[];
}
/** `..`, a capitalised name, a number, or arithmetic on them. */
export type AxisExpr = (At & { readonly kind: "rest" }) | (At & { readonly kind: "size"; readonly value: Expr });

export interface Param extends At {
  readonly name: Name;
  readonly type?: TypeExpr;
  readonly default?: Expr;
}

// ---------------------------------------------------------------- statements

export type Stmt =
  | Let
  | (At & { readonly kind: "dim"; readonly name: Name; readonly value: Expr })
  | InputStmt
  | (At & { readonly kind: "seed"; readonly value: Expr })
  | (At & { readonly kind: "precision"; readonly mode: Name })
  | Fn
  | Import
  | Model
  | Optimizer
  | ParamStmt
  | StateStmt
  | (At & { readonly kind: "commit"; readonly target: Expr; readonly value: Expr })
  | Train
  | Repeat
  | Eval
  | Minimize
  | (At & { readonly kind: "metric"; readonly name: Name; readonly value: Expr })
  | Every
  | (At & { readonly kind: "when"; readonly cond: Expr; readonly body: Block })
  | (At & { readonly kind: "print" | "plot" | "show" | "record"; readonly args: readonly Arg[] })
  | (At & { readonly kind: "save"; readonly value: Expr; readonly file: Expr })
  | (At & { readonly kind: "stop" })
  | (At & { readonly kind: "yield"; readonly value: Expr })
  | (At & { readonly kind: "assert"; readonly value: Expr })
  | (At & { readonly kind: "test"; readonly name: Expr; readonly body: Block })
  | (At & { readonly kind: "expr"; readonly value: Expr })
  | (At & { readonly kind: "error" });

/** The doc comment (`##` lines right above) of a declaration. */
interface Doc {
  readonly doc?: string;
}

export interface Let extends At, Doc {
  readonly kind: "let";
  readonly pattern: Pattern;
  /** `let y[i, j] = ..` */
  readonly indices?: readonly Name[];
  readonly value: Expr;
}
export interface InputStmt extends At, Doc {
  readonly kind: "input";
  readonly name: Name;
  readonly value: Expr;
  /** A range or a list of choices. */
  readonly domain?: Expr;
  readonly log: boolean;
}
export interface Fn extends At, Doc {
  readonly kind: "fn";
  readonly name: Name;
  readonly params: readonly Param[];
  readonly returns?: TypeExpr;
  readonly body: Expr;
}
export interface Import extends At {
  readonly kind: "import";
  readonly names: readonly Name[];
  readonly file: StringExpr;
}
export interface Model extends At, Doc {
  readonly kind: "model";
  readonly name: Name;
  readonly settings: readonly Param[];
  readonly params: readonly Param[];
  readonly returns?: TypeExpr;
  readonly mixes?: Name;
  readonly body: Block;
}
export interface Optimizer extends At, Doc {
  readonly kind: "optimizer";
  readonly name: Name;
  readonly settings: readonly Param[];
  readonly params: readonly Param[];
  readonly body: Block;
}
export interface ParamStmt extends At {
  readonly kind: "param";
  readonly name: Name;
  readonly type?: TypeExpr;
  /** `~ init` or `= value`. */
  readonly init?: { readonly how: "~" | "="; readonly value: Expr };
  readonly if?: Expr;
}
export interface StateStmt extends At {
  readonly kind: "state";
  readonly name: Name;
  readonly type?: TypeExpr;
  readonly value?: Expr;
}
/** `(image, label) in batches(..)`. */
export interface Source extends At {
  readonly fields: Pattern;
  readonly value: Expr;
}
export interface Limit extends At {
  readonly count: Expr;
  readonly unit: "epochs" | "steps" | "seconds" | "minutes" | "hours";
}
export interface Train extends At {
  readonly kind: "train";
  readonly name?: Name;
  readonly source?: Source;
  readonly limit?: Limit;
  readonly body: Block;
}
export interface Repeat extends At {
  readonly kind: "repeat";
  readonly source?: Source;
  readonly limit?: Limit;
  readonly body: Block;
}
export interface Eval extends At {
  readonly kind: "eval";
  readonly name?: Name;
  readonly source?: Source;
  readonly body: Block;
}
export interface Minimize extends At {
  readonly kind: "minimize";
  readonly loss: Expr;
  readonly over: Expr;
  readonly except?: Expr;
  readonly with: Expr;
  readonly if?: Expr;
}
export interface Every extends At {
  readonly kind: "every";
  /** 1 in `every epoch`. */
  readonly count: Expr | undefined;
  readonly unit: "epochs" | "steps" | "seconds" | "minutes";
  readonly body: Block;
}
