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
  readonly type: "number" | "string" | "strings" | "numbers" | "bool";
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
const path: SourceParam = { name: "path", type: "string" };
const count = (name: string, by: number, min = 1): SourceParam => ({
  name,
  default: by,
  type: "number",
  whole: true,
  min,
});
const yes = (name: string): SourceParam => ({ name, default: false, type: "bool" });

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
  idx: {
    params: [path, { name: "labels", default: "", type: "string" }],
    doc: "An IDX file of images as `image`, gzipped or not; with a file of `labels` beside it also as `label`.",
  },
  csv: {
    params: [path, { name: "target", default: [], type: "strings" }, { name: "columns", default: [], type: "strings" }],
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
  "toy.rings": {
    params: [rowCount, count("classes", 2, 2), noise, seed],
    doc: "Rings in the plane around one centre, of radius 1, 2 and so on by class.",
  },
  "toy.gaussians": {
    params: [rowCount, count("classes", 2), { ...noise, default: 0.5 }, seed],
    doc: "Normal clouds of deviation `noise`, one per class, their centres evenly on a circle of radius 2.",
  },
  "toy.sine": {
    params: [rowCount, noise, seed],
    doc: "y = sin(x) and normal noise, for x between -pi and pi.",
  },
  "toy.series": {
    params: [rowCount, count("period", 50, 2), noise, seed],
    doc: "A sine wave through time with normal noise: row t holds x at time t; `windows` makes stretches of it.",
  },
  "toy.adding": {
    params: [rowCount, count("length", 50, 2), seed],
    doc: "Sequences x of pairs (number in 0..1, mark): y is the sum of the two numbers that are marked, one in each half.",
  },
  "toy.copy": {
    params: [rowCount, count("length", 10), count("symbols", 8), count("delay", 1), seed],
    doc: "Symbols 1.. to remember: x has them, blanks (0) and a last sign after `delay` steps; from there y has them again.",
  },
  "toy.reverse": {
    params: [rowCount, count("length", 8), count("symbols", 10), seed],
    doc: "Symbols 1.. in x; y holds them in reverse. Nothing is 0, which stays free for padding.",
  },
  "toy.tasks": {
    params: [rowCount, count("shots", 5), count("queries", 10), seed],
    doc: "Sine waves of one amplitude and phase per row: points xs, ys to learn it from, xq, yq to ask.",
  },
  cifar10: {
    params: [folder],
    doc: "CIFAR-10 from its binary files (gzipped or not), in `dir`, the folder of --data or $DLX_DATA: images [3, 32, 32].",
  },
  images: {
    params: [{ name: "dir", type: "string" }],
    doc: "PNG images of one size, a class per subfolder, in the order of names: [H, W] in grey, [3, H, W] in colour.",
  },
  npy: {
    params: [path],
    doc: "The array of a NumPy file as `x`: its first axis are the rows.",
  },
  npz: {
    params: [path],
    doc: "The arrays of a NumPy archive, a field each: their first axes are the rows.",
  },
  text: {
    params: [path],
    doc: "A text file (UTF-8, gzipped or not) as one stretch, for `chars`, `words` or `bpe`.",
  },
  lines: {
    params: [path, yes("label"), yes("ends")],
    doc: "A text file line by line, for `chars`, `words` or `bpe`. With `label` the last cell behind a tab is a class; with `ends` a line gets `<start>` and `<end>`.",
  },
};

/** Made by functions of data, not called by name: a tokenizer over a text. */
const tokenizers: Readonly<Record<string, SourceRow>> = {
  chars: { params: [yes("lower"), count("length", 0, 0)], doc: "" },
  words: { params: [yes("lower"), count("length", 0, 0), count("least", 1)], doc: "" },
  bpe: { params: [yes("lower"), count("length", 0, 0), { name: "n", type: "number", whole: true, min: 0 }], doc: "" },
};

/** Names of sources whose rows are text, which only a tokenizer reads. */
export function isText(ref: SourceRef): boolean {
  return ref.name === "text" || ref.name === "lines";
}

export function isTokenizer(name: string): boolean {
  return Object.hasOwn(tokenizers, name);
}

/** Rows of `digits()`. */
export const digitRows = { train: 10_000, test: 2_000 } as const;

const image: FieldFact = { dtype: "f32", shape: [28, 28] };
const point = (size: number): FieldFact => ({ dtype: "f32", shape: [size], axes: ["F"] });
const steps = (length: number, ...shape: number[]) => ({ shape: [length, ...shape], axes: ["T"] });
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
    case "toy.rings":
    case "toy.gaussians":
      return { fields: { x: point(2), label: label(numberArg(ref, "classes")) }, rows: rows() };
    case "toy.sine":
      return { fields: { x: point(1), y: number }, rows: rows() };
    case "toy.series":
      return { fields: { x: number }, rows: rows() };
    case "toy.adding":
      return { fields: { x: { ...steps(numberArg(ref, "length"), 2), dtype: "f32" }, y: number }, rows: rows() };
    case "toy.copy": {
      const length = 2 * numberArg(ref, "length") + numberArg(ref, "delay");
      const field: FieldFact = { ...steps(length), dtype: "i32", classes: numberArg(ref, "symbols") + 2 };
      return { fields: { x: field, y: field }, rows: rows() };
    }
    case "toy.reverse": {
      const classes = numberArg(ref, "symbols") + 1;
      const field: FieldFact = { ...steps(numberArg(ref, "length")), dtype: "i32", classes };
      return { fields: { x: field, y: field }, rows: rows() };
    }
    case "toy.tasks": {
      const points = (name: string, param: string): FieldFact => ({
        dtype: "f32",
        shape: [numberArg(ref, param), 1],
        axes: [name, undefined],
      });
      const [shots, queries] = [points("K", "shots"), points("Q", "queries")];
      return { fields: { xs: shots, ys: shots, xq: queries, yq: queries }, rows: rows() };
    }
    default:
      return undefined;
  }
}

/**
 * Facts of a source that the host cannot tell. Files of MNIST and CIFAR have one form, only their rows are open; of others nothing
 * is known, so nothing that follows from it is wrong.
 */
export function openFacts(ref: SourceRef): Facts {
  const images = { mnist: image, fashion_mnist: image, cifar10: { ...image, shape: [3, 32, 32] } };
  if (!(ref.name in images)) return { fields: {}, rows: -1 };
  return {
    fields: { image: images[ref.name as keyof typeof images], label: label(10) },
    rows: -1,
    parts: { train: -1, test: -1 },
  };
}

/** What is wrong with the arguments of a source. Names that the source does not have are the binder's to find. */
export function checkSource(ref: SourceRef): Diagnostic[] {
  // A question about a plan has no arguments of the user.
  if (ref.over) return [];
  const found: Diagnostic[] = ref.of ? checkSource(ref.of) : [];
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
    case "bool":
      return "true or false";
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
    case "bool":
      return typeof value === "boolean";
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

export function boolArg(ref: SourceRef, name: string): boolean {
  const value = argOf(ref, name);
  if (typeof value !== "boolean") throw wrongArg(ref, name, "true or false", value);
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
  const row = sources[ref.name] ?? tokenizers[ref.name];
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
