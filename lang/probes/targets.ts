/** From a place in a text to the expressions around it, the smallest first, as far as one statement goes. */
import type { Span } from "../source.ts";
import { isExpression, pathTo, type Part } from "../services/tree.ts";
import type * as ast from "../syntax/ast.ts";

export interface Target {
  /** Where the checker tells its value. */
  readonly span: Span;
  /** Only what calls it has a value that is worth a look: the `relu` of `relu(x)` and of `x |> relu`. */
  readonly callee: boolean;
}

export function targetsAt(file: ast.File, asked: Span): Target[] {
  const covers = ({ span }: Part): boolean => span.start <= asked.start && asked.end <= span.end;
  const path = pathTo(file, asked.start).filter(covers);
  const from = path.findLastIndex(isStatement);
  const own = path.slice(from + 1);
  const found = own.flatMap((node, i): Target[] => {
    const parent = own[i - 1];
    if (isExpression(node)) return [{ span: node.span, callee: isCallee(node, parent) }];
    // A name that is bound here: of a `let`, a field, an argument.
    return "text" in node && node.kind === undefined && !isMember(parent) ? [{ span: node.span, callee: false }] : [];
  });
  const stmt = path[from];
  // What is written into a state is its new value.
  if (stmt?.kind === "commit" && "target" in stmt && own[0] === stmt.target) return targetsOf(stmt);
  return found.length > 0 ? found.reverse() : targetsOf(stmt);
}

/** Statements are what a block holds, and so are expressions that stand alone, which have a statement around them. */
function isStatement(node: Part): boolean {
  return node.kind !== undefined && !isExpression(node);
}

function isMember(parent: Part | undefined): boolean {
  return parent?.kind === "member";
}

function isCallee(node: ast.Expr, parent: Part | undefined): boolean {
  if (parent === undefined || !isExpression(parent)) return false;
  if (parent.kind === "call") return parent.callee === node;
  return parent.kind === "pipe" && parent.right === node;
}

/** Of a statement that was pointed at beside its expressions: what it gives a name, or what it is about. */
function targetsOf(stmt: Part | undefined): Target[] {
  if (!stmt) return [];
  const { pattern, name, loss, value } = stmt as Part & Partial<Record<"pattern" | "name" | "loss" | "value", Part>>;
  const [best] = [pattern, name, loss, value].filter((part) => part !== undefined);
  return best ? [{ span: best.span, callee: false }] : [];
}
