/**
 * The statements of dlx. One rule per statement, named after its word, so that a message can show how it is written.
 * What a statement means is not decided here: every form of the language parses, known to later phases or not.
 */
import type { IToken, TokenType } from "chevrotain";
import { bareFields, cannotBegin, missingLet, oneList, twoStatements, wrongUnit } from "../errors/syntax.ts";
import type * as ast from "./ast.ts";
import { patternNames } from "./build.ts";
import { Expressions } from "./expressions.ts";
import { describe } from "./messages.ts";
import { STATEMENT_ENDS, type Rule } from "./recovery.ts";
import { spanOf } from "./scan.ts";
import {
  Colon, Comma, endOf, Equals, Identifier, K, LCurly, LeftArrow, LParen, LSquare, Newline, RCurly, RSquare, S, Stray, StringLit,
  ThinArrow, Tilde, Unit, UNITS,
} from "./tokens.ts"; // prettier-ignore

interface Running {
  name?: ast.Name;
  source?: ast.Source;
  limit?: ast.Limit;
}
interface Signature {
  name: ast.Name;
  settings: readonly ast.Param[];
  params: readonly ast.Param[];
}

class Grammar extends Expressions {
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

  // ---------------------------------------------------------------- definitions

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
    return this.ACTION((): ast.Let => ({ kind: "let", pattern, indices, value, ...this.doc(first), span: this.span(first) }));
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
    const found: { name: ast.Name; params: readonly ast.Param[]; returns?: ast.TypeExpr } = { name: this.noName(), params: [] };
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
    return this.ACTION((): ast.ParamStmt => ({ kind: "param", name, type, init, if: condition, span: this.span(first) }));
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

  // ---------------------------------------------------------------- running

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
        GATE: () => !(this.LA(1).tokenType === Unit && this.LA(2).tokenType === LCurly),
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

  // ---------------------------------------------------------------- sinks and the rest

  sink: Rule<ast.Stmt> = this.RULE("sink", () => {
    const word = this.OR([
      { ALT: () => this.CONSUME(K.print) },
      { ALT: () => this.CONSUME(K.plot) },
      { ALT: () => this.CONSUME(K.show) },
      { ALT: () => this.CONSUME(K.record) },
    ]);
    const args: ast.Arg[] = [this.SUBRULE(this.arg)];
    this.MANY(() => {
      this.CONSUME(Comma);
      args.push(this.SUBRULE2(this.arg));
    });
    return this.ACTION((): ast.Stmt => {
      const kind = word.image as "print" | "plot" | "show" | "record";
      return { kind, args, span: this.span(word) };
    });
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
      const name = target.kind === "name" ? target.text : "name";
      this.diagnostics.push(missingLet(spanOf(this.source, sign), name, written(value.span)));
      if (target.kind !== "name") return { kind: "error", span };
      return { kind: "let", pattern: { text: target.text, span: target.span }, value, span };
    });
  });

  constructor() {
    super();
    this.performSelfAnalysis();
  }

  // ---------------------------------------------------------------- shared

  /** `= value`. Where only the sign is absent, the value is still read. */
  private assigned(): ast.Expr {
    return this.guard<ast.Expr>(
      STATEMENT_ENDS,
      () => {
        this.CONSUME(Equals);
        return this.SUBRULE(this.value);
      },
      (first) => this.missing(first),
    );
  }

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

  /** A value inside a statement, which ends at the next word of that statement. */
  private until(index: number, words: readonly TokenType[]): ast.Expr {
    return this.guard<ast.Expr>(
      [...words, ...STATEMENT_ENDS],
      () => this.subrule(index, this.expression),
      (first) => this.missing(first),
    );
  }

  /** `if ok` at the end of a line. */
  private condition(): ast.Expr | undefined {
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
    return twoStatements(spanOf(this.source, next), describe(this.LA(0)), what);
  }
}

const unitOf = (token: IToken): ast.Limit["unit"] => {
  const unit = (UNITS as Readonly<Record<string, ast.Limit["unit"]>>)[token.image];
  if (!unit) throw new Error(`unit: expected one of ${Object.keys(UNITS).join(" ")}, got ${token.image}`);
  return unit;
};

let grammar: Grammar | undefined;
/** Built once per process, when first used: the self-analysis takes some tens of milliseconds. */
export const theGrammar = (): Grammar => (grammar ??= new Grammar());
