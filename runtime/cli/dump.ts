/** Trees and graphs as text for `dlx graph`. */
import type { Node } from "../../lang/graph/node.ts";
import type { Segment } from "../../lang/program.ts";
import { typeText } from "../state.ts";

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

/** Nodes in order of use, numbered from 0 in each segment; then what becomes of them. */
export function graphText({ host, outputs }: Segment): string {
  const lines: string[] = [];
  const known = new Map<Node, string>();
  const visit = (root: Node, indent: string, names: Map<Node, string>): string => {
    // An explicit stack: a graph of a deep net is deeper than the call stack likes.
    const stack = [root];
    for (let node = stack.at(-1); node; node = stack.at(-1)) {
      const waiting = names.has(node) ? [] : node.inputs.filter((each) => !names.has(each));
      if (waiting.length > 0) {
        stack.push(...waiting.reverse());
        continue;
      }
      stack.pop();
      if (names.has(node)) continue;
      const name = `%${names.size}`;
      const inputs = node.inputs.map((each) => names.get(each) ?? "?");
      lines.push(`${indent}${name} = ${[node.op, ...inputs].join(" ")}${attrsText(node)} : ${typeText(node.type)}`);
      const { body } = node.attrs;
      if (isBody(body)) for (const result of body.results) lines.push(`${indent}  -> ${visit(result, `${indent}  `, bodyNames(names, name))}`);
      names.set(node, name);
    }
    return names.get(root) ?? "?";
  };
  const bodies = new Map<string, Map<Node, string>>();
  /** Results of one body share their numbering. */
  const bodyNames = (_: Map<Node, string>, loop: string) => {
    const names = bodies.get(loop) ?? new Map<Node, string>();
    bodies.set(loop, names);
    return names;
  };
  for (const { name, node } of host) lines.push(`  host ${name} = ${visit(node, "  ", known)}`);
  for (const { node, role } of outputs) {
    const what = { commit: "path", fetch: "name", finite: "what", halt: "" }[role.kind];
    const word = what in role ? ` ${String(role[what as keyof typeof role])}` : "";
    lines.push(`  ${role.kind}${word} ${visit(node, "  ", known)}`);
  }
  return lines.join("\n");
}

function isBody(value: unknown): value is { readonly results: readonly Node[] } {
  return typeof value === "object" && value !== null && "results" in value;
}

function attrsText({ attrs }: Node): string {
  const entries = Object.entries(attrs).filter(([, value]) => !isBody(value));
  return entries.length > 0 ? ` {${entries.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(", ")}}` : "";
}
