/**
 * Inputs. A float is live: a scalar sampled each tick. An integer, a choice or a toggle shapes the program:
 * its value is a constant, and changing it checks and builds again.
 */
import { UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import type { Span } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import type * as ast from "../syntax/ast.ts";
import { typeText } from "./axes.ts";
import { define, evaluate } from "./expr.ts";
import type { Checker, Env } from "./state.ts";
import { scalarInput } from "./state.ts";
import type { Value } from "./values.ts";

export function execInput(c: Checker, env: Env, stmt: ast.InputStmt): void {
  const name = stmt.name.text;
  const given = c.settings.inputs[name];
  if (stmt.domain?.kind === "list") {
    const options = stmt.domain.items.map((item) => optionText(item));
    const first = optionText(stmt.value);
    const chosen = given === undefined ? first : String(given);
    const place = options.indexOf(chosen);
    if (place < 0) {
      const option = didYouMean(chosen, options);
      const near = option === undefined ? undefined : { option, written: asWritten(stmt.domain.items, option) };
      const allowed = `one of ${options.join(", ")}`;
      throw new UserError(names.wrongInput(name, chosen, stmt.value.span, allowed, given !== undefined, near));
    }
    c.inputs.set(name, { name, value: chosen, options, kind: "shape", span: stmt.span });
    define(c, env.scope, stmt.name, evaluate(c, env, stmt.domain.items[place]!));
    return;
  }
  const value = evaluate(c, env, stmt.value);
  if (value.kind === "bool") {
    if (given !== undefined && String(given) !== "true" && String(given) !== "false") {
      throw new UserError(names.wrongInput(name, String(given), stmt.value.span, "true or false"));
    }
    const chosen = given === undefined ? value.value : String(given) === "true";
    c.inputs.set(name, { name, value: chosen, kind: "shape", span: stmt.span });
    define(c, env.scope, stmt.name, { kind: "bool", value: chosen });
    return;
  }
  if (value.kind !== "num")
    throw new UserError(names.needsConstant("the value of an input", typeText(value), stmt.value.span));
  const [min, max] = bounds(c, env, stmt.domain);
  const allowed = min === undefined ? "a number" : `a number from ${min} to ${max}`;
  const chosen = given === undefined ? value.value : Number(given);
  if (!Number.isFinite(chosen) || (min !== undefined && (chosen < min || chosen > max!))) {
    throw new UserError(
      names.wrongInput(name, String(given ?? value.value), stmt.value.span, allowed, given !== undefined),
    );
  }
  const live = value.float === true || stmt.log || !integerDomain(stmt);
  if (!live && !Number.isInteger(chosen)) {
    throw new UserError(names.wrongInput(name, String(given), stmt.value.span, "a whole number"));
  }
  c.inputs.set(name, { name, value: chosen, min, max, log: stmt.log, kind: live ? "live" : "shape", span: stmt.span });
  const meaning: Value = live
    ? { kind: "tensor", node: scalarInput(`input:${name}`, "f32", stmt.span), dtype: "float", axes: [] }
    : { kind: "num", value: chosen };
  define(c, env.scope, stmt.name, meaning);
}

/** `10 in 0 .. 50` is whole; a float anywhere makes the input live. */
function integerDomain(stmt: ast.InputStmt): boolean {
  const isFloat = (e: ast.Expr | undefined): boolean =>
    e?.kind === "number"
      ? e.float
      : e?.kind === "unary"
        ? isFloat(e.value)
        : e?.kind === "range"
          ? isFloat(e.from) || isFloat(e.to)
          : false;
  return !isFloat(stmt.domain);
}

function bounds(c: Checker, env: Env, domain: ast.Expr | undefined): [number | undefined, number | undefined] {
  if (!domain) return [undefined, undefined];
  const range = evaluateRange(c, env, domain);
  return range;
}

function evaluateRange(c: Checker, env: Env, e: ast.Expr): [number, number] {
  if (e.kind === "range" && e.from && e.to) {
    const from = evaluate(c, env, e.from);
    const to = evaluate(c, env, e.to);
    if (from.kind === "num" && to.kind === "num") return [from.value, to.value];
  }
  throw new UserError(names.needsConstant("the range of an input", "something else", e.span));
}

function optionText(e: ast.Expr): string {
  switch (e.kind) {
    case "name":
      return e.text;
    case "number":
      return e.text;
    case "string":
      return e.parts.filter((p): p is string => typeof p === "string").join("");
    case "bool":
      return String(e.value);
    default:
      return spanText(e.span);
  }
}

/** A text stands in quotes. */
const asWritten = (items: readonly ast.Expr[], option: string): string =>
  items.some((item) => item.kind === "string" && optionText(item) === option) ? `"${option}"` : option;

function spanText(span: Span): string {
  return `choice at ${span.start}`;
}
