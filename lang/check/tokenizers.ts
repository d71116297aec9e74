/**
 * Tokenizers: text ↔ numbers. `chars` takes code points, `words` runs of letters and digits (every other sign is a word of
 * its own), `bpe` joins neighbouring parts of a word again and again, the most frequent pair first (Sennrich et al., Neural
 * machine translation of rare words with subword units, 2016; of equally frequent pairs the greater one). Number 0 is
 * always padding and 1 what the vocabulary does not hold.
 */
import type { Tokens } from "../program.ts";

export const PAD = "<pad>";
export const UNKNOWN = "<unk>";
export const START = "<start>";
export const END = "<end>";

export interface Learning {
  readonly kind: Tokens["kind"];
  readonly lower: boolean;
  /** Of `bpe`: how many pairs are joined. */
  readonly merges: number;
  /** Of `words`: rarer ones are `<unk>`. */
  readonly least: number;
  /** `<start>` and `<end>` are tokens too. */
  readonly ends: boolean;
}

/** Signs before a word belong to it, so that nothing is lost: a blank, line ends. */
const BPE_WORDS = /\s*\S+|\s+$/gu;
const WORDS = /[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu;

/** The vocabulary of texts. */
export function learnTokens(texts: Iterable<string>, how: Learning): Tokens {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const part of rough(text, how.kind, how.lower)) counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  const first = how.ends ? [PAD, UNKNOWN, START, END] : [PAD, UNKNOWN];
  const { kind, lower } = how;
  if (kind === "chars") return { kind, lower, merges: [], vocab: [...first, ...[...counts.keys()].sort(byCodePoint)] };
  if (kind === "words") {
    const frequent = [...counts].filter(([, count]) => count >= how.least);
    frequent.sort(([a, m], [b, n]) => n - m || byCodePoint(a, b));
    return { kind, lower, merges: [], vocab: [...first, ...frequent.map(([word]) => word)] };
  }
  const signs = [...new Set([...counts.keys()].flatMap((word) => [...word]))].sort(byCodePoint);
  const merges = learnMerges(counts, how.merges);
  const joined = merges.map(([a, b]) => a + b);
  return { kind, lower, merges, vocab: [...new Set([...first, ...signs, ...joined])] };
}

/** Texts → numbers; what was cut once is not cut again. */
export function encoder(tokens: Tokens): (text: string) => number[] {
  const place = new Map(tokens.vocab.map((token, i) => [token, i]));
  const rank = new Map(tokens.merges.map(([a, b], i) => [pairKey(a, b), i]));
  const known = new Map<string, readonly number[]>();
  const unknown = place.get(UNKNOWN)!;
  const numbers = (part: string): readonly number[] => {
    const found = known.get(part);
    if (found) return found;
    const pieces = tokens.kind === "bpe" ? cut(part, rank) : [part];
    const result = pieces.map((piece) => place.get(piece) ?? unknown);
    known.set(part, result);
    return result;
  };
  return (text) => {
    const ids: number[] = [];
    for (const part of rough(text, tokens.kind, tokens.lower)) for (const id of numbers(part)) ids.push(id);
    return ids;
  };
}

/** What is written for each token, and what stands between two: words lose how they were spaced. */
export function written({ kind, vocab }: Tokens): { readonly classes: readonly string[]; readonly glue: string } {
  const silent = new Set([PAD, START, END]);
  const classes = vocab.map((token, i) => (i < 4 && silent.has(token) ? "" : token));
  return { classes, glue: kind === "words" ? " " : "" };
}

function rough(text: string, kind: Tokens["kind"], lower: boolean): Iterable<string> {
  const read = lower ? text.toLowerCase() : text;
  if (kind === "chars") return read;
  return read.match(kind === "words" ? WORDS : BPE_WORDS) ?? [];
}

// ---------------------------------------------------------------- byte-pair encoding, on code points

/** Counts of pairs are kept up to date: only words that hold the joined pair are looked at. */
function learnMerges(counts: ReadonlyMap<string, number>, most: number): [string, string][] {
  const words = [...counts].map(([word, count]) => ({ parts: [...word], count }));
  const pairs = new Map<string, { pair: [string, string]; count: number; words: Set<number> }>();
  const note = (w: number, sign: 1 | -1): void => {
    const { parts, count } = words[w]!;
    for (let i = 0; i + 1 < parts.length; i++) {
      const [a, b] = [parts[i]!, parts[i + 1]!];
      const key = pairKey(a, b);
      const entry = pairs.get(key) ?? { pair: [a, b], count: 0, words: new Set<number>() };
      pairs.set(key, entry);
      entry.count += sign * count;
      if (sign > 0) entry.words.add(w);
      if (entry.count === 0) pairs.delete(key);
    }
  };
  words.forEach((_, w) => note(w, 1));
  const merges: [string, string][] = [];
  while (merges.length < most && pairs.size > 0) {
    let best: { pair: [string, string]; count: number; words: Set<number> } | undefined;
    for (const entry of pairs.values()) if (!best || isAbove(entry, best)) best = entry;
    // A pair that comes once is no pattern.
    if (!best || best.count < 2) break;
    const [a, b] = best.pair;
    merges.push(best.pair);
    for (const w of [...best.words]) {
      note(w, -1);
      words[w]!.parts = join(words[w]!.parts, a, b);
      note(w, 1);
    }
  }
  return merges;
}

function isAbove(
  a: { readonly pair: readonly [string, string]; readonly count: number },
  b: { readonly pair: readonly [string, string]; readonly count: number },
): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return (byCodePoint(a.pair[0], b.pair[0]) || byCodePoint(a.pair[1], b.pair[1])) > 0;
}

function join(parts: readonly string[], a: string, b: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === a && parts[i + 1] === b) {
      result.push(a + b);
      i++;
    } else result.push(parts[i]!);
  }
  return result;
}

/** The pairs of a word are joined in the order in which they were learned. */
function cut(word: string, rank: ReadonlyMap<string, number>): readonly string[] {
  let parts = [...word];
  for (;;) {
    let best: { a: string; b: string; rank: number } | undefined;
    for (let i = 0; i + 1 < parts.length; i++) {
      const [a, b] = [parts[i]!, parts[i + 1]!];
      const found = rank.get(pairKey(a, b));
      if (found !== undefined && (!best || found < best.rank)) best = { a, b, rank: found };
    }
    if (!best) return parts;
    parts = join(parts, best.a, best.b);
  }
}

/** The length of the first part keeps pairs apart whatever signs they hold. */
function pairKey(a: string, b: string): string {
  return `${a.length} ${a}${b}`;
}

/** As Python sorts strings: by code points, not by UTF-16 units. */
export function byCodePoint(a: string, b: string): number {
  const [p, q] = [[...a], [...b]];
  for (let i = 0; i < Math.min(p.length, q.length); i++) {
    const difference = p[i]!.codePointAt(0)! - q[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return p.length - q.length;
}
