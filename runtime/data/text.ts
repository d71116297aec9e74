/**
 * Text as numbers: `text` is one stretch, a row for each token; `lines` has a row for each line, padded with 0 to one
 * length, with a class where the file has one. The vocabulary is that of the whole file, so it is known before a run.
 */
import { boolArg, numberArg, stringArg } from "../../lang/check/sources.ts";
import { byCodePoint, encoder, learnTokens } from "../../lang/check/tokenizers.ts";
import { UserError } from "../../lang/diagnostic.ts";
import { emptyText, lineWithoutLabel, notUtf8 } from "../../lang/errors/rows.ts";
import type { Facts, FieldFact, SourceRef, Tokens } from "../../lang/program.ts";
import { unpacked } from "./bytes.ts";
import type { DataWhere } from "./disk.ts";
import type { Column, Table } from "./table.ts";

/** A text that was cut: what its facts and its rows are made from. */
export interface TokenText {
  readonly tokens: Tokens;
  /** One for the whole of `text`, one for each line of `lines`. */
  readonly rows: readonly (readonly number[])[];
  readonly labels?: { readonly names: readonly string[]; readonly rows: readonly number[] };
}

interface Texts {
  readonly texts: readonly string[];
  readonly labels: readonly string[];
}

export function textPath(ref: SourceRef, where: DataWhere): string {
  return where.disk.paths.resolve(where.scriptFolder, stringArg(ref, "path"));
}

export async function readTokens(ref: SourceRef, where: DataWhere): Promise<TokenText> {
  const of = textOf(ref);
  const { texts, labels } = await readTexts(of, where);
  const tokens = ref.like ? (await readTokens(ref.like, where)).tokens : learnTokens(texts, learning(ref));
  const encode = encoder(tokens);
  const ends = of.name === "lines" && boolArg(of, "ends");
  const rows = texts.map((text) => (ends ? [2, ...encode(text), 3] : encode(text)));
  if (labels.length === 0) return { tokens, rows };
  const names = [...new Set(labels)].sort(byCodePoint);
  const place = new Map(names.map((name, i) => [name, i]));
  return { tokens, rows, labels: { names, rows: labels.map((label) => place.get(label)!) } };
}

export function tokenFacts(ref: SourceRef, { tokens, rows, labels }: TokenText): Facts {
  const classes = tokens.vocab.length;
  if (textOf(ref).name === "text")
    return { fields: { token: { dtype: "i32", shape: [], classes } }, rows: rows[0]!.length, tokens };
  const line: FieldFact = { dtype: "i32", shape: [widthOf(ref, rows)], axes: ["T"], classes };
  const label: FieldFact | undefined = labels && { dtype: "i32", shape: [], classes: labels.names.length };
  return { fields: label ? { tokens: line, label } : { tokens: line }, rows: rows.length, tokens };
}

export function tokenTable(ref: SourceRef, { tokens, rows, labels }: TokenText): Table {
  const names = tokens.vocab;
  if (textOf(ref).name === "text") {
    const data = Int32Array.from(rows[0]!);
    return { rows: data.length, columns: { token: { data, shape: [], names } } };
  }
  const width = widthOf(ref, rows);
  const data = new Int32Array(rows.length * width);
  rows.forEach((row, r) => data.set(row.slice(0, width), r * width));
  const columns: Record<string, Column> = { tokens: { data, shape: [width], names } };
  if (labels) columns.label = { data: Int32Array.from(labels.rows), shape: [], names: labels.names };
  return { rows: rows.length, columns };
}

function textOf(ref: SourceRef): SourceRef {
  if (!ref.of) throw new Error(`expected a tokenizer over a text, got ${ref.name}`);
  return ref.of;
}

/** As long as the longest line, unless a length was asked for. */
function widthOf(ref: SourceRef, rows: readonly (readonly number[])[]): number {
  return numberArg(ref, "length") || rows.reduce((most, row) => Math.max(most, row.length), 1);
}

function learning(ref: SourceRef): Parameters<typeof learnTokens>[1] {
  const of = textOf(ref);
  const kind = ref.name;
  if (kind !== "chars" && kind !== "words" && kind !== "bpe") throw new Error(`expected a tokenizer, got ${kind}`);
  return {
    kind,
    lower: boolArg(ref, "lower"),
    merges: kind === "bpe" ? numberArg(ref, "n") : 0,
    least: kind === "words" ? numberArg(ref, "least") : 1,
    ends: of.name === "lines" && boolArg(of, "ends"),
  };
}

async function readTexts(ref: SourceRef, where: DataWhere): Promise<Texts> {
  const file = stringArg(ref, "path");
  const bytes = await unpacked(where.disk, ref.span, textPath(ref, where), file);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (thrown) {
    if (thrown instanceof TypeError) throw new UserError(notUtf8(ref.span, file, firstBadLine(bytes)));
    throw thrown;
  }
  if (ref.name === "text") {
    if (text === "") throw new UserError(emptyText(ref.span, file));
    return { texts: [text], labels: [] };
  }
  // Only \n and \r\n end a line: other signs of Unicode may stand inside of a sentence.
  const lines = text.split(/\r?\n/);
  const kept = lines.flatMap((line, i) => (line === "" ? [] : [{ line, number: i + 1 }]));
  if (kept.length === 0) throw new UserError(emptyText(ref.span, file));
  if (!boolArg(ref, "label")) return { texts: kept.map(({ line }) => line), labels: [] };
  const cells = kept.map(({ line, number }) => {
    const at = line.lastIndexOf("\t");
    if (at < 0) throw new UserError(lineWithoutLabel(ref.span, file, number));
    return [line.slice(0, at), line.slice(at + 1).trim()] as const;
  });
  return { texts: cells.map(([text]) => text), labels: cells.map(([, label]) => label) };
}

function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(10, from);
    const to = end < 0 ? bytes.length : end + 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(from, to));
    } catch (thrown) {
      if (thrown instanceof TypeError) return line;
      throw thrown;
    }
    from = to;
  }
  return line;
}
