/** Functions that make tensors out of sizes: ranges, filled shapes, one-hot rows, masks; and `put`, which writes one place. */
import { elementwise, select } from "../arith.ts";
import { axesFromList, axisFrom, numberAxis, open, placeOf, resolveAxis } from "../axes.ts";
import { broadcastTo, pairAxes } from "../broadcast.ts";
import type { At } from "../ctx.ts";
import { checkClasses, atIndices } from "../index.ts";
import { cast, filled, indices, op, tensor, viewAs } from "../tensors.ts";
import type { Axis, Kind, Tensor } from "../values.ts";
import { UserError } from "../../diagnostic.ts";
import * as mistake from "../../errors/shapes.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, num, optional, required } from "./builtin.ts";

const range = builtin(
  "range",
  [required("n")],
  "`range(n)` The integers 0 to n - 1; of an axis, its places: `range(T)` is `index(T)[T]`. `range(2..6)` is 2, 3, 4, 5, 6.",
  (a) => {
    const v = a.value("n");
    if (v.kind === "range") {
      const { from = 0, to } = v;
      if (to === undefined || !Number.isInteger(from) || !Number.isInteger(to) || to < from)
        throw a.wrong("n", "a range with two whole ends, the first not behind the second");
      const axes = [numberAxis(to - from + 1, a.span("n"), "places of this range")];
      const places = indices(axes, 0, a.at);
      return from === 0 ? places : elementwise("add", [places, filled(from, [], "int", a.at)], "int", a.at, "+");
    }
    const axis = axisFrom(v, a.at, a.span("n"));
    return { ...indices([axis], 0, a.at), ...(open(axis.size) ? {} : { classes: axis.size }) };
  },
);

const linspace = builtin(
  "linspace",
  [required("from"), required("to"), required("n")],
  "`linspace(a, b, n)` n floats from a to b in equal steps, both ends included.",
  (a) => {
    const axis = axisFrom(a.value("n"), a.at, a.span("n"));
    const steps = Math.max(1, axis.size - 1);
    const at = a.at;
    const t = elementwise(
      "div",
      [cast(indices([axis], 0, at), "float", at), filled(steps, [axis], "float", at)],
      "float",
      at,
      "/",
    );
    const [from, to] = [a.float("from"), a.float("to")];
    const span = elementwise("sub", [to, from], "float", at, "-");
    return elementwise("add", [elementwise("mul", [t, span], "float", at, "*"), from], "float", at, "+");
  },
);

const constants = (["zeros", "ones"] as const).map((name, value) =>
  builtin(name, [required("shape")], `\`${name}([B, 3])\` ${value} everywhere.`, (a) =>
    filled(value, axesFromList(a.value("shape"), a.at), "float", a.at),
  ),
);

const full = builtin("full", [required("shape"), required("value")], "`full([B, 3], v)` One number everywhere.", (a) =>
  broadcastTo(a.tensor("value"), axesFromList(a.value("shape"), a.at), a.at),
);

function grid(a: Args, rows: string, columns: string, rule: "eq" | "le" | "ge"): Tensor {
  const axes = [rows, columns].map((name) => axisFrom(a.value(name), a.at, a.span(name)));
  const [i, j] = [indices(axes, 0, a.at), indices(axes, 1, a.at)];
  const node = rule === "ge" ? op("le", [i.node, j.node], {}, a.at) : op(rule, [j.node, i.node], {}, a.at);
  return tensor(node, axes, "bool");
}

const eye = builtin("eye", [required("n")], "`eye(n)` The identity matrix `[n, n]`.", (a) =>
  cast(grid(a, "n", "n", "eq"), "float", a.at),
);

const lower = builtin(
  "lower",
  [required("T"), required("S")],
  "`lower(T, S)` `bool[T, S]`, true where s is at most t: the mask of causal attention.",
  (a) => grid(a, "T", "S", "le"),
);

const upper = builtin(
  "upper",
  [required("T"), required("S")],
  "`upper(T, S)` `bool[T, S]`, true where s is at least t: on the diagonal and above it.",
  (a) => grid(a, "T", "S", "ge"),
);

const oneHot = builtin(
  "one_hot",
  [required("i"), required("C")],
  "`one_hot(i, C)` `[.., C]` with 1 at place i and 0 elsewhere.",
  (a) => {
    const i = a.ints("i");
    const axis = axisFrom(a.value("C"), a.at, a.span("C"));
    checkClasses(i, axis, a.span("i"));
    const axes = [...i.axes, axis];
    const wanted = op("expand", [i.node], { shape: axes.map((x) => x.size), axes: i.axes.map((_, k) => k) }, a.at);
    const here = op("eq", [indices(axes, i.axes.length, a.at).node, wanted], {}, a.at);
    return cast(tensor(here, axes, "bool"), "float", a.at);
  },
);

// ---------------------------------------------------------------- put

const max = (kinds: readonly Kind[]): Kind =>
  kinds.includes("float") ? "float" : kinds.includes("int") ? "int" : "bool";

/** t over the given axes, which must hold all of its own. */
function fitted(t: Tensor, axes: readonly Axis[], a: Args, name: string): Tensor {
  const pairing = pairAxes(t.axes, axes, true);
  if ("why" in pairing || pairing.axes.length !== axes.length)
    throw new UserError(
      mistake.cannotBroadcast(
        name,
        a.operand("x"),
        { value: t, span: a.span(name) },
        "why" in pairing ? pairing : { why: "missing", axis: t.axes[0]!, order: false },
      ),
    );
  return broadcastTo(t, axes, a.at);
}

const put = builtin(
  "put",
  [required("x"), required("v"), required("at"), optional("over", num(0))],
  "`put(x, v, at: t, over: T)` x with v at place t of the axis. v has the other axes of x, or also the axis itself: then it is written to t and the places behind it.",
  (a) => {
    const at: At = a.at;
    const given = a.tensor("x");
    const value = a.tensor("v");
    const kind = max([given.dtype, value.dtype]);
    const x = cast(given, kind, at);
    const place = resolveAxis(x, a.value("over"), at, "put");
    const axis = x.axes[place]!;
    const where = a.tensor("at");
    if (where.dtype !== "int") throw a.wrong("at", "a whole number or integers", "`i32(t)` converts");
    checkClasses(where, axis, a.span("at"), a.operand("x"));
    const known = a.value("at");
    if (known.kind === "num" && !open(axis.size) && placeOf(known.value, axis.size) === undefined)
      throw new UserError(mistake.indexOutside(x, place, String(known.value), a.span("at")));
    const start =
      known.kind === "num" && known.value < 0 && !open(axis.size)
        ? filled(known.value + axis.size, [], "int", at)
        : where;
    const others = x.axes.toSpliced(place, 1);
    const v = cast(value, kind, at);
    const long = v.axes.length === x.axes.length ? v.axes[place]! : undefined;
    const from = fitted(start, others, a, "at");
    const along = (t: Tensor): Tensor =>
      tensor(
        op(
          "expand",
          [t.node],
          { shape: x.axes.map((y) => y.size), axes: x.axes.flatMap((_, i) => (i === place ? [] : [i])) },
          at,
        ),
        x.axes,
        t.dtype,
      );
    const offset = tensor(op("sub", [indices(x.axes, place, at).node, along(from).node], {}, at), x.axes, "int");
    if (!long || long.size === 1) {
      const flat = long ? viewAs(v, v.axes.toSpliced(place, 1), at) : v;
      const here = op("eq", [offset.node, filled(0, x.axes, "int", at).node], {}, at);
      return select(
        tensor(here, x.axes, "bool"),
        along(fitted(flat, others, a, "v")),
        { ...x, classes: undefined },
        at,
      );
    }
    // v has `long.size` places: place p of x takes place p - t of v where there is one.
    if (!open(long.size) && !open(axis.size) && long.size > axis.size)
      throw new UserError(mistake.indexOutside(x, place, String(long.size - 1), a.span("v")));
    if (start.axes.length > 0) throw a.wrong("at", "a single number when v has the axis itself");
    const row = tensor(
      op(
        "sub",
        [indices([axis], 0, at).node, op("expand", [start.node], { shape: [axis.size], axes: [] }, at)],
        {},
        at,
      ),
      [axis],
      "int",
    );
    const taken = atIndices(
      { ...v, classes: undefined, axes: v.axes.toSpliced(place, 1, { size: long.size }) },
      place,
      row,
      a.span("v"),
      at,
    );
    const low = op("le", [filled(0, x.axes, "int", at).node, offset.node], {}, at);
    const high = op("lt", [offset.node, filled(long.size, x.axes, "int", at).node], {}, at);
    const inside = tensor(op("and", [low, high], {}, at), x.axes, "bool");
    return select(inside, fitted(taken, x.axes, a, "v"), { ...x, classes: undefined }, at);
  },
);

export const tableBuiltins: readonly Builtin[] = [range, linspace, ...constants, full, eye, lower, upper, oneHot, put];
