/**
 * A script read again after a change: pieces between cuts that the change did not touch keep their trees, moved to where
 * they stand now; what is between them is read. A text that cannot be cut is read whole, and what is known of the last
 * one that could be is kept for the next change.
 */
import type { Diagnostic } from "../diagnostic.ts";
import type { Source } from "../source.ts";
import { TOO_DEEP } from "./depth.ts";
import type { Parsed, Piece } from "./index.ts";
import { asFile, readPiece } from "./index.ts";
import { moved } from "./moved.ts";

/** A text in pieces, none of which depends on another. */
export interface Pieces {
  readonly source: Source;
  readonly list: readonly Piece[];
}

/** With more mistakes than these the text is no script, and not all of them are told. */
const MOST_FOUND = 50;

export function parseAgain(source: Source, before: Pieces | undefined): Parsed & { readonly pieces?: Pieces } {
  const list = before?.source.file === source.file ? renewed(source, before) : undefined;
  if (list) return { ...asFile(source, list), pieces: { source, list } };
  const whole = readPiece(source, 0, source.text.length, []);
  const cut = split(source, whole);
  return { ...asFile(source, [whole]), pieces: cut ? { source, list: cut } : before };
}

/** The pieces of the new text; undefined if it has to be read whole. */
function renewed(source: Source, { source: old, list }: Pieces): Piece[] | undefined {
  if (old.text === source.text) return [...list];
  const { head, tail } = same(old.text, source.text);
  const by = source.text.length - old.text.length;
  // A change right at a cut may take the cut away.
  let first = list.findLastIndex((p) => p.start < head);
  // The doc of a statement stands in the piece before it.
  let last = list.findIndex((p) => p.start >= old.text.length - tail);
  if (last < 0) last = list.length - 1;
  for (; ; first--) {
    const begin = first > 0 ? list[first]!.start : 0;
    const read = readPiece(source, begin, list[last]!.end + by, first > 0 ? list[first - 1]!.trivia : []);
    if (first > 0 && read.cuts && read.cuts[0] !== begin) continue;
    const between = split(source, read);
    if (!between) return undefined;
    const all = [
      ...list.slice(0, Math.max(0, first)),
      ...between,
      ...list.slice(last + 1).map((p) => (by === 0 ? p : movedPiece(p, by))),
    ];
    return all.reduce((n, p) => n + p.found.length, 0) > MOST_FOUND ? undefined : all;
  }
}

/** How much two texts have in common at both ends. */
function same(a: string, b: string): { readonly head: number; readonly tail: number } {
  const least = Math.min(a.length, b.length);
  let head = 0;
  while (head < least && a.charCodeAt(head) === b.charCodeAt(head)) head++;
  let tail = 0;
  while (tail < least - head && a.charCodeAt(a.length - 1 - tail) === b.charCodeAt(b.length - 1 - tail)) tail++;
  return { head, tail };
}

/** One piece cut where it can be; undefined if something in it goes over a cut. */
function split(source: Source, piece: Piece): Piece[] | undefined {
  const { found, cuts } = piece;
  if (!cuts || found.length > MOST_FOUND || found.some((d) => d.code === TOO_DEEP)) return undefined;
  const starts = [piece.start, ...cuts.filter((at) => at > piece.start)];
  const ends = [...starts.slice(1), piece.end];
  const body = takeEach(piece.body, (s) => s.span.start, ends);
  const trivia = takeEach(piece.trivia, (t) => t.span.start, ends);
  const messages = takeEach(found, (d) => d.labels[0]?.span.start ?? 0, ends, false);
  const pieces = starts.map((start, i) => ({
    start,
    end: ends[i]!,
    body: body[i]!,
    trivia: trivia[i]!,
    found: messages[i]!,
  }));
  const isInside = (p: Piece): boolean =>
    // A message on a line without a statement may speak for the next line too.
    (p.body.length > 0 || (p.start === 0 && p.found.length === 0)) &&
    p.body.every((s) => s.span.end <= p.end) &&
    p.found.every((d) => placesOf(d).every((s) => s.file === source.file && s.start >= p.start && s.end <= p.end));
  return pieces.every(isInside) ? pieces : undefined;
}

const placesOf = (d: Diagnostic) => [
  ...d.labels.map((l) => l.span),
  ...(d.fix ?? []).flatMap((f) => f.edits.map((e) => e.span)),
];

/** By the end of the stretch that each is in; `inOrder`: they come in order of place. */
function takeEach<T>(items: readonly T[], at: (item: T) => number, ends: readonly number[], inOrder = true): T[][] {
  const lists: T[][] = ends.map(() => []);
  let i = 0;
  for (const item of items) {
    if (!inOrder) i = 0;
    while (i < ends.length - 1 && at(item) >= ends[i]!) i++;
    lists[i]!.push(item);
  }
  return lists;
}

function movedPiece(p: Piece, by: number): Piece {
  return {
    start: p.start + by,
    end: p.end + by,
    body: p.body.map((s) => moved(s, by)),
    trivia: p.trivia.map((t) => moved(t, by)),
    found: p.found.map((d) => moved(d, by)),
  };
}
