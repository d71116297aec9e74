/**
 * Axes: when two are one, shapes from lists, and which axes `over:` means. Sizes are numbers; an open size
 * (-1 on an axis; a number whose axis is open) is an unknown fact of the data and fits everything.
 */
import * as mistake from "../errors/shapes.ts";
import { UserError } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import type { At } from "./ctx.ts";
import { numberText } from "./shape-text.ts";
import type { Axis, Num, Tensor, Value } from "./values.ts";

export { axesText, axisText, typeText } from "./shape-text.ts";

export const open = (size: number): boolean => size < 0 || Number.isNaN(size);

export const fits = (a: number, b: number): boolean => a === b || open(a) || open(b);

/** A name is found by its name, a number by an equal number, never one by the other. */
export function sameAxis(a: Axis, b: Axis): boolean {
  if (a.uid !== undefined || b.uid !== undefined) return a.uid === b.uid;
  return fits(a.size, b.size);
}

/** Of two axes known to be one: the name, the known size and the reason that either has. */
export function mergeAxes(a: Axis, b: Axis): Axis {
  const named = a.uid !== undefined ? a : b.uid !== undefined ? b : undefined;
  const size = open(a.size) ? b.size : a.size;
  const why = a.why ?? b.why;
  if ((named === a || (!named && a.name === undefined)) && size === a.size && why === a.why) return a;
  return { size, ...(named && { uid: named.uid, name: named.name }), ...(why && { why }) };
}

export function shape(axes: readonly Axis[]): number[] {
  return axes.map((a) => a.size);
}

/** The number of elements; -1 when an axis is open. */
export function volume(axes: readonly Axis[]): number {
  return axes.some((a) => open(a.size)) ? -1 : axes.reduce((n, a) => n * a.size, 1);
}

export function numberAxis(size: number, span?: Span, text?: string): Axis {
  const n = Number.isNaN(size) ? -1 : size;
  return span && text ? { size: n, why: { span, text: open(n) ? text : `${n} ${text}` } } : { size: n };
}

/** A size that is not known, as a number of the script. */
export const openNum: Num = { kind: "num", value: -1, axis: { size: -1 } };

/** The value of a number; NaN stands for an open size. */
export function numberOf(n: Num): number {
  return n.axis && open(n.axis.size) ? NaN : n.value;
}

/** The size of an axis as a number of the script: it keeps the axis, so `[B, Z]` is made of names. */
export function sizeNum(a: Axis): Num {
  return a.uid === undefined && !open(a.size)
    ? { kind: "num", value: a.size }
    : { kind: "num", value: a.size, axis: a };
}

/** A whole number; open sizes come as NaN. */
export function wholeNumber(v: Value, what: string, span: Span): number {
  if (v.kind !== "num") throw new UserError(mistake.wrongKind(what, "a whole number", { value: v, span }, sizeHelp(v)));
  const value = numberOf(v);
  if (Number.isNaN(value)) return NaN;
  if (!Number.isInteger(value) || v.float)
    throw new UserError(
      mistake.wrongKind(
        what,
        "a whole number",
        { value: v, span },
        Number.isInteger(value)
          ? `${numberText(value, true)} is a float; \`//\` divides whole numbers and gives a whole number`
          : "`//` divides whole numbers and gives a whole number",
      ),
    );
  return value;
}

function sizeHelp(v: Value): string | undefined {
  return v.kind === "tensor"
    ? "sizes are known before anything runs: they come from `dim`, numbers and data sets, never from the values of a tensor"
    : undefined;
}

export function axisFrom(v: Value, at: At, span: Span = at.span): Axis {
  const size = wholeNumber(v, "a size", span);
  if (size < 1)
    throw new UserError(
      mistake.wrongKind("a size", "at least 1", { value: v, span }, "an axis has one element or more"),
    );
  if (v.kind === "num" && v.axis) return v.axis;
  return numberAxis(size, span, "is written here");
}

/** The axes that `[B, Z, 28]` names; a single number is a shape of one axis. */
export function axesFromList(v: Value, at: At, span: Span = at.argSpans?.["shape"] ?? at.span): Axis[] {
  if (v.kind === "num") return [axisFrom(v, at, span)];
  if (v.kind === "list" || v.kind === "tuple") return v.items.map((item) => axisFrom(item, at, span));
  throw new UserError(
    mistake.wrongKind(
      "a shape",
      "a list of sizes",
      { value: v, span },
      v.kind === "tensor" ? "write `shape(x)` for the shape of x" : "for example `[B, 28, 28]`",
    ),
  );
}

/** A place counted from the end when negative. */
export function placeOf(place: number, rank: number): number | undefined {
  const p = place < 0 ? place + rank : place;
  return p >= 0 && p < rank ? p : undefined;
}

function places(t: Tensor, v: Value, span: Span): number[] {
  if (v.kind !== "num")
    throw new UserError(
      mistake.wrongKind("`over`", "an axis", { value: v, span }, "write a name, `over: C`, or a place, `over: -1`"),
    );
  const uid = v.axis?.uid;
  if (uid !== undefined) return t.axes.flatMap((a, i) => (a.uid === uid ? [i] : []));
  const place = placeOf(wholeNumber(v, "the place of an axis", span), t.axes.length);
  return place === undefined ? [] : [place];
}

function onePlace(t: Tensor, v: Value, at: At, span: Span): number {
  const found = places(t, v, span);
  if (found.length === 1) return found[0]!;
  const asked = v as Num;
  throw new UserError(
    found.length === 0 ? mistake.noSuchAxis(t, asked, span, at.span) : mistake.twinAxis(t, asked, found, span, at.span),
  );
}

/** The places of `over:` in t, in the order given. */
export function resolveAxes(t: Tensor, over: Value | undefined, at: At): number[] {
  const span = at.argSpans?.["over"] ?? at.argSpans?.["axis"] ?? at.span;
  const all = t.axes.map((_, i) => i);
  if (over === undefined || over.kind === "none") return all;
  if (over.kind === "not") {
    const but = over.value.kind === "list" || over.value.kind === "tuple" ? over.value.items : [over.value];
    const out = new Set<number>();
    for (const v of but) {
      const found = places(t, v, span);
      if (found.length === 0) throw new UserError(mistake.noSuchAxis(t, v as Num, span, at.span));
      for (const p of found) out.add(p);
    }
    return all.filter((i) => !out.has(i));
  }
  if (over.kind === "list" || over.kind === "tuple") {
    const found = over.items.map((v) => onePlace(t, v, at, span));
    const twice = found.find((p, i) => found.indexOf(p) !== i);
    if (twice !== undefined) throw new UserError(mistake.axisTwice(t, twice, span));
    return found;
  }
  return [onePlace(t, over, at, span)];
}

/** The one place that `over:` means. Without one a tensor of a single axis needs none. */
export function resolveAxis(t: Tensor, over: Value | undefined, at: At, what: string): number {
  const found = over === undefined || over.kind === "none" ? [] : resolveAxes(t, over, at);
  if (found.length === 1) return found[0]!;
  if (found.length === 0 && t.axes.length === 1) return 0;
  throw new UserError(mistake.oneAxisNeeded(what, t, at.argSpans?.["x"] ?? at.span));
}
