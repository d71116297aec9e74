/**
 * A diagnostic as text: header, place, the lines of the script with what is meant underlined, notes and help.
 * Several labels may share a line, stand on different lines or in different files; a place that spans lines is shown
 * by its first. Long lines are cut around their labels so that a frame fits 80 columns.
 */
import type { Diagnostic, Label } from "./diagnostic.ts";
import { repairedLine, type RepairedLine } from "./repaired.ts";
import { positionAt, type Source } from "./source.ts";
export { didYouMean } from "./suggest.ts";

export interface RenderOptions {
  readonly color?: boolean;
}

const WIDTH = 80;
const TAB = "    ";

type Paint = (text: string, style: Style) => string;
type Style = "error" | "warning" | "note" | "bold" | "gutter" | "secondary" | "added";
const codes: Readonly<Record<Style, string>> = {
  error: "1;31",
  warning: "1;33",
  note: "1;36",
  bold: "1",
  gutter: "34",
  secondary: "34",
  added: "32",
};
const plain: Paint = (text) => text;
const colored: Paint = (text, style) => (text === "" ? "" : `\x1b[${codes[style]}m${text}\x1b[0m`);

export function renderDiagnostic(d: Diagnostic, sources: readonly Source[], options: RenderOptions = {}): string {
  const paint = options.color === true ? colored : plain;
  const marks = d.labels.map((label, i) => markOf(label, i === 0, sources));
  const repaired = repairedLine(d, sources);
  const numbers = [...marks.map((m) => (m.source ? m.line : 0)), repaired?.line ?? 0];
  const gutter = Math.max(...numbers.map((n) => String(n).length));
  const pad = " ".repeat(gutter + 1);
  const lines = [
    paint(`${d.severity}[${d.code}]`, d.severity) +
      paint(`: ${wrap(d.title, d.code.length + d.severity.length + 4, 4)}`, "bold"),
  ];
  const files = [...new Set(marks.map((m) => m.file))];
  for (const [i, file] of files.entries()) {
    const here = marks.filter((m) => m.file === file);
    const first = here[0];
    if (!first) continue;
    const place = first.source ? `${file}:${first.line}:${first.column}` : file;
    lines.push(`${" ".repeat(gutter)}${paint(i === 0 ? "-->" : ":::", "gutter")} ${place}`);
    if (first.source) lines.push(...frame(first.source, here, gutter, d.severity, paint));
  }
  const unseen = marks.filter((m) => !m.source && m.text !== "").map((m) => `${m.file}: ${m.text}`);
  const facts = [
    ...[...d.notes, ...unseen].map((n) => ["note", n] as const),
    ...(d.help === undefined ? [] : [["help", d.help] as const]),
  ];
  if (facts.length > 0 && marks.some((m) => m.source)) lines.push(`${pad}${paint("|", "gutter")}`);
  for (const [kind, text] of facts) {
    const lead = `= ${kind}: `;
    lines.push(
      `${pad}${paint("=", "gutter")} ${paint(`${kind}:`, "bold")} ${wrap(text, pad.length + lead.length, pad.length + lead.length)}`,
    );
  }
  if (repaired) lines.push(...repairedFrame(repaired, gutter, paint));
  return lines.join("\n");
}

/** The line as it would be, with `+` under what is new. */
function repairedFrame(repaired: RepairedLine, gutter: number, paint: Paint): string[] {
  const pad = " ".repeat(gutter + 1);
  const bar = paint("|", "gutter");
  const room = WIDTH - gutter - 3;
  const full = shown(repaired.text);
  const places = repaired.inserted.map(({ from, to }) => ({
    from: columns(repaired.text.slice(0, from)),
    to: columns(repaired.text.slice(0, to)),
  }));
  const { text, offset } = cut(full, windowOf(full, places, room), room);
  const cells = Array.from({ length: room }, (_, i) =>
    places.some(({ from, to }) => i + offset >= from && i + offset < to) ? "+" : " ",
  );
  const marks = cells.join("").trimEnd();
  return [
    `${pad}${bar}`,
    `${paint(`${String(repaired.line).padStart(gutter)} `, "gutter")}${bar} ${text}`,
    ...(marks === "" ? [] : [`${pad}${bar} ${paint(marks, "added")}`]),
  ];
}

// ---------------------------------------------------------------- places

/** A label on the line where it begins; `from` and `to` count columns of the shown line from 0. */
interface Mark {
  readonly file: string;
  readonly source?: Source;
  readonly line: number;
  readonly column: number;
  readonly from: number;
  readonly to: number;
  readonly primary: boolean;
  readonly text: string;
}

function markOf(label: Label, primary: boolean, sources: readonly Source[]): Mark {
  const { file } = label.span;
  const source = sources.find((s) => s.file === file);
  if (!source) return { file, line: 0, column: 0, from: 0, to: 0, primary, text: label.text };
  const start = Math.min(Math.max(0, label.span.start), source.text.length);
  const { line, column } = positionAt(source.text, start);
  const lineStart = start - column + 1;
  const content = lineAt(source, line);
  const end = Math.min(Math.max(start, label.span.end), lineStart + content.length);
  const from = columns(content.slice(0, start - lineStart));
  const to = Math.max(from + 1, columns(content.slice(0, end - lineStart)));
  return { file, source, line, column, from, to, primary, text: label.text };
}

function lineAt(source: Source, line: number): string {
  const { text } = source;
  let start = 0;
  for (let before = 1; before < line; before++) {
    const next = text.indexOf("\n", start);
    if (next < 0) return "";
    start = next + 1;
  }
  const end = text.indexOf("\n", start);
  return text.slice(start, end < 0 ? text.length : end).replace(/\r$/, "");
}

const shown = (text: string): string => text.replaceAll("\t", TAB);
/** One column per character; a pair of UTF-16 units is one character. */
const columns = (text: string): number => [...shown(text)].length;

// ---------------------------------------------------------------- frames

function frame(source: Source, marks: readonly Mark[], gutter: number, severity: Style, paint: Paint): string[] {
  const pad = " ".repeat(gutter + 1);
  const bar = paint("|", "gutter");
  const out = [`${pad}${bar}`];
  const numbers = [...new Set(marks.map((m) => m.line))].sort((a, b) => a - b);
  let before: number | undefined;
  const room = WIDTH - gutter - 3;
  const show = (line: number, text: string): void => {
    out.push(`${paint(`${String(line).padStart(gutter)} `, "gutter")}${bar} ${text}`.trimEnd());
  };
  for (const number of numbers) {
    if (before !== undefined && number === before + 2)
      show(before + 1, cut(shown(lineAt(source, before + 1)), 0, room).text);
    else if (before !== undefined && number > before + 2) out.push(paint("...", "gutter"));
    const here = marks.filter((m) => m.line === number);
    const full = shown(lineAt(source, number));
    const { text, offset } = cut(full, windowOf(full, here, room), room);
    show(number, text);
    const moved = here.map((m) => within(m, offset, room));
    for (const row of underlines(moved, room, severity, paint)) out.push(`${pad}${bar} ${row}`.trimEnd());
    before = number;
  }
  return out;
}

/** The first column that is shown, so that the primary label (else the first) is seen whole if it can be. */
function windowOf(full: string, marks: readonly (Pick<Mark, "from" | "to"> & Partial<Mark>)[], room: number): number {
  const length = [...full].length;
  if (length <= room) return 0;
  const first = Math.min(...marks.map((m) => m.from));
  const last = Math.max(...marks.map((m) => m.to));
  const main = marks.find((m) => m.primary) ?? marks[0];
  if (last <= room - 1 || !main) return 0;
  const [from, to] = last - first <= room - 8 ? [first, last] : [main.from, main.to];
  const middle = Math.floor((from + to - room) / 2);
  return Math.max(0, Math.min(middle, from - 4, length - room));
}

function cut(full: string, offset: number, room: number): { text: string; offset: number } {
  const letters = [...full];
  if (letters.length <= room) return { text: full, offset: 0 };
  const slice = letters.slice(offset, offset + room);
  if (offset > 0) slice[0] = "…";
  if (offset + room < letters.length) slice[slice.length - 1] = "…";
  return { text: slice.join(""), offset };
}

function within(mark: Mark, offset: number, room: number): Mark {
  const from = Math.min(Math.max(0, mark.from - offset), room - 1);
  return { ...mark, from, to: Math.min(Math.max(from + 1, mark.to - offset), room) };
}

/** The row of `^^^` and `---`, then one row for each text that does not fit beside the last underline. */
function underlines(marks: readonly Mark[], room: number, severity: Style, paint: Paint): string[] {
  const style = (m: Mark): Style => (m.primary ? severity : "secondary");
  const inOrder = [...marks].sort((a, b) => a.from - b.from || Number(b.primary) - Number(a.primary));
  const width = Math.max(...inOrder.map((m) => m.to));
  const cells: [string, Style | undefined][] = Array.from({ length: width }, () => [" ", undefined]);
  for (const m of [...inOrder].sort((a, b) => Number(a.primary) - Number(b.primary))) {
    for (let c = m.from; c < m.to; c++) cells[c] = [m.primary ? "^" : "-", style(m)];
  }
  const rows: string[] = [];
  const line = cells.map(([c]) => c).join("");
  const texts = inOrder.filter((m) => m.text !== "");
  const last = texts.at(-1);
  const beside = last && last.to >= width && line.length + 1 + [...last.text].length <= room ? last : undefined;
  rows.push(painted(cells, paint) + (beside ? ` ${paint(beside.text, style(beside))}` : ""));
  const below = texts.filter((m) => m !== beside);
  for (let k = below.length - 1; k >= 0; k--) {
    const mark = below[k];
    if (!mark) continue;
    const stems = below.slice(0, k).filter((m) => m.from < mark.from);
    const from = Math.max(0, Math.min(mark.from, room - [...mark.text].length));
    const lines = wrap(mark.text, from, 0, room).split("\n");
    for (const text of lines) {
      const cellsBelow: [string, Style | undefined][] = Array.from({ length: from }, () => [" ", undefined]);
      for (const stem of stems) if (stem.from < from) cellsBelow[stem.from] = ["|", style(stem)];
      rows.push(painted(cellsBelow, paint) + paint(text, style(mark)));
    }
  }
  return rows;
}

/** Runs of one style are painted as one. */
function painted(cells: readonly (readonly [string, Style | undefined])[], paint: Paint): string {
  let out = "";
  let run = "";
  let current: Style | undefined;
  for (const [c, style] of [...cells, ["", undefined] as const]) {
    if (style !== current) {
      out += current ? paint(run, current) : run;
      run = "";
      current = style;
    }
    run += c;
  }
  return out + run;
}

/** Breaks at spaces; the first line begins at column `first`, the others are indented by `indent`. Code in backquotes stays whole. */
function wrap(text: string, first: number, indent: number, width = WIDTH): string {
  // What fits is left as it is: the columns of a table keep their spaces.
  if ([...text].length <= width - first) return text;
  const lines: string[] = [];
  let line = "";
  let room = width - first;
  for (const [word] of text.matchAll(/(?:`[^`]*`|[^\s`]|`)+/g)) {
    const joined = line === "" ? word : `${line} ${word}`;
    if ([...joined].length > room && line !== "") {
      lines.push(line);
      line = word;
      room = width - indent;
    } else line = joined;
  }
  lines.push(line);
  return lines.join(`\n${" ".repeat(indent)}`);
}
