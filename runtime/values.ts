/**
 * Host values: what prints, plots, conditions and reports compute in float64 from folds, metrics, watches, scalars
 * and whole slots. A value that needs something not measured yet is absent.
 */
import { UserError } from "../lang/diagnostic.ts";
import { memoryFull } from "../lang/errors/running.ts";
import { topological } from "../lang/graph/index.ts";
import type { DType, Node } from "../lang/graph/node.ts";
import type { HostValue } from "../lang/program.ts";
import type { Metric, Metrics } from "./events.ts";
import type { HostMath } from "./host.ts";
import { inputsOf, namesFrom, refOf } from "./inputs.ts";
import type { Scalars } from "./segments.ts";
import { elements, typeText, type StateTable } from "./state.ts";
import type { Memory } from "./watches.ts";
import type { Values } from "./windows.ts";

/** What one reader sees in one of its runs. */
export interface Scope {
  readonly scalars: Scalars;
  readonly fold: (name: string) => Values | undefined;
  readonly watches: ReadonlyMap<string, Memory>;
  /** Watches already read in this run of the reader: their memory moves once. */
  readonly watched: Map<string, boolean>;
  readonly parent?: Scope;
}

export class HostValues {
  private readonly state: StateTable;
  private readonly math: HostMath;
  /** Last results of blocks: `val.acc`. */
  readonly metrics: Map<string, Values>;

  constructor(state: StateTable, math: HostMath, metrics: Map<string, Values>) {
    this.state = state;
    this.math = math;
    this.metrics = metrics;
  }

  async evaluate(node: Node, scope: Scope): Promise<Values | undefined> {
    refuseHuge(node);
    const found = new Map<string, Values>();
    for (const input of inputsOf(node)) {
      const { source, name } = refOf(input);
      const value = await this.input(source, name, scope);
      if (value === undefined) return undefined;
      if (input === node) return value;
      found.set(`${source} ${name}`, value);
    }
    return this.math([node], (input) => {
      const { source, name } = refOf(input);
      const value = found.get(`${source} ${name}`);
      if (value === undefined) throw new Error(`expected a host input, got ${source} ${name}`);
      return value;
    })[0];
  }

  async number(node: Node, scope: Scope): Promise<number | undefined> {
    return (await this.evaluate(node, scope))?.[0];
  }

  /** Absent and NaN are false. */
  async holds(node: Node, scope: Scope): Promise<boolean> {
    const value = await this.number(node, scope);
    return value !== undefined && !Number.isNaN(value) && value !== 0;
  }

  async report(entries: readonly { readonly name: string; readonly value: Node }[], scope: Scope): Promise<Reported> {
    const reported = new Map<string, { values: Values | undefined; metric: Metric }>();
    for (const { name, value } of entries) {
      const values = await this.evaluate(value, scope);
      reported.set(name, { values, metric: values ? nested(values, value.type.shape) : null });
    }
    return reported;
  }

  private async input(source: string, name: string, scope: Scope): Promise<Values | undefined> {
    switch (source) {
      case "scalar": {
        const value = lookUp(scope, (s) => s.scalars[name]);
        if (value === undefined) throw new Error(`expected a scalar of the session, got ${name}`);
        return [value];
      }
      case "state":
        return this.state.read(name);
      case "metric":
        return this.metrics.get(name);
      case "fold":
        // After its block a fold is read as the metric it became.
        return lookUp(scope, (s) => s.fold(name)) ?? this.metrics.get(name);
      case "watch":
        return [(await this.watch(name, scope)) ? 1 : 0];
      default:
        throw new Error(`expected an input of a host expression, got ${source} ${name}`);
    }
  }

  private async watch(name: string, scope: Scope): Promise<boolean> {
    const read = scope.watched.get(name);
    if (read !== undefined) return read;
    const memory = lookUp(scope, (s) => s.watches.get(name));
    if (!memory) throw new Error(`expected a watch of the block, got ${name}`);
    const now = memory.read(await this.number(memory.watch.value, scope));
    scope.watched.set(name, now);
    return now;
  }
}

/** Elements of the largest tensor that the host computes. */
const MOST_ELEMENTS = 2 ** 27;
const fits = new WeakSet<Node>();

/** What a sink computes itself, in float64, must fit here too. */
function refuseHuge(root: Node): void {
  if (fits.has(root)) return;
  const huge = topological([root]).find((node) => elements(node.type) > MOST_ELEMENTS);
  if (!huge) return void fits.add(root);
  const bytes = 8 * elements(huge.type);
  const largest = { type: typeText(huge.type), bytes, span: huge.span };
  const need = { need: bytes, limit: 8 * MOST_ELEMENTS, device: "the host, which computes what is shown", largest };
  throw new UserError(memoryFull("what is shown", need, root.span));
}

export type Reported = ReadonlyMap<string, { readonly values: Values | undefined; readonly metric: Metric }>;

export function metricsOf(reported: Reported): Metrics {
  return Object.fromEntries([...reported].map(([name, { metric }]) => [name, metric]));
}

function lookUp<V>(scope: Scope, get: (scope: Scope) => V | undefined): V | undefined {
  for (let s: Scope | undefined = scope; s; s = s.parent) {
    const value = get(s);
    if (value !== undefined) return value;
  }
  return undefined;
}

function nested(values: Values, shape: readonly number[]): Metric {
  const level = (axis: number, start: number): Metric => {
    const size = shape[axis];
    if (size === undefined) return values[start] ?? null;
    const stride = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
    return Array.from({ length: size }, (_, i) => level(axis + 1, start + i * stride));
  };
  return level(0, 0);
}

// ------------------------------------------------------------ values for people

/** A host value with its numbers in: what `format` writes. */
export type Shown =
  | { readonly kind: "absent" }
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "tensor";
      readonly values: Values;
      readonly shape: readonly number[];
      readonly dtype: DType;
      readonly classes?: readonly string[];
      readonly glue?: string;
    }
  | { readonly kind: "list"; readonly items: readonly Shown[]; readonly tuple: boolean }
  | { readonly kind: "record"; readonly fields: readonly (readonly [string, Shown])[] };

export async function shown(value: HostValue, values: HostValues, scope: Scope): Promise<Shown> {
  switch (value.kind) {
    case "text":
      return value;
    case "node": {
      const found = await values.evaluate(value.node, scope);
      if (!found) return { kind: "absent" };
      return { kind: "tensor", values: found, ...value.node.type, classes: value.classes, glue: value.glue };
    }
    case "list": {
      const items: Shown[] = [];
      for (const item of value.items) items.push(await shown(item, values, scope));
      return { kind: "list", items, tuple: value.tuple };
    }
    case "record": {
      const fields: [string, Shown][] = [];
      for (const [name, field] of Object.entries(value.fields)) fields.push([name, await shown(field, values, scope)]);
      return { kind: "record", fields };
    }
  }
}

/** Slots on the device that a host value reads: those tie its reader to a moment. */
export function readsState(nodes: readonly Node[]): boolean {
  return nodes.some((node) => namesFrom(inputsOf(node), "state").length > 0);
}

/** Numbers nested by shape; text and what is not there are null. */
export function metricOf(value: Shown): Metric {
  switch (value.kind) {
    case "tensor":
      return nested(value.values, value.shape);
    case "list":
      return value.items.map(metricOf);
    case "record":
      return value.fields.map(([, field]) => metricOf(field));
    default:
      return null;
  }
}
