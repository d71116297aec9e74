/**
 * Expressions: walks a tree and gives its value. Tensors become nodes of the open segment; everything else is
 * computed here and now. Calls, loops and statements have files of their own.
 */
import { Reported, UserError } from "../diagnostic.ts";
import * as loopErrors from "../errors/loops.ts";
import * as names from "../errors/names.ts";
import { make } from "../graph/index.ts";
import type { Span } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import type * as ast from "../syntax/ast.ts";
import { binary, constant, select, toTensor, unary } from "./arith.ts";
import { typeText } from "./axes.ts";
import { builtins, constants } from "./builtins/index.ts";
import { transposed } from "./builtins/index.ts";
import { callValue, evaluateCall, evaluatePipe } from "./call.ts";
import { dataMember } from "./data.ts";
import { foreignMember } from "./foreign.ts";
import { atOf, Hooks } from "./hooks.ts";
import { indexTensor } from "./index.ts";
import { evaluateFor, evaluateIterate, evaluateScan } from "./loops.ts";
import { instanceMember } from "./models.ts";
import { sources } from "./sources.ts";
import { specials } from "./specials.ts";
import { runBlock } from "./statements.ts";
import type { Checker, Env } from "./state.ts";
import { child, lookup, scalarInput, visibleNames } from "./state.ts";
import { variableOf } from "./tensors.ts";
import type { Func, RangeV, Tensor, Value } from "./values.ts";

export const none: Value = { kind: "none" };

/** `for` is written out pass by pass. */
const MAX_PASSES = 4096;
/** Of all loops of a script together, each pass of an outer one counted. */
const MAX_PASSES_OF_ALL = 100_000;

export function evaluate(c: Checker, env: Env, e: ast.Expr): Value {
  const value = valueOf(c, env, e);
  if (c.overheard?.has(e)) c.overheard.set(e, value);
  c.seen?.(e.span, value, env.frame);
  return value;
}

function valueOf(c: Checker, env: Env, e: ast.Expr): Value {
  switch (e.kind) {
    case "number":
      return { kind: "num", value: e.value, float: e.float };
    case "string":
      return {
        kind: "str",
        parts: e.parts.map((part) =>
          typeof part === "string"
            ? part
            : { value: evaluate(c, env, part.value), format: part.format, span: part.span },
        ),
      };
    case "bool":
      return { kind: "bool", value: e.value };
    case "none":
      return none;
    case "name":
      return resolveName(c, env, e.text, e.span);
    case "call":
      return evaluateCall(c, env, e);
    case "index":
      return evaluateIndex(c, env, e.target, e.items, e.span);
    case "member":
      return foreignMember(env, e, () =>
        member(c, env, evaluate(c, env, e.target), e.name.text, e.name.span, e.target),
      );
    case "unary": {
      const value = evaluate(c, env, e.value);
      const axes = value.kind === "list" && !value.items.every(({ kind }) => kind === "bool");
      if (e.op === "not" && (isAxisLike(value) || axes)) return { kind: "not", value };
      return unary(e.op, value, atOf(c, env, e.span));
    }
    case "binary":
      return evaluateBinary(c, env, e);
    case "ternary": {
      const cond = known(evaluate(c, env, e.cond));
      if (cond.kind === "bool") return evaluate(c, env, cond.value ? e.then : e.else);
      return select(
        cond,
        evaluate(c, env, e.then),
        evaluate(c, env, e.else),
        atOf(c, env, e.span, { cond: e.cond.span }),
      );
    }
    case "pipe":
      return evaluatePipe(c, env, e);
    case "lambda":
      return lambda(env, e);
    case "tuple":
      return { kind: "tuple", items: e.items.map((item) => evaluate(c, env, item)) };
    case "list":
      return placed({ kind: "list", items: e.items.map((item, i) => evaluate(c, passEnv(env, i), item)) }, e.items);
    case "comprehension": {
      const items = iterationValues(c, env, e.source).map((value, i) => {
        const scope = child(env.scope);
        bindPattern(c, scope, e.pattern, value);
        return evaluate(c, { scope, frame: passEnv(env, i).frame }, e.value);
      });
      return { kind: "list", items };
    }
    case "record":
      return evaluateRecord(c, env, e.fields);
    case "range": {
      const end = (x: ast.Expr | undefined) => (x ? constantNumber(c, env, x, "the end of a range") : undefined);
      const range: RangeV = { kind: "range", from: end(e.from), to: end(e.to) };
      return range;
    }
    case "block":
      return runBlock(c, { scope: child(env.scope), frame: env.frame }, e);
    case "for":
      return evaluateFor(c, env, e);
    case "scan":
      return evaluateScan(c, env, e);
    case "iterate":
      return evaluateIterate(c, env, e);
    case "if":
      return evaluateIf(c, env, e);
    case "missing":
      return { kind: "broken" };
  }
}

/** Where the items of a written list stand. */
const listPlaces = new WeakMap<Value, readonly Span[]>();
export const placesOf = (list: Value): readonly Span[] | undefined => listPlaces.get(list);

function placed(list: Value, items: readonly ast.Expr[]): Value {
  listPlaces.set(
    list,
    items.map((item) => item.span),
  );
  return list;
}

function passEnv(env: Env, i: number): Env {
  const hint = env.frame.hint ? { name: env.frame.hint.name, used: false } : undefined;
  return { scope: env.scope, frame: { ...env.frame, hint, pass: joinPass(env.frame.pass, i) } };
}

/** Only the outermost model call of a `let` takes its name. */
export function withoutHint(env: Env): Env {
  return env.frame.hint ? { scope: env.scope, frame: { ...env.frame, hint: undefined } } : env;
}

export function joinPass(outer: string | undefined, index: number): string {
  return outer === undefined ? String(index) : `${outer}.${index}`;
}

function isAxisLike(value: Value): boolean {
  return value.kind === "num" && (value.axis !== undefined || !value.float);
}

function lambda(env: Env, e: ast.Lambda): Func {
  return { kind: "func", name: "a lambda", params: e.params, body: e.body, scope: env.scope };
}

// ---------------------------------------------------------------- names

export function resolveName(c: Checker, env: Env, name: string, span: Span): Value {
  const binding = lookup(env.scope, name);
  if (binding) return binding.value;
  if (name === "training") return { kind: "bool", value: env.frame.training };
  if ((name === "step" || name === "epoch") && env.frame.block) {
    const node = scalarInput(name, "i32", span);
    return { kind: "tensor", node, dtype: "int", axes: [] };
  }
  if (Object.hasOwn(constants, name)) return constants[name]!;
  if ([specials, builtins, sources].some((table) => Object.hasOwn(table, name))) return { kind: "builtin", name };
  if (name === "toy") {
    const members = Object.keys(sources).filter((n) => n.startsWith("toy."));
    return {
      kind: "namespace",
      name,
      members: new Map(members.map((n) => [n.slice(4), { kind: "builtin", name: n } as Value])),
    };
  }
  const all = [...visibleNames(env.scope), ...Object.keys(specials), ...Object.keys(builtins), ...Object.keys(sources)];
  throw new UserError(names.unknownName(name, span, didYouMean(name, all)));
}

/** Binds the names of a pattern; `span` of each binding is that of its name. */
export function bindPattern(c: Checker, scope: Env["scope"], pattern: ast.Pattern, value: Value): void {
  if ("text" in pattern) {
    define(c, scope, pattern, value);
    return;
  }
  if (value.kind === "broken") {
    for (const item of pattern.items) bindPattern(c, scope, item, value);
    return;
  }
  const items = value.kind === "tuple" || value.kind === "list" ? value.items : undefined;
  if (!items || items.length !== pattern.items.length) {
    throw new UserError(names.otherParts(pattern.items.length, typeText(value), items?.length, pattern.span));
  }
  pattern.items.forEach((item, i) => bindPattern(c, scope, item, items[i]!));
}

export function define(c: Checker, scope: Env["scope"], name: ast.Name, value: Value): void {
  // `_` names what is not wanted, as often as one likes.
  if (name.text === "_") return;
  const first = scope.names.get(name.text);
  if (first && first.value.kind !== "broken") {
    throw new UserError(names.twoDefinitions(name.text, name.span, first.span));
  }
  scope.names.set(name.text, { value, span: name.span });
  c.seen?.(name.span, value);
}

// ---------------------------------------------------------------- operators

const OPERATORS = new Set<string>([
  "^",
  "@",
  "*",
  "/",
  "//",
  "%",
  "+",
  "-",
  "==",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "and",
  "or",
] satisfies ast.BinaryOp[]);

function evaluateBinary(c: Checker, env: Env, e: ast.Expr & { kind: "binary" }): Value {
  const left = evaluate(c, env, e.left);
  if (left.kind === "bool" && e.op === "and" && !left.value) return left;
  if (left.kind === "bool" && e.op === "or" && left.value) return left;
  const right = evaluate(c, env, e.right);
  if (left.kind === "broken" || right.kind === "broken") return { kind: "broken" };
  // A sign that is no operator was reported by the parser.
  if (!OPERATORS.has(e.op)) return { kind: "broken" };
  return binary(e.op, left, right, { span: e.span, ctx: new Hooks(c, env), left: e.left.span, right: e.right.span });
}

/** A condition on constants picks a branch, also when it was computed from the floats of a `let`. */
function known(cond: Value): Value {
  if (cond.kind !== "tensor") return cond;
  const value = constant(cond);
  return value === undefined ? cond : { kind: "bool", value: value !== 0 };
}

function evaluateIf(c: Checker, env: Env, e: ast.If): Value {
  const cond = known(evaluate(c, env, e.cond));
  const branch = (b: ast.Block | ast.If | undefined): Value =>
    b === undefined
      ? none
      : b.kind === "if"
        ? evaluateIf(c, env, b)
        : runBlock(c, { scope: child(env.scope), frame: env.frame }, b);
  if (cond.kind === "bool") return branch(cond.value ? e.then : e.else);
  if (cond.kind === "broken") return cond;
  const doing = actionIn(e.then) ?? (e.else && actionIn(e.else));
  if (doing) throw new UserError(names.doneByTensor(doing.kind, e.cond.span, doing.span));
  if (!e.else) {
    throw new UserError(
      names.outOfPlace(
        "an `if` on a tensor without `else`",
        "here",
        e.span,
        "give both values: `if c { a } else { b }`",
      ),
    );
  }
  return select(cond, branch(e.then), branch(e.else), atOf(c, env, e.span));
}

/** What is done, not computed: it cannot be chosen element by element. */
const ACTIONS = new Set<ast.Stmt["kind"]>(["print", "plot", "show", "record", "save", "stop", "commit", "minimize"]);

function actionIn(body: ast.Block | ast.If): ast.Stmt | undefined {
  if (body.kind === "if") return actionIn(body.then) ?? (body.else && actionIn(body.else));
  return body.body.find((stmt) => ACTIONS.has(stmt.kind));
}

function evaluateRecord(c: Checker, env: Env, fields: readonly ast.Field[]): Value {
  const result = new Map<string, Value>();
  for (const field of fields) {
    if ("spread" in field) {
      const value = evaluate(c, env, field.spread);
      if (value.kind !== "record") {
        throw new UserError(
          names.wrongValue(
            "`..` in a record",
            "a record",
            typeText(value),
            field.span,
            "write `{ ..row, name: value }` with a record `row`",
          ),
        );
      }
      for (const [name, v] of value.fields) result.set(name, v);
    } else {
      result.set(field.name.text, evaluate(c, env, field.value));
    }
  }
  return { kind: "record", fields: result };
}

function evaluateIndex(c: Checker, env: Env, target: ast.Expr, items: readonly ast.IndexItem[], span: Span): Value {
  const value = evaluate(c, env, target);
  if (value.kind === "broken") return value;
  const variable = value.kind === "list" ? variableOf(value) : undefined;
  if ((value.kind === "list" && !variable) || value.kind === "tuple") {
    const item = items[0];
    if (items.length !== 1 || !item || item.kind === "rest" || item.value.kind === "range") {
      throw new UserError(
        names.onePlaceOfList(items.length > 1 && value.items.every((v) => v.kind === "list"), items, span),
      );
    }
    const n = constantNumber(c, env, item.value, "the place in a list");
    const found = value.items.at(n);
    if (!found) {
      throw new UserError(names.outsideOfList(value.items.length, n, item.span));
    }
    return found;
  }
  const tensor = toTensor(value, atOf(c, env, target.span));
  return indexTensor(
    tensor,
    items.map((item) =>
      item.kind === "rest"
        ? { rest: true as const }
        : {
            axis: item.axis ? axisByName(c, env, tensor, item.axis) : undefined,
            value: evaluate(c, env, item.value),
            span: item.span,
          },
    ),
    atOf(c, env, span),
  );
}

function axisByName(c: Checker, env: Env, tensor: Tensor, name: ast.Name): Value {
  const own = tensor.axes.find((axis) => axis.name === name.text);
  if (own) return { kind: "num", value: own.size, axis: own };
  return resolveName(c, env, name.text, name.span);
}

// ---------------------------------------------------------------- members

export function member(c: Checker, env: Env, value: Value, name: string, span: Span, target?: ast.Expr): Value {
  if (value.kind === "broken") return value;
  const carries = c.carries.get(value);
  const carried = carries?.get(name);
  if (carried) return carried;
  const what = target?.kind === "name" ? `\`${target.text}\`` : typeText(value);
  switch (value.kind) {
    case "tensor":
      if (name === "T") return transposed(value);
      break;
    case "record": {
      const found = value.fields.get(name);
      if (found) return found;
      throw new UserError(
        names.noMember(what, name, span, [...value.fields.keys()], didYouMean(name, value.fields.keys())),
      );
    }
    case "namespace": {
      const found = value.members.get(name);
      if (found) return found;
      throw new UserError(
        names.noMember(what, name, span, [...value.members.keys()], didYouMean(name, value.members.keys())),
      );
    }
    case "instance":
      return instanceMember(c, value, name, span);
    case "dataset":
      return dataMember(c, env, value, name, span, what);
    case "block": {
      if (!value.metrics.has(name)) {
        throw new UserError(
          names.noMember(`the block ${what}`, name, span, [...value.metrics], didYouMean(name, value.metrics)),
        );
      }
      const axes = value.axes.get(name) ?? [];
      const node = make(
        "input",
        [],
        { source: "metric", name: `${value.name}.${name}`, dtype: "f32", shape: axes.map((axis) => axis.size) },
        span,
      );
      return { kind: "tensor", node, dtype: "float", axes };
    }
    case "bundle": {
      const found = value.leaves.get(name) ?? [...value.leaves].find(([path]) => path.endsWith(`.${name}`))?.[1];
      if (found) return found;
      break;
    }
  }
  throw new UserError(names.noMember(what, name, span, [], undefined));
}

// ---------------------------------------------------------------- constants

export function constantNumber(c: Checker, env: Env, e: ast.Expr, what: string): number {
  const value = evaluate(c, env, e);
  if (value.kind === "num") return value.value;
  throw new UserError(names.needsConstant(what, typeText(value), e.span));
}

/** The values that a `for` or a comprehension walks over. */
export function iterationValues(c: Checker, env: Env, e: ast.Expr): readonly Value[] {
  const value = evaluate(c, env, e);
  const countAll = (count: number): void => {
    if (c.walked.passes > MAX_PASSES_OF_ALL) throw new Reported();
    c.walked.passes += count;
    if (c.walked.passes > MAX_PASSES_OF_ALL)
      throw new UserError(loopErrors.tooManyPasses(c.walked.passes, MAX_PASSES_OF_ALL, e.span));
  };
  if (value.kind === "list" || value.kind === "tuple") {
    countAll(value.items.length);
    return value.items;
  }
  if (value.kind === "range" && value.from !== undefined && value.to !== undefined) {
    const { from, to } = value;
    countAll(Math.min(MAX_PASSES, Math.max(0, to - from + 1)));
    if (to - from >= MAX_PASSES) throw new UserError(loopErrors.tooManyPasses(to - from + 1, MAX_PASSES, e.span));
    const items: Value[] = [];
    for (let i = from; i <= to; i++) items.push({ kind: "num", value: i });
    return items;
  }
  if (value.kind === "broken") throw new Reported();
  const places = value.kind === "tensor" && e.kind === "call" && e.callee.kind === "name" && e.callee.text === "range";
  throw new UserError(
    names.notWalkable(typeText(value), e.span, places ? value.classes : undefined, value.kind === "dataset"),
  );
}

export function callFunctionValue(
  c: Checker,
  env: Env,
  f: Value,
  args: { name?: string; value: Value }[],
  span: Span,
): Value {
  return callValue(
    c,
    env,
    f,
    args.map((a) => ({ ...a, span })),
    span,
  );
}
