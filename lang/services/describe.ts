/**
 * Values in words: the type with its sizes, what a model holds and costs. Costs come from the graph of one application:
 * the op table says what an op costs.
 */
import { typeText } from "../check/axes.ts";
import { walkInstances } from "../check/models.ts";
import { shape } from "../check/axes.ts";
import type { Axis, Instance, Value } from "../check/values.ts";
import { ops } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";

export const typeOf = (value: Value): string => {
  switch (value.kind) {
    case "instance":
      return value.decl.name;
    case "list":
      return `[${value.items.map(typeOf).join(", ")}]`;
    case "tuple":
      return `(${value.items.map(typeOf).join(", ")})`;
    case "stages":
      return value.stages.map((s) => s.decl.name).join(" |> ");
    case "func":
      return `${value.name === "a lambda" ? "" : value.name}(${value.params.map((p) => p.name.text).join(", ")}) => …`;
    case "builtin":
    case "model":
    case "optimizer":
      return value.name;
    case "dataset":
      return `data of ${[...(value.parts?.keys() ?? value.fields.keys())].join(", ")}`;
    case "str":
      return value.parts.every((p) => typeof p === "string") ? JSON.stringify(value.parts.join("")) : "a text";
    default:
      return typeText(value);
  }
};

/** `B = 64, In = 784`: sizes that the type writes as names. */
export function sizesOf(value: Value): string {
  const found = new Map<string, number>();
  const see = (axes: readonly Axis[]): void => {
    for (const a of axes) if (a.uid !== undefined && a.name !== undefined && a.size >= 0) found.set(a.name, a.size);
  };
  const visit = (v: Value): void => {
    if (v.kind === "tensor") see(v.axes);
    if (v.kind === "tuple" || v.kind === "list") v.items.forEach(visit);
    if (v.kind === "record") [...v.fields.values()].forEach(visit);
  };
  visit(value);
  return [...found].map(([name, size]) => `${name} = ${size}`).join(", ");
}

export function elements(axes: readonly Axis[]): number {
  return axes.reduce((n, a) => (a.size < 0 ? NaN : n * a.size), 1);
}

/** All models of a value: itself, or those of a list. */
export function instancesOf(value: Value): Instance[] {
  if (value.kind === "instance") return [value];
  if (value.kind === "with") return [value.instance];
  return value.kind === "list" || value.kind === "tuple" ? value.items.flatMap(instancesOf) : [];
}

export interface Params {
  readonly rows: readonly { readonly path: string; readonly shape: string; readonly count: number }[];
  readonly total: number;
}

/** Paths count from the model on. */
export function paramsOf(instance: Instance): Params {
  const rows: { path: string; shape: string; count: number }[] = [];
  walkInstances(instance, (i) => {
    for (const p of i.params.values())
      rows.push({
        path: p.path.slice(instance.path.length + 1),
        shape: `[${shape(p.type)
          .map((n) => (n < 0 ? "?" : n))
          .join(", ")}]`,
        count: elements(p.type),
      });
  });
  return { rows, total: rows.reduce((n, r) => n + r.count, 0) };
}

/** Operations between the inputs of an application and its value; undefined when a size is open. */
export function flopsOf(value: Value, inputs: readonly Value[]): number | undefined {
  if (value.kind !== "tensor") return undefined;
  const seen = new Set<Node>();
  const end = (v: Value): void => {
    if (v.kind === "tensor") seen.add(v.node);
    if (v.kind === "tuple" || v.kind === "list") v.items.forEach(end);
  };
  inputs.forEach(end);
  const open = [value.node];
  let total = 0;
  for (let n = open.pop(); n; n = open.pop()) {
    if (seen.has(n)) continue;
    seen.add(n);
    const row = ops[n.op];
    if (!row) throw new Error(`expected a row for ${n.op}, got none`);
    if (n.type.shape.some((s) => s < 0)) return undefined;
    const free = row.family === "view" || row.family === "leaf";
    total +=
      row.flops?.(
        n.inputs.map((i) => i.type),
        n.type,
        n.attrs,
      ) ?? (free ? 0 : n.type.shape.reduce((a, b) => a * b, 1));
    open.push(...n.inputs);
  }
  return total;
}

/** `61 706`, `4.2 million`. */
export function count(n: number): string {
  if (!Number.isFinite(n)) return "?";
  if (n < 1e6) return String(n).replace(/\B(?=(\d{3})+$)/g, " ");
  const [size, word] = n < 1e9 ? [1e6, "million"] : n < 1e12 ? [1e9, "billion"] : [1e12, "trillion"];
  return `${(n / size).toPrecision(3)} ${word}`;
}
