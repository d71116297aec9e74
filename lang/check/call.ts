/**
 * Calls: binding of arguments to parameters, functions, pipes. What a call means is decided by the kind of the callee.
 */
import { type Diagnostic, Reported, UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import { wrongKind } from "../errors/sizes.ts";
import { fromCall } from "../graph/index.ts";
import type { Span } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import type * as ast from "../syntax/ast.ts";
import { shape, sizeNum, typeText } from "./axes.ts";
import { builtins } from "./builtins/index.ts";
import { foreignCall } from "./foreign.ts";
import { openSource } from "./data.ts";
import { evaluate, none, placesOf, withoutHint } from "./expr.ts";
import { atOf } from "./hooks.ts";
import { applyInstance, makeInstance, walkInstances } from "./models.ts";
import { refuseMixing, rememberLens } from "./mixes.ts";
import { enterSignature, lastExpression, leaveSignature } from "./signature.ts";
import { atArguments } from "./relabel.ts";
import { sources } from "./sources.ts";
import { refuseStale } from "./stale.ts";
import { refuseFit } from "./splits.ts";
import { specials } from "./specials.ts";
import type { Checker, Env } from "./state.ts";
import { callSite, child, isStackOverflow, lookup, tellNames } from "./state.ts";
import { checkBuiltinMeaning, checkMeaning, remember } from "./tags.ts";
import type { Axis, Bundle, Func, OptimizerDecl, OptimizerV, Scope, Value } from "./values.ts";

export interface ArgV {
  readonly name?: string;
  readonly nameSpan?: Span;
  readonly value: Value;
  readonly span: Span;
}

/** Functions of the standard library that learn from rows. */
const FITTING = new Set(["standardize"]);

/** A function that calls itself deeper than this has no end. */
const MAX_DEPTH = 256;
/** So many calls of one function inside one another are a recursion, not a function that is given to itself. */
const RECURS = 16;
/** Of one script: a function that calls itself twice at each level ends, but not while someone waits. */
const MAX_CALLS = 200_000;

/** Arguments that name axes of the others. */
const OF_AXES = new Set(["over", "per", "batch"]);

/** `before` are the arguments that are known already, `callee` what is called. */
export function evaluateArgs(
  c: Checker,
  env: Env,
  args: readonly ast.Arg[],
  callee?: Value,
  before: readonly Value[] = [],
): ArgV[] {
  const plain = withoutHint(env);
  const values = [...before];
  const renames = callee?.kind === "builtin" && callee.name === "rename";
  return args.map((a) => {
    const fresh = renames && isFreeName(env, a.value);
    const value: Value = fresh
      ? { kind: "str", parts: [fresh] }
      : evaluate(c, a.name && OF_AXES.has(a.name.text) ? withAxesOf(plain, values) : plain, a.value);
    values.push(value);
    return { name: a.name?.text, nameSpan: a.name?.span, value, span: a.value.span };
  });
}

/** The new name in `rename(x, T: Tk)`: a capital that means nothing yet. */
function isFreeName(env: Env, e: ast.Expr): string | undefined {
  return e.kind === "name" && /^\p{Lu}/u.test(e.text) && !lookup(env.scope, e.text) ? e.text : undefined;
}

/** Where axes are asked for, those of the tensors at hand have their names: `mean(rows.x, over: N)`. */
export function withAxesOf(env: Env, values: readonly Value[]): Env {
  const scope = child(env.scope);
  const add = (value: Value): void => {
    if (value.kind === "tuple" || value.kind === "list") value.items.forEach(add);
    if (value.kind !== "tensor") return;
    for (const axis of value.axes) {
      if (axis.uid === undefined || axis.name === undefined || lookup(scope, axis.name)) continue;
      scope.names.set(axis.name, { value: sizeNum(axis), span: value.node.span ?? NOWHERE });
    }
  };
  values.forEach(add);
  return scope.names.size === 0 ? env : { ...env, scope };
}

const NOWHERE: Span = { file: "", start: 0, end: 0 };

export function evaluateCall(c: Checker, env: Env, e: ast.Call): Value {
  if (e.callee.kind === "member" && e.callee.name.text === "with") {
    const target = evaluate(c, env, e.callee.target);
    if (isModel(target)) {
      const [arg] = evaluateArgs(c, env, e.args);
      if (arg?.value.kind === "bundle") {
        refuseOthers(target, arg.value, arg.span);
        return withParams(target, arg.value);
      }
      throw new UserError(
        names.wrongValue(
          "`.with`",
          "a bundle of params",
          arg ? typeText(arg.value) : "nothing",
          arg?.span ?? e.span,
          "for instance `net.with(params(net) - 0.1 * g)(x)`",
        ),
      );
    }
  }
  return foreignCall(c, env, e, () => {
    const callee = evaluate(c, env, e.callee);
    return callValue(c, env, callee, evaluateArgs(c, env, e.args, callee), e.span, nameOf(e.callee));
  });
}

const isModel = (v: Value): boolean => v.kind === "instance" || (v.kind === "list" && v.items.some(isModel));

/** A bundle that has nothing of the model, or other shapes. */
function refuseOthers(model: Value, params: Bundle, span: Span): void {
  const own = new Map<string, readonly Axis[]>();
  const collect = (v: Value): void => {
    if (v.kind === "list") v.items.forEach(collect);
    if (v.kind === "instance") walkInstances(v, (i) => i.params.forEach(({ path, type }) => own.set(path, type)));
  };
  collect(model);
  const help = "for instance `net.with(params(net) - 0.1 * g)(x)`";
  const paths = [...params.leaves.keys()];
  if (own.size > 0 && !paths.some((path) => own.has(path)))
    throw new UserError(
      names.wrongValue("`.with`", "params of this model", `a bundle of \`${paths.join("`, `")}\``, span, help),
    );
  for (const [path, leaf] of params.leaves) {
    const type = shape(own.get(path) ?? leaf.axes);
    if (type.every((n) => n >= 0) && shape(leaf.axes).join() !== type.join())
      throw new UserError(
        names.wrongValue(
          "`.with`",
          `\`${path}\` of the shape [${type.join(", ")}]`,
          `a bundle with ${typeText(leaf)} there`,
          span,
          help,
        ),
      );
  }
}

/** In a list, each layer takes from the bundle what is its own. */
function withParams(model: Value, params: Bundle): Value {
  if (model.kind === "instance") return { kind: "with", instance: model, params };
  if (model.kind !== "list") return model;
  return { kind: "list", items: model.items.map((layer) => withParams(layer, params)) };
}

function nameOf(e: ast.Expr): string {
  return e.kind === "name" ? e.text : e.kind === "member" ? `${nameOf(e.target)}.${e.name.text}` : "this";
}

/** `x |> r`: a model call makes an instance and applies it; optimizers chain; `f(a)` is `f(x, a)`; `r` is `r(x)`. */
export function evaluatePipe(c: Checker, env: Env, e: ast.Expr & { kind: "pipe" }): Value {
  const left = evaluate(c, env, e.left);
  const right = e.right;
  env = withoutHint(env);
  const piped: ArgV = { value: left, span: e.left.span };
  if (right.kind === "call") {
    if (right.callee.kind === "member" && right.callee.name.text === "with") {
      throw new UserError(
        names.outOfPlace("`.with(…)`", "after `|>`", right.span, "write it as a call: `net.with(p)(x)`"),
      );
    }
    const callee = evaluate(c, env, right.callee);
    const args = evaluateArgs(c, env, right.args, callee, [left]);
    if (callee.kind === "broken" || left.kind === "broken") return unknown(c, callee);
    if (callee.kind === "model") {
      const instance = makeInstance(c, env, callee, args, right.span);
      return applyInstance(c, env, instance, [piped], right.span);
    }
    if (left.kind === "stages" && callee.kind === "optimizer") {
      const stage = makeOptimizer(c, env, callee, args, right.span);
      return { kind: "stages", stages: [...left.stages, ...stage.stages] };
    }
    return callValue(c, env, callee, [piped, ...args], right.span, nameOf(right.callee));
  }
  const callee = evaluate(c, env, right);
  if (callee.kind === "broken" || left.kind === "broken") return unknown(c, callee);
  if (callee.kind === "model") throw new UserError(names.modelWithoutCall(callee.name, right.span));
  return callValue(c, env, callee, [piped], right.span, nameOf(right));
}

export function callValue(
  c: Checker,
  env: Env,
  callee: Value,
  args: readonly ArgV[],
  span: Span,
  name = "this",
): Value {
  if (callee.kind === "broken" || args.some((a) => a.value.kind === "broken")) return unknown(c, callee);
  switch (callee.kind) {
    case "func":
      return callFunction(c, env, callee, args, span);
    case "builtin":
      return callBuiltin(c, env, callee.name, callee.of ? [{ value: callee.of, span }, ...args] : args, span);
    case "model":
      return makeInstance(c, env, callee, args, span);
    case "instance":
      return applyInstance(c, env, callee, args, span);
    case "with":
      return applyInstance(c, env, callee.instance, args, span, callee.params);
    case "optimizer":
      return makeOptimizer(c, env, callee, args, span);
    case "list":
      return throughList(c, env, callee, args[0], span);
    default:
      throw new UserError(
        names.notCallable(name === "this" ? typeText(callee) : `\`${name}\` is ${typeText(callee)} and`, span),
      );
  }
}

/** Each layer is called at its place in the list, on what the one before it gave. */
function throughList(c: Checker, env: Env, list: Value & { kind: "list" }, first: ArgV | undefined, span: Span): Value {
  const places = placesOf(list);
  return list.items.reduce<Value>((value, layer, i) => {
    const at = places?.[i] ?? span;
    const arg = i === 0 ? (first?.span ?? span) : (places?.[i - 1] ?? span);
    if (layer.kind === "model") throw new UserError(names.modelWithoutCall(layer.name, at));
    return callValue(c, env, layer, [{ value, span: arg }], at);
  }, first?.value ?? none);
}

/** Applied to something unknown: what follows from its params is not to blame. */
export function unknown(c: Checker, callee: Value, seen = new Set<Value>()): Value {
  if (callee.kind === "instance" && !callee.applied) c.unknown.add(callee);
  if (callee.kind === "list" && !seen.has(callee)) {
    seen.add(callee);
    for (const item of callee.items) unknown(c, item, seen);
  }
  return { kind: "broken" };
}

function makeOptimizer(c: Checker, env: Env, decl: OptimizerDecl, args: readonly ArgV[], span: Span): OptimizerV {
  const scope = child(decl.scope);
  const spans = new Map<string, Span>();
  const bound = bindArgs(c, env, decl.name, decl.decl.settings, args, span, scope, spans);
  for (const [name, at] of spans) {
    const value = bound.get(name)!;
    const place = args.findIndex((a) => a.span === at);
    const next = args[place + 1];
    if (value.kind === "str")
      throw new UserError(wrongKind(`\`${name}\` of \`${decl.name}\``, "a number", { value, span: at }));
    if (value.kind === "bundle" || value.kind === "instance" || value.kind === "list")
      throw new UserError(names.optimizerOfParams(decl.name, at, next && (next.nameSpan ?? next.span)));
  }
  return { kind: "stages", stages: [{ decl, args: bound }] };
}

function callBuiltin(c: Checker, env: Env, name: string, args: readonly ArgV[], span: Span): Value {
  const special = specials[name];
  if (special && special.takes(args)) return special.call(c, env, args, span);
  const builtin = builtins[name];
  if (builtin) {
    const argSpans: Record<string, Span> = {};
    const bound = bindBuiltin(name, builtin.params, args, span, argSpans);
    checkBuiltinMeaning(name, bound["x"] ?? bound["p"], argSpans["x"] ?? argSpans["p"], span);
    refuseStale(c, name, bound["y"], bound["x"], { y: argSpans["y"] ?? span, x: argSpans["x"] ?? span });
    if (name === "grad") refuseMixing(c, bound["y"], bound["x"], bound["per"], span);
    return builtin.call(bound, atOf(c, env, span, argSpans));
  }
  if (Object.hasOwn(sources, name)) return openSource(c, name, args, span);
  throw new UserError(
    names.notCallable(`\`${name}\` does not take ${args[0] ? typeText(args[0].value) : "nothing"} and`, span),
  );
}

function tooMany(callee: string, known: readonly string[], arg: ArgV, args: readonly ArgV[]): UserError {
  const before = args[args.indexOf(arg) - 1]?.span;
  return new UserError(
    names.tooManyArguments(callee, known.length, arg.span, known, before, args[0]?.span, args.at(-1)?.span),
  );
}

interface BuiltinParam {
  readonly name: string;
  readonly default?: Value | "required";
  readonly rest?: boolean;
}

function bindBuiltin(
  callee: string,
  params: readonly BuiltinParam[],
  args: readonly ArgV[],
  span: Span,
  spans: Record<string, Span>,
): Record<string, Value> {
  const bound: Record<string, Value> = {};
  const rest = params.find((p) => p.rest);
  const restItems: Value[] = [];
  const restNamed = new Map<string, Value>();
  const ordered = params.filter((p) => !p.rest);
  let place = 0;
  for (const arg of args) {
    if (arg.name !== undefined) {
      if (!ordered.some((p) => p.name === arg.name)) {
        if (rest?.name === "named") {
          restNamed.set(arg.name, arg.value);
          continue;
        }
        const known = ordered.map((p) => p.name);
        throw new UserError(
          names.wrongArgument(callee, arg.name, arg.nameSpan ?? arg.span, known, didYouMean(arg.name, known)),
        );
      }
      bound[arg.name] = arg.value;
      spans[arg.name] = arg.span;
      continue;
    }
    while (place < ordered.length && ordered[place]!.name in bound) place++;
    const param = ordered[place];
    if (param && !(rest && rest.name !== "named" && place >= ordered.findIndex((p) => p.default !== "required"))) {
      bound[param.name] = arg.value;
      spans[param.name] = arg.span;
      place++;
    } else if (rest && rest.name !== "named") {
      restItems.push(arg.value);
    } else {
      throw tooMany(
        callee,
        ordered.map((p) => p.name),
        arg,
        args,
      );
    }
  }
  if (rest) {
    bound[rest.name] =
      rest.name === "named" ? { kind: "record", fields: restNamed } : { kind: "list", items: restItems };
  }
  for (const param of ordered) {
    if (param.name in bound) continue;
    if (param.default === "required")
      throw new UserError(names.missingArgument(callee, param.name, span, args.length === 0));
    bound[param.name] = param.default ?? none;
  }
  return bound;
}

/** Binds arguments to declared parameters into `scope`; defaults see the parameters before them. */
export function bindArgs(
  c: Checker,
  env: Env,
  callee: string,
  params: readonly ast.Param[],
  args: readonly ArgV[],
  span: Span,
  scope: Scope,
  spans?: Map<string, Span>,
): Map<string, Value> {
  const known = params.map((p) => p.name.text);
  const given = new Map<string, ArgV>();
  let place = 0;
  for (const arg of args) {
    if (arg.name !== undefined) {
      if (!known.includes(arg.name)) {
        throw new UserError(
          names.wrongArgument(callee, arg.name, arg.nameSpan ?? arg.span, known, didYouMean(arg.name, known)),
        );
      }
      const first = given.get(arg.name);
      if (first) throw new UserError(names.givenTwice(callee, arg.name, arg.nameSpan ?? arg.span, first.span));
      given.set(arg.name, arg);
      continue;
    }
    while (place < known.length && given.has(known[place]!)) place++;
    const name = known[place];
    if (name === undefined) throw tooMany(callee, known, arg, args);
    given.set(name, arg);
    place++;
  }
  const bound = new Map<string, Value>();
  for (const param of params) {
    const name = param.name.text;
    const arg = given.get(name);
    let value: Value;
    if (arg) {
      value = arg.value;
      spans?.set(name, arg.span);
    } else if (param.default) {
      value = evaluate(c, { scope, frame: env.frame }, param.default);
    } else {
      throw new UserError(names.missingArgument(callee, name, span, args.length === 0));
    }
    bound.set(name, value);
    scope.names.set(name, { value, span: param.name.span });
  }
  return bound;
}

function callFunction(c: Checker, env: Env, f: Func, args: readonly ArgV[], span: Span): Value {
  const spans = new Map<string, Span>();
  const run = (): Value => fromCall("function", f.name, span, () => applyFunction(c, env, f, args, span, spans));
  if (!f.body.span.file.startsWith("stdlib/")) return inCall(c, f.name, f.body, span, run);
  return inCall(c, f.name, f.body, span, () => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(atArguments(error.diagnostic, f.body, spans, f.name));
    }
  });
}

function applyFunction(
  c: Checker,
  env: Env,
  f: Func,
  args: readonly ArgV[],
  span: Span,
  spans: Map<string, Span>,
): Value {
  const scope = child(f.scope);
  const bound = bindArgs(c, env, f.name, f.params, args, span, scope, spans);
  if (FITTING.has(f.name) && f.body.span.file.startsWith("stdlib/")) {
    for (const [name, value] of bound) refuseFit(c, f.name, value, spans.get(name) ?? span);
  }
  const ofLibrary = f.body.span.file.startsWith("stdlib/");
  if (ofLibrary) checkMeaning(c, f.name, bound, spans, span);
  const lens = enterSignature(c, { scope, frame: env.frame }, f.name, f.params, bound, spans, span);
  rememberLens(c, lens);
  const frame = {
    ...env.frame,
    kind: "fn" as const,
    host: undefined,
    site: callSite(env.frame.site, f.name),
    ordinals: new Map<string, number>(),
  };
  tellNames(c, scope, frame);
  const value = evaluate(c, { scope, frame }, f.body);
  const result = leaveSignature(c, { scope, frame }, f.name, value, f.returns, lens, lastExpression(f.body));
  if (ofLibrary) remember(f.name, result, spans, span);
  return result;
}

/**
 * Calls `callee`, a tree that tells one function from another. A mistake found inside the standard library is shown first
 * at the call that led there.
 */
export function inCall<T>(c: Checker, name: string, callee: object, span: Span, run: () => T): T {
  if (c.runaway || c.walked.calls > MAX_CALLS) throw new Reported();
  const outer = c.calling.get(callee);
  const times = (outer?.times ?? 0) + 1;
  c.calling.set(callee, { name, span, times });
  c.calls++;
  try {
    if (times > MAX_DEPTH) throw endless(c, names.infiniteRecursion(name, span));
    if (++c.walked.calls > MAX_CALLS)
      throw endless(c, times > 1 ? names.infiniteRecursion(name, span) : names.tooManyCalls(name, MAX_CALLS, span));
    return run();
  } catch (error) {
    // Wide bodies fill the stack of the host before the depth is reached.
    if (isStackOverflow(error)) throw endless(c, overflow(c, name, span));
    if (!(error instanceof UserError)) throw error;
    const d = error.diagnostic;
    const first = d.labels[0];
    if (first && first.span.file.startsWith("stdlib/") && !span.file.startsWith("stdlib/")) {
      throw new UserError({ ...d, labels: [{ span, text: `in this call of \`${name}\`` }, ...d.labels] });
    }
    throw error;
  } finally {
    if (outer) c.calling.set(callee, outer);
    else c.calling.delete(callee);
    if (--c.calls === 0) c.runaway = false;
  }
}

/** Of the calls that go on: one that is there again and again, or else many that are there once. */
function overflow(c: Checker, name: string, span: Span): Diagnostic {
  const [most] = [...c.calling.values()].sort((a, b) => b.times - a.times);
  if (most && most.times >= RECURS) return names.infiniteRecursion(most.name, most.span);
  return names.callsTooDeep(name, c.calls, span);
}

function endless(c: Checker, told: Diagnostic): UserError {
  c.runaway = true;
  return new UserError(told);
}
