/**
 * What a file is, before any script names it: its rows and fields, and the line of a script that reads it. Told by the
 * name or the first bytes; a file that a line is proposed for has been read whole, so that what is wrong with it is said
 * here, once, with its place.
 */
import { UserError } from "../../lang/diagnostic.ts";
import type { DataArg, Facts, SourceRef } from "../../lang/program.ts";
import type { Span } from "../../lang/source.ts";
import { readSafetensors } from "../checkpoint.ts";
import { isGap, scanCsv } from "./csv.ts";
import { type DataWhere, type Disk, withFile } from "./disk.ts";
import { factsOf } from "./facts.ts";
import { idxHead } from "./idx.ts";
import { openSource } from "./open.ts";

export interface AboutFile {
  readonly kind: "data" | "params" | "unknown";
  readonly rows?: number;
  /** Columns of a table, fields of a row, tensors by name. */
  readonly fields: readonly { readonly name: string; readonly type: string }[];
  /** What reads it: a whole line for data, what stands behind a model for params. */
  readonly line?: string;
  readonly note?: string;
  readonly wrong?: { readonly title: string; readonly help?: string };
}

type Look = Omit<AboutFile, "kind">;

interface Kind {
  readonly kind: AboutFile["kind"];
  readonly fits: (name: string, start: Uint8Array) => boolean;
  readonly about: (name: string, where: DataWhere, start: Uint8Array) => Promise<Look>;
}

const named = (pattern: RegExp) => (name: string) => pattern.test(name);

/** The first that fits. */
const kinds: readonly Kind[] = [
  { kind: "data", fits: named(/\.csv$/i), about: aboutCsv },
  { kind: "data", fits: (name, start) => isIdxLike(name, start), about: aboutIdx },
  { kind: "data", fits: named(/\.npy$/i), about: (name, where) => aboutSource("npy", { path: name }, where) },
  { kind: "data", fits: named(/\.npz$/i), about: (name, where) => aboutSource("npz", { path: name }, where) },
  { kind: "data", fits: named(/\.txt(\.gz)?$/i), about: aboutText },
  { kind: "params", fits: named(/\.safetensors$/i), about: aboutParams },
  { kind: "unknown", fits: () => true, about: aboutUnknown },
];

const HEAD = 4096;
/** Words of a column that are counted as classes; more are names or prose. */
const MOST_CLASSES = 1000;

export async function aboutFile(name: string, where: DataWhere): Promise<AboutFile> {
  const start = await withFile(where.disk, name, ({ size, read }) => read(0, Math.min(size, HEAD)));
  const { kind, about } = kinds.find(({ fits }) => fits(name, start))!;
  try {
    return { kind, ...(await about(name, where, start)) };
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    const { title, help, notes } = thrown.diagnostic;
    return { kind, fields: [], wrong: { title: [title, ...notes].join("; "), help } };
  }
}

const nowhere: Span = { file: "", start: 0, end: 0 };
const refTo = (name: string, args: SourceRef["args"]): SourceRef => ({ name, args, span: nowhere });
const quoted = (text: string) => JSON.stringify(text);

/** `let data = csv("a.csv", target: "y")`; the first argument is bound by its place. */
function lineOf(source: string, args: SourceRef["args"]): string {
  const text = (value: DataArg): string =>
    Array.isArray(value) ? `[${value.map(text).join(", ")}]` : quoted(String(value));
  const given = Object.entries(args).map(([name, value], i) => (i === 0 ? text(value) : `${name}: ${text(value)}`));
  return `let data = ${source}(${given.join(", ")})`;
}

// ---------------------------------------------------------------- tables

async function aboutCsv(name: string, where: DataWhere): Promise<Look> {
  const empty: number[] = [];
  const seen: (Set<string> | undefined)[] = [];
  const { names, rows, words } = await scanCsv(where.disk, nowhere, name, name, {
    begin: (head) => head.names.forEach((_, c) => ((empty[c] = 0), (seen[c] = new Set()))),
    row: (cells, kinds) =>
      cells.forEach((cell, c) => {
        if (isGap(cell)) empty[c]!++;
        else if (kinds[c] !== "number" && seen[c]) {
          seen[c].add(cell);
          if (seen[c].size > MOST_CLASSES) seen[c] = undefined;
        }
      }),
  });
  const fields = names.map((each, c) => ({
    name: each,
    type: [
      words[c] === "number"
        ? "numbers"
        : words[c]
          ? `words, ${seen[c] ? `${seen[c].size} classes` : "all sorts"}`
          : "nothing",
      ...(empty[c] ? [`${empty[c]} empty`] : []),
    ].join(", "),
  }));
  const whole = names.flatMap((_, c) => (empty[c] === 0 ? [c] : []));
  const numbers = whole.filter((c) => words[c] === "number");
  const classes = whole.filter(
    (c) => typeof words[c] === "object" && (seen[c]?.size ?? Infinity) < Math.max(3, rows / 2),
  );
  const target = classes.at(-1) ?? (numbers.length > 1 ? numbers.at(-1) : undefined);
  const columns = numbers.filter((c) => c !== target);
  if (columns.length === 0)
    return { rows, fields, wrong: { title: `\`${name}\` has no column of numbers without empty cells` } };
  const args = {
    path: name,
    ...(target === undefined ? {} : { target: names[target]! }),
    ...(columns.length === names.length - (target === undefined ? 0 : 1)
      ? {}
      : { columns: columns.map((c) => names[c]!) }),
  };
  await openSource(refTo("csv", args), where);
  return { rows, fields, line: lineOf("csv", args) };
}

// ---------------------------------------------------------------- IDX

function isIdxLike(name: string, start: Uint8Array): boolean {
  return /idx[13]-ubyte/.test(name) || (/\.(gz|idx)$|^[^.]+$/i.test(name) && idxHead(start) !== undefined);
}

/** Files that belong together have names that differ in these words only. */
const PAIRS = [
  ["images", "labels"],
  ["idx3", "idx1"],
] as const;
const labelsBeside = (images: string) => PAIRS.reduce((name, [from, to]) => name.replace(from, to), images);
const imagesBeside = (labels: string) => PAIRS.reduce((name, [to, from]) => name.replace(from, to), labels);

async function aboutIdx(name: string, where: DataWhere, start: Uint8Array): Promise<Look> {
  const head = idxHead(start);
  const there = new Set(await where.disk.list("."));
  const { length: rows, ...parts } = { length: head?.sizes[0], sizes: head?.sizes.slice(1) ?? [] };
  if (head?.kind === "labels") {
    const other = imagesBeside(name);
    const read = other !== name && there.has(other) ? await readPair(other, name, where) : undefined;
    return (
      read ?? {
        rows,
        fields: [{ name: "label", type: "whole numbers" }],
        note: "labels: the file of images goes with them",
      }
    );
  }
  const other = labelsBeside(name);
  if (other !== name && there.has(other)) return readPair(name, other, where);
  const look = await aboutSource("idx", { path: name }, where);
  return { ...look, note: `images [${parts.sizes.join(", ")}]; with a file of labels each has its class` };
}

async function readPair(images: string, labels: string, where: DataWhere): Promise<Look> {
  const look = await aboutSource("idx", { path: images, labels }, where);
  const set = await factsOf(refTo("mnist", { dir: "" }), where);
  if ("code" in set) return look;
  return { ...look, note: "all four files are here, so `mnist()` or `fashion_mnist()` reads them as one set" };
}

// ---------------------------------------------------------------- others

async function aboutSource(source: string, args: SourceRef["args"], where: DataWhere): Promise<Look> {
  const ref = refTo(source, { ...args });
  const facts = await factsOf(ref, where);
  if ("code" in facts) throw new UserError(facts);
  await openSource(ref, where);
  return { rows: facts.rows, fields: fieldsOf(facts), line: lineOf(source, args) };
}

function fieldsOf({ fields }: Facts): AboutFile["fields"] {
  return Object.entries(fields).map(([name, { dtype, shape, classes }]) => ({
    name,
    type: classes === undefined ? `${dtype}[${shape.join(", ")}]` : `${classes} classes`,
  }));
}

async function aboutText(name: string, { disk }: DataWhere): Promise<Look> {
  const lines = await linesIn(disk, name);
  return { rows: lines, fields: [{ name: "line", type: "text" }], line: `${lineOf("text", { path: name })} |> chars` };
}

async function linesIn(disk: Disk, name: string): Promise<number> {
  const bytes = await disk.read(name);
  const text = new TextDecoder().decode(/\.gz$/i.test(name) ? await disk.gunzip(bytes) : bytes);
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

async function aboutParams(name: string, { disk }: DataWhere): Promise<Look> {
  const tensors = await readSafetensors(disk, name);
  const fields = [...tensors].map(([path, { dtype, shape }]) => ({
    name: path,
    type: `${dtype}[${shape.join(", ")}]`,
  }));
  return {
    fields,
    line: `|> load(${quoted(name)})`,
    note: "behind a model, in its `let`: it begins with these params",
  };
}

async function aboutUnknown(name: string): Promise<Look> {
  const title = `\`${name}\` is of no kind that dlx reads`;
  return { fields: [], wrong: { title, help: "CSV, IDX (gzipped or not), NPY, NPZ, text, safetensors, or a script" } };
}
