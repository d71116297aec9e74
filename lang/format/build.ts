/**
 * Laid-out tokens and comments to statements and pieces. The text is one without syntax errors: brackets match, and
 * statements are parted by newline tokens.
 */
import type { IToken, TokenType } from "chevrotain";
import type { Source } from "../source.ts";
import type { Trivia } from "../syntax/ast.ts";
import {
  Colon,
  Comma,
  DotDot,
  endOf,
  Identifier,
  isA,
  LCurly,
  LParen,
  LSquare,
  Newline,
  RCurly,
  RParen,
  RSquare,
  ThinArrow,
} from "../syntax/tokens.ts";
import { inSignature, newRow, placed, type Placed, type RowState } from "./spacing.ts";
import {
  rowIsTall,
  rowWidth,
  type Block,
  type Bracket,
  type Comment,
  type Item,
  type Leaf,
  type Piece,
  type Row,
  type Statement,
} from "./tree.ts";

type Entry = { readonly token: IToken; readonly start: number; readonly end: number } | CommentEntry;
interface CommentEntry {
  readonly token?: undefined;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export function build(source: Source, tokens: readonly IToken[], trivia: readonly Trivia[]): Statement[] {
  return new Builder(source.text, merged(tokens, trivia)).all();
}

function merged(tokens: readonly IToken[], trivia: readonly Trivia[]): Entry[] {
  const entries: Entry[] = tokens.map((token) => ({ token, start: token.startOffset, end: endOf(token) }));
  for (const { kind, text, span } of trivia)
    if (kind !== "blank") entries.push({ text: text.trimEnd(), start: span.start, end: span.end });
  return entries.sort((a, b) => a.start - b.start);
}

class Builder {
  private readonly text: string;
  private readonly entries: readonly Entry[];
  private readonly lineStarts: readonly number[];
  private line = 0;
  private at = 0;

  constructor(text: string, entries: readonly Entry[]) {
    this.text = text;
    this.entries = entries;
    this.lineStarts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((m) => m.index + m[0].length)];
  }

  all(): Statement[] {
    const statements = this.statements();
    if (this.at < this.entries.length) throw new Error(`expected the end of the file, got entry ${this.at}`);
    return statements;
  }

  // ---------------------------------------------------------------- statements

  private statements(): Statement[] {
    const found: Statement[] = [];
    for (let entry = this.next(); entry && entry.token?.tokenType !== RCurly; entry = this.next()) {
      if (entry.token?.tokenType === Newline) {
        this.at++;
        continue;
      }
      const blank = found.length > 0 && this.breaksBefore() > 1;
      if (entry.token) found.push({ row: this.row(newRow(true), [RCurly, Newline]), blank });
      else found.push({ row: [this.comment(entry)], blank });
    }
    return found;
  }

  private block(gap: 0 | 1, broken: boolean): Block {
    this.at++;
    const comment = this.behind();
    const started = this.breaksBefore() > 0 || comment !== undefined;
    const statements = this.statements();
    this.at++;
    const row = statements[0]?.row ?? [];
    const inline =
      statements.length === 0 ? comment === undefined : !started && statements.length === 1 && !rowIsTall(row);
    const width = statements.length === 0 ? 3 : rowWidth(row) + 4;
    return { kind: "block", statements, comment, inline, gap, broken, width };
  }

  // ---------------------------------------------------------------- rows

  /** Up to one of `ends`, which is left; a comma that ends an item is taken, with the comment behind it. */
  private row(state: RowState, ends: readonly TokenType[]): Row {
    const row: Piece[] = [];
    let placedBefore: Placed | undefined;
    // The last binary operator: a break behind it is moved before it.
    let operator: Leaf | undefined;
    for (let entry = this.next(); entry; entry = this.next()) {
      const first = row.length === 0;
      const afterComment = row.at(-1)?.kind === "comment";
      if (!entry.token) {
        const own = this.breaksBefore() > 0;
        if (own && !first && this.onlyCommentsUntil(ends)) break;
        row.push(this.comment(entry, own && !first));
        continue;
      }
      const { token } = entry;
      if (ends.includes(token.tokenType)) break;
      const newline = !first && this.breaksBefore() > 0;
      const place = placed(state, token);
      if (newline && operator && placedBefore?.token.image === operator.text && !afterComment) operator.broken = true;
      const allowed = place.level !== undefined || placedBefore?.after === true;
      const broken = afterComment || (newline && allowed);
      if (token.tokenType === LParen || token.tokenType === LSquare || token.tokenType === LCurly) {
        row.push(this.bracketOrBlock(token, place.gap, broken, state, placedBefore?.token.tokenType));
        placedBefore = state.before;
        operator = undefined;
        continue;
      }
      const leaf = this.leaf(token, place, broken);
      operator = place.level !== undefined && !first ? leaf : undefined;
      row.push(leaf);
      this.at++;
      placedBefore = place;
      if (state.statement || token.tokenType !== Comma) continue;
      const comment = this.behind();
      if (comment) row.push(comment);
      break;
    }
    return row;
  }

  private bracketOrBlock(
    token: IToken,
    gap: 0 | 1,
    broken: boolean,
    state: RowState,
    typeBefore?: TokenType,
  ): Bracket | Block {
    const record = token.tokenType === LCurly;
    // of a type, of an argument with a name, of a definition
    const sizes =
      inSignature(state) || (token.tokenType === LSquare && [ThinArrow, Colon].some((t) => t === typeBefore));
    const isBlock = record && !this.opensRecord();
    const piece = isBlock ? this.block(gap, broken) : this.bracket(token, gap, broken, sizes);
    const closer = this.entries[this.at - 1]?.token;
    if (!closer) throw new Error("expected a closing bracket, got none");
    placed(state, closer);
    return piece;
  }

  private bracket(token: IToken, gap: 0 | 1, broken: boolean, sizes: boolean): Bracket {
    const record = token.tokenType === LCurly;
    const ends = record ? [RCurly, Newline] : [RParen, RSquare];
    this.at++;
    const comment = this.behind();
    let opened = comment !== undefined;
    const items: Item[] = [];
    for (let entry = this.next(); entry; entry = this.next()) {
      if (entry.token?.tokenType === Newline) {
        this.at++;
        continue;
      }
      const newline = this.breaksBefore() > 0;
      if (entry.token && ends.includes(entry.token.tokenType)) break;
      const row = this.row(newRow(false), ends);
      const after = items.at(-1)?.row.at(-1);
      const parted = items.length > 0 && !(after?.kind === "leaf" && after.text === ",");
      if (items.length === 0 && newline) opened = true;
      items.push({
        row,
        broken: newline || parted || after?.kind === "comment",
        width: rowWidth(row),
        tall: rowIsTall(row),
      });
    }
    const closing = this.next()?.token;
    this.at++;
    const odd = items.some(({ row }) => row.some((p) => p.broken || p.kind === "comment"));
    const open = items.some((item, i) => i > 0 && item.broken);
    const endsInComment = items.at(-1)?.row.at(-1)?.kind === "comment";
    if (endsInComment || (odd && !open) || (record && open)) opened = true;
    const width = items.reduce((sum, item, i) => sum + item.width + (i > 0 ? 1 : 0), 2) + (record ? 2 : 0);
    return {
      kind: "bracket",
      open: token.image,
      close: closing?.image ?? "",
      record,
      fill: sizes || (token.tokenType === LSquare && items.every(({ row }) => isShort(row))),
      items,
      comment,
      opened: opened && (items.length > 0 || comment !== undefined),
      narrow: false,
      tall: opened || open || items.some((item) => item.tall),
      gap,
      broken,
      width: items.length === 0 ? 2 : width,
    };
  }

  private leaf(token: IToken, place: Placed, broken: boolean): Leaf {
    return {
      kind: "leaf",
      text: token.image,
      level: place.level,
      column: this.column(token.startOffset),
      padded: this.spacesBefore() > 1,
      pipe: place.level === "pipe",
      gap: place.gap,
      broken,
      width: token.image.length,
    };
  }

  private comment(entry: CommentEntry, broken = false): Comment {
    const own = this.breaksBefore() > 0 || this.at === 0;
    const column = this.column(entry.start);
    const comment: Comment = {
      kind: "comment",
      text: entry.text,
      own,
      column,
      padded: this.spacesBefore() > 2,
      broken,
      gap: 1,
      width: 0,
    };
    this.at++;
    return comment;
  }

  /** A comment on the line of the token before it. */
  private behind(): Comment | undefined {
    const entry = this.next();
    return entry && !entry.token && this.breaksBefore() === 0 ? this.comment(entry) : undefined;
  }

  // ---------------------------------------------------------------- places

  private next(): Entry | undefined {
    return this.entries[this.at];
  }

  private onlyCommentsUntil(ends: readonly TokenType[]): boolean {
    let i = this.at;
    while (this.entries[i] && !this.entries[i]?.token) i++;
    const token = this.entries[i]?.token;
    return !token || ends.includes(token.tokenType);
  }

  /** `name :` or `..` behind the brace. */
  private opensRecord(): boolean {
    const tokens: IToken[] = [];
    for (let i = this.at + 1; tokens.length < 2 && i < this.entries.length; i++) {
      const token = this.entries[i]?.token;
      if (token) tokens.push(token);
    }
    const [first, second] = tokens;
    return (
      first?.tokenType === DotDot || (first !== undefined && isA(first, Identifier) && second?.tokenType === Colon)
    );
  }

  private gapText(): string {
    let before = this.at - 1;
    while (this.entries[before]?.token?.tokenType === Newline) before--;
    return this.text.slice(this.entries[before]?.end ?? 0, this.next()?.start ?? this.text.length);
  }
  private breaksBefore(): number {
    return this.gapText().match(/\r\n|\r|\n/g)?.length ?? 0;
  }
  private spacesBefore(): number {
    const gap = this.gapText();
    return /[\r\n]/.test(gap) ? 0 : gap.length;
  }
  /** Asked with growing offsets. */
  private column(offset: number): number {
    while ((this.lineStarts[this.line + 1] ?? Infinity) <= offset) this.line++;
    return offset - (this.lineStarts[this.line] ?? 0);
  }
}

/** A number, a name, a text or a sign with one: what may share a line with its neighbours. */
function isShort(row: Row): boolean {
  const leaves = row.filter((p) => !(p.kind === "leaf" && (p.text === "," || p.text === "-")));
  return leaves.length === 1 && leaves[0]?.kind === "leaf";
}
