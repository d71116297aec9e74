/**
 * An expression of one text found again in another: where nothing around it changed, where a name was given another
 * name everywhere, in the statement that binds the same name, or where the same words stand just once. Spaces and
 * comments do not count.
 */
import type { Source, Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { parse } from "../syntax/index.ts";
import { isExpression, pathTo, visit, type Part } from "./tree.ts";

/** The place that `place` of the text before has in the text after; undefined when it is there no more. */
export function follow(before: Source, after: Source, place: Span): Span | undefined {
  const [old, now] = [wordsOf(before.text), wordsOf(after.text)];
  const found =
    unchanged(old, now, place) ??
    renamed(old, now, place) ??
    bound(before, after, old, now, place) ??
    once(old, now, place);
  return found && { file: after.file, start: found.start, end: found.end };
}

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}
type Range = Pick<Word, "start" | "end">;

const WORD = /[\p{L}_][\p{L}\p{M}\p{N}_]*/u;
const TOKEN = new RegExp(`"[^"\\r\\n]*"?|#[^\\r\\n]*|${WORD.source}|\\d[\\p{L}\\p{N}_.]*|\\S`, "gu");
/** Names stand in texts too: `"{loss}"`. */
const IN_TEXT = new RegExp(`${WORD.source}|\\S`, "gu");

function wordsOf(text: string): Word[] {
  return [...text.matchAll(TOKEN)].flatMap(({ 0: token, index }): Word[] => {
    if (token.startsWith("#")) return [];
    if (!token.startsWith('"')) return [{ text: token, start: index, end: index + token.length }];
    return [...token.matchAll(IN_TEXT)].map((m) => {
      const start = index + m.index;
      return { text: m[0], start, end: start + m[0].length };
    });
  });
}

/** First word of a place, and the one after its last. */
function within(words: readonly Word[], { start, end }: Range): readonly [number, number] {
  const from = words.findIndex((word) => word.end > start);
  const to = words.findIndex((word) => word.start >= end);
  return from < 0 ? [0, 0] : [from, to < 0 ? words.length : to];
}

function rangeOf(words: readonly Word[], from: number, to: number): Range | undefined {
  const [first, last] = [words[from], words[to - 1]];
  return first && last && to > from ? { start: first.start, end: last.end } : undefined;
}

/** Words in common at both ends. */
function common(old: readonly Word[], now: readonly Word[]): { readonly head: number; readonly tail: number } {
  const least = Math.min(old.length, now.length);
  let head = 0;
  while (head < least && old[head]!.text === now[head]!.text) head++;
  let tail = 0;
  while (tail < least - head && old.at(-1 - tail)!.text === now.at(-1 - tail)!.text) tail++;
  return { head, tail };
}

/** It stands before or behind all that changed. */
function unchanged(old: readonly Word[], now: readonly Word[], place: Range): Range | undefined {
  const [from, to] = within(old, place);
  const { head, tail } = common(old, now);
  if (to <= head) return rangeOf(now, from, to);
  const by = now.length - old.length;
  return from >= old.length - tail ? rangeOf(now, from + by, to + by) : undefined;
}

/** The texts differ in names alone, each of which became one other name. */
function renamed(old: readonly Word[], now: readonly Word[], place: Range): Range | undefined {
  if (old.length !== now.length) return undefined;
  const [there, back] = [new Map<string, string>(), new Map<string, string>()];
  const same = old.every(({ text }, i) => {
    const other = now[i]!.text;
    if (text !== other && !(WORD.test(text) && WORD.test(other))) return false;
    if (!there.has(text)) there.set(text, other);
    if (!back.has(other)) back.set(other, text);
    return there.get(text) === other && back.get(other) === text;
  });
  return same ? rangeOf(now, ...within(old, place)) : undefined;
}

/** The same words, somewhere, and only there; a word or two may be anything. */
function once(old: readonly Word[], now: readonly Word[], place: Range): Range | undefined {
  const [from, to] = within(old, place);
  const count = to - from;
  const starts = now.flatMap((_, i) => (old.slice(from, to).every((w, k) => w.text === now[i + k]?.text) ? [i] : []));
  return count >= 3 && starts.length === 1 ? rangeOf(now, starts[0]!, starts[0]! + count) : undefined;
}

// ---------------------------------------------------------------- by what is bound

/** In the statement with the same name in the same declarations. */
function bound(
  before: Source,
  after: Source,
  old: readonly Word[],
  now: readonly Word[],
  place: Span,
): Range | undefined {
  const file = parse(before).file;
  const [here, all] = [homes(file), homes(parse(after).file)];
  const last = statementsAround(file, place).at(-1);
  const home = last && here.get(last);
  if (!last || home === undefined) return undefined;
  const named = [...all].filter(([, name]) => name === home);
  // Under a new name it is what gives the same value to a name that was not there.
  const known = new Set(here.values());
  const alike = ([stmt, name]: readonly [Part, string]): boolean =>
    !known.has(name) && around(name) === around(home) && sayOf(stmt, now) === sayOf(last, old);
  const there = named.length > 0 ? named : [...all].filter(alike);
  const [stmt] = there[0] ?? [];
  if (!stmt || there.length > 1) return undefined;
  const part = partIn(last, stmt, place);
  if (part) return part;
  const [own, other] = [within(old, last.span), within(now, stmt.span)];
  const [a, b] = [old.slice(...own), now.slice(...other)];
  return unchanged(a, b, place) ?? once(a, b, place);
}

/** The home of the declaration around. */
const around = (home: string): string => home.slice(0, home.lastIndexOf(" / "));

/** The words of a statement without the name that it binds. */
function sayOf(stmt: Part, words: readonly Word[]): string {
  const name = boundBy(stmt);
  const said = words.slice(...within(words, stmt.span)).map(({ text }) => text);
  return said.filter((text) => text !== name).join(" ");
}

const PARTS = ["pattern", "name", "value", "loss"] as const;

/** The name that it binds, or all of its value. */
function partIn(stmt: Part, other: Part, { start, end }: Range): Range | undefined {
  type Named = Part & Partial<Record<(typeof PARTS)[number], Part>>;
  for (const key of PARTS) {
    const span = (stmt as Named)[key]?.span;
    const there = (other as Named)[key]?.span;
    if (span && there && span.start === start && span.end === end) return there;
  }
  return undefined;
}

const isStatement = (node: Part): boolean => node.kind !== undefined && !isExpression(node);

function statementsAround(file: ast.File, { start, end }: Range): Part[] {
  return pathTo(file, start).filter((node) => isStatement(node) && node.span.start <= start && end <= node.span.end);
}

/** Each statement by its name and those around it: `model Net / let h`; those without one are counted. */
function homes(file: ast.File): Map<Part, string> {
  const found = new Map<Part, string>();
  const counts = new Map<string, number>();
  const top: Part = { span: file.span };
  visit({ ...top, body: file.body } as Part, (node, parents) => {
    if (!isStatement(node)) return;
    const outer = parents.findLast((parent) => found.has(parent));
    const name = `${(outer && found.get(outer)) ?? ""} / ${node.kind} ${boundBy(node)}`;
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    found.set(node, count === 0 ? name : `${name} ${count}`);
  });
  return found;
}

function boundBy(stmt: Part): string {
  const { pattern, name } = stmt as { pattern?: ast.Pattern; name?: ast.Name };
  const text = (p: ast.Pattern): string => ("text" in p ? p.text : p.items.map(text).join());
  const bound = pattern ?? name;
  return bound && ("text" in bound || "items" in bound) ? text(bound) : "";
}
