/** Functions that put tensors together and take them apart: concat, stack, split, windows, pad, flip. */
import { UserError } from "../../diagnostic.ts";
import * as mistake from "../../errors/shapes.ts";
import { numberAxis, open, resolveAxes, shape, wholeNumber } from "../axes.ts";
import { pairAxes } from "../broadcast.ts";
import { slicedAt } from "../index.ts";
import { cast, op, tensor, toTensor, viewAs } from "../tensors.ts";
import type { Axis, Kind, Tensor } from "../values.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, newPlace, num, optional, required } from "./builtin.ts";

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
  "`concat([a, b], over: 0)` One behind the other along one axis, which becomes a number; the others must be equal.",
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

export const pieceBuiltins: readonly Builtin[] = [concat, stack, split, windows, pad, flip];
