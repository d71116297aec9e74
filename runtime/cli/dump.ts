/** Trees and graphs as text for `dlx graph`. */
import { text } from "../../lang/graph/index.ts";
import type { Segment } from "../../lang/program.ts";

/** A syntax tree: one line for each node, `kind` and its own words, children indented. Spans are left out. */
export function treeText(root: object): string {
  const lines: string[] = [];
  const visit = (value: unknown, name: string, depth: number): void => {
    if (Array.isArray(value)) {
      value.forEach((item: unknown, i) => visit(item, `${name}[${i}]`, depth));
      return;
    }
    if (typeof value !== "object" || value === null) return;
    const entries = Object.entries(value).filter(([key]) => !["span", "opSpan", "kind", "trivia"].includes(key));
    const words = entries.flatMap(([key, v]: [string, unknown]) => (isWord(v) ? [`${key}=${JSON.stringify(v)}`] : []));
    const kind = "kind" in value ? String(value.kind) : "";
    lines.push(`${"  ".repeat(depth)}${[name && `${name}:`, kind, ...words].filter(Boolean).join(" ")}`);
    for (const [key, v] of entries) visit(v, key, depth + 1);
  };
  visit(root, "file", 0);
  return lines.join("\n");
}

function isWord(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

/** The scalars of the host, then the graph; `return` lists the outputs in the order of the line below it. */
export function graphText({ host, outputs }: Segment): string {
  const scalars = host.map(({ name, node }) => `  host ${name}:\n${text([node], "    ")}`);
  const roles = outputs.map(({ role }) => {
    if (role.kind === "commit") return `commit ${role.path}`;
    if (role.kind === "fetch") return `fetch ${role.name}`;
    return role.kind === "finite" ? `finite ${role.what}` : role.kind;
  });
  return [
    ...scalars,
    text(
      outputs.map(({ node }) => node),
      "  ",
    ),
    `  as ${roles.join(", ") || "nothing"}`,
  ].join("\n");
}
