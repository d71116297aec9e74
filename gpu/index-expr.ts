/**
 * Index expressions: base + Σ coefficient · atom, where an atom is a kernel axis, a computed i32 value, or a division or
 * remainder that did not simplify. Views of tensors compose here; ranges of atoms decide what div and mod become.
 * Equal expressions have equal keys.
 */
export type Atom =
  | {
      readonly kind: "axis";
      readonly axis: number;
      /** May be cut in two by `SplitAxis`. */
      readonly divisible: boolean;
      readonly key: string;
      readonly lo: number;
      readonly hi: number;
    }
  /** An SSA value of the kernel with a known range. */
  | { readonly kind: "value"; readonly value: number; readonly key: string; readonly lo: number; readonly hi: number }
  | {
      readonly kind: "div" | "mod";
      readonly of: Index;
      readonly by: number;
      readonly key: string;
      readonly lo: number;
      readonly hi: number;
    };

export interface Term {
  readonly atom: Atom;
  readonly coef: number;
}

export interface Index {
  readonly base: number;
  /** Sorted by the atoms' keys; no zero coefficients. */
  readonly terms: readonly Term[];
  readonly key: string;
}

/** Asks that an axis be split into (outer, inner) so that a reshape becomes affine. */
export class SplitAxis extends Error {
  readonly axis: number;
  readonly inner: number;
  constructor(axis: number, inner: number) {
    super(`axis ${axis} splits at ${inner}`);
    this.axis = axis;
    this.inner = inner;
  }
}

function makeIndex(base: number, terms: readonly Term[]): Index {
  const sorted = terms.length > 1 ? [...terms].sort((a, b) => (a.atom.key < b.atom.key ? -1 : 1)) : terms;
  return { base, terms: sorted, key: `${base}${sorted.map((t) => `+${t.coef}${t.atom.key}`).join("")}` };
}

export const constantIndex = (n: number): Index => makeIndex(n, []);

export function axisIndex(axis: number, extent: number, divisible = true): Index {
  if (extent === 1) return constantIndex(0);
  return makeIndex(0, [{ coef: 1, atom: { kind: "axis", axis, divisible, key: `a${axis}`, lo: 0, hi: extent - 1 } }]);
}

export function valueIndex(value: number, lo: number, hi: number): Index {
  return makeIndex(0, [{ coef: 1, atom: { kind: "value", value, key: `v${value}`, lo, hi } }]);
}

export function addIndex(a: Index, b: Index, scale = 1): Index {
  if (b.terms.length === 0) return b.base === 0 ? a : makeIndex(a.base + b.base * scale, a.terms);
  const terms = new Map<string, Term>();
  for (const t of a.terms) terms.set(t.atom.key, t);
  for (const t of b.terms) {
    const coef = (terms.get(t.atom.key)?.coef ?? 0) + t.coef * scale;
    if (coef === 0) terms.delete(t.atom.key);
    else terms.set(t.atom.key, { atom: t.atom, coef });
  }
  return makeIndex(a.base + b.base * scale, [...terms.values()]);
}

export function scaleIndex(a: Index, by: number): Index {
  if (by === 1) return a;
  if (by === 0) return constantIndex(0);
  return makeIndex(
    a.base * by,
    a.terms.map((t) => ({ atom: t.atom, coef: t.coef * by })),
  );
}

export const shiftIndex = (a: Index, by: number): Index => (by === 0 ? a : makeIndex(a.base + by, a.terms));

export function rangeOf(a: Index): readonly [number, number] {
  let lo = a.base;
  let hi = a.base;
  for (const { atom, coef } of a.terms) {
    lo += coef > 0 ? coef * atom.lo : coef * atom.hi;
    hi += coef > 0 ? coef * atom.hi : coef * atom.lo;
  }
  return [lo, hi];
}

const floorMod = (n: number, by: number) => ((n % by) + by) % by;

/** The part whose coefficients divide by `by`, and the rest (its base in [0, by)). */
function partition(a: Index, by: number): readonly [Index, Index] {
  const whole = a.terms.filter((t) => t.coef % by === 0);
  const rest = a.terms.filter((t) => t.coef % by !== 0);
  const low = floorMod(a.base, by);
  return [makeIndex(a.base - low, whole), makeIndex(low, rest)];
}

/** Throws SplitAxis when cutting an axis of `rest` would make its division by `by` exact. */
function trySplit(rest: Index, by: number): void {
  for (const { atom, coef } of rest.terms) {
    if (atom.kind !== "axis" || !atom.divisible || coef < 0 || by % coef !== 0) continue;
    const inner = by / coef;
    const extent = atom.hi + 1;
    if (extent > inner && extent % inner === 0) throw new SplitAxis(atom.axis, inner);
  }
  // an axis that crosses the border and shares a factor with it
  if (rest.terms.some((t) => t.coef < 0)) return;
  for (const { atom, coef } of rest.terms) {
    if (atom.kind !== "axis" || !atom.divisible) continue;
    const extent = atom.hi + 1;
    for (let inner = Math.min(extent - 1, by - 1); inner > 1; inner--) {
      if (extent % inner === 0 && (by / coef) % inner === 0) throw new SplitAxis(atom.axis, inner);
    }
  }
}

/** floor(a / by), by > 0. */
export function divIndex(a: Index, by: number): Index {
  if (by === 1) return a;
  const [whole, rest] = partition(a, by);
  const exact = makeIndex(
    whole.base / by,
    whole.terms.map((t) => ({ atom: t.atom, coef: t.coef / by })),
  );
  const [lo, hi] = rangeOf(rest);
  const from = Math.floor(lo / by);
  if (from === Math.floor(hi / by)) return shiftIndex(exact, from);
  const nested = rest.terms.length === 1 && rest.base === 0 ? rest.terms[0] : undefined;
  if (nested && nested.coef === 1 && nested.atom.kind === "div") {
    return addIndex(exact, divIndex(nested.atom.of, nested.atom.by * by));
  }
  trySplit(rest, by);
  const atom: Atom = { kind: "div", of: rest, by, key: `(${rest.key})/${by}`, lo: from, hi: Math.floor(hi / by) };
  return addIndex(exact, makeIndex(0, [{ coef: 1, atom }]));
}

/** a - by · floor(a / by), by > 0. */
export function modIndex(a: Index, by: number): Index {
  if (by === 1) return constantIndex(0);
  const [, rest] = partition(a, by);
  const [lo, hi] = rangeOf(rest);
  const from = Math.floor(lo / by);
  if (from === Math.floor(hi / by)) return shiftIndex(rest, -from * by);
  trySplit(rest, by);
  const atom: Atom = { kind: "mod", of: rest, by, key: `(${rest.key})%${by}`, lo: 0, hi: by - 1 };
  return makeIndex(0, [{ coef: 1, atom }]);
}

/** Row-major place of an index vector. */
export function flatIndex(index: readonly Index[], shape: readonly number[]): Index {
  let flat = constantIndex(0);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const at = index[i];
    const size = shape[i];
    if (!at || size === undefined) throw new Error(`expected ${shape.length} indices, got ${index.length}`);
    if (size !== 1) flat = addIndex(flat, at, stride);
    stride *= size;
  }
  return flat;
}

/** The index vector into `from` of the element that a reshape shows at `index` of `to`. Works group by group between common borders. */
export function reshapeIndex(index: readonly Index[], to: readonly number[], from: readonly number[]): Index[] {
  const out: Index[] = new Array<Index>(from.length).fill(constantIndex(0));
  let i = to.length - 1;
  let j = from.length - 1;
  while (i >= 0 && j >= 0) {
    const endI = i;
    const endJ = j;
    let left = to[i] ?? 1;
    let right = from[j] ?? 1;
    while (left !== right) {
      if (left < right) left *= to[--i] ?? fail(to, from);
      else right *= from[--j] ?? fail(to, from);
    }
    const flat = flatIndex(index.slice(i, endI + 1), to.slice(i, endI + 1));
    let stride = 1;
    for (let k = endJ; k >= j; k--) {
      const size = from[k] ?? 1;
      const quotient = divIndex(flat, stride);
      out[k] = size === 1 ? constantIndex(0) : k === j ? quotient : modIndex(quotient, size);
      stride *= size;
    }
    i--;
    j--;
  }
  return out;
}

function fail(to: readonly number[], from: readonly number[]): never {
  throw new Error(`expected shapes of equal size, got [${to.join()}] and [${from.join()}]`);
}

/** The axes an index depends on. */
export function axesOf(a: Index, into: Set<number> = new Set()): Set<number> {
  for (const { atom } of a.terms) {
    if (atom.kind === "axis") into.add(atom.axis);
    else if (atom.kind !== "value") axesOf(atom.of, into);
  }
  return into;
}

/** The number an index becomes when axes have values (no computed values inside). */
export function evaluateIndex(a: Index, axis: (axis: number) => number): number {
  let n = a.base;
  for (const { atom, coef } of a.terms) {
    if (atom.kind === "value") throw new Error("expected an index of axes, got a computed value");
    if (atom.kind === "axis") n += coef * axis(atom.axis);
    else {
      const of = evaluateIndex(atom.of, axis);
      n += coef * (atom.kind === "div" ? Math.floor(of / atom.by) : floorMod(of, atom.by));
    }
  }
  return n;
}
