/**
 * Rows to lines. The author's breaks stay. A line that the author left whole may be `LIMIT` wide; one that is wider is
 * broken at its loosest place until its parts are `GOAL` wide, so what is printed here is never broken again.
 */
import { Lines } from "./lines.ts";
import {
  isOpen,
  isTall,
  LEVELS,
  type Block,
  type Bracket,
  type Item,
  type Level,
  type Piece,
  type Row,
  type Statement,
} from "./tree.ts";

export const GOAL = 100;
export const LIMIT = 120;
const STEP = 2;

export function print(statements: readonly Statement[]): string {
  const printer = new Printer();
  printer.statements(statements, 0);
  return printer.lines.text();
}

/** A stretch of a row between two breaks. */
interface Stretch {
  readonly row: Row;
  readonly from: number;
  readonly to: number;
  /** Where it begins. */
  readonly column: number;
  /** Columns that follow it on its last line. */
  readonly tail: number;
}

class Printer {
  readonly lines = new Lines();
  private chains = 0;

  statements(statements: readonly Statement[], indent: number): void {
    for (const { row, blank } of statements) {
      if (blank) this.lines.blank();
      this.lines.begin(indent, ++this.chains);
      this.row(row, indent, 0, LIMIT);
    }
  }

  /** Lays a row out from where the line is; `base` is what its further lines are indented against. */
  private row(row: Row, base: number, tail: number, limit: number): void {
    settle({ row, from: 0, to: row.length, column: this.lines.column, tail }, base, limit);
    this.write(row, base, tail, limit);
  }

  private write(row: Row, base: number, tail: number, limit: number): void {
    const chain = this.chains;
    for (const [i, piece] of row.entries()) {
      if (i > 0 && piece.broken) this.lines.begin(indentOf(row, i, base), chain);
      else if (i > 0 && piece.kind !== "comment") this.lines.write(" ".repeat(piece.gap));
      this.piece(piece, base, i === row.length - 1 ? tail : 0, limit);
      this.chains = Math.max(this.chains, chain);
    }
  }

  private piece(piece: Piece, base: number, tail: number, limit: number): void {
    if (piece.kind === "comment") this.lines.comment(piece);
    else if (piece.kind === "leaf") {
      if (piece.pipe) this.lines.pipe(piece);
      else this.lines.write(piece.text);
    } else if (piece.kind === "block") this.block(piece, base);
    else if (isOpen(piece)) this.openBracket(piece, tail, limit);
    else this.closedBracket(piece, limit);
  }

  private block(block: Block, base: number): void {
    this.lines.write("{");
    if (block.inline) {
      this.lines.write(" ");
      for (const { row } of block.statements) {
        this.write(row, base, 0, LIMIT);
        this.lines.write(" ");
      }
    } else {
      if (block.comment) this.lines.comment(block.comment);
      this.statements(block.statements, base + STEP);
      this.lines.begin(base, ++this.chains);
    }
    this.lines.write("}");
  }

  private closedBracket({ open, close, items, record }: Bracket, limit: number): void {
    const inside = record ? " " : "";
    this.lines.write(open + inside);
    for (const [i, item] of items.entries()) {
      if (i > 0) this.lines.write(" ");
      this.write(item.row, this.lines.indent, 0, limit);
    }
    this.lines.write(inside + close);
  }

  private openBracket(bracket: Bracket, tail: number, limit: number): void {
    const { open, close, items, comment } = bracket;
    const outer = this.lines.indent;
    // Far to the right there is no room to align items; one item alone has no neighbour to be parted from.
    const alone = items.length === 1 && !lineFits(items, this.lines.column + 1, tail + close.length, GOAL);
    if (bracket.narrow && (alone || this.lines.column > GOAL / 2)) bracket.opened = true;
    const { opened } = bracket;
    this.lines.write(open);
    if (comment) this.lines.comment(comment);
    const inner = opened ? outer + STEP : this.lines.column;
    const after = opened ? 0 : tail + close.length;
    const width = bracket.narrow ? GOAL : limit;
    splitWide(bracket, inner, after, width);
    // What is on one line after all is read as closed the next time.
    const base = opened || items.some(({ broken }, i) => i > 0 && broken) ? inner : outer;
    for (const [i, item] of items.entries()) {
      if (i === 0 ? opened : item.broken) this.lines.begin(inner, ++this.chains);
      else if (i > 0) this.lines.write(" ");
      this.row(item.row, base, i === items.length - 1 ? after : 0, width);
    }
    if (opened) this.lines.begin(outer, ++this.chains);
    this.lines.write(close);
  }
}

// ---------------------------------------------------------------- where to break

/** Lines of a row behind its first are indented; not so what follows comments at its very beginning. */
function indentOf(row: Row, at: number, base: number): number {
  let first = 0;
  while (row[first]?.kind === "comment") first++;
  return at <= first ? base : base + STEP;
}

/** Breaks a stretch that is too wide at its loosest place, and what is still too wide again. */
function settle(stretch: Stretch, base: number, limit: number): void {
  const { row, from, to, column, tail } = stretch;
  let start = from;
  for (let i = from + 1; i <= to; i++) {
    if (i < to && !row[i]?.broken) continue;
    const part = {
      row,
      from: start,
      to: i,
      column: start === from ? column : indentOf(row, start, base),
      tail: i === to ? tail : 0,
    };
    if (!fits(part, base, limit)) relax(part, base);
    start = i;
  }
}

function relax(stretch: Stretch, base: number): void {
  const { row, from, to } = stretch;
  const inside = row.slice(from, to);
  const again = (): void => settle(stretch, base, GOAL);
  const blocks = inside.filter((p) => p.kind === "block" && p.inline && p.statements.length > 0) as Block[];
  if (blocks.length > 0) {
    for (const block of blocks) block.inline = false;
    return again();
  }
  if (breakAt(stretch, ["pipe"])) return again();
  // A signature and its result are two lines that the author could have left whole.
  if (breakAt(stretch, ["arrow"])) return settle(stretch, base, LIMIT);
  if (breakAt(stretch, ["word", "comma"])) return again();
  const brackets = inside.filter((p) => p.kind === "bracket" && !isOpen(p) && p.items.length > 0) as Bracket[];
  const fitsWith = (bracket: Bracket): boolean => {
    openUp(bracket);
    const enough = fits(stretch, base, GOAL);
    if (!enough) close(bracket);
    return enough;
  };
  const last = inside.findLast((p) => p.kind !== "comment" && p.kind !== "block");
  const whole = inside.every((p, i) => i === 0 || levelOf(p) === undefined);
  if (whole && last?.kind === "bracket" && brackets.includes(last) && fitsWith(last)) return;
  const assigned = inside.findIndex((p, i) => i > 0 && isAssign(inside[i - 1]) && !p.broken);
  if (assigned > 0) {
    const [head, value] = [
      { ...stretch, to: from + assigned, tail: 0 },
      { ...stretch, from: from + assigned, column: base + STEP },
    ];
    const piece = inside[assigned];
    if (piece && fits(head, base, GOAL) && fits(value, base, GOAL)) {
      piece.broken = true;
      return;
    }
  }
  if (breakAt(stretch, LEVELS)) return again();
  const widest = brackets.reduce<Bracket | undefined>((a, b) => (a && a.width >= b.width ? a : b), undefined);
  if (widest && !fitsWith(widest)) brackets.forEach(openUp);
}

/** At all places of the loosest of these levels that the stretch has. */
function breakAt({ row, from, to }: Stretch, levels: readonly Level[]): boolean {
  for (const level of levels) {
    let found = false;
    for (let i = from + 1; i < to; i++) {
      const [before, piece] = [row[i - 1], row[i]];
      if (!piece || piece.broken) continue;
      if (level === "comma" ? isLeaf(before, ",") : levelOf(piece) === level) {
        piece.broken = true;
        found = true;
      }
    }
    if (found) return true;
  }
  return false;
}

const isLeaf = (piece: Piece | undefined, text: string): boolean => piece?.kind === "leaf" && piece.text === text;
const isAssign = (piece: Piece | undefined): boolean => ["=", "<-", "=>", "~"].some((sign) => isLeaf(piece, sign));
const levelOf = (piece: Piece): Level | undefined => (piece.kind === "leaf" ? piece.level : undefined);

function openUp(bracket: Bracket): void {
  bracket.opened = !bracket.fill;
  bracket.narrow = true;
}
function close(bracket: Bracket): void {
  bracket.opened = false;
  bracket.narrow = false;
}

/** Rows of items that are too wide: one item a line, or as many as there is room for. */
function splitWide({ items, fill }: Bracket, inner: number, tail: number, limit: number): void {
  for (let from = 0, to = 1; from < items.length; from = to++) {
    while (to < items.length && !items[to]?.broken) to++;
    const line = items.slice(from, to);
    if (line.length < 2 || lineFits(line, inner, to === items.length ? tail : 0, limit)) continue;
    let column = inner;
    for (const [i, item] of line.entries()) {
      const after = from + i === items.length - 1 ? tail : 0;
      if (i > 0 && (!fill || column + item.width + after > GOAL)) {
        item.broken = true;
        column = inner;
      }
      column += item.width + 1;
    }
  }
}

function lineFits(line: readonly Item[], column: number, tail: number, limit: number): boolean {
  const cursor: Cursor = { column, indent: column, limit, ok: true };
  for (const [i, { row }] of line.entries()) walk(row, cursor, i > 0 ? 1 : 0);
  return cursor.ok && cursor.column + tail <= limit;
}

// ---------------------------------------------------------------- measuring

interface Cursor {
  column: number;
  /** Of the present line. */
  indent: number;
  readonly limit: number;
  ok: boolean;
}

function fits({ row, from, to, column, tail }: Stretch, base: number, limit: number): boolean {
  const cursor: Cursor = { column, indent: from === 0 ? base : indentOf(row, from, base), limit, ok: true };
  walk(row.slice(from, to), cursor, 0);
  return cursor.ok && cursor.column + tail <= limit;
}

/** Lines of blocks and of open brackets are measured when they are printed. */
function walk(row: Row, cursor: Cursor, before: number): void {
  for (const [i, piece] of row.entries()) {
    if (piece.kind === "comment") continue;
    advance(cursor, i > 0 ? piece.gap : before);
    if (piece.kind === "leaf" || (!isTall(piece) && !(piece.kind === "bracket" && isOpen(piece))))
      advance(cursor, piece.width);
    else if (piece.kind === "block" || piece.opened) {
      advance(cursor, 1);
      cursor.column = cursor.indent + 1;
    } else if (piece.narrow) {
      // Its lines are filled when it is printed.
      cursor.column = cursor.indent + 1;
    } else if (isOpen(piece)) {
      const inner = cursor.column + 1;
      for (const item of piece.items) cursor.column = item.broken ? inner + item.width : cursor.column + 1 + item.width;
      advance(cursor, 1);
    } else {
      advance(cursor, 1);
      for (const [k, item] of piece.items.entries()) walk(item.row, cursor, k > 0 ? 1 : 0);
      advance(cursor, 1);
    }
  }
}

function advance(cursor: Cursor, by: number): void {
  cursor.column += by;
  if (cursor.column > cursor.limit) cursor.ok = false;
}
