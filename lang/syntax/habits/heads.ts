/** Statements whose head is written as another language has it. */
import type { IToken, TokenType } from "chevrotain";
import { change, fix, from, put, putAfter, putBefore, remove } from "../../errors/edits.ts";
import { bareFields, foreignSign, foreignWord, otherSign } from "../../errors/syntax.ts";
import { spanOf } from "../scan.ts";
import { Colon, Comma, endOf, Equals, FatArrow, Foreign, Identifier, LCurly, LeftArrow, LParen, Minus, NumberLit, Plus, RCurly, RParen, Slash, Star, StringLit, synthetic, UNITS } from "../tokens.ts"; // prettier-ignore
import type { Look, Mended, Row } from "./look.ts";
import { is, as, word, lineEnd, closing, closes, opens, statementStart } from "./look.ts";

const UPDATES: Readonly<Record<string, TokenType>> = { "+=": Plus, "-=": Minus, "*=": Star, "/=": Slash };

export const heads: readonly Row[] = [
  { begins: Identifier, words: ["fn"], mend: fatDefinition },
  { begins: Identifier, words: ["let", "input"], mend: typeHint },
  { begins: Identifier, words: ["with"], mend: noGrad },
  { begins: Identifier, words: ["save"], mend: savedCall },
  { begins: Identifier, words: ["train", "eval", "repeat"], mend: bareFieldList },
  { begins: Identifier, words: ["train"], mend: limitFirst },
  { begins: Identifier, words: ["minimize"], mend: withFirst },
  { begins: Identifier, words: ["if", "for", "while", "train", "eval", "every", "when"], mend: colonLine },
  { begins: Identifier, mend: walrus },
  { begins: Identifier, mend: update },
];

function fatDefinition({ source, tokens, i, start }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (!start || !is(t, Identifier, "fn")) return undefined;
  const end = lineEnd(tokens, i);
  const close = closing(tokens, i + 2);
  if (close === undefined || close + 1 >= end || !is(tokens[close + 1], FatArrow)) return undefined;
  const arrow = tokens[close + 1]!;
  const at = spanOf(source, arrow);
  const told = otherSign(
    at,
    "a definition has `=` before its value",
    "makes a function without a name",
    "write `fn f(x) = …`",
    change(at, "="),
  );
  return { taken: close + 2 - i, tokens: [...tokens.slice(i, close + 1), as(arrow, Equals, "=")], told };
}

function typeHint({ source, tokens, i, start }: Look): Mended | undefined {
  if (!start || !is(tokens[i], Identifier)) return undefined;
  const [t, name, colon, type, equals] = tokens.slice(i, i + 5);
  if (!t || !is(name, Identifier) || !is(colon, Colon) || !is(type, Identifier) || !is(equals, Equals))
    return undefined;
  const at = from(spanOf(source, colon), spanOf(source, type));
  const told = otherSign(
    at,
    t.image === "let" ? "a `let` needs no type" : "an `input` needs no type",
    "follows from the value",
    `write \`${t.image} ${name.image} = …\``,
    remove(at, `\`: ${type.image}\``),
  );
  return { taken: 5, tokens: [t, name, equals], told };
}

function noGrad({ source, tokens, i }: Look): Mended | undefined {
  const [t, module] = [tokens[i]!, tokens[i + 1]];
  if (!is(t, Identifier, "with") || !is(module, Identifier) || !["torch", "tf"].includes(module.image))
    return undefined;
  const brace = braceOf(tokens, i);
  const close = brace < 0 ? undefined : closing(tokens, brace);
  if (close === undefined) return undefined;
  const head = from(spanOf(source, t), spanOf(source, tokens[brace]!));
  const told = foreignWord(
    spanOf(source, t),
    "with torch",
    "leave it out: a gradient is taken only where `grad` or `minimize` asks for one",
    fix(
      "leave it out",
      put({ ...head, end: tokens[brace + 1]!.startOffset }, ""),
      put(spanOf(source, tokens[close]!), ""),
    ),
  );
  return { taken: close - i + 1, tokens: tokens.slice(brace + 1, close), told };
}

function savedCall({ source, tokens, i, start }: Look): Mended | undefined {
  if (!start || !is(tokens[i], Identifier, "save")) return undefined;
  const [t, open, a, comma, b, close] = tokens.slice(i, i + 6);
  if (!t || !is(open, LParen) || !a || !is(comma, Comma) || !b || !is(close, RParen)) return undefined;
  const [file, net] = is(a, StringLit) ? [a, b] : [b, a];
  if (!is(file, StringLit) || !is(net, Identifier)) return undefined;
  const text = `save ${net.image} to ${file.image}`;
  const whole = from(spanOf(source, t), spanOf(source, close));
  const told = otherSign(
    from(spanOf(source, open), spanOf(source, close)),
    "`save` is a statement",
    "no list of arguments",
    `write \`${text}\``,
    change(whole, text),
  );
  return { taken: 6, tokens: [t, net, word(net.startOffset, "to"), file], told };
}

function bareFieldList({ source, tokens, i, start }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (!start || !is(tokens[i + 1], Identifier) || !is(tokens[i + 2], Comma)) return undefined;
  let end = i + 1;
  while (is(tokens[end], Identifier) && is(tokens[end + 1], Comma)) end += 2;
  if (!is(tokens[end], Identifier) || !is(tokens[end + 1], Identifier, "in")) return undefined;
  const fields = tokens.slice(i + 1, end + 1);
  const at = from(spanOf(source, fields[0]!), spanOf(source, fields.at(-1)!));
  const parens = [synthetic(LParen, at.start, "("), synthetic(RParen, at.end, ")")] as const;
  const told = bareFields(
    at,
    t.image,
    fields
      .filter((x) => is(x, Identifier))
      .map((x) => x.image)
      .join(", "),
  );
  return { taken: end - i + 1, tokens: [t, parens[0], ...fields, parens[1]], told };
}

function limitFirst({ source, tokens, i, start }: Look): Mended | undefined {
  const [t, n, unit] = [tokens[i]!, tokens[i + 1], tokens[i + 2]];
  if (
    !start ||
    !is(t, Identifier, "train") ||
    !is(n, NumberLit) ||
    !is(unit, Identifier) ||
    !Object.hasOwn(UNITS, unit.image)
  )
    return undefined;
  const brace = braceOf(tokens, i);
  if (brace < 0) return undefined;
  const at = from(spanOf(source, n), spanOf(source, unit));
  const text = `for ${n.image} ${unit.image}`;
  const place = tokens[brace]!.startOffset;
  const told = otherSign(
    at,
    "how long a block runs stands behind its data",
    "stands before the fields",
    `write \`${text}\` before the \`{\``,
    fix(
      `write \`${text}\` at the end`,
      put({ ...at, end: tokens[i + 3]!.startOffset }, ""),
      put({ file: source.file, start: place, end: place }, `${text} `),
    ),
  );
  return {
    taken: brace - i,
    tokens: [t, ...tokens.slice(i + 3, brace), word(place, "for"), as(n, NumberLit), as(unit, Identifier)],
    told,
  };
}

function walrus({ source, tokens, i, start }: Look): Mended | undefined {
  const [t, sign] = [tokens[i]!, tokens[i + 1]];
  if (!start || !is(t, Identifier) || !is(sign, Foreign, ":=")) return undefined;
  const at = spanOf(source, sign);
  const told = foreignSign(
    at,
    ":=",
    `a new name is \`let ${t.image} = …\`, a change of state is \`${t.image} <- …\``,
    fix(`change to \`let ${t.image} =\``, putBefore(spanOf(source, t), "let "), put(at, "=")),
  );
  return { taken: 2, tokens: [word(t.startOffset, "let"), t, as(sign, Equals, "=")], told };
}

function update({ source, tokens, i, start }: Look): Mended | undefined {
  const [t, sign] = [tokens[i]!, tokens[i + 1]];
  const op = sign && is(sign, Foreign) ? UPDATES[sign.image] : undefined;
  if (!start || !is(t, Identifier) || !sign || !op) return undefined;
  const at = spanOf(source, sign);
  const change = `<- ${t.image} ${sign.image[0]}`;
  const told = foreignSign(
    at,
    sign.image,
    `a state is changed with \`${t.image} ${change} …\``,
    fix(`change to \`${change}\``, put(at, change)),
  );
  const copy = synthetic(Identifier, sign.startOffset, t.image);
  return { taken: 2, tokens: [t, as(sign, LeftArrow, "<-"), copy, synthetic(op, endOf(sign), sign.image[0])], told };
}

/** `minimize loss with Adam(1e-3) over net`. */
function withFirst({ source, tokens, i, start }: Look): Mended | undefined {
  if (!start) return undefined;
  const end = lineEnd(tokens, i);
  const outside = (image: string, after: number): number =>
    tokens.findIndex((t, k) => k > after && k < end && is(t, Identifier, image) && depthAt(tokens, i, k) === 0);
  const by = outside("with", i);
  const over = by < 0 ? -1 : outside("over", by);
  if (by < 0 || over < 0 || tokens.slice(i, by).some((t) => is(t, Identifier, "over"))) return undefined;
  const condition = outside("if", over);
  const stop = condition < 0 ? end : condition;
  if (over - by < 2 || stop - over < 2) return undefined;
  const [first, second] = [tokens.slice(by, over), tokens.slice(over, stop)];
  const [a, b] = [first, second].map((part) => from(spanOf(source, part[0]!), spanOf(source, part.at(-1)!)));
  const [what, which] = [a!, b!].map((at) => source.text.slice(at.start, at.end));
  const told = otherSign(
    a!,
    "what is moved is said before how",
    "stands before `over`",
    `write \`${which} ${what}\``,
    fix("change the order", put(a!, which!), put(b!, what!)),
  );
  return { taken: stop - i, tokens: [...tokens.slice(i, by), ...second, ...first], told };
}

function depthAt(tokens: readonly IToken[], from_: number, at: number): number {
  let depth = 0;
  for (let k = from_; k < at; k++) {
    const type = tokens[k]!.tokenType;
    if (opens.has(type)) depth++;
    else if (closes.has(type)) depth--;
  }
  return depth;
}

/** `if c: print x` on one line. */
function colonLine({ source, tokens, i, start, open }: Look): Mended | undefined {
  const end = lineEnd(tokens, i);
  const t = tokens[i]!;
  const line = tokens.slice(i, end);
  const colon = i + line.findIndex((x, k) => is(x, Colon) && depthAt(tokens, i, i + k) === 0);
  if (!start || colon < i + 2 || colon + 1 >= end || line.some((x) => x.tokenType === LCurly || x.image === "?"))
    return undefined;
  const at = spanOf(source, tokens[colon]!);
  const last = tokens[end - 1]!;
  if (end === colon + 2 && is(last, Identifier, "break") && t.image === "if") {
    const training = open.some((k) => is(tokens[statementStart(tokens, k)], Identifier, "train"));
    const told = foreignWord(
      spanOf(source, last),
      "break",
      "a loop makes all its passes; a `train` block ends by `when c { stop }`",
      training
        ? fix(
            "write `when … { stop }`",
            put(spanOf(source, t), "when"),
            put(at, " {"),
            put(spanOf(source, last), "stop }"),
          )
        : undefined,
    );
    return { taken: end - i, tokens: [], told };
  }
  const told = otherSign(
    at,
    "a block stands in `{ }`",
    "no block begins with `:`",
    "write `{ … }`",
    fix("write `{ … }`", put(at, " {"), putAfter(spanOf(source, last), " }")),
  );
  const braces = [synthetic(LCurly, at.start, "{"), synthetic(RCurly, endOf(last), "}")] as const;
  const body = tokens.slice(colon + 1, end);
  return { taken: end - i, tokens: [...tokens.slice(i, colon), braces[0], ...body, braces[1]], told };
}

/** The `{` of a head, on its line. */
function braceOf(tokens: readonly IToken[], i: number): number {
  const end = lineEnd(tokens, i);
  return tokens.findIndex((x, k) => k > i && k < end && x.tokenType === LCurly);
}
