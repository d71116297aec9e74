/** The syntax tree as data for a screen, and as text: what each part is, in the words of the script, and where. */
import type { Span } from "../../lang/source.ts";

export interface TreeNode {
  /** Its place in the part around it: `body[0]`, `left`. */
  readonly field: string;
  readonly kind: string;
  /** What it says of itself, by field. */
  readonly words: readonly (readonly [name: string, value: string | number | boolean])[];
  /** The same in short. */
  readonly label: string;
  readonly span?: Span;
  readonly children: readonly TreeNode[];
}

/** Beside what a part is. */
const ASIDE: ReadonlySet<string> = new Set(["span", "opSpan", "kind", "trivia"]);

export function treeOf(part: object, field = "file"): TreeNode {
  const entries = Object.entries(part).filter(([key]) => !ASIDE.has(key));
  const words = entries.flatMap(([key, v]: [string, unknown]) => (isWord(v) ? [[key, v] as const] : []));
  const { kind = "", span } = part as { readonly kind?: string; readonly span?: Span };
  const children = entries.flatMap(([key, v]: [string, unknown]) => partsIn(v, key));
  const label = labelOf(words);
  return { field, kind, words, label, ...(span ? { span } : {}), children };
}

/** As it is written, where it says so; of what is true or not, the name of what is. */
function labelOf(words: TreeNode["words"]): string {
  const written = words.find(([name]) => name === "text");
  const said = words.map(([name, value]) => (value === true ? name : value === false ? "" : String(value)));
  return written ? String(written[1]) : said.filter((word) => word !== "").join(" ");
}

function partsIn(value: unknown, field: string): TreeNode[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown, i) => partsIn(item, `${field}[${i}]`));
  return typeof value === "object" && value !== null ? [treeOf(value, field)] : [];
}

const isWord = (value: unknown): value is string | number | boolean =>
  ["string", "number", "boolean"].includes(typeof value);

/** One line for each part, those in it indented. Places are left out. */
export function treeText({ field, kind, words, children }: TreeNode, indent = ""): string {
  const said = words.map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const line = `${indent}${[field && `${field}:`, kind, ...said].filter(Boolean).join(" ")}`;
  return [line, ...children.map((child) => treeText(child, `${indent}  `))].join("\n");
}
