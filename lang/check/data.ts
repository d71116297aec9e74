/**
 * Data sets as values: sources, parts and fields, and the functions that arrange rows. Rows stay whole.
 * What a file holds is asked of the host; an unknown fact is an open size.
 */
import { Reported, UserError } from "../diagnostic.ts";
import * as blocks from "../errors/blocks.ts";
import * as mistakes from "../errors/rows.ts";
import * as names from "../errors/names.ts";
import { make } from "../graph/index.ts";
import type { DataArg, DataPlan, Facts, FieldFact, SourceRef } from "../program.ts";
import type { Span } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import type * as ast from "../syntax/ast.ts";
import { openNum, typeText } from "./axes.ts";
import type { ArgV } from "./call.ts";
import { define } from "./expr.ts";
import { mapRows } from "./rows.ts";
import { constantText } from "./sinks.ts";
import type { SourceParam } from "./sources.ts";
import { checkSource, isText, knownFacts, sources } from "./sources.ts";
import type { Checker, Env } from "./state.ts";
import { patternNames } from "../syntax/defined.ts";
import { TOKEN_MEMBERS, tokenMember } from "./tokens.ts";
import type { Axis, Dataset, Tensor, Value } from "./values.ts";

// ---------------------------------------------------------------- sources

export function openSource(c: Checker, name: string, args: readonly ArgV[], span: Span): Value {
  const ref: SourceRef = { name, args: bindSource(name, sources[name]!.params, args, span), span };
  const [wrong] = checkSource(ref);
  if (wrong) throw new UserError(wrong);
  // What a text holds is known once it is cut into tokens.
  if (isText(ref))
    return { kind: "dataset", plan: { op: "source", source: ref }, rows: -1, fields: new Map(), maps: [] };
  const facts = factsOf(c, ref);
  return facts ? fromFacts(ref, facts) : { kind: "broken" };
}

/** Undefined when the host is still to be asked. */
export function factsOf(c: Checker, ref: SourceRef): Facts | undefined {
  const facts = (ref.over || ref.of ? undefined : knownFacts(ref)) ?? c.knowFacts(ref);
  if (facts === undefined) {
    if (!c.pendingFacts.some((r) => factKey(r) === factKey(ref))) c.pendingFacts.push(ref);
    return undefined;
  }
  const { span } = ref.of ?? ref;
  if ("code" in facts) throw new UserError({ ...facts, labels: facts.labels.map((l) => ({ ...l, span })) });
  return facts;
}

/** Two calls with the same arguments have the same facts. */
export function factKey(ref: SourceRef): string {
  const { name, args, of, like, over } = ref;
  return JSON.stringify([name, args, of && factKey(of), like && factKey(like), over && planText(over.plan)]);
}

/** A plan as text, without the places in the script. */
function planText(plan: DataPlan): string {
  return JSON.stringify(plan, (name, value: unknown) => (name === "span" || name === "keep" ? undefined : value));
}

export function fromFacts(ref: SourceRef, facts: Facts): Dataset {
  const fields = new Map(Object.entries(facts.fields));
  const part = (which: "train" | "test", rows: number): Dataset => ({
    kind: "dataset",
    plan: { op: "source", source: { ...ref, part: which } },
    rows,
    fields,
    split: which,
    maps: [],
  });
  const parts = facts.parts
    ? new Map([
        ["train", part("train", facts.parts.train)],
        ["test", part("test", facts.parts.test)],
      ])
    : undefined;
  return { kind: "dataset", plan: { op: "source", source: ref }, rows: facts.rows, fields, parts, maps: [] };
}

function bindSource(
  name: string,
  params: readonly SourceParam[],
  args: readonly ArgV[],
  span: Span,
): Record<string, DataArg> {
  const known = params.map((p) => p.name);
  const bound: Record<string, DataArg> = {};
  let place = 0;
  for (const arg of args) {
    let param: string | undefined = arg.name;
    if (param === undefined) {
      while (place < known.length && known[place]! in bound) place++;
      param = known[place];
      if (param === undefined) throw new UserError(names.tooManyArguments(name, known.length, arg.span, known));
    } else if (!known.includes(param)) {
      throw new UserError(names.wrongArgument(name, param, arg.nameSpan ?? arg.span, known, didYouMean(param, known)));
    }
    bound[param] = dataArg(arg.value, `\`${param}\` of \`${name}\``, arg.span);
  }
  for (const p of params) {
    if (p.name in bound) continue;
    if (p.default === undefined) throw new UserError(names.missingArgument(name, p.name, span));
    bound[p.name] = p.default;
  }
  return bound;
}

function dataArg(value: Value, what: string, span: Span): DataArg {
  switch (value.kind) {
    case "num":
      return value.value;
    case "bool":
      return value.value;
    case "str":
      return constantText(value, span);
    case "tensor": {
      const { op, attrs } = value.node;
      if (op === "const" && typeof attrs.value === "number") return attrs.value;
      break;
    }
    case "list":
    case "tuple": {
      const items = value.items.map((item) => dataArg(item, what, span));
      if (items.every((i): i is number => typeof i === "number")) return items;
      if (items.every((i): i is string => typeof i === "string")) return items;
    }
  }
  throw new UserError(names.needsConstant(what, typeText(value), span));
}

// ---------------------------------------------------------------- parts and whole fields

export function dataMember(c: Checker, env: Env, data: Dataset, name: string, span: Span, what: string): Value {
  const part = data.parts?.get(name);
  if (part) return part;
  const fact = data.fields.get(name);
  if (isTextData(data)) throw new UserError(mistakes.notTokens(span, `\`.${name}\``));
  if (name === "rows" && !fact) return rowsOf(data);
  if (!fact && TOKEN_MEMBERS.has(name)) return tokenMember(c, data, name, span);
  if (isOpen(data)) return { kind: "broken" };
  const lacking = (known: Iterable<string>): UserError => {
    const all = [...(data.parts?.keys() ?? []), ...known];
    return new UserError(names.noMember(what, name, span, all, didYouMean(name, all)));
  };
  if (!fact && data.maps.length === 0) throw lacking(data.fields.keys());
  if (data.parts) throw new UserError(blocks.partsNotChosen([...data.parts.keys()], span));
  const rows = rowAxis(c, data, span);
  if (data.split) c.splits.set(planId(c, data.plan), data.split);
  if (data.maps.length === 0) return columnOf(c, data, name, fact!, rows, span);
  const columns = new Map([...data.fields].map(([n, f]) => [n, columnOf(c, data, n, f, rows, span)]));
  // Fields that are read one after the other are of the same rows: draws are addressed by the data, not by the line.
  const site = { path: `${env.frame.site.path}/rows ${planId(c, data.plan)}`, counts: new Map<string, number>() };
  const mapped = throughMaps(c, { scope: env.scope, frame: { ...env.frame, site } }, data, columns, rows, span);
  const found = mapped.get(name);
  if (!found) throw lacking(mapped.keys());
  return found;
}

/** How many rows there are, as a number of the script. */
export function rowsOf(data: Dataset): Value {
  return data.rows < 0 ? openNum : { kind: "num", value: data.rows };
}

function columnOf(c: Checker, data: Dataset, name: string, fact: FieldFact, rows: Axis, span: Span): Tensor {
  const axes = [rows, ...rowAxes(c, data, name, fact, span)];
  const node = make(
    "input",
    [],
    { source: "column", name: `${planId(c, data.plan)}.${name}`, dtype: fact.dtype, shape: axes.map((a) => a.size) },
    span,
  );
  return fieldTensor(node, fact, axes);
}

/** Nothing is known of the source, so nothing that follows from it is wrong. */
export function isOpen(data: Dataset): boolean {
  return data.fields.size === 0;
}

function fieldTensor(node: Tensor["node"], fact: FieldFact, axes: readonly Axis[]): Tensor {
  return { kind: "tensor", node, dtype: fact.dtype === "f32" ? "float" : "int", axes, classes: fact.classes };
}

function rowAxis(c: Checker, data: Dataset, span: Span): Axis {
  const known = c.rowAxes.get(data.plan);
  if (known) return known;
  const axis = c.freshAxis("N", data.rows, { span, text: `${data.rows} rows come from here` });
  c.rowAxes.set(data.plan, axis);
  return axis;
}

/** Feature axes belong to the source: every part and field of it shares them. */
function rowAxes(c: Checker, data: Dataset, field: string, fact: FieldFact, span: Span): Axis[] {
  const source = sourceOf(data.plan, field);
  return fact.shape.map((size, i) => {
    const name = fact.axes?.[i];
    const why = { span: source.span, text: `${size} comes from the \`${field}\` of \`${source.name}\`` };
    if (name === undefined) return { size, why };
    const key = `${factKey(source)}:${name}:${size}`;
    const known = c.featureAxes.get(key);
    if (known) return known;
    const axis = c.freshAxis(name, size, { ...why, span: source.span.file === span.file ? source.span : span });
    c.featureAxes.set(key, axis);
    return axis;
  });
}

/** Where a field comes from; of rows of several sources the first. */
export function sourceOf(plan: DataPlan, field: string): SourceRef {
  switch (plan.op) {
    case "source":
      return plan.source;
    case "concat":
      return sourceOf(plan.parts[0]!, field);
    case "zip": {
      for (const { of, names: renamed } of plan.parts) {
        const [own] = Object.entries(renamed).find(([, name]) => name === field) ?? [];
        if (own !== undefined) return sourceOf(of, own);
      }
      return sourceOf(plan.parts[0]!.of, field);
    }
    default:
      return sourceOf(plan.of, field);
  }
}

export function isTextData({ plan }: Dataset): boolean {
  return plan.op === "source" && isText(plan.source);
}

export function planId(c: Checker, plan: DataPlan): string {
  const known = c.plans.get(plan);
  if (known) return known;
  const id = `d${c.plans.size + 1}`;
  c.plans.set(plan, id);
  return id;
}

// ---------------------------------------------------------------- what a block reads

/** Fields that a block binds, with those that row functions read. */
export function fieldNames(data: Dataset, written: readonly string[]): string[] {
  return data.maps.length > 0 ? [...data.fields.keys()] : [...written];
}

/** The fields of a batch, as the row functions leave them. */
export function rowFields(c: Checker, env: Env, data: Dataset, batch: Axis, span: Span): ReadonlyMap<string, Tensor> {
  const row = new Map<string, Tensor>();
  if (isOpen(data)) return row;
  for (const [name, fact] of data.fields) {
    const axes = [batch, ...rowAxes(c, data, name, fact, span)];
    const node = make("input", [], { source: "batch", name, dtype: fact.dtype, shape: axes.map((a) => a.size) }, span);
    if (data.split) c.origins.set(node, data.split);
    row.set(name, fieldTensor(node, fact, axes));
  }
  return throughMaps(c, env, data, row, batch, span);
}

/** The fields of rows along one axis, after all row functions. */
function throughMaps(
  c: Checker,
  env: Env,
  data: Dataset,
  fields: ReadonlyMap<string, Tensor>,
  batch: Axis,
  span: Span,
): ReadonlyMap<string, Tensor> {
  let row = fields;
  for (const f of data.maps) {
    const mapped = mapRows(c, env, f, row, batch, span);
    if (mapped.kind !== "record")
      throw new UserError(
        names.wrongValue(
          "`map`",
          "a function that gives a record",
          typeText(mapped),
          span,
          "write `map(row => { ..row, x: f(row.x) })`",
        ),
      );
    const next = new Map<string, Tensor>();
    for (const [name, field] of mapped.fields) {
      if (field.kind === "broken") throw new Reported();
      if (field.kind !== "tensor" || field.axes[0]?.uid !== batch.uid) {
        throw new Error(`expected a field ${name} for each row, got ${typeText(field)}`);
      }
      next.set(name, field);
    }
    row = next;
  }
  return row;
}

export function bindFields(c: Checker, env: Env, source: ast.Source, data: Dataset, size: number): void {
  const batch = c.freshAxis("B", size, { span: source.value.span, text: `B is ${size} here` });
  env.scope.names.set("B", { value: { kind: "num", value: size, axis: batch }, span: source.span });
  const wanted = patternNames(source.fields);
  const row = rowFields(c, env, data, batch, source.span);
  if (data.split && env.frame.block) c.measured.set(env.frame.block.name, data.split);
  for (const name of wanted) {
    const value: Value | undefined = isOpen(data) ? { kind: "broken" } : row.get(name.text);
    if (!value) {
      throw new UserError(
        blocks.unknownField(name.text, name.span, [...row.keys()], didYouMean(name.text, row.keys())),
      );
    }
    define(c, env.scope, name, value);
  }
}
