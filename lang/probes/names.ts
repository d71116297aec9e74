/** The names of a script whose values a person may want to see: those of rows, values, metrics and states. */
import { visit } from "../services/tree.ts";
import type * as ast from "../syntax/ast.ts";
import { namesDefined, patternNames } from "../syntax/defined.ts";

/** Others are models, functions, settings, or blocks. */
const VALUES: ReadonlySet<string> = new Set(["let", "metric", "state"]);

export function namesOfValues(file: ast.File): ast.Name[] {
  const found: ast.Name[] = [];
  visit(file, (node, parents) => {
    if (parents.some(({ kind }) => kind === "test")) return;
    if ("fields" in node && "value" in node) found.push(...patternNames((node as ast.Source).fields));
    if (node.kind !== undefined && VALUES.has(node.kind)) found.push(...namesDefined(node as ast.Stmt));
  });
  return found;
}
