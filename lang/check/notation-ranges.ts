/**
 * How far indices run. The rule: an index begins at 0. Where it stands alone it runs along the whole axis, and all such
 * axes are equally long. An index that never stands alone runs as far as its places allow, the others being known.
 * Then every place is proved to be inside.
 */
import { UserError } from "../diagnostic.ts";
import * as mistake from "../errors/notation.ts";
import type { Alone } from "../errors/notation.ts";
import { mergeAxes, numberAxis, open } from "./axes.ts";
import type { Index, Place } from "./notation-views.ts";
import type { Axis, Tensor } from "./values.ts";

/** One place of one tensor. */
export interface Use {
  readonly tensor: Tensor;
  readonly place: number;
  readonly at: Place & { readonly kind: "sum" };
}

const UNKNOWN = -2;
/** The size of an index before it is known; -1 is an open size of the data. */
export const unknownSize = UNKNOWN;

const known = (index: Index): boolean => index.axis.size !== UNKNOWN;
const isAlone = ({ at }: Use): boolean => at.base === 0 && at.terms.size === 1 && [...at.terms.values()][0] === 1;

/** `2 * i + a - 1`. */
export function placeText({ base, terms }: Use["at"]): string {
  const parts = [...terms].map(([index, factor]) => {
    const size = Math.abs(factor) === 1 ? index.name : `${Math.abs(factor)} * ${index.name}`;
    return { text: size, minus: factor < 0 };
  });
  if (base !== 0 || parts.length === 0) parts.push({ text: String(Math.abs(base)), minus: base < 0 });
  return parts.map(({ text, minus }, i) => (i === 0 ? (minus ? `-${text}` : text) : minus ? ` - ${text}` : ` + ${text}`)).join(""); // prettier-ignore
}

const rangesText = (indices: Iterable<Index>): string =>
  [...indices].map(({ name, axis }) => `${name} is 0 to ${axis.size - 1}`).join(", ");

/** The smallest and the largest place of the known indices of a use. */
function span(use: Use, without?: Index): { low: number; high: number } {
  let [low, high] = [use.at.base, use.at.base];
  for (const [index, factor] of use.at.terms) {
    if (index === without) continue;
    const reach = factor * (index.axis.size - 1);
    if (reach < 0) low += reach;
    else high += reach;
  }
  return { low, high };
}

function fromAlone(indices: readonly Index[], uses: readonly Use[]): void {
  for (const index of indices) {
    let first: Alone | undefined;
    let along: Axis | undefined;
    for (const use of uses) {
      if (!isAlone(use) || !use.at.terms.has(index)) continue;
      const axis = use.tensor.axes[use.place]!;
      const here = { span: use.at.span, axis };
      if (first && !open(first.axis.size) && !open(axis.size) && first.axis.size !== axis.size)
        throw new UserError(mistake.twoSizes(index.name, first, here));
      if (!first || open(first.axis.size)) first = here;
      const other = along?.uid !== undefined && axis.uid !== undefined && along.uid !== axis.uid;
      along = !along ? axis : other ? numberAxis(axis.size) : mergeAxes(along, axis);
    }
    if (!first || !along) continue;
    index.axis = { ...index.axis, size: along.size };
    index.along = along;
  }
}

/** How many places an index has in one use, the others being known. */
function room(use: Use, index: Index): number {
  const factor = use.at.terms.get(index)!;
  const { size } = use.tensor.axes[use.place]!;
  if (open(size) || [...use.at.terms.keys()].some((other) => other !== index && open(other.axis.size))) return -1;
  const { low, high } = span(use, index);
  const n = factor > 0 ? Math.floor((size - 1 - high) / factor) + 1 : Math.floor(low / -factor) + 1;
  if (n < 1) throw new UserError(mistake.noRoom(use.tensor, use.place, placeText(use.at), index.name, use.at.span));
  return n;
}

function fromSums(indices: readonly Index[], uses: readonly Use[]): void {
  for (let left = indices.filter((i) => !known(i)); left.length > 0; left = indices.filter((i) => !known(i))) {
    const ready = (index: Index): Use[] =>
      uses.filter((u) => u.at.terms.has(index) && [...u.at.terms.keys()].every((i) => i === index || known(i)));
    const next = left.find((index) => ready(index).length > 0);
    if (!next) {
      const index = left[0]!;
      const use = uses.find((u) => u.at.terms.has(index))!;
      throw new UserError(mistake.unknownRange(index.name, placeText(use.at), use.at.span));
    }
    const rooms = ready(next).map((use) => room(use, next));
    next.axis = { ...next.axis, size: rooms.some((n) => n < 0) ? -1 : Math.min(...rooms) };
  }
}

/** Gives every index its size, or says why there is none. */
export function findRanges(indices: readonly Index[], uses: readonly Use[], left: ReadonlySet<Index>): void {
  for (const index of indices)
    if (!uses.some((u) => u.at.terms.has(index)))
      throw new UserError(mistake.unusedIndex(index.name, left.has(index) ? "left" : "over", index.span));
  fromAlone(indices, uses);
  fromSums(indices, uses);
  for (const use of uses) {
    const { size } = use.tensor.axes[use.place]!;
    if (open(size) || [...use.at.terms.keys()].some((i) => open(i.axis.size))) continue;
    const { low, high } = span(use);
    if (low >= 0 && high < size) continue;
    const reach = high >= size ? high : low;
    const ranges = rangesText(use.at.terms.keys());
    throw new UserError(mistake.outside(use.tensor, use.place, placeText(use.at), reach, ranges, use.at.span));
  }
}
