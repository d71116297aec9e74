/** What a function of the language is that needs more than tensors, and how its arguments are bound. */
import { UserError } from "../diagnostic.ts";
import * as mistakes from "../errors/rows.ts";
import * as names from "../errors/names.ts";
import type { Span } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import { constant } from "./arith.ts";
import { typeText } from "./axes.ts";
import type { ArgV } from "./call.ts";
import { isTextData } from "./data.ts";
import type { Checker, Env } from "./state.ts";
import type { Dataset, Value } from "./values.ts";

export interface Special {
  readonly params: readonly string[];
  readonly doc: string;
  readonly takes: (args: readonly ArgV[]) => boolean;
  readonly call: (c: Checker, env: Env, args: readonly ArgV[], span: Span) => Value;
}

export function always(): boolean {
  return true;
}
export function onData(args: readonly ArgV[]): boolean {
  return args[0]?.value.kind === "dataset";
}

export function bind(callee: string, params: readonly string[], args: readonly ArgV[], span: Span): Map<string, ArgV> {
  const bound = new Map<string, ArgV>();
  let place = 0;
  for (const arg of args) {
    let name = arg.name;
    if (name === undefined) {
      while (place < params.length && bound.has(params[place]!)) place++;
      name = params[place];
      if (name === undefined) throw new UserError(names.tooManyArguments(callee, params.length, arg.span, params));
    } else if (!params.includes(name)) {
      throw new UserError(
        names.wrongArgument(callee, name, arg.nameSpan ?? arg.span, params, didYouMean(name, params)),
      );
    }
    bound.set(name, arg);
  }
  if (!bound.has(params[0]!)) throw new UserError(names.missingArgument(callee, params[0]!, span));
  return bound;
}

export function dataset(callee: string, arg: ArgV): Dataset {
  if (arg.value.kind === "dataset") {
    if (isTextData(arg.value)) throw new UserError(mistakes.notTokens(arg.span, `\`${callee}\``));
    return arg.value;
  }
  throw new UserError(names.outOfPlace(typeText(arg.value), `in \`${callee}\``, arg.span, "give it a data set"));
}

export function number(arg: ArgV | undefined, what: string, fallback: number | undefined, span: Span): number {
  if (!arg) {
    if (fallback === undefined) throw new UserError(names.needsConstant(what, "missing", span));
    return fallback;
  }
  const known = constant(arg.value);
  if (known !== undefined) return known;
  throw new UserError(names.needsConstant(what, typeText(arg.value), arg.span));
}

export function fraction(arg: ArgV | undefined, what: string, span: Span): number {
  const value = number(arg, what, 0, span);
  if (value < 0 || value >= 1)
    throw new UserError(names.needsConstant(`${what} (a part between 0 and 1)`, String(value), arg?.span ?? span));
  return value;
}

export function wholeNumber(arg: ArgV | undefined, what: string, fallback: number | undefined, span: Span): number {
  const value = number(arg, what, fallback, span);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new UserError(names.needsConstant(`${what} (1 or more)`, String(value), arg?.span ?? span));
}

export function yes(arg: ArgV | undefined, what: string): boolean {
  if (!arg) return false;
  if (arg.value.kind === "bool") return arg.value.value;
  throw new UserError(names.needsConstant(`${what} (true or false)`, typeText(arg.value), arg.span));
}
