/**
 * The words and signs of dlx as Chevrotain token types, and its lexer. Highlighters read the same tables, so they
 * cannot drift. Every word is lexed as a name; `words.ts` decides from the neighbours whether it is a reserved one.
 */
import { createToken, Lexer, type IToken, type TokenType } from "chevrotain";

/** Words that begin a statement and can stand nowhere else. */
// prettier-ignore
export const STATEMENT_WORDS = [
  "let", "dim", "input", "seed", "precision", "fn", "import", "model", "optimizer", "param", "state", "train", "eval",
  "minimize", "metric", "repeat", "every", "when", "print", "plot", "show", "record", "save", "yield", "assert",
] as const;
/** Reserved words of expressions. */
export const EXPRESSION_WORDS = [
  "if",
  "else",
  "for",
  "in",
  "scan",
  "iterate",
  "and",
  "or",
  "not",
  "true",
  "false",
  "none",
] as const;
/** Words with a meaning in one place, names everywhere else. */
export const SOFT_WORDS = ["over", "with", "except", "to", "from", "mixes", "log", "test", "stop"] as const;
// prettier-ignore
export const UNITS = {
  epoch: "epochs", epochs: "epochs", step: "steps", steps: "steps", second: "seconds", seconds: "seconds",
  minute: "minutes", minutes: "minutes", hour: "hours", hours: "hours",
} as const;

export type ReservedWord = (typeof STATEMENT_WORDS)[number] | (typeof EXPRESSION_WORDS)[number];
export type SoftWord = (typeof SOFT_WORDS)[number];

// ---------------------------------------------------------------- categories

const category = (name: string, label: string): TokenType => createToken({ name, label, pattern: Lexer.NA });
/** Signs and words that no statement begins with. */
export const Stray = category("Stray", "a statement");
export const CompareOp = category("CompareOp", "a comparison");
export const AddOp = category("AddOp", "`+` or `-`");
export const MulOp = category("MulOp", "`*`, `/`, `//` or `%`");

// ---------------------------------------------------------------- names, numbers, text

/** Chevrotain drops the `u` flag of a pattern, so names are matched by a function. */
const nameShape = /[\p{L}_][\p{L}\p{M}\p{N}_]*/uy;
const matchName = (text: string, offset: number): RegExpExecArray | null => {
  nameShape.lastIndex = offset;
  return nameShape.exec(text);
};
export const Identifier = createToken({ name: "Identifier", label: "a name", pattern: matchName, line_breaks: false });
export const NumberLit = createToken({
  name: "NumberLit",
  label: "a number",
  pattern: /\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?/,
});
/** To the closing quote, or to the end of the line where that is absent. */
export const StringLit = createToken({ name: "StringLit", label: 'a text in `"`', pattern: /"[^"\r\n]*"?/ });
export const Newline = createToken({ name: "Newline", label: "a new line", pattern: /\r\n|\r|\n/, line_breaks: true });
const WhiteSpace = createToken({ name: "WhiteSpace", pattern: /[ \t\f\v\u00a0\ufeff]+/, group: Lexer.SKIPPED });
const Comment = createToken({ name: "Comment", pattern: /#[^\r\n]*/, group: "comments" });
/** Signs of other languages; `scan.ts` says what to write instead. */
export const Foreign = createToken({
  name: "Foreign",
  pattern: /&&|\|\||\*\*|===|!==|:=|[-+*@%]=|\/=|\.\.\.|'[^'\r\n]*'|“[^”\r\n]*”/,
});
/** Any one character that nothing else matched; the `u` keeps surrogate pairs whole. */
const anyCharacter = /[^]/uy;
const matchCharacter = (text: string, offset: number): RegExpExecArray | null => {
  anyCharacter.lastIndex = offset;
  return anyCharacter.exec(text);
};
export const Unknown = createToken({ name: "Unknown", pattern: matchCharacter, line_breaks: false });

// ---------------------------------------------------------------- signs

const sign = (name: string, text: string, ...categories: TokenType[]): TokenType =>
  createToken({ name, pattern: text, label: `\`${text}\``, categories });

export const LeftArrow = sign("LeftArrow", "<-", Stray);
export const FatArrow = sign("FatArrow", "=>", Stray);
export const ThinArrow = sign("ThinArrow", "->", Stray);
export const Pipe = sign("Pipe", "|>", Stray);
export const LessEqual = sign("LessEqual", "<=", CompareOp, Stray);
export const GreaterEqual = sign("GreaterEqual", ">=", CompareOp, Stray);
export const EqualEqual = sign("EqualEqual", "==", CompareOp, Stray);
export const NotEqual = sign("NotEqual", "!=", CompareOp, Stray);
export const Less = sign("Less", "<", CompareOp, Stray);
export const Greater = sign("Greater", ">", CompareOp, Stray);
export const Equals = sign("Equals", "=", Stray);
export const Plus = sign("Plus", "+", AddOp, Stray);
export const Minus = sign("Minus", "-", AddOp);
export const FloorDiv = sign("FloorDiv", "//", MulOp, Stray);
export const Slash = sign("Slash", "/", MulOp, Stray);
export const Star = sign("Star", "*", MulOp, Stray);
export const Percent = sign("Percent", "%", MulOp, Stray);
export const At = sign("At", "@", Stray);
export const Caret = sign("Caret", "^", Stray);
export const Tilde = sign("Tilde", "~", Stray);
export const Question = sign("Question", "?", Stray);
export const Colon = sign("Colon", ":", Stray);
export const Comma = sign("Comma", ",", Stray);
export const DotDot = sign("DotDot", "..", Stray);
export const Dot = sign("Dot", ".", Stray);
export const LParen = sign("LParen", "(");
export const RParen = sign("RParen", ")", Stray);
export const LSquare = sign("LSquare", "[");
export const RSquare = sign("RSquare", "]", Stray);
export const LCurly = sign("LCurly", "{");
export const RCurly = sign("RCurly", "}");

// ---------------------------------------------------------------- words

const word = (text: string, ...categories: TokenType[]): TokenType =>
  createToken({ name: `Word_${text}`, label: `\`${text}\``, pattern: Lexer.NA, categories });
const cannotBegin: readonly string[] = ["else", "in", "and", "or"];
const table = <W extends string>(words: readonly W[], make: (w: W) => TokenType): Readonly<Record<W, TokenType>> =>
  Object.fromEntries(words.map((w) => [w, make(w)])) as Record<W, TokenType>;

/** Token types of the reserved words, by word. */
export const K: Readonly<Record<ReservedWord, TokenType>> = table([...STATEMENT_WORDS, ...EXPRESSION_WORDS], (w) =>
  cannotBegin.includes(w) ? word(w, Stray) : word(w),
);
/** Token types of the soft words, by word; each also counts as a name. */
export const S: Readonly<Record<SoftWord, TokenType>> = table(SOFT_WORDS, (w) => word(w, Identifier));
export const Unit = createToken({
  name: "Unit",
  label: "a unit such as `epochs` or `steps`",
  pattern: Lexer.NA,
  categories: [Identifier],
});

const reserved = new Map<string, TokenType>(Object.entries(K));
const statementTypes = new Set<TokenType>(STATEMENT_WORDS.map((w) => K[w]));
const soft = new Map<string, TokenType>([...Object.entries(S), ...Object.keys(UNITS).map((u) => [u, Unit] as const)]);

export const reservedType = (text: string): TokenType | undefined => reserved.get(text);
export const softType = (text: string): TokenType | undefined => soft.get(text);
export const beginsStatement = (token: IToken): boolean => statementTypes.has(token.tokenType);

// ---------------------------------------------------------------- vocabulary

/** Longer signs first: the lexer takes the first pattern that matches. */
// prettier-ignore
const lexed: TokenType[] = [
  WhiteSpace, Newline, Comment, Identifier, NumberLit, StringLit, Foreign,
  LeftArrow, FatArrow, ThinArrow, Pipe, LessEqual, GreaterEqual, EqualEqual, NotEqual, Less, Greater, Equals,
  Plus, Minus, FloorDiv, Slash, Star, Percent, At, Caret, Tilde, Question, Colon, Comma, DotDot, Dot,
  LParen, RParen, LSquare, RSquare, LCurly, RCurly, Unknown,
];

// prettier-ignore
export const vocabulary: TokenType[] = [
  ...lexed.filter((t) => t !== WhiteSpace && t !== Comment),
  Stray, CompareOp, AddOp, MulOp,
  ...Object.values(K), ...Object.values(S), Unit,
];

export const lexer = new Lexer([...lexed, Stray, CompareOp, AddOp, MulOp], { positionTracking: "full" });

export function retype(token: IToken, type: TokenType): void {
  token.tokenType = type;
  if (type.tokenTypeIdx === undefined) throw new Error(`token type ${type.name}: expected an index, got none`);
  token.tokenTypeIdx = type.tokenTypeIdx;
}

/** A token that stands nowhere in the text: zero wide, at `offset`. */
export function synthetic(type: TokenType, offset: number, image = ""): IToken {
  const token: IToken = { image, startOffset: offset, endOffset: offset - 1, tokenType: type, tokenTypeIdx: 0 };
  retype(token, type);
  return token;
}

/** Half-open end. */
export const endOf = (token: IToken): number => (token.endOffset ?? token.startOffset - 1) + 1;
export const isA = (token: IToken, type: TokenType): boolean =>
  token.tokenType === type || (type.categoryMatchesMap?.[token.tokenTypeIdx] ?? false) === true;
