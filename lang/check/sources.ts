/**
 * The data sources that a script can name: their parameters, and the facts of those that need no file. What a file
 * says is asked of the host (`facts(source)`); how rows are read or drawn is the runtime's.
 */
import type { Diagnostic } from "../diagnostic.ts";
import { badSourceArgument } from "../errors/data.ts";
import type { DataArg, FieldFact, Facts, SourceRef } from "../program.ts";

export interface SourceParam {
  readonly name: string;
  /** Without one the argument must be given. */
  readonly default?: DataArg;
  /** `strings` is one string or a list of them. */
  readonly type: "number" | "string" | "strings" | "numbers";
  /** Of a number: whole numbers only. */
  readonly whole?: boolean;
  /** Of a number: the least. */
  readonly min?: number;
}
export interface SourceRow {
  readonly params: readonly SourceParam[];
  readonly doc: string;
}

const rowCount: SourceParam = { name: "n", default: 1000, type: "number", whole: true, min: 1 };
const noise: SourceParam = { name: "noise", default: 0.1, type: "number", min: 0 };
const seed: SourceParam = { name: "seed", default: 0, type: "number", whole: true, min: 0 };
const folder: SourceParam = { name: "dir", default: "", type: "string" };

/** Arguments are bound by position in this order, or by name. */
export const sources: Readonly<Record<string, SourceRow>> = {
  digits: {
    params: [seed],
    doc: "Ten classes of handwritten-looking 28 × 28 digits, drawn on the spot: 10000 rows to train, 2000 to test.",
  },
  mnist: {
    params: [folder],
    doc: "The MNIST digits from their four IDX files (gzipped or not), in `dir`, the folder of --data or $DLX_DATA.",
  },
  fashion_mnist: {
    params: [folder],
    doc: "Fashion-MNIST from its four IDX files (gzipped or not), in `dir`, the folder of --data or $DLX_DATA.",
  },
  csv: {
    params: [
      { name: "path", type: "string" },
      { name: "target", default: [], type: "strings" },
      { name: "columns", default: [], type: "strings" },
    ],
    doc: "A table of numbers: `x` holds the columns (all but the target, or those named), `y` the target; a target of words becomes classes.",
  },
  "toy.linear": {
    params: [{ name: "w", type: "numbers" }, rowCount, noise, { name: "b", default: 0, type: "number" }, seed],
    doc: "y = w · x + b and normal noise of the given deviation, for x of deviation 10.",
  },
  "toy.moons": { params: [rowCount, noise, seed], doc: "Two interleaved half circles in the plane." },
  "toy.spirals": {
    params: [rowCount, { name: "classes", default: 2, type: "number", whole: true, min: 2 }, noise, seed],
    doc: "Spirals in the plane, one per class, wound around each other.",
  },
  "toy.xor": {
    params: [rowCount, noise, seed],
    doc: "Points of a square, of class 1 where the signs of the two coordinates differ.",
  },
};

/** Rows of `digits()`. */
export const digitRows = { train: 10_000, test: 2_000 } as const;

const image: FieldFact = { dtype: "f32", shape: [28, 28] };
const point = (size: number): FieldFact => ({ dtype: "f32", shape: [size], axes: ["F"] });
const number: FieldFact = { dtype: "f32", shape: [] };
const label = (classes: number): FieldFact => ({ dtype: "i32", shape: [], classes });

/** Facts of a source that needs no file; undefined for the others. The arguments have passed `checkSource`. */
export function knownFacts(ref: SourceRef): Facts | undefined {
  const rows = () => numberArg(ref, "n");
  switch (ref.name) {
    case "digits":
      return { fields: { image, label: label(10) }, rows: digitRows.train + digitRows.test, parts: digitRows };
    case "toy.linear":
      return { fields: { x: point(numbersArg(ref, "w").length), y: number }, rows: rows() };
    case "toy.moons":
    case "toy.xor":
      return { fields: { x: point(2), label: label(2) }, rows: rows() };
    case "toy.spirals":
      return { fields: { x: point(2), label: label(numberArg(ref, "classes")) }, rows: rows() };
    default:
      return undefined;
  }
}

/**
 * Facts of a source that the host cannot tell. MNIST files have one form, only their rows are open; of a table nothing
 * is known, so nothing that follows from it is wrong.
 */
export function openFacts(ref: SourceRef): Facts {
  if (ref.name !== "mnist" && ref.name !== "fashion_mnist") return { fields: {}, rows: -1 };
  return { fields: { image, label: label(10) }, rows: -1, parts: { train: -1, test: -1 } };
}

/** What is wrong with the arguments of a source. Names that the source does not have are the binder's to find. */
export function checkSource(ref: SourceRef): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const param of rowOf(ref).params) {
    const value = ref.args[param.name] ?? param.default;
    if (value === undefined) {
      found.push(badSourceArgument(ref, param.name, wanted(param), "nothing"));
    } else if (!fits(param, value)) {
      found.push(badSourceArgument(ref, param.name, wanted(param), JSON.stringify(value)));
    }
  }
  return found;
}

function wanted(param: SourceParam): string {
  switch (param.type) {
    case "number": {
      const least = param.min === undefined ? "" : ` of at least ${param.min}`;
      return `${param.whole ? "a whole number" : "a number"}${least}`;
    }
    case "numbers":
      return "a list of numbers, with at least one";
    case "string":
      return "a string";
    case "strings":
      return "a string or a list of strings";
  }
}

function fits(param: SourceParam, value: DataArg): boolean {
  switch (param.type) {
    case "number":
      return (
        typeof value === "number" &&
        Number.isFinite(value) &&
        (!param.whole || Number.isSafeInteger(value)) &&
        value >= (param.min ?? -Infinity)
      );
    case "numbers":
      return Array.isArray(value) && value.length > 0 && value.every((item) => Number.isFinite(item));
    case "string":
      return typeof value === "string";
    case "strings": {
      const items: readonly unknown[] = Array.isArray(value) ? value : [value];
      return items.every((item) => typeof item === "string");
    }
  }
}

// ---------------------------------------------------------------- reading arguments

export function numberArg(ref: SourceRef, name: string): number {
  const value = argOf(ref, name);
  if (typeof value !== "number") throw wrongArg(ref, name, "a number", value);
  return value;
}

export function stringArg(ref: SourceRef, name: string): string {
  const value = argOf(ref, name);
  if (typeof value !== "string") throw wrongArg(ref, name, "a string", value);
  return value;
}

export function numbersArg(ref: SourceRef, name: string): readonly number[] {
  const value = argOf(ref, name);
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  return items.map((item) => {
    if (typeof item !== "number") throw wrongArg(ref, name, "a list of numbers", value);
    return item;
  });
}

/** One string counts as a list of one. */
export function stringsArg(ref: SourceRef, name: string): readonly string[] {
  const value = argOf(ref, name);
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.map((item) => {
    if (typeof item !== "string") throw wrongArg(ref, name, "a string or strings", value);
    return item;
  });
}

function argOf(ref: SourceRef, name: string): DataArg {
  const param = rowOf(ref).params.find((p) => p.name === name);
  const value = ref.args[name] ?? param?.default;
  if (value === undefined) throw wrongArg(ref, name, "a value", value);
  return value;
}

function rowOf(ref: SourceRef): SourceRow {
  const row = sources[ref.name];
  if (row === undefined) throw new Error(`expected a data source, got "${ref.name}"`);
  return row;
}

function wrongArg(ref: SourceRef, name: string, expected: string, got: unknown): Error {
  return new Error(`${ref.name}(${name}:): expected ${expected}, got ${JSON.stringify(got)}`);
}

// ---------------------------------------------------------------- splits

/** Rows [start, stop) of a split's permutation: the one rounding that parts share, so that none overlap. */
export function splitRange(rows: number, from: number, to: number): { start: number; stop: number } {
  return { start: Math.round(from * rows), stop: Math.round(to * rows) };
}
