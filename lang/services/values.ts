/** The value of an expression as far as it is known: as it was seen, else what its parts tell. */
import type { Value } from "../check/values.ts";
import type * as ast from "../syntax/ast.ts";
import type { Analysis } from "./analysis.ts";
import { namesAt } from "./names.ts";
import { membersOf, referenced } from "./symbols.ts";

export function valueOf(analysis: Analysis, e: ast.Expr): Value | undefined {
  const [fact] = analysis.factsOf(e.span);
  if (fact) return fact.value;
  if (e.kind === "name") {
    const definition = referenced(analysis, e) ?? namesAt(analysis.names, e.span.start).find((d) => d.name === e.text);
    if (!definition) return e.text === "toy" ? toy(analysis) : undefined;
    const [known] = analysis.factsOf(definition.span);
    return (
      known?.value ?? (definition.value && definition.value !== e ? valueOf(analysis, definition.value) : undefined)
    );
  }
  if (e.kind === "member") {
    const target = valueOf(analysis, e.target);
    return target && membersOf(target).find((m) => m.name === e.name.text)?.value;
  }
  if (e.kind === "list" || e.kind === "tuple") {
    const items = e.items.map((item) => valueOf(analysis, item));
    return items.every((v) => v !== undefined) ? { kind: e.kind, items } : undefined;
  }
  return undefined;
}

function toy(analysis: Analysis): Value {
  const members = analysis.library.namespace("toy");
  return {
    kind: "namespace",
    name: "toy",
    members: new Map(members.map((n) => [n, { kind: "builtin", name: `toy.${n}` } as Value])),
  };
}
