/** What other languages write between brackets: arguments, dictionaries, lists, slices. */
import type { IToken } from "chevrotain";
import { change, fix, from, put } from "../../errors/edits.ts";
import { otherSign } from "../../errors/syntax.ts";
import { spanOf } from "../scan.ts";
import { Colon, Comma, DotDot, endOf, Equals, Identifier, LCurly, LParen, LSquare, Minus, NumberLit, Question, RSquare, StringLit, synthetic } from "../tokens.ts"; // prettier-ignore
import type { Look, Mended, Row } from "./look.ts";
import { operand, is, as, closing, inHead, lineEndOrCloser } from "./look.ts";

export const brackets: readonly Row[] = [
  { begins: Identifier, mend: keyword },
  { begins: LCurly, mend: dictionary },
  { begins: LCurly, mend: listInBraces },
  { begins: Colon, mend: slice },
];

/** Which axes, as NumPy and PyTorch say it. */
const ALONG: Readonly<Record<string, string>> = { axis: "over", dim: "over", keepdims: "spread", keepdim: "spread" };

function keyword({ source, tokens, i, open }: Look): Mended | undefined {
  const [t, next] = [tokens[i]!, tokens[i + 1]];
  const at = open.at(-1);
  if (!is(t, Identifier) || !is(next, Equals) || at === undefined || !is(tokens[at], LParen)) return undefined;
  if (!is(tokens[i - 1], LParen) && !is(tokens[i - 1], Comma)) return undefined;
  if (inHead(tokens, at)) return undefined;
  const callee = tokens[at - 1]?.image;
  const own = tokens.some((x, k) => x.image === callee && ["fn", "model"].includes(tokens[k - 1]?.image ?? ""));
  const name = own ? t.image : (ALONG[t.image] ?? t.image);
  const told = otherSign(
    spanOf(source, next),
    "an argument is given with `:`",
    "defines nothing here",
    `write \`${name}: ${source.text.slice((tokens[i + 2] ?? next).startOffset, endOf(tokens[lineEndOrCloser(tokens, i) - 1] ?? next))}\``,
    fix(
      `change to \`${name}: \``,
      put({ ...spanOf(source, t), end: (tokens[i + 2] ?? next).startOffset }, `${name}: `),
    ),
  );
  return { taken: 2, tokens: [as(t, Identifier, name), as(next, Colon, ":")], told };
}

function dictionary({ source, tokens, i }: Look): Mended | undefined {
  const [t, first] = [tokens[i]!, tokens[i + 1]];
  if (!is(t, LCurly) || !is(first, StringLit) || !is(tokens[i + 2], Colon)) return undefined;
  const close = closing(tokens, i) ?? tokens.length;
  const inside = tokens.slice(i, close + 1);
  const keys = inside.filter(
    (x, k) => is(x, StringLit) && is(inside[k + 1], Colon) && /^"[\p{L}_][\p{L}\p{N}_]*"$/u.test(x.image),
  );
  const bare = (x: IToken): string => x.image.slice(1, -1);
  const told = otherSign(
    spanOf(source, first),
    "the fields of a record are names",
    "a text",
    `write \`{ ${bare(first)}: … }\``,
    fix("write the fields as names", ...keys.map((k) => put(spanOf(source, k), bare(k)))),
  );
  return {
    taken: inside.length,
    tokens: inside.map((x) => (keys.includes(x) ? as(x, Identifier, bare(x)) : x)),
    told,
  };
}

function listInBraces({ source, tokens, i, start }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (start || operand(tokens[i - 1]) || !is(tokens[i + 1], NumberLit) || !is(tokens[i + 2], Comma)) return undefined;
  const close = closing(tokens, i);
  if (close === undefined) return undefined;
  const inside = tokens.slice(i + 1, close);
  const last = tokens[close]!;
  const told = otherSign(
    spanOf(source, t),
    "a list stands in `[ ]`",
    "begins a record or a block",
    "write `[8, 16, 32]`",
    fix("write square brackets", put(spanOf(source, t), "["), put(spanOf(source, last), "]")),
  );
  return { taken: close - i + 1, tokens: [as(t, LSquare, "["), ...inside, as(last, RSquare, "]")], told };
}

function slice({ source, tokens, i, open }: Look): Mended | undefined {
  const t = tokens[i]!;
  const at = open.at(-1);
  if (!is(t, Colon) || at === undefined || !is(tokens[at], LSquare) || !operand(tokens[at - 1])) return undefined;
  const before = tokens[i - 1]!;
  if (tokens.slice(at, i).some((x) => x.tokenType === Question)) return undefined;
  const bare = is(before, LSquare) || is(before, Comma);
  if (!bare && !is(before, NumberLit)) return undefined;
  const minus = is(tokens[i + 1], Minus);
  const end = tokens[i + (minus ? 2 : 1)];
  const n =
    is(end, NumberLit) && Number.isInteger(Number(end.image)) ? Number(end.image) * (minus ? -1 : 1) - 1 : undefined;
  const told = otherSign(
    spanOf(source, t),
    "a range of places is written with `..`",
    "names no range",
    n === undefined
      ? "write `..` for all places; both ends belong to a range: `x[2..4]` has three places"
      : `write \`${is(before, NumberLit) ? before.image : ""}..${n}\`: both ends belong to a range`,
    n === undefined
      ? change(spanOf(source, t), "..")
      : fix(`change to \`..${n}\``, put(from(spanOf(source, t), spanOf(source, end!)), `..${n}`)),
  );
  const rest =
    n === undefined
      ? []
      : [...(n < 0 ? [synthetic(Minus, end!.startOffset, "-")] : []), as(end!, NumberLit, String(Math.abs(n)))];
  return { taken: n === undefined ? 1 : minus ? 3 : 2, tokens: [as(t, DotDot, ".."), ...rest], told };
}
