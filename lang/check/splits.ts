/**
 * What rows may be used for. Every data set that was split carries its part; fields, metrics and conditions made from it
 * carry it on. Fitting asks for train rows; choosing (when to stop, what to keep) refuses test rows. Where the part is
 * not known nothing is said.
 */
import { UserError } from "../diagnostic.ts";
import * as blocks from "../errors/blocks.ts";
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import type { Checker } from "./state.ts";
import type { Value } from "./values.ts";

export type Split = "train" | "val" | "test";

const order: readonly Split[] = ["train", "val", "test"];

/** The part of rows that come from both: it may be used for what both may be used for. */
export function joinSplits(a: Split | undefined, b: Split | undefined): Split | undefined {
  const [low, high] = [a, b].map((s) => (s === undefined ? -1 : order.indexOf(s))).sort((x, y) => x - y);
  // Rows of an unknown part make train rows unknown; they never make test rows usable.
  return low === -1 && high === 0 ? undefined : order[high!];
}

/** The most restricted rows that a value was computed from. */
export function splitOf(c: Checker, node: Node): Split | undefined {
  let found: Split | undefined;
  const seen = new Set<Node>();
  const stack = [node];
  while (stack.length > 0) {
    const n = stack.pop()!;
    if (seen.has(n)) continue;
    seen.add(n);
    const own = ownSplit(c, n);
    if (own !== undefined && (found === undefined || order.indexOf(own) > order.indexOf(found))) found = own;
    stack.push(...n.inputs);
  }
  return found;
}

function ownSplit(c: Checker, n: Node): Split | undefined {
  if (n.op !== "input") return undefined;
  const name = String(n.attrs.name);
  if (n.attrs.source === "column") return c.splits.get(name.split(".")[0]!);
  if (n.attrs.source === "metric") return c.measured.get(name.slice(0, name.lastIndexOf(".")));
  return c.origins.get(n);
}

/** What is fitted on validation or test rows says nothing about new data. */
export function refuseFit(c: Checker, what: string, value: Value, span: Span): void {
  const split = value.kind === "tensor" ? splitOf(c, value.node) : undefined;
  if (split && split !== "train") throw new UserError(blocks.notFitting(split, `\`${what}\` learns`, span));
}

/** Actions that keep or end something: what decides on them is a choice. */
const CHOICES = new Set<ast.Stmt["kind"]>(["stop", "save", "commit"]);

/** What is chosen by the test rows looks better on them than on new data. */
export function refuseChoice(c: Checker, cond: Node, stmt: ast.Stmt & { kind: "when" }): void {
  const choice = choiceIn(stmt.body);
  if (choice && splitOf(c, cond) === "test") throw new UserError(blocks.chosenOnTest(stmt.cond.span, choice));
}

function choiceIn(block: ast.Block): ast.Stmt | undefined {
  for (const stmt of block.body) {
    if (CHOICES.has(stmt.kind)) return stmt;
    const below = stmt.kind === "when" ? choiceIn(stmt.body) : undefined;
    if (below) return below;
  }
  return undefined;
}
