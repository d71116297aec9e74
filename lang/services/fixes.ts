/**
 * What a message suggests, as edits, where the suggestion is exact: one row per kind of mistake. Whoever offers a fix
 * checks the script with it first (`verified` in the service).
 */
import type { Diagnostic } from "../diagnostic.ts";
import type * as ast from "../syntax/ast.ts";
import type { Analysis } from "./analysis.ts";
import type { TextEdit } from "./rename.ts";
import { pathTo, stages } from "./tree.ts";

export interface Fix {
  readonly title: string;
  readonly edits: readonly TextEdit[];
}

/** Signs of other languages whose message shows an example instead of the sign. */
const SIGNS: Readonly<Record<string, string>> = { "**": "^", ";": "\n", "!": "not " };
const WORDS: Readonly<Record<string, string>> = {
  def: "fn", func: "fn", function: "fn", var: "let", const: "let", class: "model", return: "", elif: "else if",
}; // prettier-ignore

type Row = (d: Diagnostic, analysis: Analysis) => Fix | undefined;

const replace = (d: Diagnostic, text: string, title: string, label = 0): Fix => ({
  title,
  edits: [{ span: d.labels[label]!.span, text }],
});
const insert = (d: Diagnostic, offset: number, text: string, title: string): Fix => ({
  title,
  edits: [{ span: { file: d.labels[0]!.span.file, start: offset, end: offset }, text }],
});
const written = (d: Diagnostic, { source }: Analysis, label = 0): string => {
  const span = d.labels[label]?.span;
  return span && span.file === source.file ? source.text.slice(span.start, span.end) : "";
};

const meant: Row = (d, analysis) => {
  const name = /^did you mean `([^`]+?):?`\?$/.exec(d.help ?? "")?.[1];
  return name !== undefined && /^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u.test(written(d, analysis))
    ? replace(d, name, `change to \`${name}\``)
    : undefined;
};

const rows: Readonly<Record<string, Row>> = {
  DLX0102: (d, analysis) => {
    const closer = /^write `(.)`/.exec(d.help ?? "")?.[1];
    if (d.title.includes("is closed by") && closer) return replace(d, closer, `change to \`${closer}\``);
    if (d.help?.startsWith("remove it")) return replace(d, "", `remove \`${written(d, analysis)}\``);
    const missed = d.labels[1]?.span;
    return missed && closer ? insert(d, missed.start, closer, `insert \`${closer}\``) : undefined;
  },
  DLX0103: (d) =>
    d.title.startsWith("text without") ? insert(d, d.labels[0]!.span.end, '"', 'insert `"`') : undefined,
  DLX0104: (d, analysis) => {
    const sign = written(d, analysis);
    if (d.help?.startsWith("remove it")) return replace(d, "", `remove \`${sign}\``);
    const by = SIGNS[sign] ?? /write `([^` ]+)`/.exec(d.help ?? "")?.[1];
    return by === undefined ? undefined : replace(d, by, `change to \`${by.trim() || "a new line"}\``);
  },
  DLX0105: (d) => replace(d, "< -", "write `< -`"),
  DLX0107: (d, analysis) => {
    const { lines, source } = analysis;
    const { start } = d.labels[0]!.span;
    const line = lines.startOf(lines.lineOf(start));
    const indent = /^[ \t]*/.exec(source.text.slice(line))?.[0] ?? "";
    return insert(d, start, `\n${indent}`, "start a new line");
  },
  DLX0108: (d, analysis) => {
    const word = /^write `(\w+)`$/.exec(d.help ?? "")?.[1] ?? WORDS[written(d, analysis)];
    if (word === undefined) return undefined;
    return word === ""
      ? replace(d, "", `remove \`${written(d, analysis)}\``)
      : replace(d, word, `change to \`${word}\``);
  },
  DLX0111: (d, analysis) => {
    const stmt = pathTo(analysis.file, d.labels[0]!.span.start).findLast((n) => n.kind === "let");
    return stmt && insert(d, stmt.span.start, "let ", "define it with `let`");
  },
  DLX0112: (d, analysis) => replace(d, `(${written(d, analysis)})`, "put the fields in parentheses"),
  DLX0113: (d, analysis) => {
    const { span } = d.labels[0]!;
    const list = analysis.source.text.indexOf("(", span.start);
    return list < 0 ? undefined : insert(d, list, "()", "add an empty list of settings");
  },
  DLX0203: insertFlatten,
  DLX0208: (d, analysis) => {
    const layer = /`Linear\((\d+)\)`/.exec(d.help ?? "");
    const at = d.labels.findIndex((_, i) => /^Linear\(\d+\)$/.test(written(d, analysis, i)));
    return layer && at >= 0 ? replace(d, `Linear(${layer[1]})`, `change to \`Linear(${layer[1]})\``, at) : undefined;
  },
};

/** Before the first `Linear` of the pipe that gives the value. */
function insertFlatten(d: Diagnostic, analysis: Analysis): Fix | undefined {
  if (!d.help?.includes("flatten")) return undefined;
  for (const { span } of d.labels) {
    if (span.file !== analysis.source.file) continue;
    const pipe = pathTo(analysis.file, span.end).find((n): n is ast.Expr & { kind: "pipe" } => n.kind === "pipe");
    const step =
      pipe &&
      stages(pipe).steps.find(
        (s) => s.right.kind === "call" && s.right.callee.kind === "name" && s.right.callee.text === "Linear",
      );
    if (step) return insert(d, step.right.span.start, "flatten |> ", "insert `flatten`");
  }
  return undefined;
}

export function fixOf(d: Diagnostic, analysis: Analysis): Fix | undefined {
  if (d.labels[0]?.span.file !== analysis.source.file) return undefined;
  return meant(d, analysis) ?? rows[d.code]?.(d, analysis) ?? insertFlatten(d, analysis);
}
