/** Functions that give one tensor other axes and compute nothing: reshape, flatten, squeeze, expand, rename; and sizes. */
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
  resolveAxes,
  sizeNum,
  typeText,
  volume,
} from "../axes.ts";
import { broadcastTo } from "../broadcast.ts";
import type { At } from "../ctx.ts";
import { cast, op, reorder, tensor, viewAs } from "../tensors.ts";
import type { Axis, Bundle, Num, Tensor, Value } from "../values.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, hasModel, newPlace, num, optional, required, rest } from "./builtin.ts";

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

// ---------------------------------------------------------------- what a shape is

const size = builtin(
  "size",
  [required("x"), optional("axis")],
  "`size(x, axis)` The size of one axis (it stays that axis: `zeros([size(x, 0)])` has its name); without an axis, the number of elements: of a model or a list of them all params, of a data set its rows.",
  (a) => {
    const v = a.value("x");
    if (v.kind === "dataset") return v.rows < 0 ? openNum : num(v.rows);
    if ((v.kind === "tuple" || (v.kind === "list" && !a.given("axis"))) && !hasModel(v)) return num(v.items.length);
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

/** A text of the library, with the numbers of its holes. */
function textOf(v: Value): string {
  if (v.kind === "num") return String(v.value);
  if (v.kind !== "str") return typeText(v);
  return v.parts.map((part) => (typeof part === "string" ? part : textOf(part.value))).join("");
}

const evenly = builtin(
  "evenly",
  [required("n"), required("parts"), required("otherwise")],
  '`evenly(n, parts, "{n} channels do not fit {parts} heads")` n // parts where that comes out even; else a mistake with this text.',
  (a) => {
    const [n, parts] = [a.whole("n"), a.whole("parts", 1)];
    if (Number.isNaN(n) || Number.isNaN(parts)) return openNum;
    if (n % parts === 0) return num(n / parts);
    const labels = (["parts", "n"] as const).map((name) => {
      const v = a.value(name) as Num;
      return v.axis?.why && !v.axis.why.span.file.startsWith("stdlib/")
        ? v.axis.why
        : { span: a.span(name), text: String(v.value) };
    });
    const distinct = labels.filter((l, i) => labels.findIndex((m) => m.span === l.span) === i);
    const own = distinct.filter((l) => !l.span.file.startsWith("stdlib/"));
    throw new UserError(mistake.unevenParts(textOf(a.value("otherwise")), own[0] === distinct[0] ? own : distinct, n));
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
  size,
  rank,
  evenly,
];
