/** Two scripts are the same program when their trees are equal but for places. */
import type * as ast from "../../lang/syntax/ast.ts";
import { parse } from "../../lang/syntax/index.ts";

export function treeOf(text: string): unknown {
  const { file, diagnostics } = parse({ file: "a.dlx", text });
  return { body: bodyOf(file), errors: diagnostics.filter((d) => d.severity === "error").map((d) => d.title) };
}

export const bodyOf = ({ body }: ast.File): unknown => strip(body);

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (value === null || typeof value !== "object") return value;
  const fields: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value))
    if (name !== "span" && name !== "opSpan") fields[name] = strip(field);
  return fields;
}

/** All comments in order, without their places. */
export const commentsOf = (text: string): string[] => commentsIn(parse({ file: "a.dlx", text }).file);

export const commentsIn = ({ trivia }: ast.File): string[] =>
  trivia.filter(({ kind }) => kind !== "blank").map((t) => t.text.trimEnd());
