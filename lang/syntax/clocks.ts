/**
 * Statements of time: what runs for how long over which rows, what is minimized, and when something happens.
 */
import type { IToken, TokenType } from "chevrotain";
import { bareFields, wrongUnit } from "../errors/syntax.ts";
import type * as ast from "./ast.ts";
import { patternNames } from "./build.ts";
import { Definitions } from "./definitions.ts";
import { STATEMENT_ENDS, type Rule } from "./recovery.ts";
import { spanOf } from "./scan.ts";
import { K, LParen, S, Stray, Unit, UNITS } from "./tokens.ts";

interface Running {
  name?: ast.Name;
  source?: ast.Source;
  limit?: ast.Limit;
}
export abstract class Clocks extends Definitions {
  train: Rule<ast.Stmt> = this.RULE("train", () => {
    const first = this.CONSUME(K.train);
    const found: Running = {};
    this.head("train", () => {
      this.runName(found);
      this.OPTION2(() => (found.source = this.rows("train")));
      this.OPTION3(() => (found.limit = this.SUBRULE(this.limit)));
    });
    const body = this.body();
    return this.ACTION((): ast.Train => ({ kind: "train", ...found, body, span: this.span(first) }));
  });

  repeat: Rule<ast.Stmt> = this.RULE("repeat", () => {
    const first = this.CONSUME(K.repeat);
    const found: Running = {};
    this.head("repeat", () =>
      this.OR({
        DEF: [
          {
            ALT: () => {
              found.source = this.rows("repeat");
              this.OPTION(() => (found.limit = this.SUBRULE(this.limit)));
            },
            GATE: () => this.isNext(LParen),
          },
          { ALT: () => (found.limit = this.SUBRULE2(this.limit)), GATE: () => this.isNext(K.for) },
          {
            ALT: () => {
              const count = this.SUBRULE(this.expression);
              this.ACTION(() => (found.limit = { count, unit: "steps", span: count.span }));
            },
          },
        ],
        IGNORE_AMBIGUITIES: true,
        ERR_MSG: "a number of steps, or the rows to go through",
      }),
    );
    const body = this.body();
    return this.ACTION((): ast.Repeat => {
      return { kind: "repeat", source: found.source, limit: found.limit, body, span: this.span(first) };
    });
  });

  eval_: Rule<ast.Stmt> = this.RULE("eval", () => {
    const first = this.CONSUME(K.eval);
    const found: Running = {};
    this.head("eval", () => {
      this.runName(found);
      this.OPTION2(() => (found.source = this.rows("eval")));
    });
    const body = this.body();
    return this.ACTION((): ast.Eval => {
      return { kind: "eval", name: found.name, source: found.source, body, span: this.span(first) };
    });
  });

  limit: Rule<ast.Limit> = this.RULE("limit", () => {
    const first = this.CONSUME(K.for);
    const count = this.SUBRULE(this.expression);
    const unit = this.CONSUME(Unit);
    return this.ACTION((): ast.Limit => ({ count, unit: unitOf(unit), span: this.span(first) }));
  });

  minimize: Rule<ast.Stmt> = this.RULE("minimize", () => {
    const first = this.CONSUME(K.minimize);
    const loss = this.until(0, [S.over, S.with]);
    this.CONSUME(S.over);
    const over = this.until(1, [S.except, S.with]);
    const except = this.OPTION(() => {
      this.CONSUME(S.except);
      return this.until(2, [S.with]);
    });
    this.CONSUME(S.with);
    const optimizer = this.until(3, [K.if]);
    const condition = this.condition();
    return this.ACTION((): ast.Minimize => {
      return { kind: "minimize", loss, over, except, with: optimizer, if: condition, span: this.span(first) };
    });
  });

  every: Rule<ast.Stmt> = this.RULE("every", () => {
    const first = this.CONSUME(K.every);
    let count: ast.Expr | undefined;
    let unit: ast.Every["unit"] = "steps";
    this.head("every", () => {
      this.OPTION({
        // A unit alone; only behind a sign or before a unit is it a value.
        GATE: () => !this.isNext(Unit) || this.isNext(Stray, 2) || this.isNext(Unit, 2),
        DEF: () => (count = this.SUBRULE(this.expression)),
      });
      const token = this.CONSUME(Unit);
      this.ACTION(() => {
        const named = unitOf(token);
        if (named === "hours") this.diagnostics.push(wrongUnit(spanOf(this.source, token), named));
        else unit = named;
      });
    });
    const body = this.body();
    return this.ACTION((): ast.Every => ({ kind: "every", count, unit, body, span: this.span(first) }));
  });

  when: Rule<ast.Stmt> = this.RULE("when", () => {
    const first = this.CONSUME(K.when);
    let cond = this.nothing();
    this.head("when", () => (cond = this.SUBRULE(this.expression)));
    const body = this.body();
    return this.ACTION((): ast.Stmt => ({ kind: "when", cond, body, span: this.span(first) }));
  });

  // ---------------------------------------------------------------- shared

  /** A value inside a statement, which ends at the next word of that statement. */
  protected until(index: number, words: readonly TokenType[]): ast.Expr {
    return this.guard<ast.Expr>(
      [...words, ...STATEMENT_ENDS],
      () => this.subrule(index, this.expression),
      (first) => this.missing(first),
    );
  }

  private runName(found: Running): void {
    this.OPTION({
      GATE: () => this.LA(2).tokenType !== K.in,
      DEF: () => (found.name = this.name()),
    });
  }

  /** `(image, label) in rows`. */
  private rows(word: string): ast.Source {
    const first = this.LA(1);
    const fields = this.SUBRULE(this.pattern);
    this.CONSUME(K.in);
    const value = this.SUBRULE9(this.expression);
    return this.ACTION((): ast.Source => {
      if ("text" in fields) this.diagnostics.push(bareFields(fields.span, word, patternNames(fields)));
      return { fields, value, span: this.span(first) };
    });
  }
}

const unitOf = (token: IToken): ast.Limit["unit"] => {
  const unit = (UNITS as Readonly<Record<string, ast.Limit["unit"]>>)[token.image];
  if (!unit) throw new Error(`unit: expected one of ${Object.keys(UNITS).join(" ")}, got ${token.image}`);
  return unit;
};
