/** Completion: what can stand at the cursor, what fits first. */
import type { Tensor, Value } from "../check/values.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { STATEMENT_WORDS } from "../syntax/tokens.ts";
import type { Analysis } from "./analysis.ts";
import { sizesOf, typeOf } from "./describe.ts";
import { ofEntry } from "./hover.ts";
import type { Entry, Library } from "./library.ts";
import { entryOf } from "./library.ts";
import type { Definition, Region } from "./names.ts";
import { namesAt } from "./names.ts";
import { callAround, probeAt, type Probe } from "./probe.ts";
import { calleeOf, membersOf } from "./symbols.ts";
import { valueOf } from "./values.ts";

export type CompletionKind =
  "variable" | "function" | "class" | "constant" | "field" | "property" | "keyword" | "axis" | "data";

export interface Completion {
  readonly label: string;
  readonly kind: CompletionKind;
  /** What it replaces, and by what. */
  readonly span: Span;
  readonly insert: string;
  readonly detail?: string;
  /** Markdown. */
  readonly doc?: string;
  /** 0 fits best. */
  readonly rank: number;
}

type Found = Omit<Completion, "span" | "insert"> & { readonly insert?: string };

export function completionsAt(analysis: Analysis, library: Library, offset: number): Completion[] {
  const probe = probeAt(analysis, offset);
  if (probe.isText) return [];
  const seen = new Set<string>();
  return candidates(probe, library)
    .filter(({ label, kind }) => {
      const key = kind === "property" ? `${label}:` : label;
      if (label === "" || seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .map((c) => ({ ...c, span: probe.word, insert: c.insert ?? c.label }));
}

function candidates(probe: Probe, library: Library): Found[] {
  const { analysis, path, word } = probe;
  const at = word.start + 1;
  const last = path.at(-1);
  const above = path.at(-2);
  const member = above?.kind === "member" ? (above as ast.Expr & { kind: "member" }) : undefined;
  if (member && member.name === (last as unknown)) {
    const value = valueOf(analysis, member.target);
    return value
      ? membersOf(value).map((m) => ({
          label: m.name,
          kind: memberKind(m.value, m.note),
          detail: m.value ? typeOf(m.value) : m.note,
          doc: m.note,
          rank: 0,
        }))
      : [];
  }
  const names = inScope(analysis, library, at);
  const pipe = pipeAt(path, last);
  if (pipe) {
    const value = valueOf(analysis, pipe.left);
    return names.map((n) => ({ ...n, rank: value ? fit(n, value) : n.rank })).filter((n) => n.rank < 9);
  }
  const place = placeIn(analysis.source.text, word.start);
  if (place) return names.map((n) => ({ ...n, rank: PLACES[place](n) ? 0 : n.rank + 5 }));
  const around = callAround(path, at);
  const found: Found[] = [];
  if (around) found.push(...argumentsOf(analysis, library, around, at));
  found.push(...axesAt(analysis, path, around?.call, at));
  found.push(...names);
  const stmt = path.findLast((n) => "body" in n || n.kind === "expr" || n.kind === "error" || n.kind === "let");
  if (
    !around &&
    (stmt?.kind === "expr" || stmt === undefined || stmt.kind === "error") &&
    stmt?.span.start !== undefined &&
    stmt.span.start === word.start
  )
    found.push(...wordsAt(analysis, word.start));
  return found;
}

// ---------------------------------------------------------------- parts of a head

type HeadPlace = "over" | "with" | "in";

/** What the head of a statement asks for here, by what stands before it on the line. */
function placeIn(text: string, at: number): HeadPlace | undefined {
  const before = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  if (/^\s*minimize\b.*\b(?:over|except)\s+\(?(?:[\w.]+\s*,\s*)*$/.test(before)) return "over";
  if (/^\s*minimize\b.*\bwith\s+(?:[^|]*\|>\s*)*$/.test(before)) return "with";
  return /^\s*(?:train|eval|repeat)\b[^"]*\)\s*in\s+$/.test(before) ? "in" : undefined;
}

const holdsModel = (value: Value | undefined): boolean =>
  value?.kind === "instance" || (value?.kind === "list" && value.items.some(holdsModel));

const PLACES: Readonly<Record<HeadPlace, (n: Named) => boolean>> = {
  over: ({ value }) => holdsModel(value),
  with: ({ entry, value }) => entry?.kind === "optimizer" || value?.kind === "stages" || value?.kind === "optimizer",
  in: ({ label, value }) => label === "batches" || value?.kind === "dataset",
};

/** The pipe whose stage the name is, or begins. */
function pipeAt(
  path: Probe["path"],
  last: Probe["path"][number] | undefined,
): (ast.Expr & { kind: "pipe" }) | undefined {
  for (let i = path.length - 2; i >= 0; i--) {
    const node = path[i]!;
    if (node.kind === "pipe") {
      const pipe = node as ast.Expr & { kind: "pipe" };
      const { right } = pipe;
      const head = right.kind === "call" ? right.callee : right;
      return head === last ? pipe : undefined;
    }
    if (node.kind !== "call") return undefined;
  }
  return undefined;
}

// ---------------------------------------------------------------- names

interface Named extends Found {
  readonly entry?: Entry;
  readonly value?: Value;
}

function inScope(analysis: Analysis, library: Library, at: number): Named[] {
  const own = namesAt(analysis.names, at).map((d) => ofDefinition(analysis, d));
  const given = [...library.entries.values()].filter((e) => !e.name.includes(".")).map((e) => ofEntryItem(e, 3));
  const toy: Named = { label: "toy", kind: "data", detail: "data sources drawn on the spot", rank: 3 };
  return [
    ...own,
    ...given,
    toy,
    ...["true", "false", "none"].map((label): Named => ({ label, kind: "keyword", rank: 4 })),
  ];
}

function ofDefinition(analysis: Analysis, d: Definition): Named {
  if (d.stmt?.kind === "fn" || d.stmt?.kind === "model" || d.stmt?.kind === "optimizer") {
    return ofEntryItem(entryOf(d.stmt, analysis.source.text), 1);
  }
  const value = analysis.factsOf(d.span)[0]?.value;
  const sizes = value ? sizesOf(value) : "";
  return {
    label: d.name,
    kind: d.kind === "axis" || d.kind === "dim" ? "axis" : "variable",
    detail: value ? typeOf(value) : d.kind,
    doc: [sizes, d.doc?.replace(/^##\s?/gm, "")].filter(Boolean).join("\n\n") || undefined,
    rank: 1,
    value,
  };
}

function ofEntryItem(entry: Entry, rank: number): Named {
  const kind =
    entry.kind === "model" || entry.kind === "optimizer"
      ? "class"
      : entry.kind === "constant"
        ? "constant"
        : entry.kind === "source"
          ? "data"
          : "function";
  return { label: entry.name, kind, detail: entry.signature, doc: ofEntry(entry), rank, entry };
}

function memberKind(value: Value | undefined, note: string): CompletionKind {
  if (value?.kind === "builtin") return "data";
  if (value?.kind === "instance") return "class";
  return note === "setting" ? "property" : "field";
}

// ---------------------------------------------------------------- after |>

const OF_DATA = new Set(
  "split kfold shuffle take filter again concat zip windows batches map chars words bpe pad encode decode".split(" "),
);
/** Of tensors too. */
const OF_BOTH = new Set(["split", "windows", "concat", "pad"]);

/** 0 takes such a value, 2 perhaps, 9 cannot stand there. */
function fit({ entry, value, kind, rank }: Named, left: Value): number {
  if (kind === "keyword" || kind === "constant" || kind === "axis") return 9;
  const callable = value && ["func", "builtin", "model", "instance", "optimizer", "list", "with"].includes(value.kind);
  if (value && !entry) return callable ? (left.kind === "tensor" && takes(value, left) ? 0 : 2) : 9;
  if (!entry) return rank + 2;
  if (entry.kind === "source") return 9;
  if (left.kind === "dataset") return OF_DATA.has(entry.name) ? 0 : 5;
  if (left.kind === "stages") return entry.kind === "optimizer" ? 0 : 9;
  if (entry.kind === "optimizer") return 9;
  if (left.kind === "instance" || left.kind === "list") return entry.name === "load" ? 0 : 5;
  if (left.kind !== "tensor") return rank + 2;
  if (OF_DATA.has(entry.name) && !OF_BOTH.has(entry.name)) return 6;
  const { declaration } = entry;
  if (!declaration) return entry.parameters.length === 0 ? 6 : takesTensor(entry) ? 1 : 3;
  const first = declaration.params[0]?.type;
  return first ? (fitsType(first, left) ? 0 : 4) : declaration.kind === "fn" ? 1 : 2;
}

/** As far as the first type that it declares says. */
function takes(value: Value, left: Tensor): boolean {
  const first = value.kind === "list" ? value.items[0] : value;
  const type =
    first?.kind === "instance"
      ? first.decl.decl.params[0]?.type
      : first?.kind === "func"
        ? first.params[0]?.type
        : undefined;
  return type === undefined || fitsType(type, left);
}

/** By the words of the tables: a first argument x, a or v is a tensor. */
const takesTensor = (entry: Entry): boolean => /^(x|a|b|v|c|p|i|table)$/.test(entry.parameters[0]?.name ?? "");

function fitsType(type: ast.TypeExpr, t: Tensor): boolean {
  const head = type.head?.text;
  if (head === "index" && t.dtype !== "int") return false;
  if (head === "dim") return false;
  const { axes } = type;
  if (!axes) return true;
  const rest = axes.some((a) => a.kind === "rest");
  const fixed = axes.filter((a) => a.kind === "size").length;
  if (rest ? t.axes.length < fixed : t.axes.length !== fixed) return false;
  if (rest) return true;
  return axes.every((a, i) => {
    const size = t.axes[i]!.size;
    return a.kind === "rest" || a.value.kind !== "number" || size < 0 || a.value.value === size;
  });
}

// ---------------------------------------------------------------- inside a call

function argumentsOf(
  analysis: Analysis,
  library: Library,
  { call, index, piped }: NonNullable<ReturnType<typeof callAround>>,
  at: number,
): Found[] {
  const arg = call.args[index];
  if (arg && (arg.name !== undefined || arg.value.span.start !== at - 1)) return [];
  const callee = calleeOf(analysis, library, call.callee);
  if (!callee) return [];
  const { entry, applied } = callee;
  const list = applied ? entry.inputs : entry.parameters;
  const skipped = piped && entry.kind !== "model" ? 1 : 0;
  const given = new Set(call.args.flatMap((a) => a.name?.text ?? []));
  const before = call.args.slice(0, index).filter((a) => !a.name).length + skipped;
  return list
    .filter((p, i) => i >= before && !given.has(p.name))
    .map((p) => ({
      label: p.name,
      insert: `${p.name}: `,
      kind: "property" as const,
      detail: p.text,
      doc: `argument of \`${entry.signature}\``,
      rank: p.optional ? 0 : 1,
    }));
}

/** Axes of the tensor that is indexed or reduced here. */
function axesAt(analysis: Analysis, path: Probe["path"], call: ast.Call | undefined, at: number): Found[] {
  const index = path.findLast((n) => n.kind === "index") as (ast.Expr & { kind: "index" }) | undefined;
  if (index && index.target.span.end < at) return axesOf(valueOf(analysis, index.target), ": ");
  if (!call) return [];
  const arg = call.args.find((a) => a.span.start <= at && at <= a.span.end);
  if (arg?.name?.text !== "over" && arg?.name?.text !== "per") return [];
  const pipe = path.findLast((n) => n.kind === "pipe" && (n as ast.Expr & { kind: "pipe" }).right === call) as
    (ast.Expr & { kind: "pipe" }) | undefined;
  const from = pipe?.left ?? call.args.find((a) => !a.name)?.value;
  return from ? axesOf(valueOf(analysis, from), "") : [];
}

function axesOf(value: Value | undefined, after: string): Found[] {
  if (value?.kind !== "tensor") return [];
  return value.axes.flatMap((a) =>
    a.name !== undefined && a.uid !== undefined
      ? [
          {
            label: a.name,
            insert: a.name + after,
            kind: "axis" as const,
            detail: `axis of ${a.size < 0 ? "?" : a.size}`,
            rank: 0,
          },
        ]
      : [],
  );
}

// ---------------------------------------------------------------- words

const ANYWHERE = ["let", "dim", "for", "if", "print"];
const WORDS: Readonly<Record<Region["kind"], readonly string[]>> = {
  file: [
    ...STATEMENT_WORDS.filter(
      (w) =>
        ![
          "param",
          "state",
          "yield",
          "assert",
          "minimize",
          "metric",
          "every",
          "repeat",
          "show",
          "record",
          "precision",
        ].includes(w),
    ),
    "test",
    "for",
    "scan",
    "iterate",
    "if",
  ],
  train: [...ANYWHERE, "minimize", "metric", "state", "every", "when", "repeat", "plot", "save", "stop"],
  eval: [...ANYWHERE, "metric", "plot"],
  model: [...ANYWHERE, "param", "state", "scan", "iterate"],
  fn: [...ANYWHERE, "scan", "iterate"],
  optimizer: [...ANYWHERE, "state"],
  loop: [...ANYWHERE, "yield", "minimize"],
  block: [...ANYWHERE, "eval", "when", "plot", "save", "stop", "yield", "assert", "minimize", "metric"],
};

function wordsAt(analysis: Analysis, offset: number): Found[] {
  let region = analysis.names.top;
  for (const r of analysis.names.regions) if (r.span.start <= offset && offset <= r.span.end) region = r;
  return WORDS[region.kind].map((label) => ({ label, insert: `${label} `, kind: "keyword", rank: 2 }));
}
