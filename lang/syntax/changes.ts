/** `name = value` where the name is a state or the params of an optimizer: not a new name, a change of the old one. */
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
function follow(stmts: readonly ast.Stmt[], at: number, states: Map<string, string>): ast.Stmt | undefined {
  for (const stmt of stmts) if (stmt.kind === "state" && stmt.span.end <= at) states.set(stmt.name.text, "the state");
  const own = stmts.find(({ span }) => span.start <= at && at <= span.end);
  if (!own) return undefined;
  if (own.kind === "optimizer") {
    const params = own.params[0]?.name.text;
    if (params !== undefined) states.set(params, "the params");
  }
  const inner = "body" in own && own.body.kind === "block" ? follow(own.body.body, at, states) : undefined;
  return inner ?? own;
}
