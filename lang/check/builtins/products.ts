/**
 * Products along axes. No division is involved, so gradients are right where factors are 0: pairs are multiplied in
 * halves (`prod`) or at doubling distances (`cumprod`).
 */
import { build as b } from "../../graph/index.ts";
import type { Node } from "../../graph/node.ts";
import { numberAxis, open, resolveAxes, resolveAxis, volume } from "../axes.ts";
import { spreadTo } from "../broadcast.ts";
import { op, reorder, tensor, viewAs } from "../tensors.ts";
import type { Tensor } from "../values.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, flag, optional, required } from "./builtin.ts";

/** Places [from, to) of one axis. */
function cut(x: Node, axis: number, from: number, to: number): Node {
  return b.slice(
    x,
    x.type.shape.map((_, i) => (i === axis ? from : 0)),
    x.type.shape.map((n, i) => (i === axis ? to : n)),
  );
}

/** `lo` ones before and `hi` behind. */
function withOnes(x: Node, axis: number, lo: number, hi: number): Node {
  const at = (n: number): number[] => x.type.shape.map((_, i) => (i === axis ? n : 0));
  return b.pad(x, at(lo), at(hi), 1);
}

/** The product along the last axis, which goes. */
function folded(x: Node): Node {
  const axis = x.type.shape.length - 1;
  let now = x;
  for (let n = x.type.shape[axis]!; n > 1; n = Math.ceil(n / 2)) {
    const half = Math.ceil(n / 2);
    now = b.mul(cut(now, axis, 0, half), withOnes(cut(now, axis, half, n), axis, 0, 2 * half - n));
  }
  return b.reshape(now, x.type.shape.slice(0, -1));
}

export function product(x: Tensor, places: readonly number[], spread: boolean, a: Pick<Args, "at">): Tensor {
  const kept = x.axes.map((_, i) => i).filter((i) => !places.includes(i));
  const size = volume(places.map((i) => x.axes[i]!));
  const axes = kept.map((i) => x.axes[i]!);
  const line = viewAs(reorder(x, [...kept, ...places], a.at), [...axes, numberAxis(size)], a.at);
  const result = tensor(
    open(size) ? op("sum", [line.node], { axes: [kept.length] }, a.at) : folded(line.node),
    axes,
    x.dtype,
  );
  return spread ? { ...result, node: spreadTo(result, x.axes, kept, a.at), axes: x.axes } : result;
}

const prod = builtin(
  "prod",
  [required("x"), optional("over"), optional("spread", flag(false))],
  "`prod(x, over, spread: false)` The product along axes.",
  (a) => {
    const x = a.number("x");
    return product(x, resolveAxes(x, a.value("over"), a.at), a.flag("spread"), a);
  },
);

const cumprod = builtin(
  "cumprod",
  [required("x"), optional("over"), optional("reverse", flag(false))],
  "`cumprod(x, over: T, reverse: false)` Running products along one axis, the element itself included; `reverse: true` begins at the end.",
  (a) => {
    const x = a.number("x");
    const axis = resolveAxis(x, a.value("over"), a.at, "cumprod");
    const n = x.axes[axis]!.size;
    const reverse = a.flag("reverse");
    let now = x.node;
    for (let step = 1; step < n; step *= 2) {
      const shifted = reverse
        ? withOnes(cut(now, axis, step, n), axis, 0, step)
        : withOnes(cut(now, axis, 0, n - step), axis, step, 0);
      now = op("mul", [now, shifted], {}, a.at);
    }
    return tensor(now, x.axes, x.dtype);
  },
);

export const productBuiltins: readonly Builtin[] = [prod, cumprod];
