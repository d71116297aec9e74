/** Names at the top of a script that the standard library has too: the script's own is meant, and a note says so. */
import type { Diagnostic } from "../diagnostic.ts";
import { shadowsGiven, shadowsLibrary } from "../errors/shadows.ts";
import type * as ast from "../syntax/ast.ts";
import { namesDefined } from "../syntax/defined.ts";
import { builtins, constants } from "./builtins/index.ts";
import { sources } from "./sources.ts";
import { specials } from "./specials.ts";
import type { Checker } from "./state.ts";

/** Blocks and metrics are read by another form than values. */
const OTHERS = new Set<ast.Stmt["kind"]>(["train", "eval", "metric", "state", "param"]);

export function tellShadowed(c: Checker, file: ast.File): void {
  const told = new Set<string>();
  for (const stmt of file.body) {
    if (OTHERS.has(stmt.kind)) continue;
    for (const name of namesDefined(stmt)) {
      const note = told.has(name.text) ? undefined : shadowed(c, name);
      told.add(name.text);
      if (note) c.report(note);
    }
  }
}

function shadowed(c: Checker, name: ast.Name): Diagnostic | undefined {
  const own = c.globals.names.get(name.text);
  if (own) return shadowsLibrary(name.text, name.span, own.span);
  const kind = given.find(([, table]) => Object.hasOwn(table, name.text))?.[0];
  return kind === undefined ? undefined : shadowsGiven(name.text, name.span, kind);
}

const given: readonly (readonly [string, object])[] = [
  ["a function of the compiler", { ...builtins, ...specials }],
  ["a data source", sources],
  ["a constant", constants],
];
