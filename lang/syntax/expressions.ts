/**
 * Expressions but for loops and branches. Each level of precedence is one rule, loosest first. One token decides everywhere
 * but at records, lambdas, named arguments and axes, which look at the next two tokens or at the matching bracket.
 */
import type { IToken, TokenType } from "chevrotain";
import { comparisonChain } from "../errors/syntax.ts";
import { joinSpans } from "../source.ts";
import type * as ast from "./ast.ts";
import { binary, numberOf, widened } from "./build.ts";
import type { Place } from "./layout.ts";
import { Loops } from "./loops.ts";
import { VALUE_ENDS, type Rule } from "./recovery.ts";
import { spanOf } from "./scan.ts";
import {
  AddOp,
  At,
  Caret,
  Colon,
  Comma,
  CompareOp,
  Dot,
  DotDot,
  FatArrow,
  Identifier,
  K,
  LCurly,
  LParen,
  LSquare,
  Minus,
  MulOp,
  NumberLit,
  Pipe,
  Question,
  RCurly,
  RParen,
  RSquare,
  StringLit,
} from "./tokens.ts";

export abstract class Expressions extends Loops {
  expression: Rule<ast.Expr> = this.RULE("expression", () =>
    this.OR({
      DEF: [
        { GATE: () => this.atLambda(), ALT: () => this.SUBRULE(this.lambda) },
        { ALT: () => this.SUBRULE(this.pipe) },
      ],
      IGNORE_AMBIGUITIES: true,
      ERR_MSG: "a value",
    }),
  );

  /** An expression that becomes `missing` when it cannot be read. */
  value: Rule<ast.Expr> = this.RULE("value", () =>
    this.guard(
      VALUE_ENDS,
      () => this.SUBRULE(this.expression),
      (first) => this.missing(first),
    ),
  );

  lambda: Rule<ast.Lambda> = this.RULE("lambda", () => {
    const first = this.LA(1);
    const params = this.OR<readonly ast.Param[]>([
      { ALT: () => this.SUBRULE(this.params) },
      {
        ALT: () => {
          const name = this.name();
          return this.ACTION(() => [{ name, span: name.span }]);
        },
      },
    ]);
    this.CONSUME(FatArrow);
    const body = this.SUBRULE(this.expression);
    return this.ACTION((): ast.Lambda => ({ kind: "lambda", params, body, span: this.span(first) }));
  });

  pipe: Rule<ast.Expr> = this.RULE("pipe", () => {
    let left = this.SUBRULE(this.choice);
    this.MANY(() => {
      this.CONSUME(Pipe);
      const right = this.SUBRULE2(this.choice);
      left = this.ACTION((): ast.Expr => ({ kind: "pipe", left, right, span: joinSpans(left.span, right.span) }));
    });
    return left;
  });

  choice: Rule<ast.Expr> = this.RULE("choice", () => {
    let value = this.SUBRULE(this.range);
    this.OPTION(() => {
      this.CONSUME(Question);
      const then = this.SUBRULE(this.choice);
      this.CONSUME(Colon);
      const other = this.SUBRULE2(this.choice);
      const cond = value;
      value = this.ACTION((): ast.Expr => ({
        kind: "ternary",
        cond,
        then,
        else: other,
        span: joinSpans(cond.span, other.span),
      }));
    });
    return value;
  });

  range: Rule<ast.Expr> = this.RULE("range", () => {
    const first = this.LA(1);
    let value = this.SUBRULE(this.or_);
    this.OPTION(() => {
      this.CONSUME(DotDot);
      const to = this.rangeEnd();
      const from = value;
      value = this.ACTION((): ast.Expr => ({ kind: "range", from, ...to, span: this.span(first) }));
    });
    return value;
  });

  or_: Rule<ast.Expr> = this.leftAssociative("or_", K.or, () => this.and_);
  and_: Rule<ast.Expr> = this.leftAssociative("and_", K.and, () => this.not_);

  not_: Rule<ast.Expr> = this.RULE("not_", () =>
    this.OR({
      DEF: [{ ALT: () => this.prefixed(K.not, () => this.not_) }, { ALT: () => this.SUBRULE(this.comparison) }],
      ERR_MSG: "a value",
    }),
  );

  comparison: Rule<ast.Expr> = this.RULE("comparison", () => {
    let left = this.SUBRULE(this.sum);
    let before: { op: IToken; right: ast.Expr } | undefined;
    this.MANY(() => {
      const op = this.CONSUME(CompareOp);
      const right = this.SUBRULE2(this.sum);
      this.ACTION(() => {
        if (before) this.chain(before.op, op, left, before.right, right);
        left = binary(this.source, op, left, right);
        before = { op, right };
      });
    });
    return left;
  });

  sum: Rule<ast.Expr> = this.leftAssociative("sum", AddOp, () => this.product);
  product: Rule<ast.Expr> = this.leftAssociative("product", MulOp, () => this.matrixProduct);
  matrixProduct: Rule<ast.Expr> = this.leftAssociative("matrixProduct", At, () => this.unary);

  unary: Rule<ast.Expr> = this.RULE("unary", () =>
    this.OR({
      DEF: [{ ALT: () => this.prefixed(Minus, () => this.unary) }, { ALT: () => this.SUBRULE(this.power) }],
      ERR_MSG: "a value",
    }),
  );

  /** Right-associative; its right side may have a sign: `2^-1`. */
  power: Rule<ast.Expr> = this.RULE("power", () => {
    const left = this.SUBRULE(this.postfix);
    return (
      this.OPTION(() => {
        const op = this.CONSUME(Caret);
        const right = this.SUBRULE(this.unary);
        return this.ACTION(() => binary(this.source, op, left, right));
      }) ?? left
    );
  });

  postfix: Rule<ast.Expr> = this.RULE("postfix", () => {
    const first = this.LA(1);
    let target = this.SUBRULE(this.atom);
    this.MANY(() => {
      const inner = target;
      target = this.OR<ast.Expr>([
        {
          ALT: () => {
            const args = this.SUBRULE(this.args);
            return this.ACTION(() => ({ kind: "call", callee: inner, args, span: this.span(first) }));
          },
        },
        {
          ALT: () => {
            const items = this.SUBRULE(this.indices);
            return this.ACTION(() => ({ kind: "index", target: inner, items, span: this.span(first) }));
          },
        },
        {
          ALT: () => {
            this.CONSUME(Dot);
            const name = this.memberName();
            return this.ACTION(() => ({ kind: "member", target: inner, name, span: this.span(first) }));
          },
        },
      ]);
    });
    return target;
  });

  atom: Rule<ast.Expr> = this.RULE("atom", () =>
    this.OR<ast.Expr>({
      DEF: [
        { ALT: () => this.leaf(NumberLit, (t) => numberOf(this.source, t)) },
        { ALT: () => this.SUBRULE(this.text) },
        { ALT: () => this.leaf(Identifier, (t) => ({ kind: "name", text: t.image, span: spanOf(this.source, t) })) },
        { ALT: () => this.leaf(K.true, (t) => ({ kind: "bool", value: true, span: spanOf(this.source, t) })) },
        { ALT: () => this.leaf(K.false, (t) => ({ kind: "bool", value: false, span: spanOf(this.source, t) })) },
        { ALT: () => this.leaf(K.none, (t) => ({ kind: "none", span: spanOf(this.source, t) })) },
        { GATE: () => this.atRecord(), ALT: () => this.SUBRULE(this.record) },
        { ALT: () => this.SUBRULE(this.block) },
        { ALT: () => this.SUBRULE(this.paren) },
        { ALT: () => this.SUBRULE(this.listing) },
        { ALT: () => this.SUBRULE(this.forLoop) },
        { ALT: () => this.SUBRULE(this.scanLoop) },
        { ALT: () => this.SUBRULE(this.iterateLoop) },
        { ALT: () => this.SUBRULE(this.branch) },
      ],
      IGNORE_AMBIGUITIES: true,
      ERR_MSG: "a value",
    }),
  );

  text: Rule<ast.StringExpr> = this.RULE("text", () => {
    const token = this.CONSUME(StringLit);
    return this.ACTION((): ast.StringExpr => {
      const parts: (string | ast.StringHole)[] = [];
      this.strings.push({ token, parts });
      return { kind: "string", parts, span: spanOf(this.source, token) };
    });
  });

  /** `(a)`, `(a, b)`, `(a,)`, `()`. */
  paren: Rule<ast.Expr> = this.RULE("paren", () => {
    const first = this.CONSUME(LParen);
    const items = this.list(RParen, this.value);
    const comma = this.LA(0).tokenType === Comma;
    this.CONSUME(RParen);
    return this.ACTION((): ast.Expr => {
      const [only] = items;
      const span = this.span(first);
      return only && items.length === 1 && !comma ? widened(only, span) : { kind: "tuple", items, span };
    });
  });

  /** `[a, b]` or `[Block(D) for i in 1..6]`. */
  listing: Rule<ast.Expr> = this.RULE("listing", () => {
    const first = this.CONSUME(LSquare);
    let items: readonly ast.Expr[] = [];
    const loop = this.guard(
      [RSquare],
      () => {
        items = this.comprehended();
        return this.OPTION(() => {
          this.CONSUME(K.for);
          const pattern = this.SUBRULE(this.pattern);
          this.CONSUME(K.in);
          return { pattern, source: this.SUBRULE(this.expression) };
        });
      },
      () => undefined,
    );
    this.settle(RSquare, this.depth(first) + 1);
    this.CONSUME(RSquare);
    return this.ACTION((): ast.Expr => {
      const span = this.span(first);
      const value = items[0];
      return loop && value ? { kind: "comprehension", value, ...loop, span } : { kind: "list", items, span };
    });
  });

  /** `..`, `..-2` or an expression. */
  item: Rule<ast.Expr> = this.RULE("item", () =>
    this.guard(
      VALUE_ENDS,
      () =>
        this.OR<ast.Expr>({
          DEF: [
            {
              ALT: () => {
                const first = this.CONSUME(DotDot);
                const to = this.rangeEnd();
                return this.ACTION(() => ({ kind: "range", ...to, span: this.span(first) }));
              },
            },
            { ALT: () => this.SUBRULE(this.expression) },
          ],
          ERR_MSG: "a value",
        }),
      (first) => this.missing(first),
    ),
  );

  // ---------------------------------------------------------------- shared

  private leftAssociative(name: string, operator: TokenType, operand: () => Rule<ast.Expr>): Rule<ast.Expr> {
    return this.RULE(name, () => {
      let left = this.SUBRULE(operand());
      this.MANY(() => {
        const op = this.CONSUME(operator);
        const right = this.SUBRULE2(operand());
        left = this.ACTION(() => binary(this.source, op, left, right));
      });
      return left;
    });
  }

  private prefixed(operator: TokenType, operand: () => Rule<ast.Expr>): ast.Expr {
    const first = this.CONSUME(operator);
    const value = this.SUBRULE2(operand());
    const op = operator === Minus ? "-" : "not";
    return this.ACTION((): ast.Expr => ({ kind: "unary", op, value, span: this.span(first) }));
  }

  private leaf(type: TokenType, make: (token: IToken) => ast.Expr): ast.Expr {
    const token = this.CONSUME(type);
    return this.ACTION(() => make(token));
  }

  /** Items of a list; a `for` may follow the first. */
  private comprehended(): ast.Expr[] {
    const items: ast.Expr[] = [];
    if (!this.RECORDING_PHASE && this.LA(1).tokenType === RSquare) return items;
    items.push(this.SUBRULE(this.item));
    this.MANY({
      GATE: () => this.LA(2).tokenType !== RSquare,
      DEF: () => {
        this.CONSUME(Comma);
        items.push(this.SUBRULE2(this.item));
      },
    });
    this.OPTION2(() => this.CONSUME2(Comma));
    return items;
  }

  /** Absent before `,` and `]` only: `x[1..]`. */
  private rangeEnd(): { to?: ast.Expr } {
    const open = (): boolean => [Comma, RSquare, LCurly].includes(this.LA(1).tokenType);
    const to = this.OPTION9({ GATE: () => !open(), DEF: () => this.SUBRULE9(this.or_) });
    if (to === undefined && !this.RECORDING_PHASE && (!open() || this.isNext(LCurly))) this.expected("a value");
    return to === undefined ? {} : { to };
  }

  /** Empty where nothing follows the dot, so that a half-typed `net.` keeps what is before it. */
  private memberName(): ast.Name {
    const name = this.OPTION(() => this.name());
    return this.ACTION(() => {
      if (!name) this.expected("a name");
      return name ?? this.noName();
    });
  }

  private chain(first: IToken, second: IToken, left: ast.Expr, middle: ast.Expr, right: ast.Expr): void {
    const written = ({ span }: ast.Expr): string => this.source.text.slice(span.start, span.end);
    const start = left.kind === "binary" ? left.left : left;
    const rewritten = `${written(start)} ${first.image} ${written(middle)} and ${written(middle)} ${second.image} ${written(right)}`;
    this.diagnostics.push(
      comparisonChain(spanOf(this.source, first), spanOf(this.source, second), rewritten, {
        ...start.span,
        end: right.span.end,
      }),
    );
  }

  protected atLambda(): boolean {
    const token = this.LA(1);
    if (token.tokenType === LParen) return (token.payload as Place | undefined)?.lambda === true;
    return this.isNext(Identifier) && this.LA(2).tokenType === FatArrow;
  }

  /** Where an expression begins, `{` is a record if `name :`, `..` or `}` follows, else a block. */
  protected atRecord(): boolean {
    if (!this.isNext(LCurly)) return false;
    const next = this.LA(2).tokenType;
    return next === RCurly || next === DotDot || (this.isNext(Identifier, 2) && this.LA(3).tokenType === Colon);
  }
}
