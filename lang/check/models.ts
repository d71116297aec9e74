/**
 * Models: instances with their paths, application, params and states.
 * An instance is made once per site; sizes of its params are set by its first application.
 */
import { Reported, UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import { stateNeedsDropLast } from "../errors/blocks.ts";
import { paramChanges } from "../errors/signature.ts";
import { fromCall, make } from "../graph/index.ts";
import type { Slot } from "../program.ts";
import type { Span } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import type * as ast from "../syntax/ast.ts";
import { toTensor } from "./arith.ts";
import { shape, typeText } from "./axes.ts";
import type { ArgV } from "./call.ts";
import { bindArgs, callValue, inCall } from "./call.ts";
import { fillNumber, spread } from "./constants.ts";
import { define, evaluate } from "./expr.ts";
import { atOf } from "./hooks.ts";
import { mixing, rememberLens } from "./mixes.ts";
import { enterSignature, lastExpression, leaveSignature, writtenAxes } from "./signature.ts";
import { runBlock } from "./statements.ts";
import type { Build, Checker, Env, Frame } from "./state.ts";
import { callSite, child, lookup, scalarInput, tellNames } from "./state.ts";
import type { Axis, Bundle, Instance, ModelDecl, Tensor, Value } from "./values.ts";

export function makeInstance(c: Checker, env: Env, decl: ModelDecl, args: readonly ArgV[], span: Span): Instance {
  const host = env.frame.host;
  if (!host) throw new UserError(names.instanceInFunction(decl.name, span));
  const bound = bindArgs(c, env, decl.name, decl.decl.settings, args, span, child(decl.scope));
  const { hint, pass } = env.frame;
  const named = hint !== undefined && !hint.used && pass === undefined;
  const [input, output] = args;
  const bias = bound.get("bias");
  if (decl.name === "Linear" && bias?.kind === "num" && input && output && output.name === undefined)
    throw new UserError(names.inputSizeGiven(decl.name, input.span, output.span));
  const key = instanceKey(env.frame, decl.name);
  const known = host.children.get(key);
  if (known && known.decl.decl === decl.decl) {
    // The same instance, seen from another application: its sizes carry the axis names of this one.
    known.args = bound;
    return known;
  }
  const instance: Instance = {
    kind: "instance",
    decl,
    path: host.path === "" ? key : `${host.path}.${key}`,
    args: bound,
    span,
    params: new Map(),
    states: new Map(),
    children: new Map(),
  };
  host.children.set(key, instance);
  c.instances.set(instance.path, { model: decl.name, named, span });
  c.seen?.(span, instance, env.frame);
  c.hosts.set(instance, host);
  if (env.frame.instance) c.parents.set(instance, env.frame.instance);
  return instance;
}

/** The `let` name when there is one, else the type and its ordinal: `conv2`; in lists and loops with the index. */
export function instanceKey(frame: Frame, type: string): string {
  const hint = frame.hint;
  if (hint !== undefined && !hint.used) {
    hint.used = true;
    const name = frame.pass === undefined ? hint.name : `${hint.name}.${frame.pass}`;
    return claim(frame, (n) => (n === 1 ? name : `${name}_${n}`));
  }
  const base = type.charAt(0).toLowerCase() + type.slice(1);
  return claim(frame, (n) => `${base}${n}`);
}

/** The first of `key(1), key(2), …` that this walk of the body has not given yet. */
function claim(frame: Frame, key: (n: number) => string): string {
  for (let n = 1; ; n++) {
    const mark = `=${key(n)}`;
    if (frame.ordinals.has(mark)) continue;
    frame.ordinals.set(mark, 1);
    return key(n);
  }
}

export function applyInstance(
  c: Checker,
  env: Env,
  instance: Instance,
  args: readonly ArgV[],
  span: Span,
  params?: Bundle,
): Value {
  const { decl } = instance;
  return inCall(c, decl.name, decl.decl, span, () => fromCall("model", instance.path, span, apply));

  function apply(): Value {
    const scope = child(decl.scope);
    const spans = new Map<string, Span>();
    for (const [name, value] of instance.args) {
      scope.names.set(name, { value, span: decl.decl.name.span });
      spans.set(name, instance.span);
    }
    const lens = enterSignature(
      c,
      { scope, frame: env.frame },
      decl.name,
      decl.decl.settings,
      instance.args,
      spans,
      span,
    );
    const callSpans = new Map<string, Span>();
    const bound = bindArgs(c, env, decl.name, decl.decl.params, args, span, scope, callSpans);
    const inner = enterSignature(c, { scope, frame: env.frame }, decl.name, decl.decl.params, bound, callSpans, span);
    for (const [uid, axis] of inner) lens.set(uid, axis);
    rememberLens(c, lens);
    const frame: Frame = {
      ...env.frame,
      kind: "model",
      training: env.frame.training && isTrained(c, env.frame, instance),
      site: callSite(env.frame.site, withoutRun(instance.path)),
      host: { path: instance.path, children: instance.children },
      ordinals: new Map(),
      instance,
      overrides: params ?? env.frame.overrides,
      hint: undefined,
      pass: undefined,
    };
    const body = decl.decl.body;
    const told = c.diagnostics.length;
    c.unknown.add(instance);
    tellNames(c, scope, frame);
    const axisOf = (name: string): Axis | undefined => {
      const size = lookup(scope, name)?.value;
      return size?.kind === "num" ? size.axis : undefined;
    };
    const value = mixing(c, instance, frame.training, axisOf, () => runBlock(c, { scope, frame }, body));
    if (c.diagnostics.length === told && value.kind !== "broken") c.unknown.delete(instance);
    instance.applied = true;
    return leaveSignature(c, { scope, frame }, decl.name, value, decl.decl.returns, lens, lastExpression(body));
  }
}

/** In a block, an instance with params that the block does not train runs in eval mode. */
function isTrained(c: Checker, frame: Frame, instance: Instance): boolean {
  if (c.settings.given !== undefined) return false;
  const block = frame.block;
  if (!block) return true;
  const path = instance.path;
  if (path.startsWith(`${block.name}.`)) return true;
  if (block.excluded.some((p) => path === p || path.startsWith(`${p}.`))) return false;
  const trained = (at: string): boolean =>
    block.trained.some((p) => at === p || at.startsWith(`${p}.`) || p.startsWith(`${at}.`));
  if (trained(path)) return true;
  if (declaresParams(instance.decl)) return false;
  // A layer without params in a list goes with the layers around it.
  const beside = listedBeside(c, instance).filter((i) => declaresParams(i.decl));
  return beside.length === 0 || beside.some((i) => trained(i.path));
}

function listedBeside(c: Checker, instance: Instance): Instance[] {
  const host = c.hosts.get(instance);
  if (!host) return [];
  const root = /^(.*?)\.\d/.exec(instance.path.slice(host.path === "" ? 0 : host.path.length + 1))?.[1];
  if (root === undefined) return [];
  return [...host.children].filter(([key]) => key.startsWith(`${root}.`)).map(([, i]) => i);
}

/** Params of its own, or layers that have some. */
function declaresParams(model: ModelDecl, seen = new Set<ast.Model>()): boolean {
  if (seen.has(model.decl)) return false;
  seen.add(model.decl);
  const visit = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.some(visit);
    if (value === null || typeof value !== "object") return false;
    const node = value as ast.Stmt | ast.Expr;
    if (node.kind === "param") return true;
    if (node.kind === "call" && node.callee.kind === "name") {
      const callee = lookup(model.scope, node.callee.text)?.value;
      if (callee?.kind === "model" && declaresParams(callee, seen)) return true;
    }
    return Object.entries(value).some(([key, part]) => key !== "span" && visit(part));
  };
  return visit(model.decl.body);
}

/** Passes of a top-level `for` have slots of their own but draw the same random numbers. */
export function withoutRun(path: string): string {
  return path.replace(/^run\d+\./, "");
}

// ---------------------------------------------------------------- params and states

export function execParam(c: Checker, env: Env, stmt: ast.ParamStmt): void {
  const instance = env.frame.instance;
  const name = stmt.name.text;
  if (!instance || env.frame.kind !== "model") {
    throw new UserError(
      names.outOfPlace("`param`", "outside of a model", stmt.span, "put it into the body of a `model`"),
    );
  }
  const axes = writtenAxes(c, env, stmt.type);
  if (stmt.if) {
    const cond = evaluate(c, env, stmt.if);
    if (cond.kind !== "bool")
      throw new UserError(names.needsConstant("the condition of a param", typeText(cond), stmt.if.span));
    if (!cond.value) {
      if (stmt.init?.how !== "=") {
        throw new UserError(
          names.outOfPlace("`~` with `if`", "here", stmt.span, "give the absent param a value: `= 0 if c`"),
        );
      }
      const value = toTensor(evaluate(c, env, stmt.init.value), atOf(c, env, stmt.init.value.span));
      define(c, env.scope, stmt.name, spread(value, axes, stmt.span));
      return;
    }
  }
  const known = instance.params.get(name);
  if (known) {
    const was = shape(known.type);
    const now = shape(axes);
    if (was.length !== now.length || was.some((n, i) => n !== now[i] && n >= 0 && now[i]! >= 0)) {
      throw new UserError(paramChanges(name, `[${was.join(", ")}]`, `[${now.join(", ")}]`, stmt.span, known.span));
    }
  } else {
    createParam(c, env, stmt, instance, axes);
  }
  const path = `${instance.path}.${name}`;
  const given = env.frame.overrides?.leaves.get(path);
  const tensor: Tensor = { kind: "tensor", node: given?.node ?? c.read(path), dtype: "float", axes };
  define(c, env.scope, stmt.name, tensor);
}

function createParam(c: Checker, env: Env, stmt: ast.ParamStmt, instance: Instance, axes: Axis[]): void {
  const name = stmt.name.text;
  const path = `${instance.path}.${name}`;
  if (!stmt.init) {
    throw new UserError(names.paramWithoutInit(name, stmt.span));
  }
  const { how, value } = stmt.init;
  addSlot(c, path, "param", axes, "float", stmt.span, (initEnv) => {
    const scopeEnv = { scope: env.scope, frame: initEnv.frame };
    if (how === "=") return evaluate(c, scopeEnv, value);
    const f = evaluate(c, scopeEnv, value);
    const list: Value = {
      kind: "list",
      items: axes.map((axis) => ({ kind: "num", value: axis.size, axis: axis.uid === undefined ? undefined : axis })),
    };
    return callValue(c, scopeEnv, f, [{ value: list, span: value.span }], value.span);
  });
  instance.params.set(name, { path, type: axes, span: stmt.span });
  loadFrom(c, instance, name, path);
}

/** Of a model that a file fills, its cells begin with what the file says: no segment makes them. */
function loadFrom(c: Checker, instance: Instance, name: string, path: string): void {
  for (let i: Instance | undefined = instance, below = name; i;) {
    if (i.loaded) {
      const { file, before, span } = i.loaded;
      const { init: _unused, ...slot } = c.slots.get(path)!;
      c.slots.set(path, { ...slot, load: { file, name: before + below, span } });
      c.top.state.delete(path);
      c.top.dirty.delete(path);
      return;
    }
    const parent = c.parents.get(i);
    if (!parent) return;
    below = `${i.path.slice(parent.path.length + 1)}.${below}`;
    i = parent;
  }
}

/** First values are drawn by the path of their slot. */
function initFrame(path: string, span: Span): Frame {
  return {
    kind: "init",
    training: true,
    site: { path: `init:${withoutRun(path)}`, counts: new Map() },
    ordinals: new Map(),
    keys: [scalarInput("seed", "u32", span)],
    actions: [],
  };
}

/**
 * Adds a slot and its first value: a number where that is all it is, else a commit of the top-level segment that is
 * open, so it is there before the block that needs it begins.
 */
export function addSlot(
  c: Checker,
  path: string,
  kind: Slot["kind"],
  axes: readonly Axis[],
  dtype: Tensor["dtype"],
  span: Span,
  first: (env: { frame: Frame }) => Value,
): void {
  const frame = initFrame(path, span);
  const type = {
    dtype: dtype === "float" ? ("f32" as const) : dtype === "int" ? ("i32" as const) : ("bool" as const),
    shape: shape(axes),
  };
  const top: Build = c.top;
  c.within(top, () => {
    const env: Env = { scope: c.globals, frame };
    const value = c.inFullPrecision(() => spread(toTensor(first({ frame }), atOf(c, env, span)), axes, span));
    const node =
      dtype === "float" && value.dtype !== "float" ? make("cast", [value.node], { dtype: "f32" }, span) : value.node;
    const number = fillNumber(node);
    if (number !== undefined) {
      c.slots.set(path, { path, type, kind, init: number, span });
      top.state.set(path, node);
    } else {
      c.slots.set(path, { path, type, kind, span });
      c.write(path, node);
    }
  });
}

export function execState(c: Checker, env: Env, stmt: ast.StateStmt): void {
  const name = stmt.name.text;
  if (!stmt.value) throw new UserError(names.stateWithoutInit(name, stmt.span));
  const host = env.frame.host;
  if (!host || (env.frame.kind !== "model" && env.frame.kind !== "block")) {
    throw new UserError(
      names.outOfPlace(
        "`state`",
        "here",
        stmt.span,
        "put it into a model, an optimizer or the body of a `train` block",
      ),
    );
  }
  const path = host.path === "" ? name : `${host.path}.${name}`;
  const valueExpr = stmt.value;
  // Only its type is wanted here; draws of the body must not count this one.
  const typed: Env = { scope: env.scope, frame: { ...initFrame(path, stmt.span), training: env.frame.training } };
  const given = evaluate(c, typed, valueExpr);
  if (given.kind === "broken") return define(c, env.scope, stmt.name, given);
  const first = toTensor(given, atOf(c, env, valueExpr.span));
  const axes = stmt.type ? writtenAxes(c, env, stmt.type) : first.axes;
  const known = c.stateAxes.get(path);
  if (known) {
    const [was, now] = [shape(known.axes), shape(axes)];
    if (was.join() !== now.join()) {
      const texts = [`[${was.join(", ")}]`, `[${now.join(", ")}]`] as const;
      throw new UserError(
        c.replaying
          ? stateNeedsDropLast(name, ...texts, stmt.span)
          : paramChanges(name, ...texts, stmt.span, stmt.span),
      );
    }
  } else {
    const dtype = given.kind === "num" ? "float" : first.dtype;
    addSlot(c, path, "state", axes, dtype, stmt.span, (init) =>
      evaluate(c, { scope: env.scope, frame: init.frame }, valueExpr),
    );
    env.frame.instance?.states.set(name, { path, type: axes, span: stmt.span });
    c.stateAxes.set(path, { axes, dtype });
    if (env.frame.instance) loadFrom(c, env.frame.instance, name, path);
  }
  const { dtype } = c.stateAxes.get(path)!;
  const tensor: Tensor = { kind: "tensor", node: c.read(path), dtype, axes };
  define(c, env.scope, stmt.name, tensor);
  env.scope.names.set(name, { value: tensor, span: stmt.name.span, role: { kind: "state", path } });
}

// ---------------------------------------------------------------- reading from outside

/** The names that a model gives to axes end with it: from outside they are sizes. */
function outside(axes: readonly Axis[]): Axis[] {
  return axes.map(({ size, why }) => ({ size, why }));
}

export function paramsOfInstance(c: Checker, instance: Instance, span: Span): Bundle {
  const leaves = new Map<string, Tensor>();
  walkInstances(instance, (i) => {
    for (const p of i.params.values()) {
      leaves.set(p.path, { kind: "tensor", node: c.read(p.path), dtype: "float", axes: outside(p.type) });
    }
  });
  if (leaves.size === 0 && c.unknown.has(instance)) throw new Reported();
  if (leaves.size === 0 && !instance.applied) throw new UserError(names.notApplied(instance.path, span));
  return { kind: "bundle", leaves };
}

/** A model, or those of a list, with what is in front of their names in a file. */
export function modelsIn(
  value: Value | undefined,
  before = "",
): { readonly model: Instance; readonly before: string }[] {
  if (value?.kind === "instance") return [{ model: value, before }];
  if (value?.kind !== "list") return [];
  return value.items.flatMap((item, i) => modelsIn(item, `${before}${i}.`));
}

export function walkInstances(instance: Instance, visit: (i: Instance) => void): void {
  visit(instance);
  for (const below of instance.children.values()) walkInstances(below, visit);
}

export function instanceMember(c: Checker, instance: Instance, name: string, span: Span): Value {
  const param = instance.params.get(name) ?? instance.states.get(name);
  if (param) {
    const dtype = c.stateAxes.get(param.path)?.dtype ?? "float";
    return { kind: "tensor", node: c.read(param.path), dtype, axes: outside(param.type) };
  }
  const part = instance.children.get(name);
  if (part) return part;
  const setting = instance.args.get(name);
  if (setting) return setting;
  const all = [
    ...instance.params.keys(),
    ...instance.states.keys(),
    ...instance.children.keys(),
    ...instance.args.keys(),
  ];
  if (c.unknown.has(instance)) return { kind: "broken" };
  if (!instance.applied) throw new UserError(names.notApplied(instance.path, span));
  throw new UserError(names.noMember(`\`${instance.path}\``, name, span, all, didYouMean(name, all)));
}
