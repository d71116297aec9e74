/** Places of one text in another, and the lines that they are on. */
import type { Range } from "../state/place.svelte.ts";

/** Where a place stands after an edit: undefined where it is in what changed. A cursor at its edge stays there. */
export function moved({ start, end }: Range, before: string, after: string): Range | undefined {
  if (before === after) return { start, end };
  const least = Math.min(before.length, after.length);
  let head = 0;
  while (head < least && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < least - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  if (end <= head) return { start, end };
  const by = after.length - before.length;
  return start >= before.length - tail ? { start: start + by, end: end + by } : undefined;
}

export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;

/** A range grown to whole lines. */
export function wholeLines(text: string, { start, end }: Range): Range {
  const next = text.indexOf("\n", end);
  return { start: text.lastIndexOf("\n", start - 1) + 1, end: next < 0 ? text.length : next };
}

export const meet = (a: Range, b: Range): boolean => a.start <= b.end && b.start <= a.end;
export const holds = (outer: Range, inner: Range): boolean => outer.start <= inner.start && inner.end <= outer.end;

/** The first place on each line, by the number of the line. */
export function byLine(text: string, places: readonly Range[]): { readonly line: number; readonly place: Range }[] {
  const found = new Map<number, Range>();
  for (const place of [...places].sort((a, b) => a.start - b.start)) {
    const line = lineAt(text, place.start);
    if (!found.has(line)) found.set(line, place);
  }
  return [...found].map(([line, place]) => ({ line, place }));
}
