/**
 * `csv(path, target:, columns:)`: a table of numbers in a text file with commas. The first pass finds the layout (names,
 * which columns hold words, how many rows); the second turns cells into numbers and names the first that is not one.
 * Nothing is guessed about gaps: an empty cell is a mistake. Words are read only in a target, as classes.
 * A name that comes again gets a number: `day`, `day.1`, `day.2`.
 */
import { UserError } from "../../lang/diagnostic.ts";
import { stringArg, stringsArg } from "../../lang/check/sources.ts";
import {
  badCell,
  cellTooLarge,
  badQuotes,
  emptyTable,
  missingColumn,
  noColumnsLeft,
  raggedRow,
  severalTextTargets,
  targetAmongColumns,
  textColumns,
} from "../../lang/errors/data.ts";
import type { Facts, FieldFact, SourceRef } from "../../lang/program.ts";
import type { Span } from "../../lang/source.ts";
import { type DataWhere, type Disk, readingFailed } from "./disk.ts";
import type { Column, Table } from "./table.ts";

export interface CsvLayout {
  /** As the script names it, and where that is. */
  readonly file: string;
  readonly path: string;
  readonly names: readonly string[];
  readonly headed: boolean;
  readonly rows: number;
  /** Places of the columns that make `x`, and of those that make `y`. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Of a target of words: its classes, sorted. */
  readonly classes?: readonly string[];
}

export interface CsvHead {
  readonly names: readonly string[];
  /** The first row holds them. */
  readonly headed: boolean;
}

export interface CsvScan extends CsvHead {
  readonly rows: number;
  /** By column: the first word that is no number, unless a number came before; undefined without a value. */
  readonly words: readonly ({ readonly text: string; readonly line: number } | "number" | undefined)[];
}

const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** Marks for "no value" do not make a column one of words. */
const gaps = new Set(["", "na", "n/a", "nan", "null", "none", "?", "-"]);

export const isGap = (cell: string): boolean => gaps.has(cell.toLowerCase());

export function csvPath(ref: SourceRef, where: DataWhere): string {
  return where.disk.paths.resolve(where.scriptFolder, stringArg(ref, "path"));
}

export async function csvLayout(ref: SourceRef, where: DataWhere): Promise<CsvLayout> {
  const file = stringArg(ref, "path");
  const path = csvPath(ref, where);
  const targets = stringsArg(ref, "target");
  const chosen = stringsArg(ref, "columns");
  const { span } = ref;

  const both = targets.find((name) => chosen.includes(name));
  if (both !== undefined) throw new UserError(targetAmongColumns(span, both));

  let words0: { column: number; seen: Set<string> } | undefined;
  let head: CsvHead = { names: [], headed: true };
  const place = (name: string): number => {
    const at = head.names.indexOf(name);
    if (at < 0) throw new UserError(missingColumn(span, file, name, head.names, head.headed));
    return at;
  };
  const scan = await scanCsv(where.disk, span, file, path, {
    begin: (found) => {
      head = found;
      const [target] = targets.map(place);
      chosen.forEach(place);
      if (targets.length === 1 && target !== undefined) words0 = { column: target, seen: new Set() };
    },
    row: (cells, words) => {
      if (words0 && words[words0.column] !== "number") words0.seen.add(cells[words0.column] ?? "");
    },
  });
  const { names, headed, rows, words } = scan;

  const y = targets.map(place);
  const x = chosen.length > 0 ? chosen.map(place) : names.flatMap((_, c) => (y.includes(c) ? [] : [c]));
  if (x.length === 0) throw new UserError(noColumnsLeft(span, file));
  const ofWords = (c: number) => typeof words[c] === "object";
  if (x.some(ofWords)) {
    const found = x.flatMap((c) => {
      const word = words[c];
      return typeof word === "object" ? [{ column: names[c] ?? "", ...word }] : [];
    });
    const usable = x.filter((c) => !ofWords(c)).map((c) => names[c] ?? "");
    throw new UserError(textColumns(span, file, found, usable));
  }
  const wordy = y.find(ofWords);
  if (wordy === undefined) return { file, path, names, headed, rows, x, y };
  if (!words0) throw new UserError(severalTextTargets(span, file, names[wordy] ?? ""));
  words0.seen.delete("");
  return { file, path, names, headed, rows, x, y, classes: [...words0.seen].sort() };
}

/** Reads a table once for what its columns are. */
export async function scanCsv(
  disk: Disk,
  span: Span,
  file: string,
  path: string,
  visit: {
    readonly begin?: (head: CsvHead) => void;
    readonly row: (cells: readonly string[], words: CsvScan["words"], line: number) => void;
  },
): Promise<CsvScan> {
  let names: readonly string[] = [];
  let headed = true;
  let rows = 0;
  let words: CsvScan["words"][number][] = [];
  await eachRow(disk, span, file, path, (cells, line) => {
    if (names.length === 0) {
      headed = !cells.every((cell) => numeral.test(cell) || isGap(cell)) || !cells.some((cell) => numeral.test(cell));
      names = headed ? uniqueNames(cells) : cells.map((_, i) => `c${i + 1}`);
      words = names.map(() => undefined);
      visit.begin?.({ names, headed });
      if (headed) return;
    }
    if (cells.length !== names.length) throw new UserError(raggedRow(span, file, line, names.length, cells.length));
    rows++;
    for (let c = 0; c < cells.length; c++) {
      const cell = cells[c] ?? "";
      if (words[c] === undefined && !isGap(cell)) words[c] = numeral.test(cell) ? "number" : { text: cell, line };
    }
    visit.row(cells, words, line);
  });
  if (rows === 0) throw new UserError(emptyTable(span, file));
  return { names, headed, rows, words };
}

export function csvFacts(layout: CsvLayout): Facts {
  const fields: Record<string, FieldFact> = { x: { dtype: "f32", shape: [layout.x.length], axes: ["F"] } };
  if (layout.classes) fields.y = { dtype: "i32", shape: [], classes: layout.classes.length };
  else if (layout.y.length > 0) fields.y = { dtype: "f32", shape: layout.y.length === 1 ? [] : [layout.y.length] };
  return { fields, rows: layout.rows };
}

export async function readCsv(ref: SourceRef, { disk }: DataWhere, layout: CsvLayout): Promise<Table> {
  const { file, names, rows, classes } = layout;
  const x = new Float32Array(rows * layout.x.length);
  const y = classes ? new Int32Array(rows) : new Float32Array(rows * layout.y.length);
  const classAt = new Map(classes?.map((name, c) => [name, c]));
  let row = 0;
  let first = layout.headed;
  await eachRow(disk, ref.span, file, layout.path, (cells, line) => {
    if (first) {
      first = false;
      return;
    }
    if (cells.length !== names.length) throw new UserError(raggedRow(ref.span, file, line, names.length, cells.length));
    // Rows that were added since the layout was found do not count; the session compares `rows`.
    if (row >= rows) return;
    const number = (c: number): number => {
      const cell = cells[c] ?? "";
      if (!numeral.test(cell)) throw new UserError(badCell(ref.span, file, line, names[c] ?? "", cell));
      const value = Number(cell);
      if (!Number.isFinite(Math.fround(value)))
        throw new UserError(cellTooLarge(ref.span, file, line, names[c] ?? "", cell));
      return value;
    };
    layout.x.forEach((c, k) => (x[row * layout.x.length + k] = number(c)));
    if (classes) {
      const c = layout.y[0] ?? 0;
      const index = classAt.get(cells[c] ?? "");
      if (index === undefined) throw new UserError(badCell(ref.span, file, line, names[c] ?? "", cells[c] ?? ""));
      y[row] = index;
    } else {
      layout.y.forEach((c, k) => (y[row * layout.y.length + k] = number(c)));
    }
    row++;
  });
  const columns: Record<string, Column> = { x: { data: x, shape: [layout.x.length] } };
  if (layout.y.length > 0)
    columns.y = { data: y, shape: layout.y.length === 1 ? [] : [layout.y.length], names: classes };
  return { rows: row, columns };
}

/** `line` is where the row ends, counted from 1. */
async function eachRow(
  disk: Disk,
  span: Span,
  file: string,
  path: string,
  visit: (cells: readonly string[], line: number) => void,
): Promise<void> {
  try {
    await disk.rows(path, visit);
  } catch (thrown) {
    const line = lineOfMistake(thrown);
    if (line !== undefined) throw new UserError(badQuotes(span, file, line, (thrown as Error).message));
    throw await readingFailed(disk, thrown, span, file, path);
  }
}

/** Of an error of csv-parse, each build of which has a class of its own. */
function lineOfMistake(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown) || !("lines" in thrown)) return undefined;
  return typeof thrown.lines === "number" ? thrown.lines : 1;
}

function uniqueNames(cells: readonly string[]): string[] {
  const names: string[] = [];
  cells.forEach((cell, i) => {
    const base = cell === "" ? `c${i + 1}` : cell;
    let name = base;
    for (let k = 1; names.includes(name); k++) name = `${base}.${k}`;
    names.push(name);
  });
  return names;
}
