/**
 * The kernel as data: what every device renders (WebAssembly here, WGSL from the same).
 * A `rows` kernel walks a parallel grid; at each grid point its stages run in order, each over its own inner axes.
 * Values are scalar SSA; where in the loop nest a value is computed follows from the axes it depends on.
 * Not here: vectors, tiles, pointers. Those are the renderer's schedule.
 */
import type { DType } from "../lang/graph/node.ts";
import type { Triangle } from "./triangle.ts";

/** A buffer a kernel sees. `size` in elements. */
export interface Param {
  readonly dtype: DType;
  readonly size: number;
  readonly access: "read" | "write";
  /** Stored in 16 bits, two elements in a word. */
  readonly half?: true;
}

/** Bytes that so many elements take. */
export const bytesOf = (elements: number, { half }: { readonly half?: true }): number => (half ? 2 : 4) * elements;

/**
 * Element `base + Σ coef·axis + Σ coef·value` of a parameter. `lo..hi` bounds it over the whole index space;
 * outside [0, size) only where a `select` throws the loaded number away.
 */
export interface Access {
  readonly param: number;
  readonly base: number;
  readonly terms: readonly (readonly [axis: number, coef: number])[];
  readonly dynamic: readonly (readonly [value: number, coef: number])[];
  readonly lo: number;
  readonly hi: number;
}

export const unaryOps = [
  "neg",
  "abs",
  "sign",
  "floor",
  "half",
  "sqrt",
  "exp",
  "log",
  "log1p",
  "tanh",
  "erf",
  "sin",
  "cos",
  "not",
  "cast",
] as const;
export type UnaryOp = (typeof unaryOps)[number];
/** `div` and `mod` of integers round down; `bitand xor shl shr` are for integers (shr of u32 is logical). */
export const binaryOps = [
  "add",
  "sub",
  "mul",
  "div",
  "mod",
  "max",
  "min",
  "pow",
  "lt",
  "le",
  "eq",
  "ne",
  "and",
  "or",
  "bitand",
  "xor",
  "shl",
  "shr",
] as const;
export type BinaryOp = (typeof binaryOps)[number];

/** Arguments are places in the kernel's list of values, always earlier ones. */
export type Value =
  | { readonly op: "const"; readonly dtype: DType; readonly value: number; readonly args: readonly number[] }
  | { readonly op: "axis"; readonly dtype: DType; readonly axis: number; readonly args: readonly number[] }
  | { readonly op: "load"; readonly dtype: DType; readonly access: Access; readonly args: readonly number[] }
  | {
      readonly op: "acc";
      readonly dtype: DType;
      readonly stage: number;
      readonly acc: number;
      readonly args: readonly number[];
    }
  | { readonly op: UnaryOp | BinaryOp | "select"; readonly dtype: DType; readonly args: readonly number[] };

export interface Acc {
  /** `argmax` keeps the place `at` of the first of the largest values. */
  readonly op: "sum" | "max" | "argmax";
  readonly value: number;
  readonly at?: number;
}

export interface Store {
  readonly access: Access;
  readonly value: number;
}

export interface Stage {
  /** Axes of the kernel after the grid, outermost first; empty for work done once per grid point. */
  readonly axes: readonly number[];
  readonly accs: readonly Acc[];
  readonly stores: readonly Store[];
}

export interface RowsKernel {
  readonly kind: "rows";
  readonly params: readonly Param[];
  /** Extents of all axes; the first `grid` are the parallel ones. */
  readonly axes: readonly number[];
  readonly grid: number;
  readonly values: readonly Value[];
  readonly stages: readonly Stage[];
}

/** From every multiple of `length` on, `length` offsets grow by `stride`. */
export interface Run {
  readonly length: number;
  readonly stride: number;
}
/** The runs of a table of offsets, then those of the offsets where the runs begin, and so on while there are any. */
export type Runs = readonly Run[];
/** Where the numbers of one role (batch, row, column, depth) begin: `stride · i`, or a table of offsets in a parameter. */
export type Offsets =
  | { readonly kind: "stride"; readonly stride: number }
  | { readonly kind: "table"; readonly param: number; readonly runs: Runs };

/** One operand: element offset(g) + offset(outer) + offset(k) + base. */
export interface Operand {
  readonly param: number;
  readonly base: number;
  readonly g: Offsets;
  /** m of the left operand, n of the right one. */
  readonly outer: Offsets;
  readonly k: Offsets;
}

/**
 * What becomes of a product's elements before they leave the kernel: maps over [g, m, n] that read the product at their
 * own place only. The grid of `rows` is the axes of the product in order (split perhaps), so a tile may apply it at once.
 */
export interface Epilogue {
  readonly rows: RowsKernel;
  /** By parameter of `rows`: the parameter of the product's kernel. */
  readonly params: readonly number[];
}

/**
 * out[g, m, n] = Σ_k a[g, m, k] · b[g, k, n]; `out` row-major. Where `out` is not stored, it may be the same buffer as
 * what the epilogue writes at the same places: a renderer either keeps the product in registers or writes it there first.
 */
export interface DotKernel {
  readonly kind: "dot";
  readonly params: readonly Param[];
  readonly g: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Operand;
  readonly b: Operand;
  readonly out: number;
  readonly scratch: number;
  readonly epilogue?: Epilogue;
  /** The right operand's parameter is what a `pack` kernel made of it. */
  readonly packed?: true;
  /** Whether anybody else reads the product itself. */
  readonly stored: boolean;
  /** What need not be computed; results that are left out are 0, or as they would be. */
  readonly triangle?: Triangle;
}

/** The right operand of products in the order in which they read it, made once for all of them. The last parameter is written. */
export interface PackKernel {
  readonly kind: "pack";
  readonly params: readonly Param[];
  readonly n: number;
  readonly k: number;
  readonly b: Operand;
}

/** Running sums along the middle axis of [outer, count, inner]. Parameters: x, out. */
export interface CumsumKernel {
  readonly kind: "cumsum";
  readonly params: readonly Param[];
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
  readonly reverse: boolean;
}

/**
 * out[o, clamp(ids[j]), i] += v[o, j, i], in the order of j; out has `size` in the middle. Where ids are `paired`, ids[o, j].
 * Parameters: v, ids, out.
 */
export interface ScatterKernel {
  readonly kind: "scatter";
  readonly params: readonly Param[];
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
  readonly size: number;
  readonly paired: boolean;
}

/** Places along the last axis of [outer, count] in ascending order, stable. Parameters: x, out, scratch (like out). */
export interface ArgsortKernel {
  readonly kind: "argsort";
  readonly params: readonly Param[];
  readonly outer: number;
  readonly count: number;
}

/** out = A⁻¹ b by LU with partial pivoting, `outer` times; A is n×n, b is n×m. Parameters: A, b, out, scratch (like A). */
export interface SolveKernel {
  readonly kind: "solve";
  readonly params: readonly Param[];
  readonly outer: number;
  readonly n: number;
  readonly m: number;
}

/** The lower factor of each of `outer` symmetric n×n matrices. Parameters: A, out. */
export interface CholeskyKernel {
  readonly kind: "cholesky";
  readonly params: readonly Param[];
  readonly outer: number;
  readonly n: number;
}

/** Eigenvalues, then eigenvectors as columns, of `outer` symmetric n×n matrices. Parameters: A, out (n+1 rows), scratch (like A). */
export interface EighKernel {
  readonly kind: "eigh";
  readonly params: readonly Param[];
  readonly outer: number;
  readonly n: number;
}

export interface GroupMember {
  readonly kernel: RowsKernel | DotKernel;
  /** By parameter of the member: the parameter of the group. */
  readonly params: readonly number[];
}

/**
 * Independent kernels in one dispatch: no member reads or writes what another writes, and they run in any order or at
 * once. Their ranges of work are put end to end; the place in the whole range tells the member. A tensor that several
 * members read is one parameter; `scratch` is the one of all products of the group.
 */
export interface GroupKernel {
  readonly kind: "group";
  readonly params: readonly Param[];
  readonly members: readonly GroupMember[];
  readonly scratch?: number;
}

/**
 * The kernels of a loop's body, one after the other, for a range of rows: row r is places [each·r, each·(r + 1)) of a
 * member's outermost loop, and what the loop makes is read and written at the reader's own row only. So ranges of rows
 * need not meet before the loop ends. A call is for `part` rows, or for what is left of `rows` at the end.
 */
export interface StrandKernel {
  readonly kind: "strand";
  readonly params: readonly Param[];
  readonly members: readonly StrandMember[];
  readonly rows: number;
  readonly part: number;
  readonly scratch?: number;
}
export interface StrandMember extends GroupMember {
  readonly each: number;
}

/**
 * Kernels that run one after the other on one unit of their outermost axes before any runs on the next: each takes its
 * `1 / units` of the places, and what they pass on lies within the unit. `locals` (elements of one unit) live no longer
 * than that; their numbers follow those of the parameters. What else members pass on goes through memory, each unit its
 * own range. Where there is `scratch`, it holds the locals, and before them what products need; with `slices`, it holds
 * them so many times, and as many units run at once, which may be blocks of a batch's rows.
 */
export interface ChainKernel {
  readonly kind: "chain";
  readonly params: readonly Param[];
  readonly members: readonly GroupMember[];
  readonly units: number;
  readonly locals: readonly number[];
  readonly scratch?: number;
  readonly slices?: number;
}

export type Kernel =
  | ChainKernel
  | RowsKernel
  | DotKernel
  | CumsumKernel
  | ScatterKernel
  | ArgsortKernel
  | SolveKernel
  | CholeskyKernel
  | EighKernel
  | GroupKernel
  | StrandKernel
  | PackKernel;

/** The parameter that holds nothing between calls: whoever runs a part of the kernel needs one of its own. */
export function scratchOf(kernel: Kernel): number | undefined {
  return "scratch" in kernel ? kernel.scratch : undefined;
}
