/** Chains as other languages write them: arrows for a pipe, steps of an optimizer, a place in a path, models in a row. */
import { change, fix, from, put, putAfter, putBefore, remove } from "../../errors/edits.ts";
import { foreignWord, otherSign } from "../../errors/syntax.ts";
import { spanOf } from "../scan.ts";
import { Comma, Dot, endOf, Identifier, LParen, LSquare, NumberLit, Pipe, RParen, RSquare, synthetic, ThinArrow } from "../tokens.ts"; // prettier-ignore
import type { Look, Mended, Row } from "./look.ts";
import { as, is, lineEnd, near, operand, operandOrOpen, statementStart } from "./look.ts";

const HEADS = new Set(["fn", "model", "optimizer", "def", "function", "func", "class"]);

export const chains: readonly Row[] = [
  { begins: ThinArrow, mend: arrows },
  { begins: Dot, mend: place },
  { begins: Identifier, words: ["optimizer", "opt", "optim"], mend: optimizerStep },
  { begins: Identifier, words: ["over", "except"], mend: models },
];

/** `x -> Linear(16) -> relu`: all arrows of the line at once. */
function arrows({ source, tokens, i }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (!operand(tokens[i - 1]) || !operandOrOpen(tokens[i + 1])) return undefined;
  // The type of a result stands on any line of a head, right behind its list.
  if (is(tokens[i + 1], LSquare) || HEADS.has(tokens[statementStart(tokens, i)]!.image)) return undefined;
  const end = lineEnd(tokens, i);
  const line = tokens.slice(i, end);
  const all = line.filter((x) => x.tokenType === ThinArrow);
  const told = otherSign(
    spanOf(source, t),
    "a value goes through a function with `|>`",
    "gives the type of a result",
    "write `|>`",
    fix("change to `|>`", ...all.map((x) => put(spanOf(source, x), "|>"))),
  );
  return { taken: line.length, tokens: line.map((x) => (all.includes(x) ? as(x, Pipe, "|>") : x)), told };
}

/** `net.0` as messages show it; in a script the place stands in brackets. */
function place({ source, tokens, i }: Look): Mended | undefined {
  const [t, n] = [tokens[i]!, tokens[i + 1]];
  if (!operand(tokens[i - 1]) || !near(tokens[i - 1]!, t) || !near(t, n) || !is(n, NumberLit)) return undefined;
  if (!/^\d+$/.test(n.image)) return undefined;
  const at = from(spanOf(source, t), spanOf(source, n));
  const told = otherSign(
    at,
    "a place in a list stands in brackets",
    "no name",
    `write \`[${n.image}]\``,
    change(at, `[${n.image}]`),
  );
  return { taken: 2, tokens: [as(t, LSquare, "["), n, synthetic(RSquare, endOf(n), "]")], told };
}

function optimizerStep({ source, tokens, i, start }: Look): Mended | undefined {
  const [t, dot, method, open, close] = tokens.slice(i, i + 5);
  if (!start || !t || !is(dot, Dot) || !is(method, Identifier) || !is(open, LParen) || !is(close, RParen))
    return undefined;
  if (method.image !== "step" && method.image !== "zero_grad") return undefined;
  const whole = from(spanOf(source, t), spanOf(source, close));
  const told = foreignWord(
    whole,
    `${t.image}.${method.image}`,
    "leave it out: `minimize loss over net with Adam(1e-3)` takes the gradient and moves the params",
    remove(whole, "it"),
  );
  return { taken: 5, tokens: [], told };
}

/** `minimize loss over enc, dec with …`. */
function models({ source, tokens, i }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (tokens[statementStart(tokens, i)]!.image !== "minimize" || !is(tokens[i + 2], Comma)) return undefined;
  let end = i + 1;
  while (is(tokens[end], Identifier) && is(tokens[end + 1], Comma)) end += 2;
  if (!is(tokens[end], Identifier) || !["with", "except"].includes(tokens[end + 1]?.image ?? "")) return undefined;
  const inside = tokens.slice(i + 1, end + 1);
  const at = from(spanOf(source, inside[0]!), spanOf(source, inside.at(-1)!));
  const text = `(${source.text.slice(at.start, at.end)})`;
  const told = otherSign(
    at,
    "several models stand in parentheses",
    "two values without a list",
    `write \`${t.image} ${text}\``,
    fix("put them in parentheses", putBefore(at, "("), putAfter(at, ")")),
  );
  const [open, close] = [synthetic(LParen, at.start, "("), synthetic(RParen, at.end, ")")];
  return { taken: end - i + 1, tokens: [t, open, ...inside, close], told };
}
