/**
 * Blocks by indentation, as Python has them: a head that ends in `:` and the lines that stand further right below it.
 * The braces are put where they are meant, so the block is read as one.
 */
import type { IToken } from "chevrotain";
import type { Diagnostic } from "../diagnostic.ts";
import { fix, put, putAfter } from "../errors/edits.ts";
import { blockByIndent, foreignWord } from "../errors/syntax.ts";
import type { Source } from "../source.ts";
import { spanOf } from "./scan.ts";
import { Colon, endOf, Identifier, LCurly, Newline, RCurly, retype, synthetic } from "./tokens.ts";

/** Words whose statement may have a block. */
const HEADS = new Set([
  "train", "eval", "repeat", "every", "when", "if", "else", "elif", "for", "fn", "def", "model", "class", "optimizer", "test", "while", "try", "with",
]); // prettier-ignore

const columnOf = (t: IToken): number => t.startColumn ?? 1;

/** The first token of each line. */
function lines(tokens: readonly IToken[]): number[] {
  return tokens.flatMap((t, i) =>
    t.tokenType !== Newline && (i === 0 || tokens[i - 1]!.tokenType === Newline) ? [i] : [],
  );
}

export function mendIndents(source: Source, raw: readonly IToken[], report: (d: Diagnostic) => void): IToken[] {
  const tokens = [...raw];
  const begins = lines(tokens);
  /** Braces to put in: before the token with this index. */
  const closers = new Map<number, number>();
  const dropped = new Set<number>();
  begins.forEach((first, k) => {
    const head = tokens[first]!;
    const next = begins[k + 1];
    const colonAt = (next ?? tokens.length) - 1;
    let last = colonAt;
    while (last > first && tokens[last]!.tokenType === Newline) last--;
    const colon = tokens[last]!;
    if (!HEADS.has(head.image) || head.tokenType !== Identifier || colon.tokenType !== Colon || next === undefined)
      return;
    if (columnOf(tokens[next]!) <= columnOf(head)) return;
    let end = k + 1;
    while (end < begins.length && columnOf(tokens[begins[end]!]!) > columnOf(head)) end++;
    const after = begins[end] ?? tokens.length;
    let lastInside = after - 1;
    while (tokens[lastInside]!.tokenType === Newline) lastInside--;
    const inside = spanOf(source, tokens[lastInside]!);
    const indent = " ".repeat(columnOf(head) - 1);
    const edits = [put(spanOf(source, colon), " {"), putAfter(inside, `\n${indent}}`)];
    const rewords = head.image === "def" ? [put(spanOf(source, head), "fn")] : [];
    const returns = tokens
      .slice(next, after)
      .flatMap((t, j) => (t.tokenType === Identifier && t.image === "return" ? [next + j] : []));
    for (const at of returns) {
      dropped.add(at);
      const value = tokens[at + 1];
      rewords.push(put({ ...spanOf(source, tokens[at]!), end: value?.startOffset ?? endOf(tokens[at]!) }, ""));
    }
    const fixes = fix("write the block in braces", ...rewords, ...edits);
    if (head.image === "def") {
      const told = foreignWord(spanOf(source, head), "def", "a function is `fn f(x) = …` or `fn f(x) { … }`", fixes);
      report(told);
      tokens[first] = { ...head, image: "fn" };
    } else report(blockByIndent(spanOf(source, colon), fixes));
    const brace = { ...colon, image: "{" };
    retype(brace, LCurly);
    tokens[last] = brace;
    closers.set(lastInside, (closers.get(lastInside) ?? 0) + 1);
  });
  if (closers.size === 0) return tokens;
  return tokens.flatMap((t, i) => {
    const own = dropped.has(i) ? [] : [t];
    const count = closers.get(i) ?? 0;
    const braces = Array.from({ length: count }, () => synthetic(RCurly, endOf(t), "}"));
    return [...own, ...braces];
  });
}
