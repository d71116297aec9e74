/**
 * `x[..]`: numbers drop their axis, ranges keep it as a number, tensors of indices put their axes in its place. Names
 * that an index shares with the other axes of x are aligned: `lp[.., label]` is [B] from [B, 10] and [B].
 */
import { UserError } from "../diagnostic.ts";
import * as mistake from "../errors/shapes.ts";
import type { Span } from "../source.ts";
import { mergeAxes, numberAxis, open, placeOf, resolveAxes, shape, typeText, wholeNumber } from "./axes.ts";
import { pairAxes, spreadTo } from "./broadcast.ts";
import type { At } from "./ctx.ts";
import { cast, filled, indices, isTensorLike, op, reorder, tensor, toTensor, viewAs } from "./tensors.ts";
import type { Axis, RangeV, Tensor, Value } from "./values.ts";

export type Item = { readonly rest: true } | { readonly axis?: Value; readonly value: Value; readonly span: Span };
type Asked = Exclude<Item, { rest: true }>;

export function indexTensor(t: Tensor, items: readonly Item[], at: At): Tensor {
  const asked = placeItems(t, items, at);
  const kept: Asked[] = [];
  const start = t.axes.map(() => 0);
  const stop = shape(t.axes);
  const axes: (Axis | undefined)[] = [...t.axes];
  for (const [place, item] of asked) {
    if (item.value.kind === "num") {
      const i = constantPlace(t, place, item);
      [start[place], stop[place], axes[place]] = [i, i + 1, undefined];
    } else if (item.value.kind === "range") {
      const [from, to] = rangePlaces(t, place, item.value, item.span);
      const size = open(t.axes[place]!.size) ? -1 : to - from;
      [start[place], stop[place]] = [from, to];
      axes[place] = numberAxis(size, item.span, `places of ${typeText(item.value)}`);
    } else {
      kept[place] = item;
    }
  }
  const cut = sliced(t, start, stop, at);
  const left = t.axes.flatMap((_, i) => (axes[i] ? [i] : []));
  let result = viewAs(
    cut,
    left.map((i) => axes[i]!),
    at,
  );
  // From the last to the first, so that places before stay what they are.
  for (const place of left.toReversed()) {
    const item = kept[place];
    if (item) result = atIndices(result, left.indexOf(place), indexValue(item, at), item.span, at);
  }
  return result;
}

/** Which axis each item means. */
function placeItems(t: Tensor, items: readonly Item[], at: At): Map<number, Asked> {
  const found = new Map<number, Asked>();
  const put = (place: number, item: Asked): void => {
    if (found.has(place)) throw new UserError(mistake.axisTwice(t, place, item.span));
    found.set(place, item);
  };
  const plain = items.filter((x) => "rest" in x || x.axis === undefined);
  const rest = plain.findIndex((x) => "rest" in x);
  const again = plain.findLastIndex((x) => "rest" in x);
  const given = plain.length - (rest < 0 ? 0 : 1);
  if (rest !== again) throw new UserError(mistake.restTwice(t, at.span));
  if (given > t.axes.length) throw new UserError(mistake.tooManyIndices(t, given, at.span));
  plain.forEach((item, i) => {
    if ("rest" in item) return;
    put(rest < 0 || i < rest ? i : t.axes.length - (plain.length - i), item);
  });
  for (const item of items)
    if (!("rest" in item) && item.axis !== undefined) put(axisOf(t, item.axis, item.span, at), item);
  return found;
}

/** One index is along one axis. */
function axisOf(t: Tensor, axis: Value, span: Span, at: At): number {
  const [found, ...more] = resolveAxes(t, axis, { ...at, argSpans: { over: span } });
  if (found === undefined || more.length > 0) throw new UserError(mistake.indexOfAxes(t, span));
  return found;
}

function constantPlace(t: Tensor, place: number, item: Asked): number {
  const size = t.axes[place]!.size;
  const i = wholeNumber(item.value, "an index", item.span);
  if (open(size) || Number.isNaN(i)) return 0;
  const p = placeOf(i, size);
  if (p === undefined) throw new UserError(mistake.indexOutside(t, place, String(i), item.span));
  return p;
}

/** First place and the place after the last. */
function rangePlaces(t: Tensor, place: number, range: RangeV, span: Span): [number, number] {
  const size = t.axes[place]!.size;
  const from = range.from ?? 0;
  const to = range.to ?? -1;
  for (const end of [from, to])
    if (!Number.isInteger(end))
      throw new UserError(
        mistake.wrongKind("the end of a range", "a whole number", { value: { kind: "num", value: end }, span }),
      );
  if (open(size)) return [Math.max(0, from), to < 0 ? -1 : to + 1];
  const first = placeOf(from, size);
  const last = placeOf(to, size);
  // An absent end of an empty rest (`3..` of three places) is an empty range, not a place outside.
  if (first === undefined && !(range.to === undefined && from === size))
    throw new UserError(mistake.indexOutside(t, place, String(from), span));
  if (last === undefined) throw new UserError(mistake.indexOutside(t, place, String(to), span));
  if (first === undefined || last < first) throw new UserError(mistake.emptyRange(t, place, typeText(range), span));
  return [first, last + 1];
}

/** t cut to [start, stop) on every axis; sizes change, names are the caller's to give. */
export function sliced(t: Tensor, start: readonly number[], stop: readonly number[], at: At): Tensor {
  const whole = start.every((s, i) => s === 0 && stop[i] === t.axes[i]!.size);
  if (whole) return t;
  const axes = t.axes.map((a, i) =>
    start[i] === 0 && stop[i] === a.size ? a : { size: open(a.size) || stop[i]! < 0 ? -1 : stop[i]! - start[i]! },
  );
  return { ...t, node: op("slice", [t.node], { start, stop, step: start.map(() => 1) }, at), axes };
}

/** t cut to [from, to) on one axis, which becomes a number. */
export function slicedAt(t: Tensor, place: number, from: number, to: number, at: At): Tensor {
  const start = t.axes.map((_, i) => (i === place ? from : 0));
  const stop = t.axes.map((a, i) => (i === place ? to : a.size));
  return sliced(t, start, stop, at);
}

function indexValue(item: Asked, at: At): Tensor {
  const { value, span } = item;
  const v = isTensorLike(value) ? toTensor(value, { ...at, span }) : value;
  if (v.kind === "tensor" && v.dtype === "int") return v;
  const help =
    v.kind === "tensor" && v.dtype === "bool"
      ? "sizes never depend on values: keep all places and use `where(c, x, 0)` or `weight: c`"
      : v.kind === "tensor"
        ? "indices are whole numbers: `i32(x)` converts"
        : undefined;
  throw new UserError(
    mistake.wrongKind("an index", "a whole number, a range or a tensor of integers", { value, span }, help),
  );
}

/** Labels that do not fit the axis they point into. */
export function checkClasses(ids: Tensor, axis: Axis, span: Span, x?: { value: Value; span: Span }): void {
  if (ids.classes !== undefined && !open(axis.size) && !open(ids.classes) && ids.classes > axis.size)
    throw new UserError(mistake.indexRange({ value: ids, span }, axis, ids.classes, x));
}

/** x with the axes of `ids` in the place of one axis. */
export function atIndices(x: Tensor, place: number, ids: Tensor, span: Span, at: At): Tensor {
  const axis = x.axes[place]!;
  checkClasses(ids, axis, span, { value: x, span: at.span });
  const others = x.axes.map((_, i) => i).filter((i) => i !== place);
  // Places in x of the axes that `ids` shares with it by name.
  const shared = ids.axes.map((a) => {
    const found = a.uid === undefined ? [] : others.filter((i) => x.axes[i]!.uid === a.uid);
    if (found.length > 1)
      throw new UserError(mistake.twinAxis(x, { kind: "num", value: a.size, axis: a }, found, span, at.span));
    return found[0];
  });
  if (shared.every((s) => s === undefined)) return gather(x, place, ids, at);
  return shared.every((s) => s !== undefined)
    ? pickAligned(x, place, ids, shared, at)
    : gatherAligned(x, place, ids, shared, at);
}

function gather(x: Tensor, place: number, ids: Tensor, at: At): Tensor {
  const axes = x.axes.toSpliced(place, 1, ...ids.axes);
  const stored = x.dtype === "bool" ? cast(x, "int", at) : x;
  const node = op("gather", [stored.node, ids.node], { axis: place }, at);
  return x.dtype === "bool" ? cast(tensor(node, axes, "int"), "bool", at) : { ...x, node, axes };
}

/** One place for each row: the sum over the axis of what stands where the index points. It fuses with its neighbours. */
function pickAligned(x: Tensor, place: number, ids: Tensor, shared: readonly number[], at: At): Tensor {
  const order = shared.map((_, i) => i).sort((p, q) => shared[p]! - shared[q]!);
  const sorted = reorder(ids, order, at);
  const wanted = spreadTo(
    sorted,
    x.axes,
    order.map((i) => shared[i]!),
    at,
  );
  const here = op("eq", [indices(x.axes, place, at).node, wanted], {}, at);
  const stored = x.dtype === "bool" ? cast(x, "int", at) : x;
  const chosen = op("select", [here, stored.node, filled(0, x.axes, stored.dtype, at).node], {}, at);
  const axes = x.axes.toSpliced(place, 1).map((a) => {
    const i = ids.axes.findIndex((b) => b.uid !== undefined && b.uid === a.uid);
    return i < 0 ? a : mergeAxes(a, ids.axes[i]!);
  });
  const node = op("sum", [chosen], { axes: [place] }, at);
  return x.dtype === "bool" ? cast(tensor(node, axes, "int"), "bool", at) : { ...x, node, axes };
}

/**
 * Several places for each row: the shared axes and the indexed one become one axis, and the index into it is
 * counted from the beginning of the row.
 */
function gatherAligned(x: Tensor, place: number, ids: Tensor, shared: readonly (number | undefined)[], at: At): Tensor {
  const rows = shared.filter((s) => s !== undefined).sort((p, q) => p - q);
  const others = x.axes.map((_, i) => i).filter((i) => i !== place && !rows.includes(i));
  const front = reorder(x, [...rows, place, ...others], at);
  const joined = [...rows, place].reduce((n, i) => (n < 0 || open(x.axes[i]!.size) ? -1 : n * x.axes[i]!.size), 1);
  const flat = viewAs(front, [{ size: joined }, ...others.map((i) => x.axes[i]!)], at);
  // Flat index = (row of the shared axes) * extent + index, over the axes of ids.
  let index = ids.node;
  const held = filled(0, ids.axes, "int", at).node;
  let extent = x.axes[place]!.size;
  const clamped = op(
    "max",
    [op("min", [index, filled(Math.max(0, extent - 1), ids.axes, "int", at).node], {}, at), held],
    {},
    at,
  );
  index = clamped;
  for (const row of rows.toReversed()) {
    const along = indices(ids.axes, shared.indexOf(row), at).node;
    const step = filled(extent, ids.axes, "int", at).node;
    index = op("add", [index, op("mul", [along, step], {}, at)], {}, at);
    extent = open(x.axes[row]!.size) ? -1 : extent * x.axes[row]!.size;
  }
  const taken = gather(flat, 0, { ...ids, node: index, classes: undefined }, at);
  // Now [axes of ids.., others..]: shared axes go back to where x had them, the new ones where the index stood.
  const fresh = ids.axes.flatMap((_, i) => (shared[i] === undefined ? [i] : []));
  const perm = x.axes.flatMap((_, i) =>
    i === place ? fresh : rows.includes(i) ? [shared.indexOf(i)] : [ids.axes.length + others.indexOf(i)],
  );
  return reorder(taken, perm, at);
}

/** The places of the axes of `small` in `t`, or undefined when they are not found in exactly one way. */
export function placesIn(small: readonly Axis[], t: Tensor): readonly number[] | undefined {
  if (small.length > t.axes.length) return undefined;
  const pairing = pairAxes(small, t.axes, true);
  return "why" in pairing ? undefined : pairing.a;
}
