/**
 * Value tags are checked where they matter: a table of the functions of the library for which the meaning of their
 * arguments is sure. What has no tag passes in silence. Where probabilities came from is remembered with their node.
 */
import { UserError } from "../diagnostic.ts";
import type { Origin } from "../errors/tags.ts";
import { change } from "../errors/edits.ts";
import { almostLabels, outputsPerPlace, wrongClasses } from "../errors/signature.ts";
import * as errors from "../errors/tags.ts";
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import { typeText } from "./axes.ts";
import type { Checker } from "./state.ts";
import type { Tensor, Value } from "./values.ts";

interface Use {
  /** Where logits are wanted: probabilities are refused. */
  readonly logits?: string;
  /** Where probabilities are wanted: logits and log probabilities are refused. */
  readonly prob?: readonly string[];
  /** Outputs and labels, in this order. */
  readonly labels?: readonly [string, string];
  /** Two quantities. */
  readonly quantities?: readonly [string, string];
}

const uses: Readonly<Record<string, Use>> = {
  softmax: { logits: "x" },
  log_softmax: { logits: "x" },
  sigmoid: { logits: "x" },
  cross_entropy: { logits: "z", labels: ["z", "y"] },
  binary_cross_entropy: { logits: "z" },
  hinge: { labels: ["z", "y"] },
  accuracy: { labels: ["z", "y"] },
  top_k_accuracy: { labels: ["z", "y"] },
  confusion: { labels: ["z", "y"] },
  entropy: { prob: ["p"] },
  kl: { prob: ["p", "q"] },
  js: { prob: ["p", "q"] },
  wasserstein: { prob: ["p", "q"] },
  mse: { quantities: ["a", "b"] },
  mae: { quantities: ["a", "b"] },
  huber: { quantities: ["a", "b"] },
};

type Args = ReadonlyMap<string, Value>;
type Spans = ReadonlyMap<string, Span>;

/** Nodes that a softmax or sigmoid gave. */
const origins = new WeakMap<Node, Origin>();
const VIEWS = new Set(["reshape", "permute", "expand", "slice", "stop"]);

function originOf(t: Tensor): Origin | undefined {
  for (let node: Node | undefined = t.node; node;) {
    const known = origins.get(node);
    if (known) return known;
    node = VIEWS.has(node.op) ? node.inputs[0] : undefined;
  }
  return undefined;
}

export function remember(name: string, value: Value, args: Spans, span: Span): void {
  if ((name !== "softmax" && name !== "sigmoid") || value.kind !== "tensor") return;
  const arg = args.get("x");
  if (arg && !span.file.startsWith("stdlib/")) origins.set(value.node, { name, span, arg });
}

export function checkMeaning(c: Checker, name: string, args: Args, spans: Spans, span: Span): void {
  const use = uses[name];
  if (!use || span.file.startsWith("stdlib/")) return;
  const operand = (param: string) => ({ value: args.get(param)!, span: spans.get(param) ?? span });
  if (use.logits !== undefined) {
    const x = args.get(use.logits);
    if (x?.kind === "tensor") {
      const origin = originOf(x);
      // A sigmoid before a softmax is odd but may be meant: gates that are shared out.
      const twice = name === "sigmoid" || name === "binary_cross_entropy" ? origin !== undefined : x.tag === "prob";
      const once = name === "cross_entropy" && origin !== undefined;
      if (twice || once) throw new UserError(errors.alreadyProbabilities(name, operand(use.logits), origin));
    }
  }
  for (const param of use.prob ?? []) {
    const p = args.get(param);
    if (p?.kind !== "tensor" || (p.tag !== "logits" && p.tag !== "logprob")) continue;
    const x = operand(param);
    throw new UserError(errors.asProbabilities(errors.otherMeaning(name, "prob", x, p.tag), p.tag, x.span));
  }
  if (use.labels) labelled(c, name, operand(use.labels[0]), operand(use.labels[1]), span);
  if (use.quantities) {
    const [a, b] = use.quantities;
    refuseClasses(name, operand(a), operand(b));
    refuseClasses(name, operand(b), operand(a));
  }
}

type Operand = { readonly value: Value; readonly span: Span };

/** The name of the function at the beginning of its call. */
function callee(c: Checker, name: string, span: Span): Span | undefined {
  const place = { ...span, end: span.start + name.length };
  return textOf(c, place) === name ? place : undefined;
}

function labelled(c: Checker, name: string, z: Operand, y: Operand, span: Span): void {
  const [a, b] = [z.value, y.value];
  if (a?.kind !== "tensor" || b?.kind !== "tensor") return;
  if (a.dtype === "int" && b.dtype === "float" && b.axes.length === a.axes.length + 1)
    throw new UserError(errors.swap(errors.swappedLabels(name, z, y), z.span, y.span, (span) => textOf(c, span)));
  const classes = a.axes.at(-1);
  if (a.dtype === "int" && name === "accuracy") {
    const inner = /^argmax\((.*?)(?:, over: -1)?\)$/s.exec(textOf(c, z.span) ?? "")?.[1];
    throw new UserError(errors.greatestAlready(name, z, y, inner));
  }
  if (classes && a.axes.length > b.axes.length + 1 && b.axes.length > 0 && b.dtype === "int") {
    const [, net, x] = /^([\p{L}_][\p{L}\p{N}_]*)\(([\p{L}_][\p{L}\p{N}_]*)\)$/u.exec(textOf(c, z.span) ?? "") ?? [];
    throw new UserError(outputsPerPlace(z, y, net === undefined ? undefined : change(z.span, `${net}(flatten(${x}))`)));
  }
  const same = a.axes.length === b.axes.length && a.axes.length > 1;
  const extra = b.axes.at(-1);
  if (same && extra?.size === 1 && classes && classes.size > 1)
    throw new UserError(almostLabels(z, y, "column", false));
  if (b.dtype === "float" && b.axes.length === a.axes.length - 1)
    throw new UserError(almostLabels(z, y, "floats", b.node.op === "cast" && b.node.inputs[0]?.type.dtype === "i32"));
  const given = same && b.dtype === "float" ? extra?.size : b.axes.length === a.axes.length - 1 ? b.classes : undefined;
  if (given !== undefined && given >= 0 && classes && classes.size >= 0 && given !== classes.size) {
    const why = classes.why && !classes.why.span.file.startsWith("stdlib/") ? [classes.why] : [];
    throw new UserError(wrongClasses(classes.size, given, typeText(b), y.span, why));
  }
  // Outputs of the shape of labels; of equal rank with classes beside them, labels are one-hot.
  if (b.classes !== undefined && a.axes.length === b.axes.length && a.axes.length === 1)
    throw new UserError(errors.noClassAxis(name, z, y, callee(c, name, span)));
}

export function textOf(c: Checker, span: Span): string | undefined {
  return [...c.sources, ...[...c.modules.values()].map((m) => m.source)]
    .find((s) => s.file === span.file)
    ?.text.slice(span.start, span.end);
}

/** An output for each class against the number of a class. */
export function refuseClasses(what: string, x: Operand, y: Operand): void {
  const [a, b] = [x.value, y.value];
  if (a?.kind !== "tensor" || b?.kind !== "tensor" || a.dtype !== "float" || b.dtype !== "int") return;
  if (b.classes === undefined || b.axes.length === 0 || a.axes.length !== b.axes.length + 1) return;
  if (a.axes.at(-1)!.size !== b.classes || y.span.file.startsWith("stdlib/")) return;
  if (b.axes.some((axis, i) => axis.uid === undefined || axis.uid !== a.axes[i]!.uid)) return;
  throw new UserError(errors.classesAsQuantity(what, x, y, b.classes));
}

/** `log` of what is declared as logits. */
export function checkBuiltinMeaning(name: string, x: Value | undefined, at: Span | undefined, span: Span): void {
  if (name === "sample" && x?.kind === "tensor" && (x.tag === "logits" || x.tag === "logprob")) {
    const p = { value: x, span: at ?? span };
    throw new UserError(errors.asProbabilities(errors.otherMeaning("sample", "prob", p, x.tag), x.tag, p.span));
  }
  if (name !== "log" || x?.kind !== "tensor" || x.tag !== "logits" || span.file.startsWith("stdlib/")) return;
  const operand = { value: x, span: at ?? span };
  throw new UserError(errors.logOfLogits(errors.otherMeaning("log", "prob", operand, "logits"), span, operand.span));
}
