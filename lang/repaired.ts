/** The line of a script as it reads after a suggestion was followed, where words alone do not say it exactly. */
import type { Diagnostic, Fix } from "./diagnostic.ts";
import { positionAt, type Source } from "./source.ts";

export interface RepairedLine {
  readonly line: number;
  readonly text: string;
  /** What is new, as offsets in `text`. */
  readonly inserted: readonly { readonly from: number; readonly to: number }[];
}

/** Undefined where the help holds the text already, or where the suggestion touches several lines. */
export function repairedLine(d: Diagnostic, sources: readonly Source[]): RepairedLine | undefined {
  const line = d.fix?.[0] && afterFix(d.fix[0], sources);
  if (!line || d.help === undefined || line.text.trim() === "") return undefined;
  const codes = [...d.help.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
  const longest = codes.toSorted((a, b) => b.length - a.length)[0];
  return longest !== undefined && line.text.includes(longest) ? undefined : line;
}

function afterFix({ edits }: Fix, sources: readonly Source[]): RepairedLine | undefined {
  const [first] = edits;
  const source = sources.find(({ file }) => file === first?.span.file);
  if (!first || !source) return undefined;
  const { line, column } = positionAt(source.text, first.span.start);
  const start = first.span.start - column + 1;
  const next = source.text.indexOf("\n", start);
  const end = next < 0 ? source.text.length : next;
  const inside = edits.every(
    ({ span, text }) => span.file === source.file && span.start >= start && span.end <= end && !text.includes("\n"),
  );
  if (!inside) return undefined;
  const inserted: { from: number; to: number }[] = [];
  let text = "";
  let done = start;
  for (const edit of [...edits].sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end)) {
    text += source.text.slice(done, edit.span.start);
    if (edit.text.trim() !== "") inserted.push({ from: text.length, to: text.length + edit.text.length });
    text += edit.text;
    done = edit.span.end;
  }
  return { line, text: (text + source.text.slice(done, end)).trimEnd(), inserted };
}
