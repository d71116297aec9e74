/** Functions that move elements and compute nothing: reshape, flatten, squeeze, concat, split, windows, pad; and sizes. */
import { UserError } from "../../diagnostic.ts";
import * as mistake from "../../errors/shapes.ts";
import { make } from "../../graph/index.ts";
import {
  axesFromList,
  axisFrom,
  axisText,
  fits,
  numberAxis,
  open,
  openNum,
  placeOf,
  resolveAxes,
  shape,
  sizeNum,
  volume,
  wholeNumber,
} from "../axes.ts";
import { broadcastTo, pairAxes } from "../broadcast.ts";
import type { At } from "../ctx.ts";
import { slicedAt } from "../index.ts";
import { cast, op, reorder, tensor, toTensor, viewAs } from "../tensors.ts";
import type { Axis, Bundle, Kind, Num, Tensor, Value } from "../values.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, num, optional, required, rest } from "./builtin.ts";

// ---------------------------------------------------------------- one tensor, other axes

const isRest = (v: Value): boolean => v.kind === "num" && v.value === -1 && v.axis === undefined;

const reshape = builtin(
  "reshape",
  [required("x"), required("shape")],
  "`reshape(x, [B, 7, 7, 2])` The same elements in order under other axes. One size may be -1: it follows from the others. Names are those written.",
  (a) => {
    const x = a.tensor("x");
    const span = a.span("shape");
    const v = a.value("shape");
    const items = v.kind === "list" || v.kind === "tuple" ? v.items : [v];
    const hole = items.findIndex(isRest);
    const have = volume(x.axes);
    if (hole < 0 || items.findLastIndex(isRest) !== hole) {
      const axes = axesFromList(v, a.at, span);
      const want = volume(axes);
      if (have >= 0 && want >= 0 && have !== want)
        throw new UserError(mistake.reshapeSizes(a.operand("x"), axes, have, want, span));
      return viewAs(x, axes, a.at);
    }
    const others = items.map((item, i) => (i === hole ? { size: 1 } : axisFrom(item, a.at, span)));
    const want = volume(others);
    if (have >= 0 && want >= 0 && have % want !== 0)
      throw new UserError(mistake.reshapeRest(a.operand("x"), have, want, span));
    others[hole] = numberAxis(have < 0 || want < 0 ? -1 : have / want, span, "is what is left for the -1");
    return viewAs(x, others, a.at);
  },
);

/** All leaves of a bundle as one vector, in their order. */
export function flattenBundle(b: Bundle, at: At): Tensor {
  const parts = [...b.leaves.values()].map((t) => viewAs(cast(t, "float", at), [{ size: volume(t.axes) }], at));
  const size = parts.reduce((n, t) => (n < 0 || open(t.axes[0]!.size) ? -1 : n + t.axes[0]!.size), 0);
  return tensor(
    parts.length === 1
      ? parts[0]!.node
      : op(
          "concat",
          parts.map((t) => t.node),
          { axis: 0 },
          at,
        ),
    [{ size }],
    "float",
  );
}

const flatten = builtin(
  "flatten",
  [required("x"), optional("from", num(1))],
  "`flatten(x, from: 1)` Joins all axes from a place on into one: `[B, 8, 4, 4]` becomes `[B, 128]`. Of a bundle, all leaves as one vector.",
  (a) => {
    const bundle = a.bundle("x");
    if (bundle) return flattenBundle(bundle, a.at);
    const x = a.tensor("x");
    const from = a.whole("from", 0);
    if (x.axes.length <= from + 1) return x;
    const joined = x.axes.slice(from);
    const sizes = joined.map((j) => (j.size < 0 ? "?" : j.size)).join(" * ");
    return viewAs(
      x,
      [...x.axes.slice(0, from), numberAxis(volume(joined), a.at.span, `= ${sizes}, joined by flatten`)],
      a.at,
    );
  },
);

const squeeze = builtin(
  "squeeze",
  [required("x"), optional("axis")],
  "`squeeze(x, axis)` Drops an axis of size 1; without a place, all numbers of size 1. A named axis is dropped only when asked for.",
  (a) => {
    const x = a.tensor("x");
    const drop = a.given("axis")
      ? resolveAxes(x, a.value("axis"), a.at)
      : x.axes.flatMap((axis, i) => (axis.uid === undefined && axis.size === 1 ? [i] : []));
    for (const i of drop)
      if (!fits(x.axes[i]!.size, 1)) throw new UserError(mistake.cannotSqueeze(a.operand("x"), x.axes[i]!));
    return viewAs(
      x,
      x.axes.filter((_, i) => !drop.includes(i)),
      a.at,
    );
  },
);

/** A place for a new axis: one more than there are, so -1 is behind the last. */
function newPlace(a: Args, name: string, rank: number): number {
  const n = a.whole(name);
  const place = placeOf(n, rank + 1);
  if (place === undefined) throw a.wrong(name, `a place from 0 to ${rank}, or from -1 to -${rank + 1}`);
  return place;
}

const unsqueeze = builtin(
  "unsqueeze",
  [required("x"), required("place")],
  "`unsqueeze(x, place)` Adds an axis of size 1: `[B, 28, 28]` becomes `[B, 1, 28, 28]` with place 1; -1 is behind the last.",
  (a) => {
    const x = a.tensor("x");
    return viewAs(
      x,
      x.axes.toSpliced(newPlace(a, "place", x.axes.length), 0, numberAxis(1, a.at.span, "is added by unsqueeze")),
      a.at,
    );
  },
);

const expand = builtin(
  "expand",
  [required("x"), required("shape")],
  "`expand(x, [B, K, J])` Repeats x over more axes. Its own are found among them as in broadcasting: a name by its name, a number by an equal number.",
  (a) => broadcastTo(a.tensor("x"), axesFromList(a.value("shape"), a.at), a.at),
);

function newAxis(v: Value, old: Axis, a: Args, span = a.at.span): Axis {
  if (v.kind === "str") return a.at.ctx.freshAxis(v.parts.join(""), old.size, old.why);
  const axis = axisFrom(v, a.at, span);
  if (!fits(axis.size, old.size))
    throw new UserError(
      mistake.wrongKind(
        "the new name",
        `an axis of size ${old.size}`,
        { value: v, span },
        "`rename` changes the name and keeps the size",
      ),
    );
  return open(axis.size) ? { ...axis, size: old.size } : axis;
}

const rename = builtin(
  "rename",
  [required("x"), optional("axis"), optional("to"), rest("named")],
  "`rename(x, T: Tk)` The axis T under the name Tk. By place, for twins and numbers: `rename(x, -1, Tk)`.",
  (a) => {
    const x = a.tensor("x");
    const axes = [...x.axes];
    if (a.given("axis")) {
      if (!a.given("to")) throw a.wrong("to", "the new name of the axis", "`rename(x, -1, K)` or `rename(x, T: K)`");
      const [place, ...more] = resolveAxes(x, a.value("axis"), a.at);
      if (place === undefined || more.length > 0) throw a.wrong("axis", "one axis");
      axes[place] = newAxis(a.value("to"), axes[place]!, a, a.span("to"));
    }
    const named = a.value("named");
    if (named.kind === "record")
      for (const [name, to] of named.fields) {
        const found = x.axes.flatMap((axis, i) => (axis.name === name ? [i] : []));
        const asked: Num = { kind: "num", value: 0, axis: { size: -1, uid: -1, name } };
        if (found.length === 0) throw new UserError(mistake.noSuchAxis(x, asked, a.span(name), a.at.span));
        if (found.length > 1) throw new UserError(mistake.twinAxis(x, asked, found, a.span(name), a.at.span));
        axes[found[0]!] = newAxis(to, axes[found[0]!]!, a, a.span(name));
      }
    return { ...x, axes };
  },
);

const permute = builtin(
  "permute",
  [required("x"), required("order")],
  "`permute(x, [B, C, H, W])` The axes in another order, by names or places.",
  (a) => {
    const x = a.tensor("x");
    const order = resolveAxes(
      x,
      { kind: "list", items: a.items("order") },
      { ...a.at, argSpans: { over: a.span("order") } },
    );
    if (order.length !== x.axes.length)
      throw a.wrong("order", `all ${x.axes.length} axes of x`, `x has ${x.axes.map(axisText).join(", ")}`);
    return reorder(x, order, a.at);
  },
);

/** `x.T`: the last two axes change places; a vector stays. */
export function transposed(t: Tensor, span = t.node.span): Tensor {
  const n = t.axes.length;
  if (n < 2) return t;
  const perm = t.axes.map((_, i) => (i === n - 1 ? n - 2 : i === n - 2 ? n - 1 : i));
  return { ...t, node: make("permute", [t.node], { perm }, span), axes: perm.map((p) => t.axes[p]!) };
}

const transpose = builtin(
  "transpose",
  [required("x")],
  "`transpose(x)` The last two axes change places; also written `x.T`.",
  (a) => transposed(a.tensor("x"), a.at.span),
);

// ---------------------------------------------------------------- several tensors

function parts(a: Args): Tensor[] {
  const items = a.items("items");
  if (items.length === 0) throw a.wrong("items", "a list with at least one tensor");
  const all = items.map((v) => toTensor(v, { ...a.at, span: a.span("items") }, `each item of \`${a.fn}\``));
  const kind: Kind = all.some((t) => t.dtype === "float")
    ? "float"
    : all.some((t) => t.dtype === "int")
      ? "int"
      : "bool";
  return all.map((t) => cast(t, kind, a.at));
}

/** Axes but one must pair by place. */
function mergedAxes(all: readonly Tensor[], without: number, a: Args): Axis[] {
  const but = (t: Tensor): Axis[] => t.axes.filter((_, i) => i !== without);
  return all.slice(1).reduce((axes, t) => {
    const pairing = t.axes.length === all[0]!.axes.length ? pairAxes(axes, but(t), true) : undefined;
    if (!pairing || "why" in pairing) {
      const sides = [
        { value: all[0]!, span: a.span("items") },
        { value: t, span: a.span("items") },
      ] as const;
      throw new UserError(
        pairing && "why" in pairing
          ? mistake.cannotBroadcast(a.fn, ...sides, pairing)
          : mistake.wrongOperands(a.fn, ...sides, "all items must have the same number of axes"),
      );
    }
    return [...pairing.axes];
  }, but(all[0]!));
}

const concat = builtin(
  "concat",
  [required("items"), optional("over", num(0))],
  "`concat([a, b], over: -1)` One behind the other along one axis, which becomes a number; the others must be equal.",
  (a) => {
    const all = parts(a);
    const first = all[0]!;
    const place = resolveAxes(first, a.value("over"), a.at);
    if (place.length !== 1) throw new UserError(mistake.oneAxisNeeded("concat", first, a.span("items")));
    const axis = place[0]!;
    if (all.length === 1) return first;
    const rest = mergedAxes(all, axis, a);
    const sizes = all.map((t) => t.axes[axis]!.size);
    const size = sizes.some(open) ? -1 : sizes.reduce((n, s) => n + s, 0);
    const axes = rest.toSpliced(axis, 0, numberAxis(size, a.at.span, `= ${sizes.join(" + ")}, put together by concat`));
    const tag = all.every((t) => t.tag === first.tag) ? first.tag : undefined;
    return tensor(
      op(
        "concat",
        all.map((t) => t.node),
        { axis },
        a.at,
      ),
      axes,
      first.dtype,
      tag && { tag },
    );
  },
);

const stack = builtin(
  "stack",
  [required("items"), optional("at", num(0))],
  "`stack([a, b], at: 0)` Tensors of one shape along a new axis at a place.",
  (a) => {
    const all = parts(a);
    const axes = mergedAxes(all, -1, a);
    const place = newPlace(a, "at", axes.length);
    const rows = all.map((t) => op("reshape", [t.node], { shape: shape(axes).toSpliced(place, 0, 1) }, a.at));
    const node = rows.length === 1 ? rows[0]! : op("concat", rows, { axis: place }, a.at);
    return tensor(
      node,
      axes.toSpliced(place, 0, numberAxis(all.length, a.at.span, "tensors are stacked here")),
      all[0]!.dtype,
    );
  },
);

const split = builtin(
  "split",
  [required("x"), required("n"), optional("over", num(-1))],
  "`split(x, n, over: -1)` A tuple of n equal parts along one axis; with a list, parts of those sizes.",
  (a) => {
    const x = a.tensor("x");
    const [place, ...more] = resolveAxes(x, a.value("over"), a.at);
    if (place === undefined || more.length > 0) throw new UserError(mistake.oneAxisNeeded("split", x, a.span("x")));
    const axis = x.axes[place]!;
    const v = a.value("n");
    let sizes: number[];
    if (v.kind === "list") {
      sizes = v.items.map((item) => wholeNumber(item, "`n` of `split`", a.span("n")));
      if (!open(axis.size) && sizes.reduce((n, s) => n + s, 0) !== axis.size)
        throw new UserError(mistake.cannotSplit(a.operand("x"), axis, `parts of ${sizes.join(", ")}`));
    } else {
      const n = a.whole("n", 1);
      if (!open(axis.size) && axis.size % n !== 0)
        throw new UserError(mistake.cannotSplit(a.operand("x"), axis, `${n} equal parts`));
      sizes = Array.from({ length: n }, () => (open(axis.size) ? -1 : axis.size / n));
    }
    let from = 0;
    const items = sizes.map((size): Tensor => {
      if (open(axis.size)) return viewAs(x, x.axes.toSpliced(place, 1, numberAxis(-1)), a.at);
      const part = slicedAt(x, place, from, from + size, a.at);
      from += size;
      return {
        ...part,
        axes: part.axes.toSpliced(place, 1, numberAxis(size, a.at.span, `of ${axis.size}, a part made by split`)),
      };
    });
    return { kind: "tuple", items };
  },
);

// ---------------------------------------------------------------- borders and windows

const windows = builtin(
  "windows",
  [required("x"), required("size"), optional("stride", num(1)), optional("dilation", num(1)), optional("over")],
  "`windows(x, size: [3, 3], stride: 1, dilation: 1, over: [H, W])` All windows along the axes, which become counts; the places inside a window are new axes at the end, with the names that the sizes have.",
  (a) => {
    const x = a.tensor("x");
    if (!a.given("over") && x.axes.length !== 1) throw new UserError(mistake.oneAxisNeeded("windows", x, a.span("x")));
    const axes = resolveAxes(x, a.value("over"), a.at);
    const size = a.perAxis("size", axes.length, 1);
    const stride = a.perAxis("stride", axes.length, 1);
    const dilation = a.perAxis("dilation", axes.length, 1);
    const result = [...x.axes];
    axes.forEach((place, i) => {
      const axis = x.axes[place]!;
      const reach = dilation[i]! * (size[i]! - 1) + 1;
      if (!open(axis.size) && reach > axis.size)
        throw new UserError(mistake.windowTooLarge(a.operand("x"), axis, reach));
      const count = open(axis.size) ? -1 : Math.floor((axis.size - reach) / stride[i]!) + 1;
      result[place] = numberAxis(
        count,
        a.at.span,
        `windows of ${size[i]} over ${axis.size}${stride[i] === 1 ? "" : `, every ${stride[i]}`}`,
      );
    });
    const sizes = a.value("size");
    const inside = size.map((n, i) => {
      const v = sizes.kind === "list" || sizes.kind === "tuple" ? sizes.items[i]! : sizes;
      return v.kind === "num" && v.axis?.uid !== undefined
        ? v.axis
        : numberAxis(n, a.span("size"), "is the size of the window");
    });
    return tensor(op("windows", [x.node], { axes, size, stride, dilation }, a.at), [...result, ...inside], x.dtype);
  },
);

const pad = builtin(
  "pad",
  [required("x"), required("amount"), optional("over"), optional("value", num(0))],
  "`pad(x, 2, over: [H, W], value: 0)` More places at both ends of the axes; `[lo, hi]` gives the two ends different amounts. A padded axis becomes a number.",
  (a) => {
    const x = a.number("x");
    if (!a.given("over") && x.axes.length !== 1) throw new UserError(mistake.oneAxisNeeded("pad", x, a.span("x")));
    const over = resolveAxes(x, a.value("over"), a.at);
    const amount = a.value("amount");
    const [low, high] = a
      .perAxis("amount", amount.kind === "list" ? 2 : 1, 0)
      .flatMap((n, _, all) => (all.length === 1 ? [n, n] : [n]));
    const [lo, hi] = [low!, high!].map((n) => x.axes.map((_, i) => (over.includes(i) ? n : 0)));
    if (low === 0 && high === 0) return x;
    const axes = x.axes.map((axis, i) =>
      over.includes(i)
        ? numberAxis(
            open(axis.size) ? -1 : axis.size + low! + high!,
            a.at.span,
            `= ${axis.size} with ${low} before and ${high} behind`,
          )
        : axis,
    );
    return {
      ...x,
      classes: undefined,
      tag: undefined,
      node: op("pad", [x.node], { lo: lo!, hi: hi!, value: a.constant("value") }, a.at),
      axes,
    };
  },
);

const flip = builtin("flip", [required("x"), optional("over")], "`flip(x, over: W)` Backwards along the axes.", (a) => {
  const x = a.tensor("x");
  return {
    ...x,
    node: op("flip", [x.node], { axes: resolveAxes(x, a.value("over"), a.at).sort((p, q) => p - q) }, a.at),
  };
});

// ---------------------------------------------------------------- what a shape is

const size = builtin(
  "size",
  [required("x"), optional("axis")],
  "`size(x, axis)` The size of one axis (it stays that axis: `zeros([size(x, 0)])` has its name); without an axis, the number of elements.",
  (a) => {
    const v = a.value("x");
    if (v.kind === "tuple" || (v.kind === "list" && !a.given("axis"))) return num(v.items.length);
    if (v.kind === "num" && v.axis) return v;
    const bundle = a.bundle("x");
    if (bundle) {
      const sizes = [...bundle.leaves.values()].map((t) => volume(t.axes));
      return sizes.some(open) ? openNum : num(sizes.reduce((n, s) => n + s, 0));
    }
    const x = a.tensor("x");
    if (!a.given("axis")) {
      const n = volume(x.axes);
      return n < 0 ? openNum : num(n);
    }
    const found = resolveAxes(x, a.value("axis"), a.at);
    if (found.length !== 1) throw a.wrong("axis", "one axis");
    return sizeNum(x.axes[found[0]!]!);
  },
);

const rank = builtin("rank", [required("x")], "`rank(x)` How many axes x has.", (a) => num(a.tensor("x").axes.length));

export const viewBuiltins: readonly Builtin[] = [
  reshape,
  flatten,
  squeeze,
  unsqueeze,
  expand,
  rename,
  permute,
  transpose,
  concat,
  stack,
  split,
  windows,
  pad,
  flip,
  size,
  rank,
];
