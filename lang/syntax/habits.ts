/**
 * Habits of Python and JavaScript, mended before the lines are laid out: each is told once, with the edit that rewrites
 * it, and the tokens become what was meant, so that nothing that follows is told on top of it. One row per habit; a row
 * looks at the tokens from a place on and says what takes the place of how many, or that it is not there.
 */
import type { IToken, TokenType } from "chevrotain";
import type { Diagnostic } from "../diagnostic.ts";
import { between, change, fix, from, put, putAfter, putBefore, remove } from "../errors/edits.ts";
import { bareFields, foreignImport, foreignSign, foreignWord, otherSign } from "../errors/syntax.ts";
import type { Source } from "../source.ts";
import { spanOf } from "./scan.ts";
import {
  Colon, Comma, Dot, DotDot, EqualEqual, endOf, Equals, FatArrow, FloorDiv, Foreign, Identifier, LCurly, LeftArrow, LParen,
  LSquare, Minus, Newline, NotEqual, NumberLit, Percent, Plus, Question, RCurly, reservedType, retype, RParen, RSquare, Slash, Star, StringLit,
  softType, synthetic, UNITS,
} from "./tokens.ts"; // prettier-ignore

/** What a row gives: the tokens in the place of the next `taken`. */
interface Mended {
  readonly taken: number;
  readonly tokens: readonly IToken[];
  readonly told: Diagnostic;
}
interface Look {
  readonly source: Source;
  readonly tokens: readonly IToken[];
  readonly i: number;
  /** A statement begins here. */
  readonly start: boolean;
  /** Brackets that are open, with the places where they opened. */
  readonly open: readonly number[];
}

const operand = (t: IToken | undefined): boolean =>
  t !== undefined && [Identifier, NumberLit, StringLit, RParen, RSquare].includes(t.tokenType) && !WORDS.has(t.image);
/** Words after which a value begins. */
const WORDS = new Set([
  "print",
  "plot",
  "in",
  "if",
  "and",
  "or",
  "not",
  "else",
  "when",
  "return",
  "yield",
  "minimize",
  "assert",
  "let",
  "with",
  "over",
]);
const is = (t: IToken | undefined, type: TokenType, image?: string): t is IToken =>
  t?.tokenType === type && (image === undefined || t.image === image);
const near = (a: IToken, b: IToken | undefined): b is IToken => b !== undefined && endOf(a) === b.startOffset;

function as(token: IToken, type: TokenType, image = token.image): IToken {
  const copy = { ...token, image };
  retype(copy, type);
  return copy;
}
const word = (at: number, image: string): IToken => synthetic(Identifier, at, image);

function lineEnd(tokens: readonly IToken[], i: number): number {
  let end = i;
  while (end < tokens.length && tokens[end]!.tokenType !== Newline) end++;
  return end;
}

type Row = (look: Look) => Mended | undefined;

const UPDATES: Readonly<Record<string, TokenType>> = { "+=": Plus, "-=": Minus, "*=": Star, "/=": Slash };

const rows: readonly Row[] = [
  function imports({ source, tokens, i, start }) {
    const t = tokens[i]!;
    if (!start || !(is(t, Identifier, "import") || is(t, Identifier, "from"))) return undefined;
    const end = lineEnd(tokens, i);
    const rest = tokens.slice(i + 1, end);
    if (rest.length === 0 || rest.some((x) => x.tokenType === StringLit || x.tokenType === Equals)) return undefined;
    const python =
      t.image === "from"
        ? rest.some((x) => is(x, Identifier, "import"))
        : rest.every((x) => [Identifier, Dot, Comma].includes(x.tokenType)) &&
          !rest.some((x) => is(x, Identifier, "from"));
    if (!python) return undefined;
    const line = from(spanOf(source, t), spanOf(source, rest.at(-1)!));
    const name = rest[0]!.image;
    return { taken: end - i, tokens: [], told: foreignImport(line, `there is nothing to import from \`${name}\``) };
  },
  function comment({ source, tokens, i }) {
    const t = tokens[i]!;
    if (!is(t, FloorDiv)) return undefined;
    const end = lineEnd(tokens, i);
    const [a, b] = [tokens[i + 1], tokens[i + 2]];
    const word = (x: IToken | undefined): boolean => is(x, Identifier) && !reservedType(x.image) && !softType(x.image);
    // Two names side by side; a line that begins with `//` may go on with a division.
    const prose = word(a) && word(b) && i + 2 < end;
    if (!prose) return undefined;
    const at = spanOf(source, t);
    return { taken: end - i, tokens: [], told: foreignSign(at, "//", "a comment begins with `#`", change(at, "#")) };
  },
  function docstring({ source, tokens, i, start }) {
    const [a, b, c] = [tokens[i], tokens[i + 1], tokens[i + 2]];
    if (!start || !is(a, StringLit, '""') || !is(b, StringLit) || !is(c, StringLit, '""') || !near(a, b) || !near(b, c))
      return undefined;
    const whole = from(spanOf(source, a), spanOf(source, c));
    const told = foreignSign(
      whole,
      '"""',
      "a comment begins with `#`, one that `dlx doc` shows with `##`",
      change(whole, `# ${b.image.slice(1, -1)}`),
    );
    return { taken: 3, tokens: [], told };
  },
  function prefixed({ source, tokens, i }) {
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
  },
  function elif({ source, tokens, i }) {
    const t = tokens[i]!;
    if (!is(t, Identifier, "elif") || !operandOrOpen(tokens[i + 1])) return undefined;
    const at = spanOf(source, t);
    return {
      taken: 1,
      tokens: [as(t, Identifier, "else"), word(endOf(t), "if")],
      told: foreignWord(at, "elif", "write `else if`", change(at, "else if")),
    };
  },
  function lambda({ source, tokens, i }) {
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
  },
  function functionValue({ source, tokens, i, start }) {
    const t = tokens[i]!;
    if (start || !is(t, Identifier, "function") || !is(tokens[i + 1], LParen)) return undefined;
    const close = tokens.findIndex((x, k) => k > i && x.tokenType === RParen);
    if (close < 0 || !is(tokens[close + 1], LCurly)) return undefined;
    const at = spanOf(source, t);
    const arrow = synthetic(FatArrow, endOf(tokens[close]!), "=>");
    const params = tokens.slice(i + 1, close + 1);
    const edits = fix("write an arrow", put(at, ""), putAfter(spanOf(source, tokens[close]!), " =>"));
    return {
      taken: close - i + 1,
      tokens: [...params, arrow],
      told: foreignWord(at, "function", "a function as a value is `(x) => …`", edits),
    };
  },
  function fatDefinition({ source, tokens, i, start }) {
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
  },
  function isWord({ source, tokens, i }) {
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
  },
  function choice({ source, tokens, i, start }) {
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
  },
  function keyword({ source, tokens, i, open }) {
    const [t, next] = [tokens[i]!, tokens[i + 1]];
    const at = open.at(-1);
    if (!is(t, Identifier) || !is(next, Equals) || at === undefined || !is(tokens[at], LParen)) return undefined;
    if (!is(tokens[i - 1], LParen) && !is(tokens[i - 1], Comma)) return undefined;
    if (inHead(tokens, at)) return undefined;
    const told = otherSign(
      spanOf(source, next),
      "an argument is given with `:`",
      "defines nothing here",
      `write \`${t.image}: …\``,
      fix(
        `change to \`${t.image}: \``,
        put({ ...between(spanOf(source, t), spanOf(source, tokens[i + 2] ?? next)) }, ": "),
      ),
    );
    return { taken: 2, tokens: [t, as(next, Colon, ":")], told };
  },
  function dictionary({ source, tokens, i }) {
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
  },
  function listInBraces({ source, tokens, i, start }) {
    const t = tokens[i]!;
    const close = closing(tokens, i);
    if (
      start ||
      !is(t, LCurly) ||
      operand(tokens[i - 1]) ||
      close === undefined ||
      !is(tokens[i + 1], NumberLit) ||
      !is(tokens[i + 2], Comma)
    )
      return undefined;
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
  },
  function typeHint({ source, tokens, i, start }) {
    const [t, name, colon, type, equals] = tokens.slice(i, i + 5);
    if (
      !start ||
      !is(t, Identifier, "let") ||
      !is(name, Identifier) ||
      !is(colon, Colon) ||
      !is(type, Identifier) ||
      !is(equals, Equals)
    )
      return undefined;
    const at = from(spanOf(source, colon), spanOf(source, type));
    const told = otherSign(
      at,
      "a `let` needs no type",
      "follows from the value",
      `write \`let ${name.image} = …\``,
      remove(at, `\`: ${type.image}\``),
    );
    return { taken: 5, tokens: [t, name, equals], told };
  },
  function noGrad({ source, tokens, i }) {
    const [t, module] = [tokens[i]!, tokens[i + 1]];
    if (!is(t, Identifier, "with") || !is(module, Identifier) || !["torch", "tf"].includes(module.image))
      return undefined;
    const brace = tokens.findIndex((x, k) => k > i && x.tokenType === LCurly);
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
  },
  function savedCall({ source, tokens, i, start }) {
    const [t, open, a, comma, b, close] = tokens.slice(i, i + 6);
    if (
      !start ||
      !is(t, Identifier, "save") ||
      !is(open, LParen) ||
      !a ||
      !is(comma, Comma) ||
      !b ||
      !is(close, RParen)
    )
      return undefined;
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
  },
  function bareFieldList({ source, tokens, i, start }) {
    const t = tokens[i]!;
    if (!start || !BLOCKS.has(t.image) || !is(tokens[i + 1], Identifier) || !is(tokens[i + 2], Comma)) return undefined;
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
  },
  function limitFirst({ source, tokens, i, start }) {
    const [t, n, unit] = [tokens[i]!, tokens[i + 1], tokens[i + 2]];
    if (
      !start ||
      !is(t, Identifier, "train") ||
      !is(n, NumberLit) ||
      !is(unit, Identifier) ||
      !Object.hasOwn(UNITS, unit.image)
    )
      return undefined;
    const brace = tokens.findIndex((x, k) => k > i && x.tokenType === LCurly);
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
  },
  function walrus({ source, tokens, i, start }) {
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
  },
  function update({ source, tokens, i, start }) {
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
  },
  function slice({ source, tokens, i, open }) {
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
      "both ends belong to it: `x[2..4]` has three places",
      n === undefined
        ? change(spanOf(source, t), "..")
        : fix(`change to \`..${n}\``, put(from(spanOf(source, t), spanOf(source, end!)), `..${n}`)),
    );
    const rest =
      n === undefined
        ? []
        : [...(n < 0 ? [synthetic(Minus, end!.startOffset, "-")] : []), as(end!, NumberLit, String(Math.abs(n)))];
    return { taken: n === undefined ? 1 : minus ? 3 : 2, tokens: [as(t, DotDot, ".."), ...rest], told };
  },
  function percent({ source, tokens, i }) {
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
  },
  function product({ source, tokens, i }) {
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
  },
  function decimalComma({ source, tokens, i, open }) {
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
  },
  function equality({ source, tokens, i, open }) {
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
  },
];

/** Words behind a value, also right behind a number: `[i^2for i in 1..5]`. */
const FOLLOWS = new Set(["for", "in", "if", "and", "or", "over", "with", "except", "to", "log", "else"]);

/** Blocks that are known by what stands in their head. */
const BLOCKS = new Set(["train", "eval", "repeat"]);
const COMPARING = new Set(["print", "plot", "when", "if", "assert", "show", "record", "yield"]);
const DEFINING = new Set(["let", "metric", "dim", "state"]);

const operandOrOpen = (t: IToken | undefined): boolean =>
  t !== undefined && [Identifier, NumberLit, StringLit, LParen, LSquare].includes(t.tokenType);

/** The partner of the first bracket at or after a place, on whatever line. */
function closing(tokens: readonly IToken[], i: number): number | undefined {
  const opens: readonly TokenType[] = [LParen, LSquare, LCurly];
  const closes: readonly TokenType[] = [RParen, RSquare, RCurly];
  let depth = 0;
  for (let k = i; k < tokens.length; k++) {
    const type = tokens[k]!.tokenType;
    if (opens.includes(type)) depth++;
    else if (closes.includes(type)) {
      if (--depth === 0) return k;
      if (depth < 0) return undefined;
    } else if (depth === 0 && k > i) return undefined;
  }
  return undefined;
}

function statementStart(tokens: readonly IToken[], i: number): number {
  let k = i;
  while (k > 0 && ![Newline, LCurly, RCurly].includes(tokens[k - 1]!.tokenType)) k--;
  return k;
}

/** Where the value that ends before a place begins: behind the last sign or word that a value follows. */
function valueStart(tokens: readonly IToken[], i: number): number {
  let depth = 0;
  let k = i - 1;
  for (; k >= 0; k--) {
    const t = tokens[k]!;
    if ([RParen, RSquare].includes(t.tokenType)) depth++;
    else if ([LParen, LSquare].includes(t.tokenType) && --depth < 0) break;
    else if (
      depth === 0 &&
      ([Equals, Comma, LCurly, Newline, Colon, LeftArrow].includes(t.tokenType) || WORDS.has(t.image))
    )
      break;
  }
  return k + 1;
}

function lineEndOrCloser(tokens: readonly IToken[], i: number): number {
  let depth = 0;
  for (let k = i; k < tokens.length; k++) {
    const type = tokens[k]!.tokenType;
    if ([LParen, LSquare, LCurly].includes(type)) depth++;
    else if ([RParen, RSquare, RCurly].includes(type) && --depth < 0) return k;
    else if (depth === 0 && (type === Newline || type === Comma)) return k;
  }
  return tokens.length;
}

/** Is this list of a definition, where `=` gives a default? */
function inHead(tokens: readonly IToken[], open: number): boolean {
  const close = closing(tokens, open);
  // A lambda: `(x, y = 2) => …`.
  if (close !== undefined && is(tokens[close + 1], FatArrow)) return true;
  let k = open - 1;
  if (is(tokens[k], RParen)) {
    let depth = 0;
    for (; k >= 0; k--) {
      if (is(tokens[k], RParen)) depth++;
      else if (is(tokens[k], LParen) && --depth === 0) break;
    }
    k--;
  }
  return (
    is(tokens[k], Identifier) &&
    ["fn", "model", "optimizer", "def", "class", "function", "func"].includes(tokens[k - 1]?.image ?? "")
  );
}

export function mendHabits(source: Source, raw: readonly IToken[], report: (d: Diagnostic) => void): IToken[] {
  let tokens = [...raw];
  const open: number[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const before = tokens[i - 1];
    const start = !before || [Newline, LCurly, RCurly].includes(before.tokenType);
    for (const row of rows) {
      const mended = row({ source, tokens, i, start, open });
      if (!mended) continue;
      report(mended.told);
      tokens = [...tokens.slice(0, i), ...mended.tokens, ...tokens.slice(i + mended.taken)];
      break;
    }
    const type = tokens[i]?.tokenType;
    if (type && [LParen, LSquare, LCurly].includes(type)) open.push(i);
    else if (type && [RParen, RSquare, RCurly].includes(type)) open.pop();
  }
  return tokens;
}
