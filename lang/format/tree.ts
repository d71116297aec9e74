/**
 * What the formatter lays out: statements as rows of pieces, with the breaks that the author made. Built from laid-out
 * tokens and comments, not from the syntax tree, so that brackets, numbers and texts stay as they are written.
 */

/** Where a row may be broken, loosest first. */
export const LEVELS = [
  "pipe",
  "arrow",
  "word",
  "comma",
  "choice",
  "or",
  "and",
  "compare",
  "sum",
  "product",
  "matrix",
] as const;
export type Level = (typeof LEVELS)[number];

interface InRow {
  /** Columns before it where it does not begin a line. */
  readonly gap: 0 | 1;
  /** Begins a line. */
  broken: boolean;
  /** Columns on one line, without the gap; of what spans lines by itself, unused. */
  readonly width: number;
}

export interface Leaf extends InRow {
  readonly kind: "leaf";
  readonly text: string;
  /** Set where a line may begin with this leaf. */
  readonly level?: Level;
  /** Where the author put it; pipes that stand under each other stay so. */
  readonly column: number;
  /** The author wrote more than one space before it. */
  readonly padded: boolean;
  readonly pipe: boolean;
}

export interface Comment extends InRow {
  readonly kind: "comment";
  readonly text: string;
  /** Alone on its line. */
  readonly own: boolean;
  readonly column: number;
  readonly padded: boolean;
}

/** `( )`, `[ ]`, and `{ }` of a record. */
export interface Bracket extends InRow {
  readonly kind: "bracket";
  readonly open: string;
  readonly close: string;
  readonly record: boolean;
  /** Items share lines where they must be broken: numbers, names, sizes of a type, parameters. */
  readonly fill: boolean;
  readonly items: readonly Item[];
  /** A comment right behind the opening sign. */
  readonly comment?: Comment;
  /** Its items stand on lines of their own, below the opening sign. */
  opened: boolean;
  /** Broken here, not by the author. */
  narrow: boolean;
  /** Spans lines, by itself or by something inside. */
  readonly tall: boolean;
}

/** One item with its comma. */
export interface Item {
  readonly row: Row;
  broken: boolean;
  readonly width: number;
  readonly tall: boolean;
}

export interface Block extends InRow {
  readonly kind: "block";
  readonly statements: readonly Statement[];
  readonly comment?: Comment;
  /** At most one statement, and the author left it on the line. */
  inline: boolean;
}

export type Piece = Leaf | Comment | Bracket | Block;
export type Row = readonly Piece[];

export interface Statement {
  readonly row: Row;
  /** An empty line stands above. */
  readonly blank: boolean;
}

/** Whether a piece spans lines however it is laid out. */
export const isTall = (piece: Piece): boolean =>
  piece.kind === "bracket" ? piece.tall : piece.kind === "block" && !piece.inline;

export const rowIsTall = (row: Row): boolean => row.some((p) => isTall(p) || p.broken || p.kind === "comment");

/** Columns on one line. */
export const rowWidth = (row: Row): number =>
  row.reduce((sum, p, i) => sum + (p.kind === "comment" ? 0 : p.width + (i > 0 ? p.gap : 0)), 0);

export const isOpen = (bracket: Bracket): boolean =>
  bracket.opened || bracket.narrow || bracket.items.some((item, i) => i > 0 && item.broken);
