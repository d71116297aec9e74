/**
 * A half-written place: the script read again with a name where the cursor is, so that `net.`, `x |> ` and `Linear(`
 * have a tree. Values come from the last check.
 */
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { Analysis } from "./analysis.ts";
import type { Part } from "./tree.ts";
import { pathTo } from "./tree.ts";

export interface Probe {
  readonly analysis: Analysis;
  /** The word that the cursor is in or behind, in the text as it is. */
  readonly word: Span;
  /** From the outermost statement to the name at the cursor. */
  readonly path: readonly Part[];
  /** A comment, or text outside of `{ }`. */
  readonly isText: boolean;
}

const HERE = "here_";
const letter = /[\p{L}\p{M}\p{N}_]/u;

export function probeAt(analysis: Analysis, offset: number): Probe {
  const { text, file } = analysis.source;
  let start = offset;
  while (start > 0 && letter.test(text[start - 1]!)) start--;
  let end = offset;
  while (end < text.length && letter.test(text[end]!)) end++;
  const written = text.slice(0, start) + HERE + text.slice(end);
  const probe = new Analysis({ file, text: written }, analysis.library, analysis.memory);
  const path = pathTo(probe.file, start + 1);
  const comment = probe.file.trivia.some((t) => t.kind !== "blank" && t.span.start < offset && offset <= t.span.end);
  const last = path.at(-1);
  const isText =
    comment ||
    last?.kind === "string" ||
    (last?.kind === "number" && start === end - 0 && /\d/.test(text[start - 1] ?? ""));
  return { analysis: probe, word: { file, start, end }, path, isText };
}

/** The call in whose parentheses the cursor is, and which of its arguments that is. */
export function callAround(
  path: readonly Part[],
  offset: number,
): { readonly call: ast.Call; readonly index: number; readonly piped: boolean } | undefined {
  for (let i = path.length - 1; i >= 0; i--) {
    const node = path[i]!;
    if (node.kind === "lambda" || node.kind === "block") return undefined;
    if (node.kind !== "call" || !("callee" in node)) continue;
    const call = node as ast.Call;
    if (offset <= call.callee.span.end) continue;
    const index = call.args.findIndex((a) => a.span.start <= offset && offset <= a.span.end);
    const above = path[i - 1];
    const piped = above?.kind === "pipe" && (above as ast.Expr & { kind: "pipe" }).right === call;
    return { call, index: index < 0 ? call.args.filter((a) => a.span.end < offset).length : index, piped };
  }
  return undefined;
}
