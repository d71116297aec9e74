/**
 * What a reader is told when a token does not fit: Chevrotain says which type it expected, the tables here say it in
 * a beginner's words. No name of a grammar rule reaches a message.
 */
import type { IParserErrorMessageProvider, IToken, TokenType } from "chevrotain";
import type { Diagnostic } from "../diagnostic.ts";
import { reservedName, unexpected } from "../errors/syntax.ts";
import { change, fix, insertAfter, put } from "../errors/edits.ts";
import { didYouMean } from "../suggest.ts";
import type { Source, Span } from "../source.ts";
import { spanOf } from "./scan.ts";
import {
  endOf,
  Equals,
  Identifier,
  LCurly,
  Newline,
  NumberLit,
  RCurly,
  reservedType,
  RParen,
  RSquare,
  StringLit,
  UNITS,
} from "./tokens.ts";

/** How the statements are written, by the rule that reads them. */
export const forms: Readonly<Record<string, string>> = {
  let: "`let name = value`",
  dim: "`dim Z = 128`",
  input_: "`input lr = 1e-3 in 1e-5 .. 1e-1 log`",
  precision: "`precision mixed` or `precision f32`",
  fn: "`fn f(x, y) = x + y` or `fn f(x, y) { … }`",
  import: '`import Name from "./file.dlx"`',
  model: "`model Net(settings)(x: [B, In]) -> [B, Out] { … }`",
  optimizer: "`optimizer Name(lr)(p, g) { p <- p - lr * g }`",
  param: "`param w: [In, Out] ~ he_uniform` or `param b: [Out] = 0`",
  state: "`state name = value`",
  train: "`train (x, y) in batches(rows, 64) for 10 epochs { … }` or `train for 2000 steps { … }`",
  repeat: "`repeat (x) in batches(rows, 64) for 5 steps { … }` or `repeat 5 { … }`",
  limit: "`for 10 epochs`, `for 5000 steps` or `for 2 minutes`",
  eval: "`eval name (x, y) in batches(rows, 64) { … }`",
  minimize: "`minimize loss over net with Adam(1e-3)`",
  metric: "`metric name = value`",
  every: "`every epoch { … }`, `every 5 steps { … }` or `every 10 seconds { … }`",
  when: "`when condition { … }`",
  save: '`save net to "net.safetensors"`',
  test: '`test "name" { … }`',
  for: "`for i in 1..n { … }`, perhaps `for i in 1..n with x = x0 { … }`",
  scan: "`scan xt in x over T with h = h0 { … }`",
  iterate: "`iterate 50 with v = v0 { … }`",
  if: "`if condition { … } else { … }`",
};

const closers = new Map<TokenType, string>([
  [RParen, "`,` or `)`"],
  [RSquare, "`,` or `]`"],
  [RCurly, "a new line, `,` or `}`"],
  [Identifier, "a name"],
]);

/** The message of an exception is the thing expected, in words. */
export const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => closers.get(expected) ?? expected.LABEL ?? expected.name,
  buildNotAllInputParsedMessage: () => "a new line",
  buildNoViableAltMessage: ({ customUserDescription }) => customUserDescription ?? "a value",
  buildEarlyExitMessage: ({ customUserDescription }) => customUserDescription ?? "a value",
};

/** `rule`: the innermost rule that was being read. */
export function explain(source: Source, expected: string, found: IToken, before: IToken, rule: string): Diagnostic {
  const span = placeOf(source, found, before);
  if (expected === "a name" && reservedType(found.image)) return reservedName(span, found.image);
  const form = forms[rule];
  const end: Span = { ...span, start: endOf(before), end: endOf(before) };
  const operand = found.tokenType === Identifier || found.tokenType === NumberLit || found.tokenType === StringLit;
  const unit = expected.startsWith("a unit");
  const near = unit && found.tokenType === Identifier ? didYouMean(found.image, Object.keys(UNITS)) : undefined;
  const inserted =
    expected === "`with`"
      ? " with Adam(1e-3)"
      : expected === "`to`" && found.tokenType === StringLit
        ? " to"
        : unit && found.tokenType === LCurly
          ? rule === "every"
            ? " steps"
            : " epochs"
          : expected.startsWith("`,` or") && operand
            ? ","
            : undefined;
  const lineEnd = source.text.indexOf("\n", span.start);
  const oneLine =
    expected === "`{`" && rule === "every" && !placeIsEnd(found) && lineEnd >= 0
      ? fix(
          "put it in braces",
          put({ ...span, end: span.start }, "{ "),
          put({ ...span, start: lineEnd, end: lineEnd }, " }"),
        )
      : undefined;
  const fixes =
    oneLine !== undefined
      ? oneLine
      : near !== undefined
        ? change(span, near)
        : inserted === undefined
          ? undefined
          : insertAfter(end, inserted);
  const missing = expected === "a value" && placeIsEnd(found) ? behindSign(before) : undefined;
  const comma = inserted === "," ? "write `,` between the two" : undefined;
  const otherwise = found.image === "else" ? "`else` follows the `}` of an `if`: `if c { a } else { b }`" : undefined;
  const comparing = found.tokenType === Equals && (rule === "when" || rule === "if");
  const help = comparing ? "to compare, write `==`" : (otherwise ?? comma ?? missing ?? (form && `write ${form}`));
  const after = Number.isNaN(before.startOffset) || before.tokenType === Newline ? undefined : describe(before);
  return unexpected({ span, expected, after, found: foundWords(found), help, fix: fixes });
}

const placeIsEnd = (found: IToken): boolean =>
  Number.isNaN(found.startOffset) || found.tokenType === Newline || found.image === "" || found.tokenType === RCurly;

/** A sign at the end of its line. */
function behindSign(before: IToken): string | undefined {
  if (before.image === "=" || before.image === "<-") return `write a value behind it: \`${before.image} 0\``;
  return /^[^\p{L}\p{N}\s]+$/u.test(before.image) && before.image !== ""
    ? `write what follows \`${before.image}\`, or leave it out`
    : undefined;
}

/** The token itself, or the end of the line before it. */
export function placeOf(source: Source, found: IToken, before: IToken): Span {
  const end = Number.isNaN(before.startOffset) ? 0 : endOf(before);
  // A bracket on a later line is not where something is missing.
  const later = found.tokenType === RCurly && source.text.slice(end, found.startOffset).includes("\n");
  if (!Number.isNaN(found.startOffset) && found.tokenType !== Newline && found.image !== "" && !later)
    return spanOf(source, found);
  return { file: source.file, start: end, end };
}

export function describe(token: IToken): string {
  if (token.tokenType === StringLit) return "this text";
  return token.image === "" ? "this" : `\`${token.image}\``;
}

function foundWords(token: IToken): string {
  if (Number.isNaN(token.startOffset)) return "the file ends here";
  if (token.tokenType === Newline || token.image === "") return "the line ends here";
  if (token.tokenType === StringLit) return "found a text";
  return token.tokenType === Identifier ? `found the name \`${token.image}\`` : `found \`${token.image}\``;
}
