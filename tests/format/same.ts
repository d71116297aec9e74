/** Two scripts are the same program when their trees are equal but for places. */
import { parse } from "../../lang/syntax/index.ts";

export function treeOf(text: string): unknown {
  const { file, diagnostics } = parse({ file: "a.dlx", text });
  return { body: strip(file.body), errors: diagnostics.filter((d) => d.severity === "error").map((d) => d.title) };
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (value === null || typeof value !== "object") return value;
  const fields = Object.entries(value).filter(([name]) => name !== "span" && name !== "opSpan");
  return Object.fromEntries(fields.map(([name, field]) => [name, strip(field)]));
}

/** All comments in order, without their places. */
export function commentsOf(text: string): string[] {
  const { file } = parse({ file: "a.dlx", text });
  return file.trivia.filter(({ kind }) => kind !== "blank").map((t) => t.text.trimEnd());
}
