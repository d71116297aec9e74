/**
 * Statements that define: names, inputs, functions, imports, models, optimizers, params and states.
 */
import { oneList } from "../errors/syntax.ts";
import type * as ast from "./ast.ts";
import { Expressions } from "./expressions.ts";
import { STATEMENT_ENDS, type Rule } from "./recovery.ts";
import { Comma, endOf, Equals, K, LCurly, LSquare, RSquare, S, ThinArrow, Tilde } from "./tokens.ts";

interface Signature {
  name: ast.Name;
  settings: readonly ast.Param[];
  params: readonly ast.Param[];
}

export abstract class Definitions extends Expressions {
  let_: Rule<ast.Stmt> = this.RULE("let", () => {
    const first = this.CONSUME(K.let);
    const pattern = this.SUBRULE(this.pattern);
    const indices = this.OPTION(() => {
      const names: ast.Name[] = [];
      this.CONSUME(LSquare);
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => names.push(this.name()) });
      this.CONSUME(RSquare);
      return names;
    });
    const value = this.assigned();
    return this.ACTION((): ast.Let => ({
      kind: "let",
      pattern,
      indices,
      value,
      ...this.doc(first),
      span: this.span(first),
    }));
  });

  input_: Rule<ast.Stmt> = this.RULE("input_", () => {
    const first = this.CONSUME(K.input);
    const name = this.name();
    const value = this.assigned();
    let log = false;
    const domain = this.OPTION(() => {
      this.CONSUME(K.in);
      const choices = this.SUBRULE2(this.value);
      this.OPTION2(() => {
        this.CONSUME(S.log);
        log = true;
      });
      return choices;
    });
    return this.ACTION((): ast.InputStmt => {
      return { kind: "input", name, value, domain, log, ...this.doc(first), span: this.span(first) };
    });
  });

  precision: Rule<ast.Stmt> = this.RULE("precision", () => {
    const first = this.CONSUME(K.precision);
    const mode = this.name();
    return this.ACTION((): ast.Stmt => ({ kind: "precision", mode, span: this.span(first) }));
  });

  import_: Rule<ast.Stmt> = this.RULE("import", () => {
    const first = this.CONSUME(K.import);
    const names: ast.Name[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => names.push(this.name()) });
    this.CONSUME(S.from);
    const file = this.SUBRULE(this.text);
    return this.ACTION((): ast.Stmt => ({ kind: "import", names, file, span: this.span(first) }));
  });

  fn: Rule<ast.Stmt> = this.RULE("fn", () => {
    const first = this.CONSUME(K.fn);
    const found: { name: ast.Name; params: readonly ast.Param[]; returns?: ast.TypeExpr } = {
      name: this.noName(),
      params: [],
    };
    this.head(
      "fn",
      () => {
        found.name = this.name();
        found.params = this.SUBRULE(this.params);
        this.OPTION(() => (found.returns = this.SUBRULE(this.returns)));
      },
      [LCurly, Equals],
    );
    const value = this.OPTION2(() => {
      this.CONSUME(Equals);
      return this.SUBRULE(this.value);
    });
    const body: ast.Expr | undefined = this.RECORDING_PHASE ? this.OPTION3(() => this.body()) : (value ?? this.body());
    return this.ACTION((): ast.Fn => {
      if (!body) throw new Error("fn: expected a body, got none");
      return { kind: "fn", ...found, body, ...this.doc(first), span: this.span(first) };
    });
  });

  returns: Rule<ast.TypeExpr> = this.RULE("returns", () => {
    this.CONSUME(ThinArrow);
    return this.SUBRULE(this.type);
  });

  model: Rule<ast.Stmt> = this.RULE("model", () => {
    const first = this.CONSUME(K.model);
    const found: Signature = { name: this.noName(), settings: [], params: [] };
    const more: { returns?: ast.TypeExpr; mixes?: ast.Name } = {};
    this.head("model", () => {
      this.signature("model", found);
      this.OPTION2(() => (more.returns = this.SUBRULE(this.returns)));
      this.OPTION3(() => {
        this.CONSUME(S.mixes);
        more.mixes = this.name(1);
      });
    });
    const body = this.body();
    return this.ACTION((): ast.Model => {
      return { kind: "model", ...found, ...more, body, ...this.doc(first), span: this.span(first) };
    });
  });

  optimizer: Rule<ast.Stmt> = this.RULE("optimizer", () => {
    const first = this.CONSUME(K.optimizer);
    const found: Signature = { name: this.noName(), settings: [], params: [] };
    this.head("optimizer", () => this.signature("optimizer", found));
    const body = this.body();
    return this.ACTION((): ast.Optimizer => {
      return { kind: "optimizer", ...found, body, ...this.doc(first), span: this.span(first) };
    });
  });

  param: Rule<ast.Stmt> = this.RULE("param", () => {
    const first = this.CONSUME(K.param);
    const name = this.name();
    const type = this.OPTION(() => this.SUBRULE(this.ofType));
    const init = this.OPTION2(() => {
      const sign = this.OR([{ ALT: () => this.CONSUME(Tilde) }, { ALT: () => this.CONSUME(Equals) }]);
      const value = this.SUBRULE(this.value);
      return this.ACTION(() => ({ how: sign.tokenType === Tilde ? ("~" as const) : ("=" as const), value }));
    });
    const condition = this.condition();
    return this.ACTION((): ast.ParamStmt => ({
      kind: "param",
      name,
      type,
      init,
      if: condition,
      span: this.span(first),
    }));
  });

  state: Rule<ast.Stmt> = this.RULE("state", () => {
    const first = this.CONSUME(K.state);
    const name = this.name();
    const type = this.OPTION(() => this.SUBRULE(this.ofType));
    const value = this.OPTION2(() => {
      this.CONSUME(Equals);
      return this.SUBRULE(this.value);
    });
    return this.ACTION((): ast.StateStmt => ({ kind: "state", name, type, value, span: this.span(first) }));
  });

  // ---------------------------------------------------------------- shared

  /** `= value`. Where only the sign is absent, the value is still read. */
  protected assigned(): ast.Expr {
    return this.guard<ast.Expr>(
      STATEMENT_ENDS,
      () => {
        this.CONSUME(Equals);
        return this.SUBRULE(this.value);
      },
      (first) => this.missing(first),
    );
  }

  /** `if ok` at the end of a line. */
  protected condition(): ast.Expr | undefined {
    return this.OPTION9(() => {
      this.CONSUME(K.if);
      return this.SUBRULE9(this.value);
    });
  }

  private signature(kind: "model" | "optimizer", found: Signature): void {
    found.name = this.name();
    const before = this.LA(0);
    found.settings = this.SUBRULE(this.params);
    const params = this.OPTION(() => this.SUBRULE2(this.params));
    this.ACTION(() => {
      found.params = params ?? found.settings;
      if (params) return;
      found.settings = [];
      const span = { file: this.source.file, start: endOf(before), end: endOf(this.LA(0)) };
      const list = this.source.text.slice(span.start, span.end).trim();
      this.diagnostics.push(oneList(span, kind, found.name.text, list));
    });
  }
}
