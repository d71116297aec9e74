/**
 * Where the tokens of an old text stand in a new one, so that what was written once is recognized after an edit. The
 * shortest edit script (Myers, "An O(ND) Difference Algorithm", 1986) over tokens between a common beginning and end.
 */

interface Token {
  readonly at: number;
  readonly text: string;
}

/** Edits beyond this many tokens are taken as a new text: only its beginning and end are recognized. */
const MOST_EDITS = 2000;

/** Comments and spaces are no tokens: they may change without moving anything. */
function tokens(text: string): Token[] {
  const pattern = /#[^\n]*|[\p{L}\p{N}_]+|[^\s]/gu;
  const found: Token[] = [];
  for (const match of text.matchAll(pattern)) {
    if (!match[0].startsWith("#")) found.push({ at: match.index, text: match[0] });
  }
  return found;
}

/** Offset of each token of `after` that was in `before` → its offset there. */
export function oldPlaces(before: string, after: string): ReadonlyMap<number, number> {
  const [a, b] = [tokens(before), tokens(after)];
  const places = new Map<number, number>();
  const pair = (i: number, j: number) => {
    const [old, now] = [a[i], b[j]];
    if (old && now) places.set(now.at, old.at);
  };
  const same = (i: number, j: number) => a[i]?.text === b[j]?.text;
  let start = 0;
  while (start < a.length && start < b.length && same(start, start)) pair(start, start++);
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && same(endA - 1, endB - 1)) pair(--endA, --endB);
  for (const [i, j] of common(endA - start, endB - start, (i, j) => same(start + i, start + j)))
    pair(start + i, start + j);
  return places;
}

/** Pairs of places that the shortest edit keeps. */
function common(n: number, m: number, same: (i: number, j: number) => boolean): [number, number][] {
  if (n === 0 || m === 0) return [];
  /** By diagonal k = i - j: the furthest i that d edits reach. */
  const reach = new Map<number, number>([[1, 0]]);
  const trace: Map<number, number>[] = [];
  const from = (k: number, d: number, v: ReadonlyMap<number, number>) =>
    k === -d || (k !== d && (v.get(k - 1) ?? -1) < (v.get(k + 1) ?? -1)) ? k + 1 : k - 1;
  for (let d = 0; d <= Math.min(n + m, MOST_EDITS); d++) {
    trace.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      const before = from(k, d, reach);
      let i = (reach.get(before) ?? 0) + (before < k ? 1 : 0);
      let j = i - k;
      while (i < n && j < m && same(i, j)) {
        i++;
        j++;
      }
      reach.set(k, i);
      if (i >= n && j >= m) return walkBack(n, m, trace, from);
    }
  }
  return [];
}

function walkBack(
  n: number,
  m: number,
  trace: readonly ReadonlyMap<number, number>[],
  from: (k: number, d: number, v: ReadonlyMap<number, number>) => number,
): [number, number][] {
  const pairs: [number, number][] = [];
  let [i, j] = [n, m];
  for (let d = trace.length - 1; d >= 0; d--) {
    const v = trace[d] ?? new Map<number, number>();
    const k = i - j;
    const before = from(k, d, v);
    const startI = d === 0 ? 0 : (v.get(before) ?? 0);
    const startJ = d === 0 ? 0 : startI - before;
    while (i > startI && j > startJ) pairs.push([--i, --j]);
    if (d > 0) [i, j] = [startI, startJ];
  }
  return pairs;
}
