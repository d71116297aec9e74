/** `name = value` where the name is a state, a carry or the params of an optimizer: not a new name, a change of the old one. */
import type { Diagnostic } from "../diagnostic.ts";
import { changedState } from "../errors/syntax.ts";
import type { Source } from "../source.ts";
import type * as ast from "./ast.ts";

export function tellChanges(source: Source, body: readonly ast.Stmt[], diagnostics: Diagnostic[]): void {
  for (const [i, d] of diagnostics.entries()) {
    const at = d.code === "DLX0111" ? d.labels[0]?.span : undefined;
    if (!at) continue;
    const states = new Map<string, string>();
    const own = follow(body, at.start, states);
    if (own?.kind !== "let" || !("text" in own.pattern)) continue;
    const what = states.get(own.pattern.text);
    if (what === undefined) continue;
    const value = source.text.slice(own.value.span.start, own.value.span.end);
    diagnostics[i] = changedState(at, own.pattern.text, value, what);
  }
}

/** The innermost statement at a place; on the way what can be changed is gathered. */
function follow(value: unknown, at: number, states: Map<string, string>): ast.Stmt | undefined {
  if (Array.isArray(value)) {
    for (const item of value as readonly ast.Stmt[])
      if (item.kind === "state" && item.span.end <= at) states.set(item.name.text, "the state");
    for (const item of value) {
      const found = follow(item, at, states);
      if (found) return found;
    }
    return undefined;
  }
  if (value === null || typeof value !== "object") return undefined;
  const node = value as ast.Stmt | ast.Expr;
  if ("span" in node && (at < node.span.start || node.span.end < at)) return undefined;
  if (node.kind === "for" || node.kind === "scan" || node.kind === "iterate")
    for (const { name } of node.carries) states.set(name.text, "what the loop carries");
  if (node.kind === "optimizer") {
    const params = node.params[0]?.name.text;
    if (params !== undefined) states.set(params, "the params");
  }
  const inner = Object.entries(node).flatMap(([key, part]) => (key === "span" ? [] : [follow(part, at, states)]));
  return inner.find((found) => found !== undefined) ?? (node.kind === "let" ? node : undefined);
}
