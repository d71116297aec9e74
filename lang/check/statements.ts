/**
 * Statements. A block runs in order; in a person's own file each bad statement is reported and the next goes on,
 * with the names it should have given marked broken, so that one mistake gives one message.
 */
import { UserError } from "../diagnostic.ts";
import * as blockErrors from "../errors/blocks.ts";
import * as errors from "../errors/minimize.ts";
import * as names from "../errors/names.ts";
import { wrongKind } from "../errors/sizes.ts";
import { make } from "../graph/index.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { namesDefined, patternNames } from "../syntax/defined.ts";
import { toTensor } from "./arith.ts";
import { shape, typeText } from "./axes.ts";
import { execEval, execTrain } from "./blocks.ts";
import { execEvery, execMetric, execWhen } from "./clocks.ts";
import { unknown } from "./call.ts";
import { spread } from "./constants.ts";
import { bindPattern, define, evaluate, none } from "./expr.ts";
import { execInput } from "./inputs.ts";
import { execImport } from "./modules.ts";
import { atOf, paramsOf } from "./hooks.ts";
import { execParam, execState } from "./models.ts";
import { evaluateNotation } from "./notation.ts";
import { execMinimize, moveParam } from "./optimize.ts";
import { execRepeat } from "./repeat.ts";
import { execRuns } from "./runs.ts";
import { execSink } from "./sinks.ts";
import type { Checker, Env } from "./state.ts";
import { callSite, homeOf, lookup } from "./state.ts";
import { rememberVariable } from "./tensors.ts";
import { execAssert } from "./tests.ts";
import type { Tensor, Value } from "./values.ts";

const DECLARATIONS = new Set(["fn", "model", "optimizer"]);

/** Runs a block in a scope that is already its own; its value is that of a last expression. */
export function runBlock(c: Checker, env: Env, block: ast.Block): Value {
  return runStatements(c, env, block.body);
}

export function runStatements(c: Checker, env: Env, body: readonly ast.Stmt[]): Value {
  for (const stmt of body) if (DECLARATIONS.has(stmt.kind)) tolerate(c, env, stmt, () => declare(c, env, stmt));
  let value: Value = none;
  for (const stmt of body) {
    if (DECLARATIONS.has(stmt.kind)) {
      value = none;
      continue;
    }
    if (c.isFull) return { kind: "broken" };
    let next: Value = none;
    const well = tolerate(c, env, stmt, () => {
      next = exec(c, env, stmt);
    });
    value = well ? next : { kind: "broken" };
  }
  return value;
}

function tolerate(c: Checker, env: Env, stmt: ast.Stmt, run: () => void): boolean {
  if (stmt.span.file.startsWith("stdlib/")) {
    run();
    return true;
  }
  const well = c.attempt(run, stmt.span);
  if (!well) {
    for (const name of namesDefined(stmt)) if (!env.scope.names.has(name.text)) breakName(env, name);
    forgetModels(c, env, stmt);
    if (env.frame.block) env.frame.block.unknown = true;
    if (stmt.kind === "commit" && stmt.target.kind === "name") breakVersion(env, stmt.target.text);
  }
  return well;
}

/** What a failed `<-` should have written is not known any more. */
function breakVersion(env: Env, name: string): void {
  const names = homeOf(env.scope, name)?.names;
  const binding = names?.get(name);
  if (binding?.role) names!.set(name, { ...binding, value: { kind: "broken" } });
}

/** Models that a failed statement names may have got their params there. */
function forgetModels(c: Checker, env: Env, value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) forgetModels(c, env, item);
    return;
  }
  if (value === null || typeof value !== "object") return;
  const node = value as ast.Expr | ast.Stmt;
  if (node.kind === "name") {
    const named = lookup(env.scope, node.text)?.value;
    if (named) unknown(c, named);
  }
  for (const [key, part] of Object.entries(value)) if (key !== "span") forgetModels(c, env, part);
}

function breakName(env: Env, name: ast.Name): void {
  env.scope.names.set(name.text, { value: { kind: "broken" }, span: name.span });
}

function declare(c: Checker, env: Env, stmt: ast.Stmt): void {
  if (stmt.kind === "fn" || stmt.kind === "model" || stmt.kind === "optimizer") {
    const seen = new Map<string, Span>();
    for (const { name } of [...(stmt.kind === "fn" ? [] : stmt.settings), ...stmt.params]) {
      const first = seen.get(name.text);
      if (first) throw new UserError(names.twoDefinitions(name.text, name.span, first));
      seen.set(name.text, name.span);
    }
  }
  switch (stmt.kind) {
    case "fn":
      define(c, env.scope, stmt.name, {
        kind: "func",
        name: stmt.name.text,
        params: stmt.params,
        returns: stmt.returns,
        body: stmt.body,
        scope: env.scope,
      });
      return;
    case "model":
      define(c, env.scope, stmt.name, { kind: "model", name: stmt.name.text, decl: stmt, scope: env.scope });
      return;
    case "optimizer":
      define(c, env.scope, stmt.name, { kind: "optimizer", name: stmt.name.text, decl: stmt, scope: env.scope });
  }
}

function exec(c: Checker, env: Env, stmt: ast.Stmt): Value {
  switch (stmt.kind) {
    case "let":
      execLet(c, env, stmt);
      return none;
    case "dim": {
      const value = evaluate(c, env, stmt.value);
      if (value.kind === "broken") return (breakName(env, stmt.name), none);
      if (value.kind !== "num" || !Number.isInteger(value.value)) {
        throw new UserError(names.needsConstant("a `dim`", typeText(value), stmt.value.span));
      }
      // Below 0 would mean: not known yet.
      if (value.value < 0) throw new UserError(wrongKind("a `dim`", "at least 1", { value, span: stmt.value.span }));
      const axis = c.freshAxis(stmt.name.text, value.value, {
        span: stmt.span,
        text: `${stmt.name.text} is ${value.value} here`,
      });
      define(c, env.scope, stmt.name, { kind: "num", value: value.value, axis });
      return none;
    }
    case "input":
      execInput(c, env, stmt);
      return none;
    case "seed": {
      const value = evaluate(c, env, stmt.value);
      if (value.kind !== "num") throw new UserError(names.needsConstant("the seed", typeText(value), stmt.value.span));
      c.seed = c.settings.seed ?? value.value;
      return none;
    }
    case "precision":
      if (stmt.mode.text !== "f32" && stmt.mode.text !== "mixed")
        throw new UserError(names.unknownPrecision(stmt.mode));
      c.mixed = stmt.mode.text === "mixed";
      return none;
    case "import":
      execImport(c, env, stmt);
      return none;
    case "param":
      execParam(c, env, stmt);
      return none;
    case "state":
      execState(c, env, stmt);
      return none;
    case "commit":
      execCommit(c, env, stmt.target, stmt.value, stmt.span);
      return none;
    case "train":
      execTrain(c, env, stmt);
      return none;
    case "eval":
      execEval(c, env, stmt);
      return none;
    case "repeat":
      execRepeat(c, env, stmt);
      return none;
    case "minimize":
      if (!env.frame.block || env.frame.kind !== "block")
        throw new UserError(errors.minimizeAtTop(stmt.span, env.frame.kind === "reaction"));
      if (env.frame.block.kind === "eval") throw new UserError(blockErrors.writtenInEval("params", stmt.span));
      execMinimize(c, env, stmt);
      return none;
    case "metric":
      execMetric(c, env, stmt);
      return none;
    case "every":
      execEvery(c, env, stmt);
      return none;
    case "when":
      execWhen(c, env, stmt);
      return none;
    case "print":
    case "plot":
    case "show":
    case "record":
    case "save":
    case "stop":
      execSink(c, env, stmt);
      return none;
    case "yield":
      if (!env.frame.yields) {
        throw new UserError(
          names.outOfPlace("`yield`", "outside of a loop", stmt.span, "put it into `for`, `scan` or `iterate`"),
        );
      }
      env.frame.yields.push(evaluate(c, env, stmt.value));
      return none;
    case "assert":
      execAssert(c, env, stmt);
      return none;
    case "test":
      // Tests are collected by the program walk; inside other blocks they have no place.
      throw new UserError(names.outOfPlace("`test`", "inside a block", stmt.span, "move it to the top level"));
    case "expr":
      if (isRuns(env, stmt.value)) return execRuns(c, env, stmt.value);
      return evaluate(c, env, stmt.value);
    case "error":
      if (env.frame.block) env.frame.block.unknown = true;
      return { kind: "broken" };
    case "fn":
    case "model":
    case "optimizer":
      return none;
  }
}

// ---------------------------------------------------------------- let and <-

function execLet(c: Checker, env: Env, stmt: ast.Let): void {
  const named =
    "text" in stmt.pattern && namesInstance(stmt.value) ? { name: stmt.pattern.text, used: false } : undefined;
  if (isRuns(env, stmt.value)) {
    bindPattern(c, env.scope, stmt.pattern, execRuns(c, env, stmt.value));
    return;
  }
  // Draws are addressed below the name, so that another `let` above moves none of them.
  const site = callSite(
    env.frame.site,
    `let ${patternNames(stmt.pattern)
      .map((n) => n.text)
      .join()}`,
  );
  const inner = { scope: env.scope, frame: { ...env.frame, site, hint: named } };
  let value = stmt.indices ? evaluateNotation(c, inner, stmt.indices, stmt.value) : evaluate(c, inner, stmt.value);
  if (!stmt.span.file.startsWith("stdlib/")) value = asVariable(c, value, stmt.value);
  bindPattern(c, env.scope, stmt.pattern, value);
}

/** A float, also in a tuple or a list, is a variable that gradients can be taken for: two equal ones stay two. */
function asVariable(c: Checker, value: Value, e: ast.Expr): Value {
  const { span } = e;
  if (value.kind === "num" && value.float && !value.axis) {
    const node = make("const", [], { value: value.value, dtype: "f32", let: c.uid++ }, span);
    return { kind: "tensor", node, dtype: "float", axes: [] };
  }
  if (value.kind === "list" && e.kind === "list") rememberVariable(value, () => c.uid++, span);
  if (value.kind !== "tuple" || e.kind !== "tuple") return value;
  return { ...value, items: value.items.map((item, i) => asVariable(c, item, e.items[i]!)) };
}

/** With carries a `for` is a loop like any other. */
function isRuns(env: Env, e: ast.Expr): e is ast.For {
  return e.kind === "for" && env.frame.kind === "top" && e.carries.length === 0;
}

/** `Model(..)`, a list of them, or one piped into `load` takes the name of its `let`. */
function namesInstance(e: ast.Expr): boolean {
  switch (e.kind) {
    case "call":
    case "list":
    case "comprehension":
      return true;
    case "pipe":
      return namesInstance(e.left);
    case "ternary":
      return namesInstance(e.then) && namesInstance(e.else);
    default:
      return false;
  }
}

function execCommit(c: Checker, env: Env, target: ast.Expr, valueExpr: ast.Expr, span: Span): void {
  if (target.kind !== "name") {
    throw new UserError(names.notWritable("this", target.span, "only a name can be written"));
  }
  const binding = lookup(env.scope, target.text);
  if (!binding) {
    throw new UserError(names.notWritable(target.text, target.span, "not defined"));
  }
  const role = binding.role;
  // In eval mode a state keeps its value.
  if (role?.kind === "state" && !env.frame.training && env.frame.kind !== "reaction") {
    if (env.frame.kind === "block") throw new UserError(blockErrors.writtenInEval(`\`${target.text}\``, span));
    return;
  }
  const value = evaluate(c, env, valueExpr);
  if (value.kind === "broken" || binding.value.kind === "broken") return;
  if (binding.value.kind === "instance") {
    commitBundle(c, env, binding.value, value, span);
    return;
  }
  if (!role)
    throw new UserError(names.notWritable(target.text, target.span, "this is a definition, which never changes"));
  const home = homeOf(env.scope, target.text)!;
  if (role.kind !== "state") {
    home.names.set(target.text, { ...binding, value });
    return;
  }
  const old = binding.value as Tensor;
  const given = spread(toTensor(value, atOf(c, env, valueExpr.span)), old.axes, valueExpr.span);
  const dtype = old.node.type.dtype;
  const node = given.node.type.dtype === dtype ? given.node : make("cast", [given.node], { dtype }, span);
  c.write(role.path, node);
  home.names.set(target.text, { ...binding, value: { ...old, node } });
}

function commitBundle(c: Checker, env: Env, target: Value, value: Value, span: Span): void {
  if (env.frame.block?.kind === "eval") throw new UserError(blockErrors.writtenInEval("params", span));
  if (!env.frame.block || (env.frame.kind !== "block" && env.frame.kind !== "reaction")) {
    throw new UserError(
      names.outOfPlace("`net <- …`", "outside of a block", span, "put it into the body of a `train` block"),
    );
  }
  const own = paramsOf(c, target, span);
  const given = paramsOf(c, value, span);
  const leaves = [...given.leaves.values()];
  if (leaves.length !== own.leaves.size) {
    throw new UserError(names.carryChanges("the model", `${own.leaves.size} params`, `${leaves.length} params`, span));
  }
  [...own.leaves].forEach(([path, leaf], i) => {
    const next = given.leaves.get(path) ?? leaves[i]!;
    if (shape(next.axes).join() !== shape(leaf.axes).join()) {
      throw new UserError(names.carryChanges(path, typeText(leaf), typeText(next), span));
    }
    moveParam(c, path, next.node, span);
  });
}
