/**
 * `for`, `scan`, `iterate` and `if`: expressions with a head and a body.
 */
import type * as ast from "./ast.ts";
import { Parts } from "./parts.ts";
import type { Rule } from "./recovery.ts";
import { Comma, Equals, K, S } from "./tokens.ts";

interface Loop {
  pattern: ast.Pattern;
  source: ast.Expr;
  carries: ast.Carry[];
}

export abstract class Loops extends Parts {
  abstract expression: Rule<ast.Expr>;

  forLoop: Rule<ast.For> = this.RULE("for", () => {
    const first = this.CONSUME(K.for);
    const found: Loop = { pattern: this.noName(), source: this.nothing(), carries: [] };
    this.head("for", () => {
      found.pattern = this.SUBRULE(this.pattern);
      this.CONSUME(K.in);
      found.source = this.SUBRULE(this.expression);
      this.OPTION(() => (found.carries = this.SUBRULE(this.carries)));
    });
    const body = this.body();
    return this.ACTION((): ast.For => ({ kind: "for", ...found, body, span: this.span(first) }));
  });

  scanLoop: Rule<ast.Scan> = this.RULE("scan", () => {
    const first = this.CONSUME(K.scan);
    const found: Loop = { pattern: this.noName(), source: this.nothing(), carries: [] };
    let over: ast.Expr | undefined;
    this.head("scan", () => {
      found.pattern = this.SUBRULE(this.pattern);
      this.CONSUME(K.in);
      found.source = this.SUBRULE(this.expression);
      this.OPTION(() => {
        this.CONSUME(S.over);
        over = this.SUBRULE2(this.expression);
      });
      this.OPTION2(() => (found.carries = this.SUBRULE(this.carries)));
    });
    const body = this.body();
    return this.ACTION((): ast.Scan => ({ kind: "scan", ...found, over, body, span: this.span(first) }));
  });

  iterateLoop: Rule<ast.Iterate> = this.RULE("iterate", () => {
    const first = this.CONSUME(K.iterate);
    const found: { count: ast.Expr; carries: ast.Carry[] } = { count: this.nothing(), carries: [] };
    this.head("iterate", () => {
      found.count = this.SUBRULE(this.expression);
      this.OPTION(() => (found.carries = this.SUBRULE(this.carries)));
    });
    const body = this.body();
    return this.ACTION((): ast.Iterate => ({ kind: "iterate", ...found, body, span: this.span(first) }));
  });

  carries: Rule<ast.Carry[]> = this.RULE("carries", () => {
    const carries: ast.Carry[] = [];
    this.CONSUME(S.with);
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => carries.push(this.SUBRULE(this.carry)) });
    return carries;
  });

  carry: Rule<ast.Carry> = this.RULE("carry", () => {
    const first = this.LA(1);
    const name = this.name();
    this.CONSUME(Equals);
    const value = this.SUBRULE(this.expression);
    return this.ACTION((): ast.Carry => ({ name, value, span: this.span(first) }));
  });

  branch: Rule<ast.If> = this.RULE("if", () => {
    const first = this.CONSUME(K.if);
    let cond = this.nothing();
    this.head("if", () => (cond = this.SUBRULE(this.expression)));
    const then = this.body(0);
    const other = this.OPTION(() => {
      this.CONSUME(K.else);
      return this.OR<ast.Block | ast.If>({
        DEF: [{ ALT: () => this.SUBRULE(this.branch) }, { ALT: () => this.body(1) }],
        ERR_MSG: "`{` or `if`",
      });
    });
    return this.ACTION((): ast.If => ({ kind: "if", cond, then, else: other, span: this.span(first) }));
  });
}
