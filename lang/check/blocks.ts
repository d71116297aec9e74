/**
 * `train` and `eval` blocks: what one tick computes (for the full batch and for the last short one), the metrics that
 * fold over it, and the reactions between ticks.
 */
import { Reported, UserError } from "../diagnostic.ts";
import * as errors from "../errors/blocks.ts";
import * as names from "../errors/names.ts";
import { make } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Action, Batches, Eval, Reaction, Segment, TickSegment, Train } from "../program.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { toTensor } from "./arith.ts";
import { typeText } from "./axes.ts";
import { bindFields, fieldNames } from "./data.ts";
import { constantNumber, define, evaluate } from "./expr.ts";
import { atOf } from "./hooks.ts";
import { dependsOnHost, foldOf, hostNode } from "./host.ts";
import { withoutRun } from "./models.ts";
import { patternNames, runStatements } from "./statements.ts";
import type { BlockBuild, Build, Checker, Env, Frame, Host } from "./state.ts";
import { callSite, child, scalarInput } from "./state.ts";
import type { Dataset, Instance, Value } from "./values.ts";

interface Pass {
  readonly ticks: TickSegment[];
  readonly actions: Action[];
  readonly reactions: Reaction[];
}

// ---------------------------------------------------------------- train

export function execTrain(c: Checker, env: Env, stmt: ast.Train): void {
  if (env.frame.kind !== "top") {
    throw new UserError(names.outOfPlace("`train`", "inside a block", stmt.span, "move it to the top level"));
  }
  const label = stmt.name?.text ?? blockLabel(c, env, "train");
  const data = stmt.source ? batchSource(c, env, stmt.source, label) : undefined;
  const limit = limitOf(c, env, stmt, data !== undefined);
  const block = newBlock(c, env, label, "train", trainedPaths(c, env, stmt.body));
  const host: Host = { path: block.name, children: new Map() };
  const sizes = data ? batchSizes(data) : { full: 1, short: 0 };
  const full = runPass(c, env, block, host, stmt.source, data, sizes.full, stmt.body, true);
  const short = hasShort(c, block, sizes.short) ? again(c, block, () => runPass(c, env, block, host, stmt.source, data, sizes.short, stmt.body, true)) : undefined;
  const train: Train = {
    kind: "train",
    name: block.name,
    data: data ? batchesOf(data, stmt.source!) : undefined,
    limit,
    step: full.ticks,
    short: short?.ticks,
    folds: [...block.folds.values()],
    report: [...block.report].map(([name, value]) => ({ name, value })),
    watches: block.watches,
    sinks: full.actions,
    reactions: full.reactions,
    span: stmt.span,
  };
  env.frame.actions.push(train);
  c.openTop(env.frame.actions);
  finishBlock(c, env, block, stmt.name);
}

function limitOf(c: Checker, env: Env, stmt: ast.Train, hasSource: boolean): Train["limit"] {
  if (!stmt.limit) {
    if (hasSource) return { unit: "epochs", count: 1 };
    throw new UserError(errors.noLimit(stmt.span));
  }
  const count = constantNumber(c, env, stmt.limit.count, "how long to train");
  const unit = stmt.limit.unit;
  if (unit === "epochs" && !hasSource) throw new UserError(errors.epochsWithoutData(stmt.limit.span));
  if (unit === "minutes") return { unit: "seconds", count: count * 60 };
  if (unit === "hours") return { unit: "seconds", count: count * 3600 };
  return { unit, count };
}

// ---------------------------------------------------------------- eval

export function execEval(c: Checker, env: Env, stmt: ast.Eval): void {
  const { kind } = env.frame;
  if (kind !== "top" && kind !== "reaction" && kind !== "test") {
    throw new UserError(
      names.outOfPlace("`eval`", "on the step clock", stmt.span, "put it into `every epoch { }` or after the `train` block"),
    );
  }
  const label = stmt.name?.text ?? blockLabel(c, env, "eval");
  if (c.replaying) {
    const known = c.evalMetrics.get(stmt);
    if (known && stmt.name) define(c, env.scope, stmt.name, known);
    return;
  }
  const data = stmt.source ? batchSource(c, env, stmt.source, label) : undefined;
  const block = newBlock(c, env, label, "eval", []);
  const host: Host = { path: block.name, children: new Map() };
  const sizes = data ? batchSizes(data) : { full: 1, short: 0 };
  const full = runPass(c, env, block, host, stmt.source, data, sizes.full, stmt.body, false);
  const short = hasShort(c, block, sizes.short) ? again(c, block, () => runPass(c, env, block, host, stmt.source, data, sizes.short, stmt.body, false)) : undefined;
  const result: Eval = {
    kind: "eval",
    name: block.name,
    data: data ? batchesOf(data, stmt.source!) : undefined,
    step: full.ticks,
    short: short?.ticks,
    folds: [...block.folds.values()],
    report: [...block.report].map(([name, value]) => ({ name, value })),
    watches: block.watches,
    sinks: full.actions,
    span: stmt.span,
  };
  env.frame.actions.push(result);
  finishBlock(c, env, block, stmt.name, stmt);
}

function finishBlock(c: Checker, env: Env, block: BlockBuild, name: ast.Name | undefined, stmt?: ast.Eval): void {
  // After a mistake in the body its metrics are not all there; what reads them is not to blame.
  const failed = c.diagnostics.length > block.reported || block.unknown;
  const value: Value = failed ? { kind: "broken" } : { kind: "block", name: block.name, metrics: new Set(block.report.keys()) };
  if (stmt) c.evalMetrics.set(stmt, value);
  if (name) define(c, env.scope, name, value);
}

// ---------------------------------------------------------------- one pass over the body

function newBlock(c: Checker, env: Env, label: string, kind: BlockBuild["kind"], trained: Paths | []): BlockBuild {
  const prefix = c.run === 0 ? "" : `run${c.run}.`;
  let name = prefix + label;
  for (let i = 2; c.blockNames.has(name); i++) name = `${prefix}${label}_${i}`;
  c.blockNames.add(name);
  return {
    name,
    kind,
    folds: new Map(),
    foldOf: new Map(),
    watches: [],
    report: new Map(),
    fetches: 0,
    minimizes: 0,
    unknown: false,
    reported: c.diagnostics.length,
    trained: "over" in trained ? trained.over : [],
    excluded: "over" in trained ? trained.except : [],
  };
}

function runPass(
  c: Checker,
  env: Env,
  block: BlockBuild,
  host: Host,
  source: ast.Source | undefined,
  data: Dataset | undefined,
  size: number,
  body: ast.Block,
  training: boolean,
): Pass {
  const scope = child(env.scope);
  const pass: Pass = { ticks: [], actions: [], reactions: [] };
  const first = newTick(c, block, pass);
  c.within(first, () => {
    const frame: Frame = {
      kind: "block",
      training,
      site: { path: `${env.frame.site.path}/${withoutRun(block.name)}`, counts: new Map() },
      host,
      ordinals: new Map(),
      keys: [scalarInput("seed", "u32"), scalarInput("tick", "u32")],
      block,
      actions: pass.actions,
      reactions: pass.reactions,
      ticks: pass.ticks,
    };
    const inner: Env = { scope, frame };
    if (source && data) bindFields(c, inner, source, data, size);
    runStatements(c, inner, body.body);
  });
  return pass;
}

function newTick(c: Checker, block: BlockBuild, pass: Pick<Pass, "ticks">, every?: number): Build {
  const number = pass.ticks.length;
  const suffix = (c.replaying ? ".short" : "") + (number === 0 ? "" : every === undefined ? `.${number + 1}` : `.every${every}_${number + 1}`);
  const build = c.newBuild(block.name + suffix, "tick", block);
  pass.ticks.push({ every, segment: build.segment as Segment });
  return build;
}

/** A mistake in the full batch would only be told twice. */
function hasShort(c: Checker, block: BlockBuild, rows: number): boolean {
  return rows > 0 && c.diagnostics.length === block.reported;
}

/** The same body for the last short batch: the same names, draws and metrics in a second, smaller graph. */
function again(c: Checker, block: BlockBuild, run: () => Pass): Pass {
  const { watches } = block;
  const kept = watches.length;
  block.fetches = 0;
  block.minimizes = 0;
  block.foldOf.clear();
  const outer = c.replaying;
  c.replaying = true;
  try {
    return run();
  } finally {
    c.replaying = outer;
    watches.length = kept;
  }
}

function batchSizes(data: Dataset): { full: number; short: number } {
  const { size, dropLast } = data.batch!;
  if (data.rows < 0) return { full: size, short: 0 };
  if (data.rows < size && !dropLast) return { full: data.rows, short: 0 };
  return { full: size, short: dropLast ? 0 : data.rows % size };
}

function batchSource(c: Checker, env: Env, source: ast.Source, label: string): Dataset {
  const site = { path: `${env.frame.site.path}/${label}`, counts: new Map<string, number>() };
  const value = evaluate(c, { scope: env.scope, frame: { ...env.frame, site } }, source.value);
  if (value.kind === "broken") throw new Reported();
  if (value.kind !== "dataset") throw new UserError(errors.notData(typeText(value), source.value.span));
  if (!value.batch) throw new UserError(errors.notBatched(source.value.span));
  if (value.rows >= 0 && value.batch.dropLast && value.rows < value.batch.size) {
    throw new UserError(errors.batchTooLarge(value.batch.size, value.rows, source.value.span));
  }
  return value;
}

function batchesOf(data: Dataset, source: ast.Source): Batches {
  const { size, dropLast } = data.batch!;
  const full = data.rows >= 0 && data.rows < size ? data.rows : size;
  const used = fieldNames(data, patternNames(source.fields).map((n) => n.text));
  return { plan: data.plan, size: full, dropLast, rows: data.rows, fields: used };
}

function blockLabel(c: Checker, env: Env, base: string): string {
  const count = (env.frame.ordinals.get(base) ?? 0) + 1;
  env.frame.ordinals.set(base, count);
  return `${base}${count}`;
}

// ---------------------------------------------------------------- what a block trains

interface Paths {
  readonly over: string[];
  readonly except: string[];
}

/** Looks ahead for `over P except Q` and `grad(y, P)`, where P is named outside of the body. */
function trainedPaths(c: Checker, env: Env, body: ast.Block): Paths {
  const paths: Paths = { over: [], except: [] };
  const add = (e: ast.Expr, into: string[]): void => {
    const value = quietly(c, env, e);
    if (value) into.push(...instancePaths(value));
  };
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      value.forEach(visit);
      return;
    }
    if (value === null || typeof value !== "object") return;
    const node = value as { kind?: string };
    if (node.kind === "minimize") {
      const m = value as ast.Minimize;
      add(m.over, paths.over);
      if (m.except) add(m.except, paths.except);
    }
    if (node.kind === "call") {
      const call = value as ast.Call;
      if (call.callee.kind === "name" && call.callee.text === "grad" && call.args[1]) add(call.args[1].value, paths.over);
    }
    for (const [key, part] of Object.entries(value)) if (key !== "span") visit(part);
  };
  visit(body);
  return paths;
}

/** The value of a name, member, tuple or list of them; nothing else is evaluated ahead of its place. */
function quietly(c: Checker, env: Env, e: ast.Expr): Value | undefined {
  if (e.kind !== "name" && e.kind !== "member" && e.kind !== "tuple" && e.kind !== "list") return undefined;
  try {
    return evaluate(c, env, e);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function instancePaths(value: Value): string[] {
  if (value.kind === "instance") return [(value as Instance).path];
  if (value.kind === "tuple" || value.kind === "list") return value.items.flatMap(instancePaths);
  return [];
}

// ---------------------------------------------------------------- metric, every, when

export function execMetric(c: Checker, env: Env, stmt: ast.Stmt & { kind: "metric" }): void {
  const block = env.frame.block;
  if (!block || env.frame.kind !== "block") {
    throw new UserError(
      names.outOfPlace("`metric`", "here", stmt.span, "put it into the body of `train` or `eval`, where there is a tick to measure"),
    );
  }
  const site = callSite(env.frame.site, `metric ${stmt.name.text}`);
  const value = evaluate(c, { scope: env.scope, frame: { ...env.frame, site } }, stmt.value);
  if (value.kind === "broken") {
    block.unknown = true;
    define(c, env.scope, stmt.name, value);
    return;
  }
  const tensor = toTensor(value, atOf(c, env, stmt.value.span));
  const node = dependsOnHost(tensor.node)
    ? hostNode(c, { scope: env.scope, frame: { ...env.frame, kind: "reaction" } }, tensor.node, stmt.value.span)
    : foldOf(c, block, asFloat(tensor.node, stmt.value.span), "avg");
  define(c, env.scope, stmt.name, { kind: "tensor", node, dtype: "float", axes: tensor.axes });
  if (!block.report.has(stmt.name.text)) block.report.set(stmt.name.text, node);
}

export function asFloat(node: Node, span: Span): Node {
  return node.type.dtype === "f32" ? node : make("cast", [node], { dtype: "f32" }, span);
}

export function execEvery(c: Checker, env: Env, stmt: ast.Every): void {
  const { frame } = env;
  if (frame.kind !== "block" || frame.block?.kind !== "train" || !frame.reactions || !frame.ticks) {
    throw new UserError(names.outOfPlace("`every`", "outside of a `train` block", stmt.span, "put it into the body of `train`"));
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
  const actions: Action[] = [];
  const build = c.newBuild(`${frame.block.name}.r${frame.reactions.length + 1}${c.replaying ? ".short" : ""}`, "reaction", frame.block);
  actions.push({ kind: "compute", segment: build.segment });
  c.within(build, () => {
    const inner: Frame = { ...frame, kind: "reaction", training: false, actions, reactions: undefined, ticks: undefined };
    runStatements(c, { scope: child(env.scope), frame: inner }, stmt.body.body);
  });
  frame.reactions.push({
    clock: { unit, every: stmt.unit === "minutes" ? count * 60 : count },
    body: actions,
    span: stmt.span,
  });
}

function moves(block: ast.Block): boolean {
  return block.body.some((s) => s.kind === "minimize" || s.kind === "commit" || s.kind === "repeat");
}

/** A segment of the tick that runs on steps n, 2n, …; what follows is a segment of its own. */
function inPlace(c: Checker, env: Env, stmt: ast.Every, count: number): void {
  const { frame } = env;
  const block = frame.block!;
  const pass = { ticks: frame.ticks! };
  carryOn(c, newTick(c, block, pass, count));
  const actions: Action[] = [];
  runStatements(c, { scope: child(env.scope), frame: { ...frame, actions } }, stmt.body.body);
  if (actions.length > 0) {
    frame.reactions!.push({ clock: { unit: "steps", every: count }, body: actions, span: stmt.span });
  }
  carryOn(c, newTick(c, block, pass));
}

/** Slots that no segment of the tick has moved yet are read as they were read before. */
function carryOn(c: Checker, next: Build): void {
  const before = c.build;
  c.switchTo(next);
  for (const [path, node] of before.state) if (!before.dirty.has(path)) next.state.set(path, node);
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
  if (tensor.axes.length > 0 || tensor.dtype !== "bool") throw new UserError(errors.notACondition(typeText(tensor), stmt.cond.span));
  if (kind === "block" && !dependsOnHost(tensor.node)) {
    c.build.segment.outputs.push({ node: tensor.node, role: { kind: "halt" } });
  }
  const node = hostNode(c, env, tensor.node, stmt.cond.span);
  runStatements(c, inner, stmt.body.body);
  env.frame.actions.push({ kind: "when", cond: node, body: inner.frame.actions, span: stmt.span });
}

