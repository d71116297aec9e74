/** A diagnostic as the user reads it in a terminal: title, the source with underlines, notes, one suggestion. */
import type { Diagnostic, Label } from "../../lang/diagnostic.ts";
import { positionAt, type Source } from "../../lang/source.ts";

export function messageText(diagnostic: Diagnostic, sources: readonly Source[]): string {
  const { severity, code, title, labels, notes, help } = diagnostic;
  const places = labels.flatMap((label) => frame(label, sources));
  return [
    `${severity}[${code}]: ${title}`,
    ...places,
    ...notes.map((note) => `  ${places.length > 0 ? "= " : ""}${note}`),
    ...(help === undefined ? [] : [`  help: ${help}`]),
  ].join("\n");
}

function frame({ span, text }: Label, sources: readonly Source[]): string[] {
  const source = sources.find((each) => each.file === span.file);
  if (!source) return [`  --> ${span.file}`, ...(text ? [`  ${text}`] : [])];
  const { line, column } = positionAt(source.text, span.start);
  const code = source.text.split("\n")[line - 1] ?? "";
  const length = Math.max(1, Math.min(span.end - span.start, code.length - column + 1));
  const gutter = " ".repeat(String(line).length);
  return [
    ` ${gutter}--> ${span.file}:${line}:${column}`,
    ` ${gutter} |`,
    ` ${line} | ${code}`,
    ` ${gutter} | ${" ".repeat(column - 1)}${"^".repeat(length)}${text ? ` ${text}` : ""}`,
  ];
}
