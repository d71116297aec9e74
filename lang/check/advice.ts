/**
 * What a message can say once it is known where in the script it stands: a function among layers, layers in a pipe, a
 * call of what is not defined. One row per code; a row sees the nodes around the place and gives what is better said.
 */
import type { Diagnostic, Fix } from "../diagnostic.ts";
import { change, fix, put } from "../errors/edits.ts";
import type { Span } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import type * as ast from "../syntax/ast.ts";
import { namesDefined, patternNames } from "../syntax/defined.ts";
import { flattenFor } from "./flattens.ts";
import { asComprehension, asText } from "./foreign-values.ts";

type Node = ast.Expr | ast.Stmt;
export interface Place {
  readonly d: Diagnostic;
  readonly file: ast.File;
  readonly at: Span;
  readonly text: string;
  /** Statements and expressions around the place, the outermost first. */
  readonly around: readonly Node[];
  /** What stands at a place. */
  readonly written: (span: Span) => string;
}
export type Better = {
  readonly labels?: Diagnostic["labels"];
  readonly title?: string;
  readonly help: string;
  readonly fix?: readonly Fix[] | undefined;
};
type Row = (place: Place) => Better | undefined;

export function advise(diagnostics: Diagnostic[], file: ast.File, text: string): void {
  diagnostics.forEach((d, i) => {
    const at = d.labels[0]?.span;
    const row = rows[d.code];
    if (!row || !at || at.file !== file.span.file) return;
    const written = ({ start, end }: Span): string => text.slice(start, end);
    const better = row({ d, file, at, text, written, around: nodesAround(file, at) });
    if (better) diagnostics[i] = { ...d, ...better, fix: better.fix ?? d.fix };
  });
}

function nodesAround(file: ast.File, at: Span): Node[] {
  const found: Node[] = [];
  const below = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(below);
    else if (value !== null && typeof value === "object") {
      const node = value as Node;
      if ("span" in node && (node.span.start > at.start || node.span.end < at.end)) return;
      if ("kind" in node) found.push(node);
      for (const [key, part] of Object.entries(node)) if (!/span$/i.test(key)) below(part);
    }
  };
  below(file.body);
  return found;
}

const isModelName = (name: string): boolean => /^\p{Lu}\p{L}*\p{Ll}/u.test(name);

const rows: Readonly<Record<string, Row>> = {
  DLX0204: flattenInPlace,
  DLX0210: (place) => asText(place) ?? layersInPipe(place) ?? functionForValue(place),
  DLX0301: unknownCall,
  DLX0302: paramsAgain,
  DLX0306: notAlways,
  DLX0307: onlyOneLeft,
  DLX0309: (place) => functionAmongLayers(place) ?? argumentBehind(place),
  DLX0213: twoRests,
  DLX0312: asComprehension,
  DLX0313: asComprehension,
  DLX0318: partOfList,
  DLX0329: metricWithoutBlock,
};

/** A `flatten` that is missing among layers that are written elsewhere. */
function flattenInPlace({ d, file, at, around, written }: Place): Better | undefined {
  const outputs = around.findLast((n) => n.span.start === at.start && n.span.end === at.end) as ast.Expr | undefined;
  const found = d.title.endsWith("a `flatten` is missing") && outputs ? flattenFor(file, outputs) : undefined;
  if (!found) return undefined;
  const text = written(found.layer);
  return {
    help: `join the other axes into one before the first \`Linear\`: \`${found.inList ? `[…, flatten, ${text}, …]` : `|> flatten |> ${text}`}\``,
    fix: [{ title: "insert `flatten`", edits: [found.edit] }],
  };
}

/** `Linear(16) |> relu |> Linear(2)` for a model. */
function layersInPipe({ d, around, written }: Place): Better | undefined {
  const pipe = around.find((n): n is ast.Expr & { kind: "pipe" } => n.kind === "pipe");
  if (!pipe || !d.title.endsWith("this is a model")) return undefined;
  const stages: ast.Expr[] = [];
  let first: ast.Expr = pipe;
  for (; first.kind === "pipe"; first = first.left) stages.unshift(first.right);
  if (first.kind !== "call" || first.callee.kind !== "name" || !isModelName(first.callee.text)) return undefined;
  const all = [first, ...stages];
  const list = `[${all.map(({ span }) => written(span)).join(", ")}]`;
  return {
    title: "`|>` takes a value through layers, and this pipe begins with a layer",
    labels: [{ span: first.span, text: "a layer, no value" }],
    help: `layers one after another are a list: \`${list}\``,
    fix: fix("write a list", put(pipe.span, list)),
  };
}

/** `labels` is a function, and the field is `label`. */
function functionForValue({ d, at, around, written }: Place): Better | undefined {
  const name = written(at);
  if (!/this is (?:a function|the function .*)$/.test(d.title) || !/^\w+$/.test(name)) return undefined;
  const visible = around.flatMap((node) => {
    const body = node.kind === "block" ? node.body.filter((s) => s.span.end <= at.start).flatMap(namesDefined) : [];
    const rows = node.kind === "train" || node.kind === "eval" || node.kind === "repeat" ? node.source : undefined;
    return [...body, ...(rows ? patternNames(rows.fields) : [])].map((n) => n.text);
  });
  const guess = didYouMean(name, visible);
  return guess === undefined
    ? undefined
    : {
        title: `\`${name}\` is a function, and a value is wanted here`,
        help: `did you mean \`${guess}\`?`,
        fix: change(at, guess),
      };
}

function unknownCall({ d, at, around, written }: Place): Better | undefined {
  const call = around.findLast((n): n is ast.Call => n.kind === "call" && n.callee.span.start === at.start);
  const name = written(at);
  if (!call || !d.help?.startsWith("define it above")) return undefined;
  const form = isModelName(name)
    ? `model ${name}(${call.args.length > 0 ? "…" : ""})(x: [B, ..]) { … }`
    : `fn ${name}(x) = …`;
  return { help: `define it above: \`${form}\`` };
}

/** `let p = …` in an optimizer. */
function paramsAgain({ d, at, around, written }: Place): Better | undefined {
  const own = around.find((n) => n.kind === "optimizer");
  const stmt = around.find((n) => n.kind === "let");
  const params = own?.params[0]?.name;
  if (!stmt || params?.text !== written(at)) return undefined;
  return {
    title: `\`${params.text}\` is changed with \`<-\``,
    labels: [d.labels[0]!, { span: params.span, text: "the params" }],
    help: `write \`${params.text} <- ${written(stmt.value.span)}\``,
    fix: fix("change the params", put({ ...stmt.span, end: stmt.value.span.start }, `${params.text} <- `)),
  };
}

/** `if step % 10 == 0 { print loss }`. */
function notAlways({ d, at, around, written }: Place): Better | undefined {
  const node = around.findLast((n): n is ast.If => n.kind === "if" && n.cond.span.start === at.start);
  if (!d.title.startsWith("`if` chooses before the run") || !node || node.else) return undefined;
  if (!node.then.body.every((s) => ["print", "plot", "show", "record", "save", "stop"].includes(s.kind)))
    return undefined;
  if (!around.some((n) => n.kind === "train")) return undefined;
  const head: Span = { ...node.span, end: node.cond.span.end };
  const [, clock, n] = /^(step|epoch) *% *(\d+) *== *0$/.exec(written(node.cond.span)) ?? [];
  const text = clock === undefined ? `when ${written(node.cond.span)}` : `every ${n} ${clock}s`;
  return { help: `write \`${text} { … }\``, fix: change(head, text) };
}

/** An unknown argument where one is missing: that one is meant. */
function onlyOneLeft({ d, at, around, written }: Place): Better | undefined {
  if (d.help !== undefined) return undefined;
  const name = written(at);
  const call = around.findLast((n): n is ast.Call => n.kind === "call");
  if (name === "activation") return activationBehind(call, around, written);
  const known = [...(d.notes[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, each = ""]) => each);
  const [left, ...others] = known
    .slice(call?.args.filter((a) => !a.name).length ?? 0)
    .filter((each) => !call?.args.some((a) => a.name?.text === each));
  if (left === undefined || others.length > 0) return undefined;
  return { help: `did you mean \`${left}:\`?`, fix: change(at, left) };
}

/** `Linear(16, activation: relu)` as in Keras. */
function activationBehind(
  call: ast.Call | undefined,
  around: readonly Node[],
  written: Place["written"],
): Better | undefined {
  const place = call?.args.findIndex((a) => a.name?.text === "activation") ?? -1;
  const [arg, before] = [call?.args[place], call?.args[place - 1]];
  const listed = around.some((n) => n.kind === "list" && call !== undefined && n.items.includes(call));
  return {
    help: "a function stands behind its layer: `[Linear(16), relu, Linear(2)]`, or `x |> Linear(16) |> relu`",
    fix:
      call && arg && before && listed
        ? fix(
            "put it behind the layer",
            put({ ...arg.span, start: before.span.end }, ""),
            put({ ...call.span, start: call.span.end }, `, ${written(arg.value.span)}`),
          )
        : undefined,
  };
}

/** `v[1..2]` of a list. */
function partOfList({ d, around, written }: Place): Better | undefined {
  const index = around.findLast((n): n is ast.Expr & { kind: "index" } => n.kind === "index");
  const item = index?.items[0];
  if (!d.title.startsWith("a list gives one item") || !index || index.items.length !== 1) return undefined;
  if (item?.kind !== "at" || item.value.kind !== "range" || !item.value.from || !item.value.to) return undefined;
  const part = `[${written(index.target.span)}[i] for i in ${written(item.value.span)}]`;
  return { help: `gather them in a new list: \`${part}\``, fix: change(index.span, part) };
}

/** `[Conv(6, 5), maxpool(2)]`: a function with settings is no layer yet. */
function functionAmongLayers({ at, around, written }: Place): Better | undefined {
  const list = around.at(-2);
  const call = around.at(-1);
  if (call?.kind !== "call" || list?.kind !== "list" || call.callee.kind !== "name" || call.args.length === 0)
    return undefined;
  const name = call.callee.text;
  if (isModelName(name) || call.span.start !== at.start) return undefined;
  const args = call.args.map((a) => written(a.span)).join(", ");
  const layer = `x => ${name}(x, ${args})`;
  return {
    title: `\`${name}\` is a function and has nothing to act on here`,
    help: `among layers write \`${layer}\``,
    fix: change(call.span, layer),
  };
}

/** The call with what is missing in it. */
function argumentBehind({ d, around, at, written }: Place): Better | undefined {
  const [, name] = /needs `(\w+)`$/.exec(d.title) ?? [];
  const call = around.findLast((n): n is ast.Call => n.kind === "call" && n.span.start === at.start);
  if (name === undefined || !call || call.args.length === 0 || d.fix || written(call.span).includes("\n"))
    return undefined;
  return { help: `write \`${written(call.span).slice(0, -1)}, ${name}: …)\`` };
}

function twoRests({ around, written }: Place): Better | undefined {
  const index = around.findLast((n): n is ast.Expr & { kind: "index" } => n.kind === "index");
  if (!index || index.items.filter((item) => item.kind === "rest").length < 2) return undefined;
  const at = index.items.find((item) => item.kind !== "rest");
  return {
    help: `\`..\` stands once; an axis in the middle is named: \`${written(index.target.span)}[T: ${at ? written(at.span) : "0"}]\``,
  };
}

/** A metric of a block without a name. */
function metricWithoutBlock({ d, at, text, written }: Place): Better | undefined {
  const place = d.labels[1]?.span;
  if (!place || !/metric\s+$/.test(text.slice(0, place.start))) return undefined;
  const head = [...text.slice(0, place.start).matchAll(/\b(eval|train)\b(?= *\()/g)].at(-1);
  if (!head) return undefined;
  const name = head[1] === "eval" ? "check" : "fit";
  const end = head.index + head[0].length;
  const metric = `${name}.${written(at)}`;
  return {
    help: `give the block a name, \`${head[0]} ${name} (…) in …\`, and read \`${metric}\``,
    fix: fix(`name the block \`${name}\``, put({ ...at, start: end, end }, ` ${name}`), put(at, metric)),
  };
}
