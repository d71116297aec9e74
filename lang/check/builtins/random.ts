/**
 * Random numbers. Every draw is a function of addressed uniform draws (one or two per call), so the same call gives
 * the same numbers forward and backward and on every device.
 */
import { UserError } from "../../diagnostic.ts";
import * as mistake from "../../errors/shapes.ts";
import { binary, elementwise } from "../arith.ts";
import { axesFromList, axisFrom, resolveAxis, shape } from "../axes.ts";
import type { At } from "../ctx.ts";
import { spreadTo } from "../broadcast.ts";
import { cast, filled, indices, op, tensor } from "../tensors.ts";
import type { Axis, Tensor } from "../values.ts";
import { reduced } from "./reduce.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, num, optional, required } from "./builtin.ts";

function draw(axes: readonly Axis[], at: At): Tensor {
  return tensor(at.ctx.uniform(shape(axes), at.span), axes, "float");
}

/** Box and Muller: sqrt(-2 log(1 - u)) cos(2 pi v). 1 - u is in (0, 1], so the logarithm is finite. */
export function standardNormal(axes: readonly Axis[], at: At): Tensor {
  const [u, v] = [draw(axes, at), draw(axes, at)];
  const constant = (x: number): Tensor => filled(x, axes, "float", at);
  const two = (name: string, x: Tensor, y: Tensor): Tensor => tensor(op(name, [x.node, y.node], {}, at), axes, "float");
  const one = (name: string, x: Tensor): Tensor => tensor(op(name, [x.node], {}, at), axes, "float");
  const radius = one("sqrt", two("mul", constant(-2), one("log", two("sub", constant(1), u))));
  return two("mul", radius, one("cos", two("mul", constant(2 * Math.PI), v)));
}

const isNumber = (a: Args, name: string, value: number): boolean => {
  const v = a.value(name);
  return v.kind === "num" && v.value === value;
};

const normal = builtin(
  "normal",
  [required("shape"), optional("mean", num(0)), optional("std", num(1))],
  "`normal([B, Z], mean: 0, std: 1)` Random numbers of the normal distribution, drawn anew in each step.",
  (a) => {
    const z = standardNormal(axesFromList(a.value("shape"), a.at), a.at);
    const scaled = isNumber(a, "std", 1) ? z : binary("*", z, a.float("std"), a.sides("shape", "std"));
    return isNumber(a, "mean", 0) ? scaled : binary("+", scaled, a.float("mean"), a.sides("shape", "mean"));
  },
);

const uniform = builtin(
  "uniform",
  [required("shape"), optional("low", num(0)), optional("high", num(1))],
  "`uniform([B], low: 0, high: 1)` Random numbers, evenly from low to below high, drawn anew in each step.",
  (a) => {
    const u = draw(axesFromList(a.value("shape"), a.at), a.at);
    if (isNumber(a, "low", 0) && isNumber(a, "high", 1)) return u;
    const width = binary("-", a.float("high"), a.float("low"), a.sides("high", "low"));
    return binary("+", binary("*", u, width, a.sides("shape", "high")), a.float("low"), a.sides("shape", "low"));
  },
);

const bernoulli = builtin(
  "bernoulli",
  [required("shape"), required("p")],
  "`bernoulli([B, D], p)` True with probability p, else false; counts as 1 and 0.",
  (a) => binary("<", draw(axesFromList(a.value("shape"), a.at), a.at), a.float("p"), a.sides("shape", "p")),
);

/** The rank of each of n draws among all is a permutation; equal draws keep their order. */
const permutation = builtin(
  "permutation",
  [required("n")],
  "`permutation(B)` The places 0 to B - 1 in random order: `x[B: permutation(B)]` shuffles the rows of x.",
  (a) => {
    const axis = axisFrom(a.value("n"), a.at, a.span("n"));
    const at = a.at;
    const square = [axis, axis];
    const u = draw([axis], at);
    const [own, other] = [0, 1].map((place) => spreadTo(u, square, [place], at));
    const before = op("lt", [indices(square, 1, at).node, indices(square, 0, at).node], {}, at);
    const tie = op("and", [op("eq", [other!, own!], {}, at), before], {}, at);
    const less = tensor(op("or", [op("lt", [other!, own!], {}, at), tie], {}, at), square, "bool");
    return { ...reduced(cast(less, "int", at), "sum", [1], false, at), classes: axis.size };
  },
);

const sample = builtin(
  "sample",
  [required("p"), optional("over", num(-1))],
  "`sample(p, over: -1)` A random place of the axis, each with its probability: `index(C)` without that axis.",
  (a) => {
    const p = a.float("p");
    if (p.tag === "logits" || p.tag === "logprob")
      throw new UserError(
        mistake.wrongKind(
          "`p` of `sample`",
          "probabilities",
          a.operand("p"),
          p.tag === "logits" ? "`sample(softmax(z))`" : "`sample(exp(z))`",
        ),
      );
    const at = a.at;
    const axis = resolveAxis(p, a.value("over"), at, "sample");
    const size = p.axes[axis]!.size;
    const rest = p.axes.toSpliced(axis, 1);
    const total = reduced(p, "sum", [axis], false, at);
    const mark = elementwise("mul", [draw(rest, at), total], "float", at, "*");
    const kept = p.axes.flatMap((_, i) => (i === axis ? [] : [i]));
    const running = op("cumsum", [p.node], { axis, reverse: false }, at);
    const passed = tensor(op("le", [running, spreadTo(mark, p.axes, kept, at)], {}, at), p.axes, "bool");
    const count = reduced(cast(passed, "int", at), "sum", [axis], false, at);
    // Rounding may leave the mark at the total itself.
    const last = filled(Math.max(0, size - 1), rest, "int", at);
    return { ...elementwise("min", [count, last], "int", at, "min"), classes: size };
  },
);

const normalLike = builtin(
  "normal_like",
  [required("p")],
  "`normal_like(p)` A bundle (or tensor) of the shapes of p, filled by `normal`: a random direction.",
  (a) => {
    const bundle = a.bundle("p");
    if (!bundle) return standardNormal(a.tensor("p").axes, a.at);
    return {
      kind: "bundle",
      leaves: new Map([...bundle.leaves].map(([path, t]) => [path, standardNormal(t.axes, a.at)])),
    };
  },
);

export const randomBuiltins: readonly Builtin[] = [normal, uniform, bernoulli, permutation, sample, normalLike];
