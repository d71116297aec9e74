/** Words of other languages inside a value. */
import { change, fix, from, put, putAfter, putBefore, remove } from "../../errors/edits.ts";
import { foreignSign, foreignWord, otherSign } from "../../errors/syntax.ts";
import { spanOf } from "../scan.ts";
import { Colon, Comma, EqualEqual, endOf, FatArrow, Identifier, LCurly, LParen, NotEqual, Percent, RParen, StringLit, synthetic } from "../tokens.ts"; // prettier-ignore
import type { Look, Mended, Row } from "./look.ts";
import { operand, operandOrOpen, is, near, as, word, lineEnd, closing, valueStart, lineEndOrCloser } from "./look.ts";

export const words: readonly Row[] = [
  { begins: Identifier, words: ["f", "r", "b", "F", "R", "B"], mend: prefixed },
  { begins: Identifier, words: ["elif"], mend: elif },
  { begins: Identifier, words: ["lambda"], mend: lambda },
  { begins: Identifier, words: ["function"], mend: functionValue },
  { begins: Identifier, words: ["is", "mod"], mend: isWord },
  { begins: Identifier, words: ["if"], mend: choice },
];

function prefixed({ source, tokens, i }: Look): Mended | undefined {
  const [a, b] = [tokens[i]!, tokens[i + 1]];
  if (!is(a, Identifier) || !/^[frbFRB]$/.test(a.image) || !near(a, b) || !is(b, StringLit)) return undefined;
  const at = spanOf(source, a);
  return {
    taken: 1,
    tokens: [],
    told: foreignSign(
      at,
      a.image + '"',
      'every text may hold values in braces: `"{loss:.4f}"`',
      remove(at, `\`${a.image}\``),
    ),
  };
}

function elif({ source, tokens, i }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (!is(t, Identifier, "elif") || !operandOrOpen(tokens[i + 1])) return undefined;
  const at = spanOf(source, t);
  return {
    taken: 1,
    tokens: [as(t, Identifier, "else"), word(endOf(t), "if")],
    told: foreignWord(at, "elif", "write `else if`", change(at, "else if")),
  };
}

function lambda({ source, tokens, i }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (!is(t, Identifier, "lambda") || !is(tokens[i + 1], Identifier)) return undefined;
  const end = lineEnd(tokens, i);
  const colon = tokens.findIndex((x, k) => k > i && k < end && x.tokenType === Colon);
  if (colon < 0) return undefined;
  const params = tokens.slice(i + 1, colon);
  if (!params.every((x) => x.tokenType === Identifier || x.tokenType === Comma)) return undefined;
  const names = params.filter((x) => x.tokenType === Identifier).map((x) => x.image);
  const head = names.length === 1 ? names[0]! : `(${names.join(", ")})`;
  const at = from(spanOf(source, t), spanOf(source, tokens[colon]!));
  const [open, close] = [synthetic(LParen, t.startOffset, "("), synthetic(RParen, endOf(params.at(-1)!), ")")];
  return {
    taken: colon - i + 1,
    tokens: [...(names.length === 1 ? params : [open, ...params, close]), as(tokens[colon]!, FatArrow, "=>")],
    told: foreignWord(
      spanOf(source, t),
      "lambda",
      `a function is \`${head} => …\``,
      fix(`write \`${head} =>\``, put(at, `${head} =>`)),
    ),
  };
}

function functionValue({ source, tokens, i, start }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (start || !is(t, Identifier, "function") || !is(tokens[i + 1], LParen)) return undefined;
  const close = closing(tokens, i + 1);
  if (close === undefined || !is(tokens[close + 1], LCurly)) return undefined;
  const at = spanOf(source, t);
  const arrow = synthetic(FatArrow, endOf(tokens[close]!), "=>");
  const params = tokens.slice(i + 1, close + 1);
  const edits = fix("write an arrow", put(at, ""), putAfter(spanOf(source, tokens[close]!), " =>"));
  return {
    taken: close - i + 1,
    tokens: [...params, arrow],
    told: foreignWord(at, "function", "a function as a value is `(x) => …`", edits),
  };
}

function isWord({ source, tokens, i }: Look): Mended | undefined {
  const [t, next] = [tokens[i]!, tokens[i + 1]];
  if (!is(t, Identifier) || !operand(tokens[i - 1]) || !operandOrOpen(next)) return undefined;
  const at = spanOf(source, t);
  if (t.image === "is" && is(next, Identifier, "not")) {
    const both = from(at, spanOf(source, next));
    return {
      taken: 2,
      tokens: [as(t, NotEqual, "!=")],
      told: foreignWord(both, "is not", "write `!=`", change(both, "!=")),
    };
  }
  if (t.image === "is")
    return {
      taken: 1,
      tokens: [as(t, EqualEqual, "==")],
      told: foreignWord(at, "is", "write `==`", change(at, "==")),
    };
  if (t.image === "mod")
    return { taken: 1, tokens: [as(t, Percent, "%")], told: foreignWord(at, "mod", "write `%`", change(at, "%")) };
  return undefined;
}

function choice({ source, tokens, i, start }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (start || !is(t, Identifier, "if") || !operand(tokens[i - 1])) return undefined;
  const end = lineEnd(tokens, i);
  const otherwise = tokens.findIndex((x, k) => k > i && k < end && is(x, Identifier, "else"));
  if (otherwise < 0 || tokens.slice(i, otherwise).some((x) => x.tokenType === LCurly)) return undefined;
  const first = valueStart(tokens, i);
  const value = spanOf(source, tokens[first]!);
  const cond = source.text.slice(endOf(t), tokens[otherwise]!.startOffset).trim();
  const yes = source.text.slice(value.start, endOf(tokens[i - 1]!));
  const whole = from(spanOf(source, t), spanOf(source, tokens[otherwise]!));
  const told = otherSign(
    spanOf(source, t),
    "a choice begins with its condition",
    "comes first",
    `write \`${cond} ? ${yes} : …\``,
    fix(
      "write it with `?` and `:`",
      putBefore(value, `${cond} ? `),
      put({ ...whole, start: endOf(tokens[i - 1]!) }, " :"),
    ),
  );
  // The first of the two stands for both.
  return { taken: lineEndOrCloser(tokens, otherwise) - i, tokens: [], told };
}
