/**
 * Ops that move elements and compute nothing (but `fold`, which adds where windows overlap).
 * The interpreter copies; devices turn most of them into an index rule of the reader.
 */
import * as b from "../build.ts";
import type { Attrs, Type } from "../node.ts";
import type { Op } from "./row.ts";
import {
  axesAttr,
  axisAttr,
  wrong,
  expectCount,
  isOpen,
  knownShape,
  numberAttr,
  numbersAttr,
  sameShape,
  sized,
  sizeOf,
  stridesOf,
  typeText,
} from "./row.ts";
import { permuted, strided, walk } from "./strided.ts";

interface Windows {
  readonly axes: readonly number[];
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
}

function windowAttrs(op: string, attrs: Attrs, rank: number): Windows {
  const axes = axesAttr(op, attrs, rank);
  const [size, stride, dilation] = ["size", "stride", "dilation"].map((key) =>
    numbersAttr(op, attrs, key, axes.length),
  );
  const positive = [...size!, ...stride!, ...dilation!].every((n) => Number.isInteger(n) && n >= 1);
  if (!positive) throw wrong(op, "size, stride and dilation of at least 1", JSON.stringify({ size, stride, dilation }));
  return { axes, size: size!, stride: stride!, dilation: dilation! };
}

/** Counts at the listed axes, then the window axes. */
function windowShape(op: string, shape: readonly number[], w: Windows): number[] {
  const out = [...shape];
  w.axes.forEach((axis, i) => {
    const reach = w.dilation[i]! * (w.size[i]! - 1) + 1;
    const n = shape[axis]!;
    if (!(n === -1 || n >= reach)) throw wrong(op, `an axis of at least ${reach}`, `${n}`);
    out[axis] = sized(n, (n) => Math.floor((n - reach) / w.stride[i]!) + 1);
  });
  return [...out, ...w.size];
}

/** Offsets into the original row-major array for every element of the windowed shape. */
function windowStrides(shape: readonly number[], w: Windows): number[] {
  const strides = stridesOf(shape);
  const out = [...strides];
  w.axes.forEach((axis, i) => (out[axis] = strides[axis]! * w.stride[i]!));
  return [...out, ...w.axes.map((axis, i) => strides[axis]! * w.dilation[i]!)];
}

const like = (t: Type, shape: readonly number[]): Type => ({ dtype: t.dtype, shape });
const list = (attrs: Attrs, key: string) => attrs[key] as readonly number[];
const none = () => 0;

const rows: readonly Op[] = [
  {
    name: "reshape",
    family: "view",
    signature: "(a) {shape} -> a's elements in row-major order",
    doc: "The same elements in another shape.",
    shape: (inputs, attrs) => {
      expectCount("reshape", inputs, 1);
      const shape = numbersAttr("reshape", attrs, "shape");
      const fits = isOpen(shape) || isOpen(inputs[0]!.shape) || sizeOf(shape) === sizeOf(inputs[0]!.shape);
      if (!fits) throw wrong("reshape", `${sizeOf(inputs[0]!.shape)} elements`, `[${shape.join(",")}]`);
      return like(inputs[0]!, shape);
    },
    gradient: ({ inputs: [x], g }) => [b.reshape(g, x!.type.shape)],
    meaning: ([x]) => x!.data,
    flops: none,
  },
  {
    name: "permute",
    family: "view",
    signature: "(a) {perm} -> axis i is a's axis perm[i]",
    doc: "Axes in another order.",
    shape: (inputs, attrs) => {
      expectCount("permute", inputs, 1);
      const shape = inputs[0]!.shape;
      const perm = numbersAttr("permute", attrs, "perm", shape.length);
      const sorted = [...perm].sort((x, y) => x - y);
      if (!sorted.every((p, i) => p === i))
        throw wrong("permute", `a permutation of ${shape.length} axes`, `[${perm.join(",")}]`);
      return like(
        inputs[0]!,
        perm.map((p) => shape[p]!),
      );
    },
    gradient: ({ node, g }) => {
      const back: number[] = [];
      list(node.attrs, "perm").forEach((p, i) => (back[p] = i));
      return [b.permute(g, back)];
    },
    meaning: ([x], attrs) => permuted(x!, list(attrs, "perm")),
    flops: none,
  },
  {
    name: "expand",
    family: "view",
    signature: "(a) {shape, axes} -> a repeated along the axes not in `axes`",
    doc: "Broadcasting: axes[i] is the place of a's axis i; the others are new.",
    shape: (inputs, attrs) => {
      expectCount("expand", inputs, 1);
      const shape = numbersAttr("expand", attrs, "shape");
      const axes = axesAttr("expand", attrs, shape.length);
      const from = inputs[0]!.shape;
      const rising = axes.every((axis, i) => i === 0 || axis > axes[i - 1]!);
      const sizes = axes.map((axis) => shape[axis]!);
      if (!(rising && sameShape(sizes, from)))
        throw wrong(
          "expand",
          `increasing axes with sizes [${from.join(",")}]`,
          `[${sizes.join(",")}] at [${axes.join(",")}]`,
        );
      return like(inputs[0]!, shape);
    },
    gradient: ({ node, g }) => {
      const axes = list(node.attrs, "axes");
      return [
        b.sum(
          g,
          node.type.shape.map((_, i) => i).filter((i) => !axes.includes(i)),
        ),
      ];
    },
    meaning: ([x], attrs, type) => {
      const from = stridesOf(x!.shape);
      const strides = type.shape.map(() => 0);
      list(attrs, "axes").forEach((axis, i) => (strides[axis] = from[i]!));
      return strided(x!.data, type.shape, strides);
    },
    flops: none,
  },
  {
    name: "slice",
    family: "view",
    signature: "(a) {start, stop, step} -> per axis start, start+step, .. below stop",
    doc: "A block of a, possibly with steps.",
    shape: (inputs, attrs) => {
      expectCount("slice", inputs, 1);
      const from = inputs[0]!.shape;
      const [start, stop, step] = ["start", "stop", "step"].map((key) => numbersAttr("slice", attrs, key, from.length));
      return like(
        inputs[0]!,
        from.map((n, i) => {
          const [lo, hi, by] = [start![i]!, stop![i]!, step![i]!];
          const right = lo >= 0 && by >= 1 && (hi === -1 || (lo <= hi && (n === -1 || hi <= n)));
          if (!right) throw wrong("slice", `0 <= start <= stop <= ${n} and step >= 1`, `${lo}, ${hi}, ${by}`);
          return sized(hi, (hi) => Math.ceil((hi - lo) / by));
        }),
      );
    },
    gradient: ({ node, inputs: [x], g }) => {
      const shape = x!.type.shape;
      const [start, step] = [list(node.attrs, "start"), list(node.attrs, "step")];
      const counts = node.type.shape;
      // Steps: fold with windows of one element spreads the elements apart.
      const apart = counts.map((_, i) => i).filter((i) => step[i]! > 1 && counts[i] !== 0);
      const spread = counts.map((n, i) => (apart.includes(i) ? sized(n, (n) => (n - 1) * step[i]! + 1) : n));
      const ones = apart.map(() => 1);
      const wide =
        apart.length === 0
          ? g
          : b.make("fold", [b.reshape(g, [...counts, ...ones])], {
              shape: spread,
              axes: apart,
              size: ones,
              stride: apart.map((i) => step[i]!),
              dilation: ones,
            });
      const hi = shape.map((n, i) => sized(n, (n) => n - start[i]! - spread[i]!));
      return [b.pad(wide, start, hi)];
    },
    meaning: ([x], attrs, type) => {
      const from = stridesOf(x!.shape);
      const [start, step] = [list(attrs, "start"), list(attrs, "step")];
      const base = start.reduce((sum, lo, i) => sum + lo * from[i]!, 0);
      return strided(
        x!.data,
        type.shape,
        from.map((s, i) => s * step[i]!),
        base,
      );
    },
    flops: none,
  },
  {
    name: "pad",
    family: "view",
    signature: "(a) {lo, hi, value} -> a with lo before and hi after each axis",
    doc: "A frame of one number.",
    shape: (inputs, attrs) => {
      expectCount("pad", inputs, 1);
      const from = inputs[0]!.shape;
      const [lo, hi] = ["lo", "hi"].map((key) => numbersAttr("pad", attrs, key, from.length));
      numberAttr("pad", attrs, "value");
      const right = [...lo!, ...hi!].every((n, i) => n >= 0 || (n === -1 && isOpen([from[i % from.length]!])));
      if (!right) throw wrong("pad", "lo and hi of at least 0", JSON.stringify({ lo, hi }));
      return like(
        inputs[0]!,
        from.map((n, i) => (hi![i] === -1 ? -1 : sized(n, (n) => n + lo![i]! + hi![i]!))),
      );
    },
    gradient: ({ node, inputs: [x], g }) => {
      const lo = list(node.attrs, "lo");
      return [
        b.slice(
          g,
          lo,
          x!.type.shape.map((n, i) => sized(n, (n) => n + lo[i]!)),
        ),
      ];
    },
    meaning: ([x], attrs, type) => {
      const out = new Float64Array(sizeOf(type.shape)).fill(attrs["value"] as number);
      const to = stridesOf(type.shape);
      const base = list(attrs, "lo").reduce((sum, lo, i) => sum + lo * to[i]!, 0);
      walk(x!.shape, to, base, (at, offset, length) => out.set(x!.data.subarray(at, at + length), offset));
      return out;
    },
    flops: none,
  },
  {
    name: "flip",
    family: "view",
    signature: "(a) {axes} -> like a",
    doc: "Last comes first along the axes.",
    shape: (inputs, attrs) => {
      expectCount("flip", inputs, 1);
      axesAttr("flip", attrs, inputs[0]!.shape.length);
      return inputs[0]!;
    },
    gradient: ({ node, g }) => [b.make("flip", [g], { axes: list(node.attrs, "axes") })],
    meaning: ([x], attrs, type) => {
      const axes = list(attrs, "axes");
      const from = stridesOf(x!.shape);
      const base = axes.reduce((sum, axis) => sum + from[axis]! * (type.shape[axis]! - 1), 0);
      return strided(
        x!.data,
        type.shape,
        from.map((s, i) => (axes.includes(i) ? -s : s)),
        base,
      );
    },
    flops: none,
  },
  {
    name: "concat",
    family: "view",
    signature: "(a, b, ..) {axis} -> one after the other along the axis",
    doc: "Joins any number of tensors.",
    shape: (inputs, attrs) => {
      const first = inputs[0];
      if (first === undefined) throw wrong("concat", "at least one input", "none");
      const axis = axisAttr("concat", attrs, first.shape.length);
      const without = (t: Type) => t.shape.map((n, i) => (i === axis ? 0 : n));
      let shape: readonly number[] = without(first);
      for (const t of inputs) {
        const fits = t.dtype === first.dtype && sameShape(without(t), shape);
        if (!fits) throw wrong("concat", `${typeText(first)} but for axis ${axis}`, typeText(t));
        shape = knownShape(shape, without(t));
      }
      const sizes = inputs.map((t) => t.shape[axis]!);
      return like(first, shape.with(axis, isOpen(sizes) ? -1 : sizes.reduce((x, y) => x + y, 0)));
    },
    gradient: ({ node, inputs, g, needs }) => {
      const axis = node.attrs["axis"] as number;
      let at = 0;
      return inputs.map((x, k) => {
        const size = x.type.shape[axis]!;
        if (size === -1) throw wrong("concat", "a known size for the gradient", typeText(x.type));
        const [start, stop] = [g.type.shape.map(() => 0), [...g.type.shape]];
        [start[axis], stop[axis]] = [at, at + size];
        at += size;
        return needs[k] ? b.slice(g, start, stop) : undefined;
      });
    },
    meaning: (inputs, attrs, type) => {
      const out = new Float64Array(sizeOf(type.shape));
      const to = stridesOf(type.shape);
      const axis = attrs["axis"] as number;
      let base = 0;
      for (const x of inputs) {
        walk(x.shape, to, base, (at, offset, length) => out.set(x.data.subarray(at, at + length), offset));
        base += to[axis]! * x.shape[axis]!;
      }
      return out;
    },
    flops: none,
  },
  {
    name: "windows",
    family: "view",
    signature: "(a) {axes, size, stride, dilation} -> listed axes count the windows; window axes come last",
    doc: "Overlapping windows, as convolution and pooling read them.",
    shape: (inputs, attrs) => {
      expectCount("windows", inputs, 1);
      const shape = inputs[0]!.shape;
      return like(inputs[0]!, windowShape("windows", shape, windowAttrs("windows", attrs, shape.length)));
    },
    gradient: ({ node, inputs: [x], g }) => {
      const { axes, size, stride, dilation } = node.attrs;
      return [
        b.make("fold", [g], { shape: x!.type.shape, axes: axes!, size: size!, stride: stride!, dilation: dilation! }),
      ];
    },
    meaning: ([x], attrs, type) => strided(x!.data, type.shape, windowStrides(x!.shape, attrs as unknown as Windows)),
    flops: none,
  },
  {
    name: "fold",
    family: "view",
    signature: "(a f32) {shape, axes, size, stride, dilation} -> f32[shape]",
    doc: "The adjoint of windows: every element back to its place, sums where windows overlap.",
    shape: (inputs, attrs) => {
      expectCount("fold", inputs, 1);
      const shape = numbersAttr("fold", attrs, "shape");
      const from = windowShape("fold", shape, windowAttrs("fold", attrs, shape.length));
      const fits = inputs[0]!.dtype === "f32" && sameShape(from, inputs[0]!.shape);
      if (!fits) throw wrong("fold", `f32[${from.join(",")}]`, typeText(inputs[0]!));
      return like(inputs[0]!, shape);
    },
    gradient: ({ node, g }) => {
      const { axes, size, stride, dilation } = node.attrs;
      return [b.make("windows", [g], { axes: axes!, size: size!, stride: stride!, dilation: dilation! })];
    },
    meaning: ([x], attrs, type) => {
      const out = new Float64Array(sizeOf(type.shape));
      walk(x!.shape, windowStrides(type.shape, attrs as unknown as Windows), 0, (at, offset, length, stride) => {
        for (let i = 0, to = offset; i < length; i++, to += stride) out[to]! += x!.data[at + i]!;
      });
      return out;
    },
    flops: (inputs) => sizeOf(inputs[0]!.shape),
  },
];

export const views: Record<string, Op> = Object.fromEntries(rows.map((op) => [op.name, op]));
