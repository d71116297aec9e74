/**
 * Functions that arrange rows: data sets in, data sets out. How many rows come out is known here and now. What is done
 * to a data set with parts is done to each of them.
 */
import { UserError } from "../diagnostic.ts";
import * as blocks from "../errors/blocks.ts";
import * as mistakes from "../errors/rows.ts";
import * as names from "../errors/names.ts";
import type { Node } from "../graph/node.ts";
import type { Body } from "../graph/node.ts";
import { text, topological } from "../graph/index.ts";
import type { DataPlan, FieldFact, SourceRef } from "../program.ts";
import type { Span } from "../source.ts";
import { typeText } from "./axes.ts";
import type { ArgV } from "./call.ts";
import { factsOf, isOpen, rowFields } from "./data.ts";
import { mapRows } from "./rows.ts";
import { splitRange } from "./sources.ts";
import type { Split } from "./splits.ts";
import { joinSplits } from "./splits.ts";
import type { Checker, Env } from "./state.ts";
import { siteHash } from "./state.ts";
import type { BuiltinV, Dataset, Func, Value } from "./values.ts";

export function onePart(data: Dataset, span: Span): Dataset {
  if (data.parts) throw new UserError(blocks.partsNotChosen([...data.parts.keys()], span));
  return data;
}

/** The whole and each of its parts. */
export function eachPart(data: Dataset, run: (d: Dataset) => Dataset): Dataset {
  const { parts } = data;
  if (!parts) return run(data);
  // The rows of the whole are only ever asked for by part.
  return { ...data, ...run({ ...data, parts: undefined }), parts: new Map([...parts].map(([n, p]) => [n, run(p)])) };
}

// ---------------------------------------------------------------- parts

/** One long sequence: its rows mean something in their order only. */
export function isSequence(data: Dataset): boolean {
  return data.fields.size === 1 && data.fields.has("token");
}

export function splitData(data: Dataset, val: number, test: number, ordered: boolean, span: Span): Dataset {
  const whole = data.parts?.get("train") ?? data;
  const site = siteHash(`split:${val}:${test}`);
  const part = (from: number, to: number, name: Split): Dataset => {
    const range = whole.rows < 0 ? undefined : splitRange(whole.rows, from, to);
    const rows = range ? range.stop - range.start : -1;
    if (rows === 0) throw new UserError(blocks.batchTooLarge(1, 0, span));
    const plan: DataPlan = { op: "split", of: whole.plan, from, to, site, ...(ordered ? { ordered } : {}) };
    return { ...whole, plan, rows, split: joinSplits(whole.split ?? "train", name), parts: undefined };
  };
  const parts = new Map<string, Dataset>([["train", part(0, 1 - val - test, "train")]]);
  if (val > 0) parts.set("val", part(1 - val - test, 1 - test, "val"));
  if (test > 0) parts.set("test", part(1 - test, 1, "test"));
  else {
    const own = data.parts?.get("test");
    if (own) parts.set("test", own);
  }
  return { ...data, parts };
}

/** `(fold, part)` with `part.train` and `part.val`, for each fold. */
export function folds(data: Dataset, k: number, span: Span): Value {
  const whole = data.parts?.get("train") ?? data;
  if (k < 2 || (whole.rows >= 0 && k > whole.rows)) throw new UserError(mistakes.tooManyFolds(span, k, whole.rows));
  const site = siteHash(`kfold:${k}`);
  const items = Array.from({ length: k }, (_, i): Value => {
    const range = splitRange(Math.max(0, whole.rows), i / k, (i + 1) / k);
    const held = range.stop - range.start;
    const part = (name: "train" | "val", rows: number): Dataset => ({
      ...whole,
      plan: { op: "fold", of: whole.plan, k, fold: i + 1, held: name === "val", site },
      rows: whole.rows < 0 ? -1 : rows,
      split: joinSplits(whole.split ?? "train", name),
      parts: undefined,
    });
    const fields = new Map<string, Value>([
      ["train", part("train", whole.rows - held)],
      ["val", part("val", held)],
    ]);
    return {
      kind: "tuple",
      items: [
        { kind: "num", value: i + 1 },
        { kind: "record", fields },
      ],
    };
  });
  return { kind: "list", items };
}

// ---------------------------------------------------------------- order and number

export function shuffleData(data: Dataset, label: string, span: Span): Dataset {
  return { ...onePart(data, span), plan: { op: "shuffle", of: data.plan, site: siteHash(`shuffle:${label}`) } };
}

export function takeData(data: Dataset, count: number, span: Span): Dataset {
  const whole = onePart(data, span);
  const rows = whole.rows < 0 ? -1 : Math.min(count, whole.rows);
  return { ...whole, plan: { op: "take", of: whole.plan, count }, rows };
}

export function repeatRows(data: Dataset, times: number): Dataset {
  return eachPart(data, (d) => ({
    ...d,
    plan: { op: "again", of: d.plan, times },
    rows: d.rows < 0 ? -1 : times * d.rows,
  }));
}

export function inLanes(data: Dataset, size: number, dropLast: boolean, span: Span): Dataset {
  refuseMixed("`contiguous: true`", data, span);
  return { ...data, plan: { op: "lanes", of: data.plan, size, dropLast } };
}

/** What mixed the rows since their table was made. */
function mixedBy(plan: DataPlan): string | undefined {
  switch (plan.op) {
    case "shuffle":
      return "shuffle";
    case "fold":
      return "kfold";
    case "split":
      return plan.ordered ? mixedBy(plan.of) : "split";
    case "source":
    case "windows":
      return undefined;
    case "concat":
      return plan.parts.map(mixedBy).find((by) => by !== undefined);
    case "zip":
      return plan.parts.map((part) => mixedBy(part.of)).find((by) => by !== undefined);
    default:
      return mixedBy(plan.of);
  }
}

function refuseMixed(what: string, data: Dataset, span: Span): void {
  const by = mixedBy(data.plan);
  if (by !== undefined) throw new UserError(mistakes.notInOrder(span, what, by));
}

export function windowsOf(data: Dataset, size: number, stride: number, span: Span): Dataset {
  const pairs = isSequence(data);
  return eachPart(data, (d) => {
    if (d.maps.length > 0) throw new UserError(mistakes.mappedBefore(span, "windows"));
    refuseMixed("`windows`", d, span);
    const rows = d.rows < 0 ? -1 : Math.floor((d.rows - size - (pairs ? 1 : 0)) / stride) + 1;
    if (d.rows >= 0 && rows < 1) throw new UserError(mistakes.windowTooLong(span, size, d.rows, pairs));
    const over = (fact: FieldFact): FieldFact => ({
      ...fact,
      shape: [size, ...fact.shape],
      axes: ["T", ...(fact.axes ?? fact.shape.map(() => undefined))],
    });
    const token = d.fields.get("token");
    const fields =
      pairs && token
        ? new Map([
            ["x", over(token)],
            ["y", over(token)],
          ])
        : new Map([...d.fields].map(([name, fact]) => [name, over(fact)]));
    return { ...d, plan: { op: "windows", of: d.plan, size, stride, pairs }, rows, fields };
  });
}

// ---------------------------------------------------------------- several data sets

export function concatData(parts: readonly { readonly data: Dataset; readonly span: Span }[]): Dataset {
  const [first, ...others] = parts as [(typeof parts)[number], ...typeof parts];
  const all = [first, ...others].map(({ data, span }) => onePart(data, span));
  for (const { data, span } of others) {
    // Nothing is known of an open source, so it fits.
    const known = !isOpen(data) && !isOpen(first.data);
    if (known && fieldsText(data) !== fieldsText(first.data))
      throw new UserError(mistakes.unlikeRows(span, fieldsText(first.data), fieldsText(data)));
    const sameMaps = data.maps.length === first.data.maps.length && data.maps.every((f, i) => f === first.data.maps[i]);
    if (!sameMaps) throw new UserError(mistakes.mappedBefore(span, "concat"));
  }
  return {
    ...first.data,
    fields: all.some(isOpen) ? new Map() : first.data.fields,
    plan: { op: "concat", parts: all.map(({ plan }) => plan) },
    rows: all.some(({ rows }) => rows < 0) ? -1 : all.reduce((sum, { rows }) => sum + rows, 0),
    split: all.map(({ split }) => split).reduce(joinSplits),
  };
}

function fieldsText({ fields }: Dataset): string {
  const texts = [...fields].map(([name, { dtype, shape, classes }]) => {
    const type = classes === undefined ? dtype : `index(${classes})`;
    return `\`${name}: ${type}[${shape.join(", ")}]\``;
  });
  return texts.sort().join(", ");
}

/** A named part lends its name to its field, or begins their names with it. */
export function zipData(parts: readonly (ArgV & { readonly data: Dataset })[]): Dataset {
  const first = onePart(parts[0]!.data, parts[0]!.span);
  const fields = new Map<string, FieldFact>();
  const plans: { of: DataPlan; names: Record<string, string> }[] = [];
  let split = first.split;
  let rows = first.rows;
  for (const { data, name, span } of parts) {
    const part = onePart(data, span);
    if (part.maps.length > 0) throw new UserError(mistakes.mappedBefore(span, "zip"));
    if (rows >= 0 && part.rows >= 0 && part.rows !== rows)
      throw new UserError(mistakes.unequalCounts(span, rows, part.rows));
    rows = rows < 0 || part.rows < 0 ? -1 : part.rows;
    const renamed: Record<string, string> = {};
    for (const [field, fact] of part.fields) {
      const to = name === undefined ? field : part.fields.size === 1 ? name : `${name}_${field}`;
      if (fields.has(to)) throw new UserError(mistakes.fieldTwice(span, to));
      renamed[field] = to;
      fields.set(to, fact);
    }
    plans.push({ of: part.plan, names: renamed });
    split = joinSplits(split, part.split);
  }
  const known = parts.some(({ data }) => isOpen(data)) ? new Map<string, FieldFact>() : fields;
  return { kind: "dataset", plan: { op: "zip", parts: plans }, rows, fields: known, split, maps: [] };
}

// ---------------------------------------------------------------- filter

/** A condition is computed for this many rows at a time. */
const PIECE = 1024;
/** More would not be counted while someone waits for a check. */
const MOST_COUNTED = 10_000_000;

/** Undefined while the host is to be asked how many rows are kept. */
export function filterData(c: Checker, env: Env, data: Dataset, f: Func | BuiltinV, span: Span): Dataset | undefined {
  const whole = data.parts ? undefined : filterPart(c, env, data, f, span);
  if (!data.parts) return whole;
  const parts = [...data.parts].map(([name, part]) => [name, filterPart(c, env, part, f, span)] as const);
  const known = parts.flatMap(([name, part]) => (part ? [[name, part] as const] : []));
  return known.length === parts.length ? { ...data, parts: new Map(known) } : undefined;
}

function filterPart(c: Checker, env: Env, data: Dataset, f: Func | BuiltinV, span: Span): Dataset | undefined {
  if (isOpen(data)) return data;
  const by = chosenBy(data.plan);
  if (by !== undefined) throw new UserError(mistakes.filterAfterSplit(span, by));
  const batch = c.freshAxis("B", data.rows < 0 ? -1 : Math.min(data.rows, PIECE));
  const kept = mapRows(c, env, f, rowFields(c, env, data, batch, span), batch, span);
  if (kept.kind === "broken") return undefined;
  if (kept.kind !== "tensor" || kept.dtype !== "bool" || kept.axes.length !== 1)
    throw new UserError(blocks.notACondition(typeText(rowOf(kept)), span, "filter"));
  refuseUnknown(kept.node, span);
  const keep = kept.node;
  const words = text([keep]);
  const plan: DataPlan = { op: "filter", of: data.plan, keep, text: words };
  if (data.rows < 0) return { ...data, plan };
  if (data.rows > MOST_COUNTED) throw new UserError(mistakes.tooManyToFilter(span, data.rows, MOST_COUNTED));
  const ref: SourceRef = { name: "filter", args: { keep: words }, over: { plan: data.plan, keep }, span };
  const facts = factsOf(c, ref);
  if (!facts) return undefined;
  if (facts.rows === 0) throw new UserError(mistakes.noRowsLeft(span, data.rows));
  return { ...data, plan, rows: facts.rows };
}

/** As the row function sees it: without the axis of rows. */
function rowOf(value: Value): Value {
  return value.kind === "tensor" ? { ...value, axes: value.axes.slice(1) } : value;
}

/** Which rows these are depends on the seed; their order may. */
function chosenBy(plan: DataPlan, part = false): string | undefined {
  switch (plan.op) {
    case "source":
      return undefined;
    case "split":
      return plan.ordered ? chosenBy(plan.of, true) : "split";
    case "fold":
      return "kfold";
    case "shuffle":
      return part ? "shuffle" : chosenBy(plan.of);
    case "take":
      return chosenBy(plan.of, true);
    case "concat":
      return plan.parts.map((p) => chosenBy(p, part)).find((by) => by !== undefined);
    case "zip":
      return plan.parts.map((p) => chosenBy(p.of, true)).find((by) => by !== undefined);
    case "windows":
      return chosenBy(plan.of, true);
    default:
      return chosenBy(plan.of, part);
  }
}

/** What a condition may be computed from: the fields of its row, and constants. */
function refuseUnknown(keep: Node, span: Span): void {
  for (const node of topological([keep])) {
    if (node.op === "random") throw new UserError(mistakes.filterNotKnown(span, "a random draw"));
    if (node.op === "loop") for (const result of (node.attrs.body as Body).results) refuseUnknown(result, span);
    if (node.op !== "input") continue;
    const source = String(node.attrs.source);
    if (source === "batch" || source === "loop") continue;
    const name = String(node.attrs.name);
    if (source === "scalar" && name.startsWith("input:"))
      throw new UserError(mistakes.filterNotKnown(span, `the live input \`${name.slice(6)}\``));
    throw new UserError(
      mistakes.filterNotKnown(span, source === "column" ? "other rows" : "what is computed in the run"),
    );
  }
}

export function rowFunction(callee: string, arg: ArgV | undefined, span: Span): Func | BuiltinV {
  if (arg?.value.kind === "func" || arg?.value.kind === "builtin") return arg.value;
  const got = arg ? typeText(arg.value) : "missing";
  throw new UserError(names.needsConstant(`the row function of \`${callee}\``, got, arg?.span ?? span));
}
