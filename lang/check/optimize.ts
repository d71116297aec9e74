/** `minimize`: the gradient of a loss, the stages of an optimizer, and the new versions of params and slots. */
import { Reported, UserError } from "../diagnostic.ts";
import { notACondition } from "../errors/blocks.ts";
import { gradientNeedsScalar, lossNotFloat } from "../errors/gradients.ts";
import * as errors from "../errors/minimize.ts";
import * as names from "../errors/names.ts";
import { fromCall, gradient, make } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { toTensor } from "./arith.ts";
import { typeText } from "./axes.ts";
import { inCall, unknown } from "./call.ts";
import { spread } from "./constants.ts";
import { evaluate } from "./expr.ts";
import { atOf, paramsOf } from "./hooks.ts";
import { dependsOnHost } from "./host.ts";
import { lossScale, sumOfSquares } from "./mixed.ts";
import { addSlot, withoutRun } from "./models.ts";
import { refuseFit } from "./splits.ts";
import { runStatements } from "./statements.ts";
import type { Checker, Env, Frame } from "./state.ts";
import { callSite, child, homeOf, lookup } from "./state.ts";
import type { Bundle, OptimizerV, Tensor, Value } from "./values.ts";

export function execMinimize(c: Checker, env: Env, stmt: ast.Minimize): void {
  const block = env.frame.block!;
  const given = givenGradient(env, stmt.loss);
  const value = evaluate(c, env, given?.g ?? stmt.loss);
  const opt = evaluate(c, env, stmt.with);
  const over = evaluate(c, env, stmt.over);
  if (value.kind === "broken" || opt.kind === "broken" || over.kind === "broken") return void unknown(c, over);
  if (opt.kind === "optimizer") throw new UserError(names.modelWithoutCall(opt.name, stmt.with.span, "an optimizer"));
  if (opt.kind !== "stages")
    throw new UserError(
      names.wrongValue("`with`", "an optimizer", typeText(opt), stmt.with.span, "write `with Adam(1e-3)`"),
    );
  const params = chosenParams(c, env, stmt, over);
  const path = `${block.name}.min${++block.minimizes}`;
  const { g, ok, checked, what } = given
    ? follow(c, env, value, given, params, stmt)
    : descend(c, env, value, params, path, stmt);
  c.settings.hears?.gradients(c, g);
  const asked = stmt.if ? condition(c, env, stmt.if).node : undefined;
  const before = new Map<string, Node>();
  fromCall("optimizer", path, stmt.span, () => {
    c.inFullPrecision(() => runStages(c, env, path, opt, params, g, before, stmt));
    const held = asked && ok ? make("and", [asked, ok], {}, stmt.span) : (asked ?? ok);
    if (held) keepUnless(c, held, before, stmt.span);
  });
  c.build.segment.outputs.push({
    node: asked ? whereHeld(asked, checked) : checked,
    role: { kind: "finite", what, span: stmt.loss.span },
  });
}

/** What moves the params, and what must be finite for it. */
interface Direction {
  readonly g: Bundle;
  /** Absent where every step counts. */
  readonly ok?: Node;
  readonly checked: Node;
  readonly what: string;
}

/** `minimize loss`: its gradient. */
function descend(c: Checker, env: Env, value: Value, params: Bundle, path: string, stmt: ast.Minimize): Direction {
  const loss = toTensor(value, atOf(c, env, stmt.loss.span));
  if (loss.axes.length > 0) throw new UserError(gradientNeedsScalar(typeText(loss), stmt.loss.span));
  if (loss.dtype !== "float") throw new UserError(lossNotFloat(typeText(loss), stmt.loss.span));
  refuseFit(c, "minimize", loss, stmt.loss.span);
  if (dependsOnHost(loss.node)) throw new UserError(names.metricFeedsBack(stmt.loss.span));
  const fresh = checkFresh(c, loss.node, params, stmt);
  const leaves = [...params.leaves.values()];
  const scale = c.mixed ? lossScale(c, env.frame.block!, path, atOf(c, env, stmt.span)) : undefined;
  const nodes = leaves.map((leaf) => leaf.node);
  const plain = c.settings.seen ? likeGradients(loss.node, nodes) : gradient(loss.node, nodes, scale?.seed);
  if (!fresh && c.ownerOf(loss.node)?.kind === "top") throw new UserError(errors.snapshot(stmt.loss.span, true));
  if (!fresh) throw new UserError(errors.nothingToMove(stmt.over.span, "the loss does not depend on these params"));
  const { gradients, ok, checked } = scale?.close(plain, loss.node) ?? { gradients: plain, checked: loss.node };
  const paths = [...params.leaves.keys()];
  const g: Bundle = {
    kind: "bundle",
    leaves: new Map(paths.map((path, i) => [path, { ...leaves[i]!, node: gradients[i]! } as Tensor])),
  };
  return { g, ok, checked, what: sourceName(stmt.loss) };
}

/** Who only listens wants the types of gradients, and that they depend on all that the loss depends on. */
function likeGradients(loss: Node, xs: readonly Node[]): Node[] {
  return xs.map((x) => make("expand", [loss], { shape: x.type.shape, axes: [] }));
}

interface Given {
  readonly g: ast.Expr;
  readonly of: ast.Expr;
}

/** `minimize along(g, net)`: the written form of a gradient that is there already. */
function givenGradient(env: Env, e: ast.Expr): Given | undefined {
  if (e.kind !== "call" || e.callee.kind !== "name" || e.callee.text !== "along") return undefined;
  if (lookup(env.scope, "along")) return undefined;
  const [g, of, more] = e.args;
  if (!g || !of) throw new UserError(names.missingArgument("along", g ? "net" : "g", e.span));
  if (more) throw new UserError(names.tooManyArguments("along", 2, more.value.span, ["g", "net"]));
  return { g: g.value, of: of.value };
}

/** A given gradient, of a model or a bundle: leaves go by their paths. */
function follow(c: Checker, env: Env, value: Value, given: Given, params: Bundle, stmt: ast.Minimize): Direction {
  const of = evaluate(c, env, given.of);
  if (of.kind === "broken") throw new Reported();
  const known = paramsOf(c, of, given.of.span);
  if (value.kind !== "bundle")
    throw new UserError(
      names.wrongValue(
        "`along`",
        "a gradient",
        typeText(value),
        given.g.span,
        "write `let g = grad(loss, net)`, then `along(g, net)`",
      ),
    );
  const leaves = new Map<string, Tensor>();
  const order = [...value.leaves.values()];
  [...known.leaves].forEach(([path, param], i) => {
    const leaf = value.leaves.get(path) ?? order[i];
    if (!leaf || leaf.node.type.shape.join() !== param.node.type.shape.join())
      throw new UserError(names.carryChanges(path, typeText(param), leaf ? typeText(leaf) : "nothing", given.g.span));
    leaves.set(path, leaf);
  });
  for (const path of params.leaves.keys()) {
    if (leaves.has(path)) continue;
    throw new UserError(errors.nothingToMove(stmt.over.span, `\`along\` has no gradient for \`${path}\``));
  }
  const g: Bundle = {
    kind: "bundle",
    leaves: new Map([...params.leaves.keys()].map((path) => [path, leaves.get(path)!])),
  };
  for (const { node } of g.leaves.values()) checkFresh(c, node, params, stmt);
  const checked = sumOfSquares(
    [...g.leaves.values()].map((leaf) => leaf.node),
    stmt.span,
  );
  return { g, checked, what: "the gradient" };
}

function condition(c: Checker, env: Env, e: ast.Expr): Tensor {
  const cond = toTensor(evaluate(c, env, e), atOf(c, env, e.span));
  if (cond.axes.length > 0 || cond.dtype !== "bool")
    throw new UserError(notACondition(typeText(cond), e.span, "minimize … if"));
  return cond;
}

/** A loss that the condition drops need not be finite. */
function whereHeld(cond: Node, loss: Node): Node {
  const zero = make("const", [], { value: 0, dtype: "f32" }, loss.span);
  return make("select", [cond, loss, zero], {}, loss.span);
}

function sourceName(e: ast.Expr): string {
  return e.kind === "name" ? e.text : "the loss";
}

function chosenParams(c: Checker, env: Env, stmt: ast.Minimize, over: Value): Bundle {
  const all = paramsOf(c, over, stmt.over.span);
  if (all.leaves.size === 0) throw new UserError(errors.nothingToMove(stmt.over.span, "this has no params"));
  if (!stmt.except) return all;
  const except = paramsOf(c, evaluate(c, env, stmt.except), stmt.except.span);
  const leaves = new Map([...all.leaves].filter(([path]) => !except.leaves.has(path)));
  if (leaves.size === 0) throw new UserError(errors.nothingToMove(stmt.over.span, "everything is excepted"));
  return { kind: "bundle", leaves };
}

/** The loss must see the newest version of the params; says whether it depends on any of them. */
function checkFresh(c: Checker, loss: Node, params: Bundle, stmt: ast.Minimize): boolean {
  const newest = new Map([...params.leaves].map(([path, leaf]) => [path, leaf.node]));
  const current = new Set(newest.values());
  const seen = new Set<Node>();
  const stack = [loss];
  let depends = false;
  let stale: string | undefined;
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    if (current.has(node)) {
      depends = true;
      continue;
    }
    const isState = node.op === "input" && node.attrs.source === "state";
    const path = isState ? String(node.attrs.name) : c.versions.get(node);
    if (path !== undefined && newest.has(path) && isVersion(c, node)) stale ??= path;
    // What a gradient does not pass may be as old as it likes.
    if (node.op !== "stop") stack.push(...node.inputs);
  }
  if (stale !== undefined) throw new UserError(errors.staleLoss(stmt.loss.span, c.movedAt.get(stale)));
  return depends;
}

/** A snapshot from outside of the block is a constant in it; only versions of this tick can be stale. */
function isVersion(c: Checker, node: Node): boolean {
  const owner = c.ownerOf(node);
  return owner !== undefined && owner.kind === "tick" && owner.block === c.build.block;
}

/** A param is a variable of its own from here on: no gradient passes through the move. */
export function moveParam(c: Checker, path: string, node: Node, span: Span): void {
  const version = make("stop", [node], {}, span);
  c.versions.set(version, path);
  c.movedAt.set(path, span);
  c.write(path, version);
}

function runStages(
  c: Checker,
  env: Env,
  path: string,
  opt: OptimizerV,
  params: Bundle,
  gradients: Bundle,
  before: Map<string, Node>,
  stmt: ast.Minimize,
): void {
  const { span } = stmt;
  const few = c.settings.seen && opt.stages.every((s) => isOfLibrary(s.decl)) ? oneOfEachShape(params) : undefined;
  let p: Value = few ? few.some(params) : params;
  let g: Value = few ? few.some(gradients) : gradients;
  const used = new Map<string, number>();
  for (const stage of opt.stages) {
    const count = (used.get(stage.decl.name) ?? 0) + 1;
    used.set(stage.decl.name, count);
    const stagePath = `${path}.${stage.decl.name}${count > 1 ? count : ""}`;
    const scope = child(stage.decl.scope);
    for (const [name, value] of stage.args) scope.names.set(name, { value, span });
    const [pName, gName] = stage.decl.decl.params;
    if (!pName || !gName) throw new UserError(names.missingArgument(stage.decl.name, "g", stage.decl.decl.span));
    scope.names.set(pName.name.text, { value: p, span, role: { kind: "stage" } });
    scope.names.set(gName.name.text, { value: g, span, role: { kind: "stage" } });
    const frame: Frame = {
      ...env.frame,
      kind: "optimizer",
      site: callSite(env.frame.site, withoutRun(stagePath)),
      host: undefined,
      ordinals: new Map(),
    };
    const { name, decl } = stage.decl;
    const over = few?.some(params) ?? params;
    inCall(c, name, decl, stmt.with.span, () =>
      fromCall("optimizer", stagePath, stmt.with.span, () =>
        runOptimizerBody(c, { scope, frame }, decl.body.body, stagePath, over, before),
      ),
    );
    p = scope.names.get(pName.name.text)!.value;
    g = scope.names.get(gName.name.text)!.value;
  }
  if (p.kind === "broken") throw new Reported();
  if (p.kind !== "bundle")
    throw new UserError(
      names.wrongValue(
        "`p <-`",
        "new params",
        typeText(p),
        span,
        "write a value for each leaf, as in `p <- p - lr * g`",
      ),
    );
  for (const [leafPath, leaf] of few ? few.all(p) : p.leaves) {
    if (!before.has(leafPath)) before.set(leafPath, c.read(leafPath));
    moveParam(c, leafPath, leaf.node, span);
  }
}

const isOfLibrary = (decl: { readonly decl: ast.Optimizer }): boolean => decl.decl.span.file.startsWith("stdlib/");

/**
 * Who only listens hears nothing from inside the optimizers of the library, which treat equal shapes alike: one leaf of
 * each shape stands for the others.
 */
function oneOfEachShape(params: Bundle): {
  readonly some: (of: Bundle) => Bundle;
  readonly all: (of: Bundle) => (readonly [string, Tensor])[];
} {
  const firsts = new Map<string, string>();
  const standsFor = [...params.leaves].map(([path, { node }]): readonly [string, string] => {
    const key = node.type.shape.join();
    const first = firsts.get(key) ?? path;
    firsts.set(key, first);
    return [path, first];
  });
  const chosen = new Set(firsts.values());
  return {
    some: (of) => ({ ...of, leaves: new Map([...of.leaves].filter(([path]) => chosen.has(path))) }),
    all: (of) => standsFor.map(([path, first]) => [path, of.leaves.get(first)!]),
  };
}

function writeVersion(c: Checker, path: string, node: Node, before: Map<string, Node>): void {
  if (!before.has(path)) before.set(path, c.read(path));
  c.write(path, node);
}

/** The body of an optimizer: `state` may hold a bundle, one slot for each leaf. */
function runOptimizerBody(
  c: Checker,
  env: Env,
  body: readonly ast.Stmt[],
  path: string,
  params: Bundle,
  before: Map<string, Node>,
  states: Set<string> = new Set(),
): void {
  for (const stmt of body) {
    if (stmt.kind === "state") {
      const name = stmt.name.text;
      const init = stmt.value;
      if (!init) throw new UserError(names.stateWithoutInit(name, stmt.span));
      env.scope.names.set(name, {
        value: optimizerState(c, env, `${path}.${name}`, init, params, stmt.span),
        span: stmt.name.span,
        role: { kind: "stage" },
      });
      states.add(name);
    } else if (stmt.kind === "commit" && stmt.target.kind === "name" && states.has(stmt.target.text)) {
      const name = stmt.target.text;
      const binding = env.scope.names.get(name)!;
      const value = asState(c, env, binding.value, evaluate(c, env, stmt.value), stmt);
      homeOf(env.scope, name)!.names.set(name, { ...binding, value });
      if (value.kind === "bundle") {
        for (const [leaf, t] of value.leaves) writeVersion(c, `${path}.${name}.${leaf}`, t.node, before);
      } else if (value.kind === "tensor") writeVersion(c, `${path}.${name}`, value.node, before);
    } else if (stmt.kind === "expr" && stmt.value.kind === "if") {
      const branch = chosenBranch(c, env, stmt.value);
      if (branch) runOptimizerBody(c, env, branch.body, path, params, before, states);
    } else runStatements(c, env, [stmt]);
  }
}

/** `if` in an optimizer picks by its settings, so that a state exists only where it is used. */
function chosenBranch(c: Checker, env: Env, e: ast.If): ast.Block | undefined {
  const cond = evaluate(c, env, e.cond);
  if (cond.kind !== "bool") {
    throw new UserError(names.needsConstant("the condition of an `if` in an optimizer", typeText(cond), e.cond.span));
  }
  if (cond.value) return e.then;
  return e.else?.kind === "if" ? chosenBranch(c, env, e.else) : e.else;
}

/** A state keeps the kind and dtype of its first value. */
function asState(c: Checker, env: Env, old: Value, next: Value, stmt: ast.Stmt & { kind: "commit" }): Value {
  if (old.kind === "bundle") {
    if (next.kind === "bundle") return next;
    throw new UserError(names.carryChanges("the state", typeText(old), typeText(next), stmt.span));
  }
  const tensor = toTensor(next, atOf(c, env, stmt.value.span));
  const was = old as Tensor;
  const given = spread(tensor, was.axes, stmt.value.span);
  const dtype = was.node.type.dtype;
  return {
    ...was,
    node: given.node.type.dtype === dtype ? given.node : make("cast", [given.node], { dtype }, stmt.span),
  };
}

function optimizerState(c: Checker, env: Env, path: string, init: ast.Expr, params: Bundle, span: Span): Value {
  const now = evaluate(c, env, init);
  if (now.kind !== "bundle") {
    const tensor = toTensor(now, atOf(c, env, span));
    if (!c.slots.has(path)) {
      addSlot(c, path, "slot", tensor.axes, "float", span, (at) =>
        evaluate(c, { scope: env.scope, frame: at.frame }, init),
      );
    }
    return { kind: "tensor", node: c.read(path), dtype: "float", axes: tensor.axes };
  }
  const leaves = new Map<string, Tensor>();
  let all: Value | undefined;
  for (const [leaf, t] of now.leaves) {
    const leafPath = `${path}.${leaf}`;
    if (!c.slots.has(leafPath)) {
      addSlot(c, leafPath, "slot", t.axes, "float", span, (at) => {
        const first = all ?? evaluateAtStart(c, env, init, params, at.frame);
        // A draw is addressed by its slot, so each leaf has its own; otherwise one evaluation serves all.
        if (!all && first.kind === "bundle" && !draws(c, first, params)) all = first;
        const value = first.kind === "bundle" ? first.leaves.get(leaf) : undefined;
        if (!value) throw new Error(`expected a first value for ${leafPath}, got ${first.kind}`);
        return value;
      });
    }
    leaves.set(leaf, { kind: "tensor", node: c.read(leafPath), dtype: "float", axes: t.axes });
  }
  return { kind: "bundle", leaves };
}

/** First values of slots see the params as they are when the block begins. */
/** Random numbers of its own, beside those that the params begin with. */
function draws(c: Checker, first: Bundle, params: Bundle): boolean {
  const seen = new Set([...params.leaves.keys()].map((path) => c.read(path)));
  const open = [...first.leaves.values()].map((t) => t.node);
  for (let n = open.pop(); n; n = open.pop()) {
    if (seen.has(n)) continue;
    seen.add(n);
    if (n.op === "random") return true;
    open.push(...n.inputs);
  }
  return false;
}

function evaluateAtStart(c: Checker, env: Env, init: ast.Expr, params: Bundle, frame: Frame): Value {
  const scope = child(env.scope);
  const first: Bundle = {
    kind: "bundle",
    leaves: new Map([...params.leaves].map(([path, leaf]) => [path, { ...leaf, node: c.read(path) }])),
  };
  for (const [name, binding] of env.scope.names) {
    if (binding.role?.kind === "stage" && binding.value.kind === "bundle") {
      scope.names.set(name, { value: first, span: binding.span });
    }
  }
  return evaluate(c, { scope, frame }, init);
}

/** `if ok`: otherwise params and slots stay as they were. */
function keepUnless(c: Checker, cond: Node, before: Map<string, Node>, span: Span): void {
  for (const [path, old] of before) {
    const next = c.read(path);
    const wide = make("expand", [cond], { shape: next.type.shape, axes: [] }, span);
    const chosen = make("select", [wide, next, old], {}, span);
    if (c.versions.has(next)) moveParam(c, path, chosen, span);
    else c.write(path, chosen);
  }
}
