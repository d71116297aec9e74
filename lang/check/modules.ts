/** Imports: a file is a module; all its top-level names can be imported. Cycles are refused. */
import { UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import { didYouMean } from "../suggest.ts";
import type * as ast from "../syntax/ast.ts";
import { define } from "./expr.ts";
import { runStatements } from "./statements.ts";
import type { Checker, Env } from "./state.ts";
import { child } from "./state.ts";
import type { Scope } from "./values.ts";

export function execImport(c: Checker, env: Env, stmt: ast.Import): void {
  const written = stmt.file.parts.filter((p): p is string => typeof p === "string").join("");
  const path = resolvePath(written, stmt.span.file);
  if (c.loading.includes(path)) {
    throw new UserError(names.importCycle([...c.loading.slice(c.loading.indexOf(path)), path], stmt.span));
  }
  const module = c.modules.get(path);
  if (!module) {
    if (c.missingFiles.has(path)) throw new UserError(names.missingFile(written, stmt.file.span));
    c.pendingFiles.push({ path, from: stmt.span.file, span: stmt.file.span });
    for (const name of stmt.names) env.scope.names.set(name.text, { value: { kind: "broken" }, span: name.span });
    return;
  }
  const scope = loadModule(c, env, path, module.file);
  for (const name of stmt.names) {
    const found = scope.names.get(name.text);
    if (!found) {
      throw new UserError(names.notInFile(name.text, written, name.span, didYouMean(name.text, scope.names.keys())));
    }
    define(c, env.scope, name, found.value);
  }
}

function loadModule(c: Checker, env: Env, path: string, file: ast.File): Scope {
  const known = c.loaded.get(path);
  if (known) return known;
  const scope = child(c.globals);
  c.loading.push(path);
  try {
    runStatements(c, { scope, frame: env.frame }, file.body);
  } finally {
    c.loading.pop();
  }
  c.loaded.set(path, scope);
  return scope;
}

/** Relative to the importing file. */
export function resolvePath(written: string, from: string): string {
  if (written.startsWith("/")) return written;
  const parts = from.split("/").slice(0, -1);
  for (const part of written.split("/")) {
    if (part === "." || part === "") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return (from.startsWith("/") && parts[0] !== "" ? "/" : "") + parts.join("/");
}
