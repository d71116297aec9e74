/** Small tensors for tests of the tensor algebra: named axes, inputs with values, and what a mistake says. */
import type { Ctx, At } from "../../lang/check/ctx.ts";
import { typeText } from "../../lang/check/axes.ts";
import { builtins } from "../../lang/check/builtins/index.ts";
import { shape } from "../../lang/check/axes.ts";
import type { Axis, Bundle, Kind, Num, Tensor, Value } from "../../lang/check/values.ts";
import { UserError } from "../../lang/diagnostic.ts";
import { evaluate, gradient, make } from "../../lang/graph/index.ts";

const file = "test.dlx";
/** A place in a script that is not there: `0:5`. */
export const span = (start: number, end = start + 1) => ({ file, start, end });

let uids = 1000;
export function dim(name: string, size: number, why?: string): Axis {
  return { size, uid: uids++, name, ...(why && { why: { span: span(90), text: why } }) };
}
export const dimNum = (axis: Axis): Num => ({ kind: "num", value: axis.size, axis });

const values = new Map<string, number[]>();
let inputs = 0;

/** A tensor read from outside, holding 1, 2, 3, .. unless given. */
export function tensor(
  axes: readonly (Axis | number)[],
  dtype: Kind = "float",
  data?: readonly number[],
  more: Partial<Tensor> = {},
): Tensor {
  const all = axes.map((a): Axis => (typeof a === "number" ? { size: a } : a));
  const name = `x${inputs++}`;
  const count = all.reduce((n, a) => n * Math.max(0, a.size), 1);
  values.set(name, data ? [...data] : Array.from({ length: count }, (_, i) => i + 1));
  const node = make("input", [], {
    source: "state",
    name,
    dtype: dtype === "float" ? "f32" : dtype === "int" ? "i32" : "bool",
    shape: shape(all),
  });
  return { kind: "tensor", node, dtype, axes: all, ...more };
}
export const ints = (axes: readonly (Axis | number)[], data: readonly number[], classes?: number): Tensor =>
  tensor(axes, "int", data, classes === undefined ? {} : { classes });
export const num = (value: number, float = !Number.isInteger(value)): Num =>
  float ? { kind: "num", value, float } : { kind: "num", value };
export const list = (...items: (Value | number)[]): Value => ({
  kind: "list",
  items: items.map((v) => (typeof v === "number" ? num(v) : v)),
});
export const bundle = (leaves: Record<string, Tensor>): Bundle => ({
  kind: "bundle",
  leaves: new Map(Object.entries(leaves)),
});

export function numbers(v: Value): number[] {
  if (v.kind === "num") return [v.value];
  if (v.kind === "bool") return [v.value ? 1 : 0];
  if (v.kind !== "tensor") throw new Error(`expected a tensor, got ${typeText(v)}`);
  const [data] = evaluate([v.node], (node) => values.get(String(node.attrs["name"])));
  return [...data!].map((x) => Number(x.toPrecision(9)));
}

let draws = 0;
const seed = make("input", [], { source: "scalar", name: "seed", dtype: "u32", shape: [] });
values.set("seed", [7]);

export const ctx: Ctx = {
  training: true,
  mixed: false,
  uniform: (sizes, at) => make("random", [seed], { site: draws++, shape: sizes }, at),
  apply: () => {
    throw new Error("expected no call of a user function");
  },
  gradientOf: (y, xs) =>
    gradient(
      y.node,
      xs.map((x) => x.node),
    ).map((node, i) => ({ kind: "tensor", node, dtype: "float", axes: xs[i]!.axes })),
  freshAxis: (name, size) => dim(name, size),
  paramsOf: (v) => {
    if (v.kind === "bundle") return v;
    throw new Error(`expected a bundle, got ${typeText(v)}`);
  },
};

export const at: At & { left: ReturnType<typeof span>; right: ReturnType<typeof span> } = {
  span: span(0, 9),
  ctx,
  left: span(0),
  right: span(4),
};

/** Calls a builtin the way the checker does: positional arguments, then named ones. */
export function call(
  name: string,
  positional: readonly (Value | number)[],
  named: Record<string, Value | number> = {},
): Value {
  const builtin = builtins[name];
  if (!builtin) throw new Error(`expected a builtin, got ${name}`);
  const value = (v: Value | number): Value => (typeof v === "number" ? num(v) : v);
  const args: Record<string, Value> = {};
  const spans: Record<string, ReturnType<typeof span>> = {};
  const rest = builtin.params.find((p) => p.rest);
  const ordered = builtin.params.filter((p) => !p.rest);
  const further: Value[] = [];
  const fields = new Map<string, Value>();
  positional.forEach((v, i) => {
    const p = ordered[i];
    if (p && (p.default === "required" || rest === undefined || rest.name === "named")) {
      args[p.name] = value(v);
      spans[p.name] = span(10 + i);
    } else further.push(value(v));
  });
  for (const [k, v] of Object.entries(named)) {
    if (ordered.some((p) => p.name === k)) args[k] = value(v);
    else fields.set(k, value(v));
    spans[k] = span(30);
  }
  if (rest) args[rest.name] = rest.name === "named" ? { kind: "record", fields } : { kind: "list", items: further };
  for (const p of ordered)
    if (!(p.name in args)) args[p.name] = p.default && p.default !== "required" ? p.default : { kind: "none" };
  return builtin.call(args, { span: span(0, 9), ctx, argSpans: spans });
}

/** A mistake as a reader meets it: code and title, labels, notes, help. */
export function said(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const d = error.diagnostic;
    return [
      `${d.code} ${d.title}`,
      ...d.labels.map((l) => `  ${l.span.start}..${l.span.end}: ${l.text}`),
      ...d.notes.map((n) => `  note: ${n}`),
      ...(d.help ? [`  help: ${d.help}`] : []),
    ].join("\n");
  }
  throw new Error("expected a mistake");
}

export const type = typeText;
