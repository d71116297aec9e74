/**
 * What stands between brackets: patterns, parameters, types, arguments, indices and fields of records.
 */
import type * as ast from "./ast.ts";
import { Recovery, type Rule } from "./recovery.ts";
import { spanOf } from "./scan.ts";
import {
  Colon,
  Comma,
  DotDot,
  Equals,
  Identifier,
  K,
  LCurly,
  LParen,
  LSquare,
  Newline,
  RCurly,
  RParen,
  RSquare,
} from "./tokens.ts";

export abstract class Parts extends Recovery {
  abstract value: Rule<ast.Expr>;
  abstract item: Rule<ast.Expr>;

  pattern: Rule<ast.Pattern> = this.RULE("pattern", () => {
    const first = this.LA(1);
    return this.OR<ast.Pattern>({
      DEF: [
        { ALT: () => this.name() },
        {
          ALT: () => {
            this.CONSUME(LParen);
            const items = this.list(RParen, this.pattern);
            this.CONSUME(RParen);
            return this.ACTION(() => ({ items, span: this.span(first) }));
          },
        },
      ],
      ERR_MSG: "a name",
    });
  });

  params: Rule<ast.Param[]> = this.RULE("params", () => {
    this.CONSUME(LParen);
    const params = this.list(RParen, this.parameter);
    this.CONSUME(RParen);
    return params;
  });

  parameter: Rule<ast.Param> = this.RULE("parameter", () => {
    const first = this.LA(1);
    const name = this.name();
    const type = this.OPTION(() => this.SUBRULE(this.ofType));
    const value = this.OPTION2(() => {
      this.CONSUME(Equals);
      return this.SUBRULE(this.value);
    });
    return this.ACTION((): ast.Param => ({ name, type, default: value, span: this.span(first) }));
  });

  ofType: Rule<ast.TypeExpr> = this.RULE("ofType", () => {
    this.CONSUME(Colon);
    return this.SUBRULE(this.type);
  });

  type: Rule<ast.TypeExpr> = this.RULE("type", () => {
    const first = this.LA(1);
    return this.OR<ast.TypeExpr>({
      DEF: [
        {
          ALT: () => {
            const axes = this.SUBRULE(this.axes);
            return this.ACTION(() => ({ axes, span: this.span(first) }));
          },
        },
        {
          ALT: () => {
            const head = this.OR2([{ ALT: () => this.CONSUME(Identifier) }, { ALT: () => this.CONSUME(K.dim) }]);
            const classes = this.OPTION(() => {
              this.CONSUME(LParen);
              const value = this.SUBRULE(this.value);
              this.CONSUME(RParen);
              return value;
            });
            const axes = this.OPTION2(() => this.SUBRULE2(this.axes));
            return this.ACTION(() => {
              const name = { text: head.image, span: spanOf(this.source, head) };
              return { head: name, classes, axes, span: this.span(first) };
            });
          },
        },
      ],
      ERR_MSG: "a type such as `[B, 784]`, `i32[N]` or `dim`",
    });
  });

  axes: Rule<ast.AxisExpr[]> = this.RULE("axes", () => {
    this.CONSUME(LSquare);
    const axes = this.list(RSquare, this.axis);
    this.CONSUME(RSquare);
    return axes;
  });

  axis: Rule<ast.AxisExpr> = this.RULE("axis", () => {
    const value = this.SUBRULE(this.item);
    return this.ACTION((): ast.AxisExpr => {
      const rest = value.kind === "range" && !value.from && !value.to;
      return rest ? { kind: "rest", span: value.span } : { kind: "size", value, span: value.span };
    });
  });

  indices: Rule<ast.IndexItem[]> = this.RULE("indices", () => {
    this.CONSUME(LSquare);
    const items = this.list(RSquare, this.indexItem);
    this.CONSUME(RSquare);
    return items;
  });

  indexItem: Rule<ast.IndexItem> = this.RULE("indexItem", () => {
    const first = this.LA(1);
    const axis = this.label();
    const value = this.SUBRULE(this.item);
    return this.ACTION((): ast.IndexItem => {
      const rest = value.kind === "range" && !value.from && !value.to && !axis;
      return rest ? { kind: "rest", span: value.span } : { kind: "at", axis, value, span: this.span(first) };
    });
  });

  args: Rule<ast.Arg[]> = this.RULE("args", () => {
    this.CONSUME(LParen);
    const args = this.list(RParen, this.arg);
    this.CONSUME(RParen);
    return args;
  });

  arg: Rule<ast.Arg> = this.RULE("arg", () => {
    const first = this.LA(1);
    const name = this.label();
    const value = this.SUBRULE(this.value);
    return this.ACTION((): ast.Arg => ({ name, value, span: this.span(first) }));
  });

  record: Rule<ast.Expr> = this.RULE("record", () => {
    const first = this.CONSUME(LCurly);
    const fields: ast.Field[] = [];
    this.MANY(() => {
      fields.push(this.SUBRULE(this.field));
      if (!this.isNext(Comma) && !this.isNext(Newline)) this.settle(RCurly, this.depth(first) + 1);
      this.OPTION(() => this.OR([{ ALT: () => this.CONSUME(Comma) }, { ALT: () => this.CONSUME(Newline) }]));
    });
    this.settle(RCurly, this.depth(first) + 1);
    this.CONSUME(RCurly);
    return this.ACTION((): ast.Expr => ({ kind: "record", fields, span: this.span(first) }));
  });

  field: Rule<ast.Field> = this.RULE("field", () => {
    const first = this.LA(1);
    return this.OR<ast.Field>([
      {
        ALT: () => {
          this.CONSUME(DotDot);
          const spread = this.SUBRULE(this.value);
          return this.ACTION(() => ({ spread, span: this.span(first) }));
        },
      },
      {
        ALT: () => {
          const name = this.name();
          this.CONSUME(Colon);
          const value = this.SUBRULE2(this.value);
          return this.ACTION(() => ({ name, value, span: this.span(first) }));
        },
      },
    ]);
  });

  /** `name :` before an argument or an index. */
  private label(): ast.Name | undefined {
    return this.OPTION({
      GATE: () => this.LA(2).tokenType === Colon,
      DEF: () => {
        const name = this.name();
        this.CONSUME(Colon);
        return name;
      },
    });
  }
}
