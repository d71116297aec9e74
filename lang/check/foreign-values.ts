/** Texts and lists as other languages join and map them: what is written instead, with the operands as they stand. */
import { change } from "../errors/edits.ts";
import type * as ast from "../syntax/ast.ts";
import type { Better, Place } from "./advice.ts";

/** `"a" + b + "c"`: one text with holes. */
export function asText({ d, at, around, written }: Place): Better | undefined {
  if (!/^`\+` has no meaning for .*\ba string\b/.test(d.title)) return undefined;
  const isSum = (n: Place["around"][number]): n is ast.Expr & { kind: "binary" } =>
    n.kind === "binary" && n.op === "+" && n.span.start === at.start;
  const sum = around.find(isSum);
  if (!sum) return undefined;
  const parts: ast.Expr[] = [];
  let first: ast.Expr = sum;
  for (; first.kind === "binary" && first.op === "+"; first = first.left) parts.unshift(first.right);
  const texts = [first, ...parts].map((e) => (e.kind === "string" ? written(e.span).slice(1, -1) : hole(e, written)));
  if (texts.includes(undefined)) return undefined;
  const text = `"${texts.join("")}"`;
  return { help: `a text takes its parts in: \`${text}\``, fix: change(sum.span, text) };
}

/** No text stands in a hole of a text. `str(x)` is x there. */
function hole(e: ast.Expr, written: Place["written"]): string | undefined {
  const inner = e.kind === "call" && e.callee.kind === "name" && e.callee.text === "str" ? e.args[0]?.value : undefined;
  const text = written((inner ?? e).span);
  return text.includes('"') ? undefined : `{${text}}`;
}

/** `map(list, f)`, `map(f, list)` and `list.map(f)`. */
export function asComprehension({ d, at, around, written }: Place): Better | undefined {
  const call = around.findLast((n): n is ast.Call => n.kind === "call");
  if (!call || !/`map`/.test(d.title)) return undefined;
  const { callee, args } = call;
  const [a, b] = args.map(({ value }) => value);
  const isMember = callee.kind === "member" && callee.name.text === "map" && d.code === "DLX0313";
  const isCall = callee.kind === "name" && callee.text === "map" && call.span.start === at.start;
  if (!isMember && !isCall) return undefined;
  const functionFirst =
    a?.kind === "lambda" || (b?.kind !== "lambda" && /`map` does not take (?:the|a) function/.test(d.title));
  const [list, f] = isMember ? [callee.target, a] : functionFirst ? [b, a] : [a, b];
  if (!list || !f || args.length !== (isMember ? 1 : 2)) return undefined;
  const [param] = f.kind === "lambda" ? f.params : [];
  if (f.kind === "lambda" && (f.params.length !== 1 || f.body.kind === "block")) return undefined;
  const name = param?.name.text ?? (written(list.span) === "x" ? "each" : "x");
  const value = f.kind === "lambda" ? written(f.body.span) : `${written(f.span)}(${name})`;
  const text = `[${value} for ${name} in ${written(list.span)}]`;
  return {
    title: "`map` is for data; a list is gone through by a comprehension",
    help: `write \`${text}\``,
    fix: change(call.span, text),
  };
}
