/**
 * Statements of a block that have a clock of their own: `metric` folds over its reader's, `every` reacts between ticks
 * or runs in place, `when` holds a condition.
 */
import { UserError } from "../diagnostic.ts";
import * as errors from "../errors/blocks.ts";
import * as names from "../errors/names.ts";
import { make } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Action } from "../program.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { toTensor } from "./arith.ts";
import { shape, typeText } from "./axes.ts";
import { newTick } from "./blocks.ts";
import { constantNumber, define, evaluate } from "./expr.ts";
import { atOf } from "./hooks.ts";
import { dependsOnHost, foldOf, hostNode } from "./host.ts";
import { refuseChoice } from "./splits.ts";
import { runStatements } from "./statements.ts";
import type { Build, Checker, Env, Frame, Ticks } from "./state.ts";
import { callSite, child } from "./state.ts";
import type { Scope, Tensor } from "./values.ts";

export function execMetric(c: Checker, env: Env, stmt: ast.Stmt & { kind: "metric" }): void {
  const block = env.frame.block;
  if (!block || env.frame.kind !== "block") {
    throw new UserError(
      names.outOfPlace(
        "`metric`",
        "here",
        stmt.span,
        "put it into the body of `train` or `eval`, where there is a tick to measure",
      ),
    );
  }
  // A metric of inner steps is one of the block.
  const scope = env.frame.ticks?.scope ?? env.scope;
  const site = callSite(env.frame.site, `metric ${stmt.name.text}`);
  const value = evaluate(c, { scope: env.scope, frame: { ...env.frame, site } }, stmt.value);
  if (value.kind === "broken") {
    block.unknown = true;
    define(c, scope, stmt.name, value);
    return;
  }
  const whole = toTensor(value, atOf(c, env, stmt.value.span));
  const tensor = dependsOnHost(whole.node) ? whole : meanOverRows(whole, stmt.value.span);
  const node = dependsOnHost(tensor.node)
    ? hostNode(c, { scope: env.scope, frame: { ...env.frame, kind: "reaction" } }, tensor.node, stmt.value.span)
    : foldOf(c, block, asFloat(tensor.node, stmt.value.span), "avg");
  // The short batch of inner steps measures the same once more.
  if (!(c.replaying && scope.names.has(stmt.name.text)))
    define(c, scope, stmt.name, { kind: "tensor", node, dtype: "float", axes: tensor.axes });
  block.measured.add(stmt.name.text);
  if (block.report.has(stmt.name.text)) return;
  block.report.set(stmt.name.text, node);
  block.axes.set(stmt.name.text, tensor.axes);
}

/** Rows are weighted alike: of a value for each row, [B, ..], an average is the mean. */
export function meanOverRows(x: Tensor, span: Span): Tensor {
  const place = x.axes.findIndex(({ name }) => name === "B");
  if (place < 0) return x;
  const axes = x.axes.filter((_, i) => i !== place);
  const sum = make("sum", [asFloat(x.node, span)], { axes: [place] }, span);
  const share = make("const", [], { value: 1 / x.axes[place]!.size, dtype: "f32" }, span);
  const wide = axes.length === 0 ? share : make("expand", [share], { shape: shape(axes), axes: [] }, span);
  return { kind: "tensor", node: make("mul", [sum, wide], {}, span), dtype: "float", axes };
}

export function asFloat(node: Node, span: Span): Node {
  return node.type.dtype === "f32" ? node : make("cast", [node], { dtype: "f32" }, span);
}

export function execEvery(c: Checker, env: Env, stmt: ast.Every): void {
  const { frame } = env;
  if (frame.kind !== "block" || frame.block?.kind !== "train" || !frame.reactions || !frame.ticks) {
    throw new UserError(
      names.outOfPlace("`every`", "outside of a `train` block", stmt.span, "put it into the body of `train`"),
    );
  }
  const count = stmt.count ? constantNumber(c, env, stmt.count, "how often") : 1;
  if (!Number.isInteger(count) || count < 1) {
    throw new UserError(names.needsConstant("how often", `${count}`, stmt.count?.span ?? stmt.span));
  }
  if (stmt.unit === "steps" && moves(stmt.body)) {
    inPlace(c, env, stmt, count);
    return;
  }
  const unit = stmt.unit === "minutes" ? "seconds" : stmt.unit;
  const onTheWall = unit === "seconds" && stmt.body.body.find(({ kind }) => kind === "commit");
  if (onTheWall) throw new UserError(errors.commitByTime(onTheWall.span));
  const actions = between(c, env, stmt.body, `r${frame.reactions.length + 1}`);
  frame.reactions.push({
    clock: { unit, every: stmt.unit === "minutes" ? count * 60 : count },
    body: actions,
    span: stmt.span,
  });
}

/** A body between ticks is a segment of its own: it sees the committed states and what it writes is there for the next tick. */
function between(c: Checker, env: Env, body: ast.Block, label: string): Action[] {
  const { frame } = env;
  const actions: Action[] = [];
  const prefix = frame.block ? `${frame.block.name}.` : "";
  const build = c.newBuild(`${prefix}${label}${c.replaying ? ".short" : ""}`, "reaction", frame.block);
  actions.push({ kind: "compute", segment: build.segment });
  c.within(build, () => {
    const scope = child(env.scope);
    reread(c, env.scope, scope);
    const inner: Frame = {
      ...frame,
      kind: "reaction",
      training: false,
      actions,
      reactions: undefined,
      ticks: undefined,
    };
    runStatements(c, { scope, frame: inner }, body.body);
  });
  return actions;
}

function moves(block: ast.Block): boolean {
  return block.body.some((s) => s.kind === "minimize" || s.kind === "commit" || s.kind === "repeat");
}

/** A segment of the tick that runs on steps n, 2n, …; what follows is a segment of its own. */
function inPlace(c: Checker, env: Env, stmt: ast.Every, count: number): void {
  const { frame } = env;
  const block = frame.block!;
  const outer = frame.ticks!;
  const ticks: Ticks = { ...outer, every: count };
  const from = begin(c);
  carryOn(c, newTick(c, block, ticks), from);
  reread(c, env.scope);
  const actions: Action[] = [];
  runStatements(c, { scope: child(env.scope), frame: { ...frame, actions, ticks } }, stmt.body.body);
  if (actions.length > 0) {
    frame.reactions!.push({ clock: { unit: "steps", every: count }, body: actions, span: stmt.span });
  }
  carryOn(c, newTick(c, block, outer), from);
  reread(c, env.scope);
}

/** The segment that is open before others, and how many there are. */
export interface Begun {
  readonly before: Build;
  readonly builds: number;
}
export function begin(c: Checker): Begun {
  return { before: c.build, builds: c.builds.length };
}

/** Slots that nothing has moved since are read as they were read then. */
export function carryOn(c: Checker, next: Build, { before, builds }: Begun): void {
  const since = [before, ...c.builds.slice(builds)];
  c.switchTo(next);
  for (const [path, node] of before.state) {
    if (since.every(({ dirty }) => !dirty.has(path))) next.state.set(path, node);
  }
}

/** States that are in scope, as the open segment finds them in their slots; in their places, or all in one scope. */
export function reread(c: Checker, scope: Scope, into?: Scope): void {
  for (let s: Scope | undefined = scope; s; s = s.parent) {
    for (const [name, binding] of s.names) {
      const { role, value } = binding;
      if (role?.kind !== "state" || value.kind !== "tensor" || into?.names.has(name)) continue;
      (into ?? s).names.set(name, { ...binding, value: { ...value, node: c.read(role.path) } });
    }
  }
}

export function execWhen(c: Checker, env: Env, stmt: ast.Stmt & { kind: "when" }): void {
  const { kind } = env.frame;
  if (kind !== "block" && kind !== "reaction" && kind !== "top") {
    throw new UserError(names.outOfPlace("`when`", "here", stmt.span, "put it into a block; inside a model use `if`"));
  }
  const cond = evaluate(c, env, stmt.cond);
  if (cond.kind === "broken") return;
  const inner = { scope: child(env.scope), frame: { ...env.frame, actions: [] as Action[] } };
  if (cond.kind === "bool") {
    if (cond.value) runStatements(c, { scope: inner.scope, frame: env.frame }, stmt.body.body);
    return;
  }
  const tensor = toTensor(cond, atOf(c, env, stmt.cond.span));
  if (tensor.axes.length > 0 || tensor.dtype !== "bool")
    throw new UserError(errors.notACondition(typeText(tensor), stmt.cond.span));
  if (kind !== "top") refuseChoice(c, tensor.node, stmt);
  if (kind === "block" && !dependsOnHost(tensor.node)) {
    c.build.segment.outputs.push({ node: tensor.node, role: { kind: "halt" } });
  }
  const node = hostNode(c, env, tensor.node, stmt.cond.span);
  if (kind !== "top" && moves(stmt.body)) {
    const number = (env.frame.ordinals.get("when") ?? 0) + 1;
    env.frame.ordinals.set("when", number);
    const body = between(c, env, stmt.body, `when${number}`);
    env.frame.actions.push({ kind: "when", cond: node, body, span: stmt.span });
    return;
  }
  runStatements(c, inner, stmt.body.body);
  env.frame.actions.push({ kind: "when", cond: node, body: inner.frame.actions, span: stmt.span });
}
