/**
 * "Did you mean …": the candidate nearest to a misspelled name, if it is near enough. Distance counts insertions,
 * deletions, changes and swaps of neighbours (Damerau and Levenshtein, optimal string alignment).
 */

/** Nobody has typed a longer one. */
const LONGEST = 100;

/** Nothing for names too short to be told apart, or when no candidate is within a third of the length. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  if (name.length > LONGEST) return undefined;
  const most = allowed(name);
  let least = most + 1;
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) >= least) continue;
    const d = alike(name, candidate) ? 0.5 : distance(name, candidate);
    if (d <= most && d < least) [best, least] = [candidate, d];
  }
  return best;
}

/** But for capitals, or two letters that changed places: as near as names can be, also when they are short. */
function alike(a: string, b: string): boolean {
  const [first = "", second = ""] = a;
  return a.toLowerCase() === b.toLowerCase() || (a.length === 2 && b === second + first);
}

function allowed(name: string): number {
  return name.length < 3 ? 0.5 : Math.min(3, Math.max(1, Math.floor(name.length / 3)));
}

/** Rows `i` of the table of distances between the first i letters of a and the first j of b; three rows suffice. */
function distance(a: string, b: string): number {
  let older: number[] = [];
  let old = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = at(old, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(change, at(old, j) + 1, at(row, j - 1) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(older, j - 2) + 1);
      row.push(least);
    }
    older = old;
    old = row;
  }
  return at(old, b.length);
}

function at(row: readonly number[], j: number): number {
  const value = row[j];
  if (value === undefined) throw new Error(`distance table: expected ${j + 1} columns, got ${row.length}`);
  return value;
}
