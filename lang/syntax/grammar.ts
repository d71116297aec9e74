/**
 * The grammar as a whole: files, blocks, the choice of the statement, sinks and the small statements. The rule of a
 * statement is named after its word, so that a message can show how it is written. What a statement means is not
 * decided here: every form of the language parses, known to later phases or not.
 */
import type { IToken, TokenType } from "chevrotain";
import { cannotBegin, missingLet, partAssigned, twoStatements } from "../errors/syntax.ts";
import type * as ast from "./ast.ts";
import { Clocks } from "./clocks.ts";
import { describe } from "./messages.ts";
import { STATEMENT_ENDS, type Rule } from "./recovery.ts";
import { spanOf } from "./scan.ts";
import {
  beginsStatement,
  Colon,
  Comma,
  Equals,
  Identifier,
  K,
  LCurly,
  LeftArrow,
  Newline,
  RCurly,
  S,
  Stray,
  StringLit,
} from "./tokens.ts";

/** Mistakes; far fewer are told. */
const HOPELESS = 1000;

export class Grammar extends Clocks {
  file: Rule<ast.Stmt[]> = this.RULE("file", () => this.SUBRULE(this.statements));
  /** The value in a hole of a text. */
  hole: Rule<ast.Expr> = this.RULE("hole", () => {
    const value = this.SUBRULE(this.value);
    this.ACTION(() => {
      if (!Number.isNaN(this.LA(1).startOffset) && value.kind !== "missing") this.expected("an operator or `}`");
    });
    return value;
  });

  block: Rule<ast.Block> = this.RULE("block", () => {
    const first = this.CONSUME(LCurly);
    const body = this.SUBRULE(this.statements);
    this.CONSUME(RCurly);
    return this.ACTION((): ast.Block => ({ kind: "block", body, span: this.span(first) }));
  });

  statements: Rule<ast.Stmt[]> = this.RULE("statements", () => {
    const body: ast.Stmt[] = [];
    this.MANY(() =>
      this.OR({
        DEF: [
          { ALT: () => this.CONSUME(Newline) },
          { ALT: () => body.push(this.SUBRULE(this.statement)) },
          { ALT: () => body.push(this.SUBRULE(this.stray)) },
        ],
        IGNORE_AMBIGUITIES: true,
      }),
    );
    return body;
  });

  statement: Rule<ast.Stmt> = this.RULE("statement", () => {
    if (!this.RECORDING_PHASE && this.diagnostics.length > HOPELESS) return this.skipped();
    const statement = this.guard<ast.Stmt>(
      STATEMENT_ENDS,
      () =>
        this.OR<ast.Stmt>({
          DEF: [
            { ALT: () => this.SUBRULE(this.let_) },
            { ALT: () => this.defined(K.dim, "dim") },
            { ALT: () => this.SUBRULE(this.input_) },
            { ALT: () => this.withValue(K.seed, "seed") },
            { ALT: () => this.SUBRULE(this.precision) },
            { ALT: () => this.SUBRULE(this.fn) },
            { ALT: () => this.SUBRULE(this.import_) },
            { ALT: () => this.SUBRULE(this.model) },
            { ALT: () => this.SUBRULE(this.optimizer) },
            { ALT: () => this.SUBRULE(this.param) },
            { ALT: () => this.SUBRULE(this.state) },
            { ALT: () => this.SUBRULE(this.train) },
            { ALT: () => this.SUBRULE(this.repeat) },
            { ALT: () => this.SUBRULE(this.eval_) },
            { ALT: () => this.SUBRULE(this.minimize) },
            { ALT: () => this.defined(K.metric, "metric") },
            { ALT: () => this.SUBRULE(this.every) },
            { ALT: () => this.SUBRULE(this.when) },
            { ALT: () => this.SUBRULE(this.sink) },
            { ALT: () => this.SUBRULE(this.save) },
            { ALT: () => this.withValue(K.yield, "yield") },
            { ALT: () => this.withValue(K.assert, "assert") },
            { GATE: () => this.LA(2).tokenType === StringLit, ALT: () => this.SUBRULE(this.test) },
            { GATE: () => this.isAlone(), ALT: () => this.SUBRULE(this.stop) },
            { ALT: () => this.SUBRULE(this.expressionStatement) },
          ],
          IGNORE_AMBIGUITIES: true,
          ERR_MSG: "a statement",
        }),
      (first) => ({ kind: "error", span: this.span(first) }),
    );
    this.ACTION(() => this.lineEnds(statement));
    return statement;
  });

  stray: Rule<ast.Stmt> = this.RULE("stray", () => {
    const first = this.CONSUME(Stray);
    return this.ACTION((): ast.Stmt => {
      this.diagnostics.push(cannotBegin(spanOf(this.source, first), describe(first)));
      this.skipTo(STATEMENT_ENDS, this.depth(first));
      return { kind: "error", span: this.span(first) };
    });
  });

  // ---------------------------------------------------------------- sinks and the rest

  sink: Rule<ast.Stmt> = this.RULE("sink", () => {
    const first = this.LA(1);
    // A misspelled word has the token of the word that is meant.
    const kind = this.OR<"print" | "plot" | "show" | "record">([
      { ALT: () => (this.CONSUME(K.print), "print") },
      { ALT: () => (this.CONSUME(K.plot), "plot") },
      { ALT: () => (this.CONSUME(K.show), "show") },
      { ALT: () => (this.CONSUME(K.record), "record") },
    ]);
    const args: ast.Arg[] = [this.SUBRULE(this.arg)];
    this.MANY(() => {
      this.CONSUME(Comma);
      args.push(this.SUBRULE2(this.arg));
    });
    return this.ACTION((): ast.Stmt => ({ kind, args, span: this.span(first) }));
  });

  save: Rule<ast.Stmt> = this.RULE("save", () => {
    const first = this.CONSUME(K.save);
    const value = this.until(0, [S.to]);
    this.CONSUME(S.to);
    const file = this.SUBRULE(this.value);
    return this.ACTION((): ast.Stmt => ({ kind: "save", value, file, span: this.span(first) }));
  });

  test: Rule<ast.Stmt> = this.RULE("test", () => {
    const first = this.CONSUME(S.test);
    let name = this.nothing();
    this.head("test", () => (name = this.SUBRULE(this.text)));
    const body = this.body();
    return this.ACTION((): ast.Stmt => ({ kind: "test", name, body, span: this.span(first) }));
  });

  stop: Rule<ast.Stmt> = this.RULE("stop", () => {
    const first = this.CONSUME(S.stop);
    return this.ACTION((): ast.Stmt => ({ kind: "stop", span: this.span(first) }));
  });

  /** Also `target <- value`, and `name = value`, which is reported and read as a `let`. */
  expressionStatement: Rule<ast.Stmt> = this.RULE("expressionStatement", () => {
    const first = this.LA(1);
    const target = this.SUBRULE(this.expression);
    const change = this.OPTION(() => {
      const sign = this.OR([{ ALT: () => this.CONSUME(LeftArrow) }, { ALT: () => this.CONSUME(Equals) }]);
      return { sign, value: this.SUBRULE(this.value) };
    });
    return this.ACTION((): ast.Stmt => {
      const span = this.span(first);
      if (!change) return { kind: "expr", value: target, span };
      const { sign, value } = change;
      if (sign.tokenType === LeftArrow) return { kind: "commit", target, value, span };
      const written = ({ start, end }: { start: number; end: number }): string => this.source.text.slice(start, end);
      const at = spanOf(this.source, sign);
      if (target.kind !== "name") {
        const of = target.kind === "index" && target.items.length === 1 ? target : undefined;
        const place = of && [of.target, of.items[0]!, value].map((part) => written(part.span));
        this.diagnostics.push(partAssigned(at, span, written(target.span), place));
        return { kind: "error", span };
      }
      this.diagnostics.push(missingLet(at, target.text, written(value.span), target.span));
      return { kind: "let", pattern: { text: target.text, span: target.span }, value, span };
    });
  });

  constructor(validated = false) {
    super(validated);
    this.performSelfAnalysis();
  }

  // ---------------------------------------------------------------- shared

  private defined(word: TokenType, kind: "dim" | "metric"): ast.Stmt {
    const first = this.CONSUME(word);
    const index = kind === "dim" ? 1 : 2;
    const name = this.name(index);
    this.consume(index, Equals);
    const value = this.subrule(index, this.value);
    return this.ACTION((): ast.Stmt => ({ kind, name, value, span: this.span(first) }));
  }

  private withValue(word: TokenType, kind: "seed" | "yield" | "assert"): ast.Stmt {
    const first = this.CONSUME(word);
    const value = this.subrule({ seed: 3, yield: 4, assert: 5 }[kind], this.value);
    return this.ACTION((): ast.Stmt => ({ kind, value, span: this.span(first) }));
  }

  /** What is no script is not read to its end. */
  private skipped(): ast.Stmt {
    const first = this.LA(1);
    this.skipTo(STATEMENT_ENDS, this.depth(first));
    return { kind: "error", span: this.span(first) };
  }

  private isAlone(): boolean {
    const next = this.LA(2);
    return Number.isNaN(next.startOffset) || STATEMENT_ENDS.includes(next.tokenType);
  }

  private lineEnds(statement: ast.Stmt): void {
    const next = this.LA(1);
    if (Number.isNaN(next.startOffset) || STATEMENT_ENDS.includes(next.tokenType)) return;
    const stray = this.isNext(Stray) || next.tokenType === Colon;
    if (stray) this.expected("an operator or a new line");
    else if (statement.kind !== "error") this.diagnostics.push(this.second(next));
    if (stray) this.skipTo(STATEMENT_ENDS, this.depth(next));
  }

  private second(next: IToken) {
    const what = this.isNext(Identifier) || next.image.length < 12 ? describe(next) : "the second";
    return twoStatements(spanOf(this.source, next), describe(this.LA(0)), what, beginsStatement(next));
  }
}

let grammar: Grammar | undefined;
/** Built once per process, when first used: the self-analysis takes some tens of milliseconds. */
export const theGrammar = (): Grammar => (grammar ??= new Grammar());
