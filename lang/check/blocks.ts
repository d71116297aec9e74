/**
 * `train` and `eval` blocks: what one tick computes (for the full batch and for the last short one), the metrics that
 * fold over it, and the reactions between ticks.
 */
import { Reported, UserError } from "../diagnostic.ts";
import * as errors from "../errors/blocks.ts";
import * as names from "../errors/names.ts";
import type { Action, Batches, Reaction, Segment, Train } from "../program.ts";
import type * as ast from "../syntax/ast.ts";
import { typeText } from "./axes.ts";
import { bindFields, fieldNames } from "./data.ts";
import { constantNumber, define, evaluate } from "./expr.ts";
import { withoutRun } from "./models.ts";
import { patternNames } from "../syntax/defined.ts";
import { runStatements } from "./statements.ts";
import type { BlockBuild, Build, Checker, Env, Frame, Host, Ticks } from "./state.ts";
import { child, scalarInput } from "./state.ts";
import type { Paths } from "./trained.ts";
import { trainedPaths } from "./trained.ts";
import type { Dataset, Value } from "./values.ts";

interface Pass {
  readonly ticks: Ticks;
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
  const block = newBlock(c, env, label, "train", trainedPaths(c, env, stmt.body), data);
  const { reactions, ...walked } = walkBlock(c, env, stmt, block, data);
  env.frame.actions.push({ kind: "train", ...walked, limit, reactions });
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
  const whole = unit === "epochs" || unit === "steps";
  if (!(count > 0) || (whole && !Number.isInteger(count))) {
    const wanted = whole ? `the number of ${unit} (1 or more)` : "how long to train (more than 0)";
    throw new UserError(names.needsConstant(wanted, String(count), stmt.limit.count.span));
  }
  if (unit === "minutes") return { unit: "seconds", count: count * 60 };
  if (unit === "hours") return { unit: "seconds", count: count * 3600 };
  return { unit, count };
}

// ---------------------------------------------------------------- eval

export function execEval(c: Checker, env: Env, stmt: ast.Eval): void {
  const { kind } = env.frame;
  if (kind !== "top" && kind !== "reaction" && kind !== "test") {
    throw new UserError(
      names.outOfPlace(
        "`eval`",
        "on the step clock",
        stmt.span,
        "put it into `every epoch { }` or after the `train` block",
      ),
    );
  }
  const label = stmt.name?.text ?? blockLabel(c, env, "eval");
  if (c.replaying) {
    const known = c.evalMetrics.get(stmt);
    if (known && stmt.name) define(c, env.scope, stmt.name, known);
    return;
  }
  const data = stmt.source ? batchSource(c, env, stmt.source, label) : undefined;
  const block = newBlock(c, env, label, "eval", [], data);
  const { reactions: _none, ...walked } = walkBlock(c, env, stmt, block, data);
  env.frame.actions.push({ kind: "eval", ...walked });
  finishBlock(c, env, block, stmt.name, stmt);
}

function finishBlock(c: Checker, env: Env, block: BlockBuild, name: ast.Name | undefined, stmt?: ast.Eval): void {
  // After a mistake in the body its metrics are not all there; what reads them is not to blame.
  const failed = c.diagnostics.length > block.reported || block.unknown;
  const value: Value = failed
    ? { kind: "broken" }
    : { kind: "block", name: block.name, metrics: new Set(block.report.keys()), axes: block.axes };
  if (stmt) c.evalMetrics.set(stmt, value);
  if (name) define(c, env.scope, name, value);
}

// ---------------------------------------------------------------- one pass over the body

/** The body of a block, for the full batch and for the last short one: what the two kinds of block share. */
function walkBlock(
  c: Checker,
  env: Env,
  stmt: ast.Train | ast.Eval,
  block: BlockBuild,
  data: Dataset | undefined,
): Omit<Train, "kind" | "limit"> {
  const host: Host = { path: block.name, children: new Map() };
  const sizes = data ? batchSizes(c, data) : { full: 1, short: 0 };
  const pass = (size: number): Pass =>
    runPass(c, env, block, host, stmt.source, data, size, stmt.body, stmt.kind === "train");
  const full = pass(sizes.full);
  const short = hasShort(c, block, sizes.short) ? again(c, block, () => pass(sizes.short)) : undefined;
  return {
    name: block.name,
    data: data ? batchesOf(data, stmt.source!) : undefined,
    step: full.ticks.parts,
    short: short?.ticks.parts,
    folds: [...block.folds.values()],
    report: [...block.report].map(([name, value]) => ({ name, value })),
    watches: block.watches,
    sinks: full.actions,
    reactions: full.reactions,
    span: stmt.span,
  };
}

function newBlock(
  c: Checker,
  env: Env,
  label: string,
  kind: BlockBuild["kind"],
  trained: Paths | [],
  data: Dataset | undefined,
): BlockBuild {
  const prefix = c.run === 0 ? "" : `run${c.run}.`;
  let name = prefix + label;
  for (let i = 2; c.blockNames.has(name); i++) name = `${prefix}${label}_${i}`;
  c.blockNames.add(name);
  return {
    name,
    kind,
    rows: data ? rowsOfPass(data) : -1,
    folds: new Map(),
    measured: new Set(),
    foldOf: new Map(),
    fetched: new Map(),
    watches: [],
    report: new Map(),
    axes: new Map(),
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
  const ticks: Ticks = { prefix: block.name + (c.replaying ? ".short" : ""), parts: [], loops: [], scope };
  const pass: Pass = { ticks, actions: [], reactions: [] };
  const first = newTick(c, block, ticks);
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
      ticks,
    };
    const inner: Env = { scope, frame };
    if (source && data) bindFields(c, inner, source, data, size);
    runStatements(c, inner, body.body);
  });
  return pass;
}

export function newTick(c: Checker, block: BlockBuild, ticks: Ticks): Build {
  const { prefix, parts, every } = ticks;
  const number = parts.length + 1;
  const suffix = every === undefined ? (number === 1 ? "" : `.${number}`) : `.every${every}_${number}`;
  const build = c.newBuild(prefix + suffix, "tick", block, ticks);
  parts.push({ every, segment: build.segment as Segment });
  return build;
}

/** A mistake in the full batch would only be told twice. */
export function hasShort(c: Checker, block: BlockBuild, rows: number): boolean {
  return rows > 0 && c.diagnostics.length === block.reported;
}

/** What a block had measured and moved before a part of its body. */
export interface Counts {
  readonly fetches: number;
  readonly minimizes: number;
  readonly measured: readonly string[];
}

export const countsOf = ({ fetches, minimizes, measured }: BlockBuild): Counts => ({
  fetches,
  minimizes,
  measured: [...measured],
});

const NONE: Counts = { fetches: 0, minimizes: 0, measured: [] };

/**
 * The same body for the last short batch: the same names, draws and metrics in a second, smaller graph. `from`: as it was
 * before the body.
 */
export function again<T>(c: Checker, block: BlockBuild, run: () => T, from = NONE): T {
  const { watches } = block;
  const kept = watches.length;
  block.fetches = from.fetches;
  block.minimizes = from.minimizes;
  block.measured.clear();
  for (const name of from.measured) block.measured.add(name);
  block.foldOf.clear();
  block.fetched.clear();
  const outer = c.replaying;
  c.replaying = true;
  try {
    return run();
  } finally {
    c.replaying = outer;
    watches.length = kept;
  }
}

function rowsOfPass(data: Dataset): number {
  const { size, dropLast } = data.batch!;
  return dropLast && data.rows >= 0 ? data.rows - (data.rows % size) : data.rows;
}

export function batchSizes(c: Checker, data: Dataset): { full: number; short: number } {
  if (c.settings.given !== undefined) return { full: c.settings.given, short: 0 };
  const { size, dropLast } = data.batch!;
  if (data.rows < 0) return { full: size, short: 0 };
  if (data.rows < size && !dropLast) return { full: data.rows, short: 0 };
  return { full: size, short: dropLast ? 0 : data.rows % size };
}

export function batchSource(c: Checker, env: Env, source: ast.Source, label: string): Dataset {
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

export function batchesOf(data: Dataset, source: ast.Source): Batches {
  const { size, dropLast } = data.batch!;
  const full = data.rows >= 0 && data.rows < size ? data.rows : size;
  const used = fieldNames(
    data,
    patternNames(source.fields).map((n) => n.text),
  );
  return { plan: data.plan, size: full, dropLast, rows: data.rows, fields: used };
}

function blockLabel(c: Checker, env: Env, base: string): string {
  const count = (env.frame.ordinals.get(base) ?? 0) + 1;
  env.frame.ordinals.set(base, count);
  return `${base}${count}`;
}
