/**
 * The base of the grammar: places of nodes, and what happens after a mistake. Chevrotain's own recovery looks for any
 * token that may follow; here brackets are known to match (`layout.ts`), so a mistake skips exactly to the end of the
 * part it is in (an argument, a head, a statement) and costs no more. It leaves out all syntax.
 */
import {
  EmbeddedActionsParser,
  isRecognitionException,
  type IRecognitionException,
  type IToken,
  type ParserMethod,
  type TokenType,
} from "chevrotain";
import type { Diagnostic } from "../diagnostic.ts";
import type { Source, Span } from "../source.ts";
import type * as ast from "./ast.ts";
import { docAbove, nameOf } from "./build.ts";
import type { Place } from "./layout.ts";
import { LateLookahead } from "./lookahead.ts";
import { explain, expectations } from "./messages.ts";
import { Comma, endOf, Identifier, isA, LCurly, Newline, RCurly, RParen, RSquare, vocabulary } from "./tokens.ts";

export type Rule<T> = ParserMethod<[], T>;

/** Where a value that cannot be read ends. */
export const VALUE_ENDS: readonly TokenType[] = [Comma, Newline, RParen, RSquare, RCurly];
export const STATEMENT_ENDS: readonly TokenType[] = [Newline, RCurly];
/** After so many mistakes the text is no script, and a mistake costs the rest of its line. */
const MOST_MISTAKES = 1000;

/** A text literal whose holes are still to be parsed. */
export interface PendingString {
  readonly token: IToken;
  readonly parts: (string | ast.StringHole)[];
}

export abstract class Recovery extends EmbeddedActionsParser {
  protected source: Source = { file: "", text: "" };
  protected trivia: readonly ast.Trivia[] = [];
  diagnostics: Diagnostic[] = [];
  strings: PendingString[] = [];

  abstract block: Rule<ast.Block>;

  /** `validated`: Chevrotain looks for mistakes of the grammar itself; a test does, for it takes longer than a script. */
  constructor(validated: boolean) {
    super(vocabulary, {
      maxLookahead: 1,
      recoveryEnabled: false,
      skipValidations: !validated,
      errorMessageProvider: expectations,
      lookaheadStrategy: new LateLookahead({ maxLookahead: 1 }),
    });
  }

  begin(source: Source, tokens: IToken[], trivia: readonly ast.Trivia[]): void {
    this.source = source;
    this.trivia = trivia;
    this.diagnostics = [];
    this.strings = [];
    this.input = tokens;
  }

  // ---------------------------------------------------------------- places

  protected isNext(type: TokenType, howMuch = 1): boolean {
    return isA(this.LA(howMuch), type);
  }

  /** The first sign of the line that was being read. */
  here(): Span {
    const { file, text } = this.source;
    const { startOffset } = this.LA(1);
    const at = Number.isNaN(startOffset) ? 0 : startOffset;
    const line = text.lastIndexOf("\n", at - 1) + 1;
    const start = line + (/^[ \t]*/.exec(text.slice(line, at))?.[0].length ?? 0);
    return { file, start, end: Math.min(text.length, start + 1) };
  }

  /** From the first token to the last one read; empty if nothing was read since. */
  protected span(first: IToken): Span {
    const last = this.LA(0);
    const end = Number.isNaN(last.startOffset) ? 0 : endOf(last);
    const start = Number.isNaN(first.startOffset) ? end : Math.min(first.startOffset, end);
    return { file: this.source.file, start, end };
  }

  protected missing(first: IToken): ast.Expr {
    return { kind: "missing", span: this.span(first) };
  }

  /** Where a value or a name was expected and not even begun: empty, at the place reached. */
  protected nothing(): ast.Expr {
    return { kind: "missing", span: this.span(this.LA(1)) };
  }

  protected noName(): ast.Name {
    const { file, end } = this.span(this.LA(0));
    return { text: "", span: { file, start: end, end } };
  }

  protected doc(first: IToken): { doc?: string } {
    const doc = docAbove(this.source, this.trivia, first.startOffset);
    return doc === undefined ? {} : { doc };
  }

  // ---------------------------------------------------------------- mistakes

  protected depth(token: IToken): number {
    return (token.payload as Place | undefined)?.depth ?? 0;
  }

  protected expected(what: string, rule = ""): void {
    this.diagnostics.push(explain(this.source, what, this.LA(1), this.LA(0), rule));
  }

  private caught(e: IRecognitionException): void {
    this.diagnostics.push(explain(this.source, e.message, e.token, this.LA(0), e.context.ruleStack.at(-1) ?? ""));
  }

  /** Passes over tokens until one of the ends stands at this depth, or the part around it ends. */
  protected skipTo(ends: readonly TokenType[], depth: number): void {
    for (;;) {
      const token = this.LA(1);
      const at = this.depth(token);
      if (Number.isNaN(token.startOffset) || at < depth || (at === depth && ends.includes(token.tokenType))) return;
      this.consume(0, token.tokenType);
    }
  }

  /** Reads a part; after a mistake in it skips to one of the ends and takes what `instead` makes. */
  protected guard<T>(ends: readonly TokenType[], read: () => T, instead: (first: IToken) => T): T {
    if (this.RECORDING_PHASE) return read();
    const first = this.LA(1);
    try {
      return read();
    } catch (e) {
      if (!(e instanceof Error) || !isRecognitionException(e)) throw e;
      this.caught(e as IRecognitionException);
      const isLost = this.diagnostics.length > MOST_MISTAKES;
      this.skipTo(isLost ? ends.filter((end) => end !== Comma) : ends, this.depth(first));
      return instead(first);
    }
  }

  /** What stands between the word of a statement and its body. What was read before a mistake is kept. */
  protected head(rule: string, read: () => void, ends: readonly TokenType[] = [LCurly]): void {
    if (this.RECORDING_PHASE) return read();
    const depth = this.depth(this.LA(0));
    const stops = [...ends, ...STATEMENT_ENDS];
    const before = this.diagnostics.length;
    this.guard(stops, read, () => this.skipTo(stops, depth));
    if (ends.includes(this.LA(1).tokenType)) return;
    if (this.diagnostics.length === before) this.expected(ends.length > 1 ? "`=` or `{`" : "`{`", rule);
    this.skipTo(stops, depth);
  }

  /** The block after a head; empty if there is none, which the head has reported. */
  protected body(index = 0): ast.Block {
    if (this.RECORDING_PHASE || this.LA(1).tokenType === LCurly) return this.subrule(index, this.block);
    return { kind: "block", body: [], span: this.span(this.LA(1)) };
  }

  // ---------------------------------------------------------------- parts

  protected name(index = 0): ast.Name {
    const token = this.consume(index, Identifier);
    return this.ACTION(() => nameOf(this.source, token));
  }

  /** Items between commas up to a closing bracket, a trailing comma allowed. At most one list per rule. */
  protected list<T>(closer: TokenType, item: Rule<T>): T[] {
    const items: T[] = [];
    const inside = this.depth(this.LA(1));
    if (this.RECORDING_PHASE || this.LA(1).tokenType !== closer) {
      items.push(this.SUBRULE8(item));
      this.MANY8({
        GATE: () => this.LA(2).tokenType !== closer,
        DEF: () => {
          this.CONSUME8(Comma);
          items.push(this.SUBRULE9(item));
        },
      });
      this.OPTION8(() => this.CONSUME9(Comma));
      this.settle(closer, inside);
    }
    return items;
  }

  /** What stands before a closing bracket and does not belong there is reported once and passed over. */
  protected settle(closer: TokenType, inside: number): void {
    if (this.RECORDING_PHASE || this.LA(1).tokenType === closer) return;
    this.expected(closer === RParen ? "`,` or `)`" : closer === RSquare ? "`,` or `]`" : "a new line, `,` or `}`");
    this.skipTo([closer], inside);
  }
}
