/** Numbers and comparisons as they are written on paper or in other languages. */
import { change, fix, from, put } from "../../errors/edits.ts";
import { otherSign } from "../../errors/syntax.ts";
import { spanOf } from "../scan.ts";
import { Comma, EqualEqual, endOf, Equals, Identifier, LCurly, NumberLit, Percent, RParen, RSquare, Star, synthetic, UNITS } from "../tokens.ts"; // prettier-ignore
import type { Look, Mended, Row } from "./look.ts";
import { operand, is, near, as, statementStart } from "./look.ts";

/** Words behind a value, also right behind a number: `[i^2for i in 1..5]`. */
const FOLLOWS = new Set(["for", "in", "if", "and", "or", "over", "with", "except", "to", "log", "else"]);
const COMPARING = new Set(["print", "plot", "when", "if", "assert", "show", "record", "yield"]);
const DEFINING = new Set(["let", "metric", "dim", "state"]);

export const numbers: readonly Row[] = [
  { begins: NumberLit, mend: percent },
  { begins: NumberLit, mend: product },
  { begins: NumberLit, mend: decimalComma },
  { begins: Equals, mend: equality },
];

function percent({ source, tokens, i }: Look): Mended | undefined {
  const [t, sign, next] = [tokens[i]!, tokens[i + 1], tokens[i + 2]];
  if (!is(t, NumberLit) || !is(sign, Percent) || !near(t, sign)) return undefined;
  if (next && ![RParen, Comma, RSquare].includes(next.tokenType)) return undefined;
  const part = String(Number(t.image) / 100);
  const at = spanOf(source, sign);
  const told = otherSign(
    at,
    "a part is a number from 0 to 1",
    "the rest of a division",
    `write \`${part}\``,
    fix(`change to \`${part}\``, put(from(spanOf(source, t), at), part)),
  );
  return { taken: 2, tokens: [as(t, NumberLit, part)], told };
}

function product({ source, tokens, i }: Look): Mended | undefined {
  const [t, next] = [tokens[i]!, tokens[i + 1]];
  if (!is(t, NumberLit) || !near(t, next) || !is(next, Identifier)) return undefined;
  if (Object.hasOwn(UNITS, next.image) || FOLLOWS.has(next.image)) return undefined;
  const at = spanOf(source, next);
  const told = otherSign(
    at,
    "a product is written with `*`",
    `follows ${t.image} without a sign`,
    `write \`${t.image} * ${next.image}\``,
    fix("insert `*`", put({ ...at, end: at.start }, " * ")),
  );
  return { taken: 1, tokens: [t, synthetic(Star, endOf(t), "*")], told };
}

function decimalComma({ source, tokens, i, open }: Look): Mended | undefined {
  const [t, comma, rest] = [tokens[i]!, tokens[i + 1], tokens[i + 2]];
  if (
    open.length > 0 ||
    !is(t, NumberLit) ||
    !near(t, comma) ||
    !is(comma, Comma) ||
    !near(comma, rest) ||
    !is(rest, NumberLit)
  )
    return undefined;
  if (!is(tokens[i - 1], Equals)) return undefined;
  const number = `${t.image}.${rest.image}`;
  const told = otherSign(
    spanOf(source, comma),
    "a number has a point",
    "begins another value",
    `write \`${number}\``,
    change(from(spanOf(source, t), spanOf(source, rest)), number),
  );
  return { taken: 3, tokens: [as(t, NumberLit, number)], told };
}

function equality({ source, tokens, i, open }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (!is(t, Equals) || open.some((at) => !is(tokens[at], LCurly)) || !operand(tokens[i - 1])) return undefined;
  let begin = statementStart(tokens, i);
  for (let k = i; k > begin; k--) if (DEFINING.has(tokens[k]!.image) || COMPARING.has(tokens[k]!.image)) begin = k;
  const first = tokens[begin]!.image;
  const before = tokens.slice(begin, i).some((x) => x.tokenType === Equals);
  // The carry of a loop: `with h = h0`.
  if (tokens.slice(begin, i).some((x) => x.image === "with")) return undefined;
  if (!(COMPARING.has(first) || (DEFINING.has(first) && before))) return undefined;
  const at = spanOf(source, t);
  return {
    taken: 1,
    tokens: [as(t, EqualEqual, "==")],
    told: otherSign(at, "`=` defines a name, `==` compares", "compares nothing", "write `==`", change(at, "==")),
  };
}
