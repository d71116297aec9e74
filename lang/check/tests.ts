/**
 * `test "name" { assert … }`: a program of its own, of what the top level computes and the body of the test. It begins
 * untrained. What an assert compares is kept beside its condition, so that a failure can show both sides.
 */
import { UserError } from "../diagnostic.ts";
import { notACondition } from "../errors/blocks.ts";
import * as names from "../errors/names.ts";
import { topological } from "../graph/walk.ts";
import type { Action, TestBlock } from "../program.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { toTensor } from "./arith.ts";
import { typeText } from "./axes.ts";
import { evaluate } from "./expr.ts";
import { atOf } from "./hooks.ts";
import { hostValue } from "./host.ts";
import { constantText } from "./sinks.ts";
import { runStatements } from "./statements.ts";
import type { Checker, Env } from "./state.ts";
import { child } from "./state.ts";
import type { Value } from "./values.ts";

export type TestStmt = Extract<ast.Stmt, { kind: "test" }>;
export type WalkedTest = Pick<TestBlock, "name" | "body" | "span">;

export function checkTest(c: Checker, env: Env, test: TestStmt): WalkedTest {
  const name = constantText(evaluate(c, env, test.name), test.name.span);
  const build = c.newBuild(`test${++c.testCount}`, "reaction");
  const body: Action[] = [{ kind: "compute", segment: build.segment }];
  const outside = new Set(c.blockNames);
  c.within(build, () => {
    const frame = { ...env.frame, kind: "test" as const, actions: body, ordinals: new Map<string, number>(), outside };
    runStatements(c, { scope: child(env.scope), frame }, test.body.body);
  });
  return { name, body, span: test.span };
}

/** What the top level computes outside of blocks and sinks. */
export function computed(actions: readonly Action[]): Action[] {
  return actions.flatMap((action): Action[] => {
    if (action.kind === "run") return [{ ...action, body: computed(action.body) }];
    return action.kind === "compute" ? [action] : [];
  });
}

// ---------------------------------------------------------------- assert

export function execAssert(c: Checker, env: Env, stmt: ast.Stmt & { kind: "assert" }): void {
  if (env.frame.kind !== "test") {
    throw new UserError(names.outOfPlace("`assert`", "outside of a test", stmt.span, 'put it into `test "name" { }`'));
  }
  const sides = new Map<ast.Expr, Value | undefined>(compared(stmt.value).map((e) => [e, undefined]));
  c.overheard = sides;
  let value: Value;
  try {
    value = evaluate(c, env, stmt.value);
  } finally {
    c.overheard = undefined;
  }
  if (value.kind === "broken") return;
  const { span } = stmt.value;
  if (value.kind !== "bool" && !(value.kind === "tensor" && value.dtype === "bool" && value.axes.length === 0))
    throw new UserError(notACondition(typeText(value), span, "assert"));
  const cond = toTensor(value, atOf(c, env, span));
  for (const node of topological([cond.node])) {
    const block = node.op === "input" && node.attrs.source === "metric" ? String(node.attrs.name).split(".")[0]! : "";
    if (env.frame.outside?.has(block)) throw new UserError(names.outOfPlace(...untrained(block, span)));
  }
  env.frame.actions.push({
    kind: "assert",
    cond: hostValue(c, env, cond, span),
    sides: [...sides].flatMap(([e, v]) => (v ? [{ value: hostValue(c, env, v, e.span), span: e.span }] : [])),
    span: stmt.span,
  });
}

const untrained = (block: string, span: Span): Parameters<typeof names.outOfPlace> => [
  `a metric of \`${block}\``,
  "in a test, which begins before any block has run",
  span,
  "put an `eval` of its own into the test",
];

const COMPARISONS = new Set<string>(["==", "!=", "<", "<=", ">", ">="]);
/** Calls of a condition → how many of their first arguments are compared. */
const CALLS: Readonly<Record<string, number>> = { close: 2, all: 0, any: 0 };

/** The expressions whose values decide about a condition. */
function compared(e: ast.Expr): ast.Expr[] {
  if (e.kind === "binary" && COMPARISONS.has(e.op)) return [e.left, e.right];
  if (e.kind === "binary" && (e.op === "and" || e.op === "or")) return [...compared(e.left), ...compared(e.right)];
  if (e.kind === "unary" && e.op === "not") return compared(e.value);
  if (e.kind !== "call" || e.callee.kind !== "name") return [];
  const count = CALLS[e.callee.text];
  const args = e.args.map((arg) => arg.value);
  if (count === undefined) return [];
  return count === 0 ? args.slice(0, 1).flatMap(compared) : args.slice(0, count);
}
