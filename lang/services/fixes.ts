/**
 * What a message suggests, as edits: the message's own, but a `flatten` stands where a person would write it. Whoever
 * offers a fix checks the script with it first (`verified` in the service).
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
    const at = step?.right.span;
    if (at) return { title: "insert `flatten`", edits: [{ span: { ...at, end: at.start }, text: "flatten |> " }] };
  }
  return undefined;
}

export function fixOf(d: Diagnostic, analysis: Analysis): Fix | undefined {
  const { file } = analysis.source;
  if (d.labels[0]?.span.file !== file) return undefined;
  return insertFlatten(d, analysis) ?? d.fix?.find(({ edits }) => edits.every(({ span }) => span.file === file));
}
