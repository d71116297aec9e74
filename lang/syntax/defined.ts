/** The names that a statement defines, in the order in which they are written. */
import type * as ast from "./ast.ts";

export function namesDefined(stmt: ast.Stmt): readonly ast.Name[] {
  switch (stmt.kind) {
    case "let":
      return patternNames(stmt.pattern);
    case "dim":
    case "input":
    case "fn":
    case "model":
    case "optimizer":
    case "param":
    case "state":
    case "metric":
      return [stmt.name];
    case "train":
    case "eval":
      return stmt.name ? [stmt.name] : [];
    case "import":
      return stmt.names;
    default:
      return [];
  }
}

export function patternNames(pattern: ast.Pattern): ast.Name[] {
  return "text" in pattern ? [pattern] : pattern.items.flatMap(patternNames);
}
