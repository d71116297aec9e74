/**
 * The shape of one row in the table of builtins, and how a row reads its arguments: each reader says what it wanted
 * and what it got.
 */
import { UserError } from "../../diagnostic.ts";
import * as mistake from "../../errors/shapes.ts";
import type { Operand } from "../../errors/shapes.ts";
import type { Span } from "../../source.ts";
import { numberOf, placeOf, wholeNumber } from "../axes.ts";
import type { At } from "../ctx.ts";
import { cast, toTensor } from "../tensors.ts";
import type { Bundle, Tensor, Value } from "../values.ts";

export interface BuiltinParam {
  readonly name: string;
  /** Absent means `none` when not given. */
  readonly default?: Value | "required";
  /** Takes all further arguments: a record of the named ones when it is called `named`, else a list of the others. */
  readonly rest?: boolean;
}

export interface Builtin {
  readonly name: string;
  readonly params: readonly BuiltinParam[];
  /** The signature in backticks, then what it means; Markdown. */
  readonly doc: string;
  call(args: Record<string, Value>, at: At): Value;
}

export const none: Value = { kind: "none" };
export const num = (value: number, float = false): Value =>
  float ? { kind: "num", value, float } : { kind: "num", value };
export const flag = (value: boolean): Value => ({ kind: "bool", value });

export const required = (name: string): BuiltinParam => ({ name, default: "required" });
export const optional = (name: string, value: Value = none): BuiltinParam => ({ name, default: value });
export const rest = (name: string): BuiltinParam => ({ name, rest: true });

/** Typed access to the arguments of one call. */
export class Args {
  readonly fn: string;
  readonly values: Record<string, Value>;
  readonly at: At;

  constructor(fn: string, values: Record<string, Value>, at: At) {
    this.fn = fn;
    this.values = values;
    this.at = at;
  }

  value(name: string): Value {
    return this.values[name] ?? none;
  }
  given(name: string): boolean {
    return this.value(name).kind !== "none";
  }
  span(name: string): Span {
    return this.at.argSpans?.[name] ?? this.at.span;
  }
  operand(name: string): Operand {
    return { value: this.value(name), span: this.span(name) };
  }
  /** `at` with the spans of two arguments as the sides of an operator. */
  sides(left: string, right: string): At & { left: Span; right: Span } {
    return { ...this.at, left: this.span(left), right: this.span(right) };
  }
  wrong(name: string, expected: string, help?: string): UserError {
    return new UserError(mistake.wrongKind(`\`${name}\` of \`${this.fn}\``, expected, this.operand(name), help));
  }

  tensor(name: string): Tensor {
    return toTensor(this.value(name), { ...this.at, span: this.span(name) }, `\`${name}\` of \`${this.fn}\``);
  }
  float(name: string): Tensor {
    return cast(this.tensor(name), "float", this.at);
  }
  /** Bools count 0 and 1. */
  number(name: string): Tensor {
    const t = this.tensor(name);
    return t.dtype === "bool" ? cast(t, "int", this.at) : t;
  }
  ints(name: string): Tensor {
    const t = this.tensor(name);
    if (t.dtype === "int") return t;
    throw this.wrong(name, "a tensor of integers", t.dtype === "float" ? "`i32(x)` converts" : undefined);
  }
  bools(name: string): Tensor {
    const t = this.tensor(name);
    if (t.dtype === "bool") return t;
    throw this.wrong(name, "true or false everywhere", "compare it: `x > 0`, `x != 0`");
  }
  /** A whole number known now; NaN for an open size. */
  whole(name: string, least = -Infinity): number {
    const n = wholeNumber(this.value(name), `\`${name}\` of \`${this.fn}\``, this.span(name));
    if (n < least) throw this.wrong(name, `at least ${least}`);
    return n;
  }
  constant(name: string): number {
    const v = this.value(name);
    if (v.kind !== "num") throw this.wrong(name, "a number known before the script runs");
    return numberOf(v);
  }
  flag(name: string): boolean {
    const v = this.value(name);
    if (v.kind === "none") return false;
    if (v.kind !== "bool") throw this.wrong(name, "`true` or `false`");
    return v.value;
  }
  /** The items of a list or tuple. */
  items(name: string): readonly Value[] {
    const v = this.value(name);
    if (v.kind === "list" || v.kind === "tuple") return v.items;
    throw this.wrong(name, "a list", "for example `[a, b]`");
  }
  /** One whole number for each of `count` axes, or a list of them. */
  perAxis(name: string, count: number, least: number): number[] {
    const v = this.value(name);
    const items = v.kind === "list" || v.kind === "tuple" ? v.items : Array.from({ length: count }, () => v);
    if (items.length !== count) throw this.wrong(name, `one number or a list of ${count}, one per axis of \`over\``);
    return items.map((item) => {
      const n = wholeNumber(item, `\`${name}\` of \`${this.fn}\``, this.span(name));
      if (n < least) throw this.wrong(name, `at least ${least}`);
      return n;
    });
  }
  /** The bundle that an argument is, or the params of the model that it is. */
  bundle(name: string): Bundle | undefined {
    const v = this.value(name);
    if (v.kind === "bundle") return v;
    const lent = lentTo(v);
    if (lent) return lent;
    return hasModel(v) ? this.at.ctx.paramsOf(v, this.span(name)) : undefined;
  }
  /** Broken arguments were reported already. */
  broken(): boolean {
    return Object.values(this.values).some(isBroken);
  }
}

export const hasModel = (v: Value): boolean =>
  v.kind === "instance" || ((v.kind === "list" || v.kind === "tuple") && v.items.some(hasModel));

/** `net.with(p)` stands for its p, a bundle like another. */
export const lentTo = (v: Value): Bundle | undefined =>
  v.kind === "with" ? v.params : v.kind === "list" ? v.items.map(lentTo).find((p) => p) : undefined;

function isBroken(v: Value): boolean {
  if (v.kind === "list" || v.kind === "tuple") return v.items.some(isBroken);
  return v.kind === "broken";
}

export function builtin(name: string, params: readonly BuiltinParam[], doc: string, call: (a: Args) => Value): Builtin {
  return {
    name,
    params,
    doc,
    call(values, at) {
      const args = new Args(name, values, at);
      return args.broken() ? { kind: "broken" } : call(args);
    },
  };
}

/** A place for a new axis: one more than there are, so -1 is behind the last. */
export function newPlace(a: Args, name: string, rank: number): number {
  const n = a.whole(name);
  const place = placeOf(n, rank + 1);
  if (place === undefined) throw a.wrong(name, `a place from 0 to ${rank}, or from -1 to -${rank + 1}`);
  return place;
}
