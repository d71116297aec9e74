/**
 * Joins neighbouring axes of a `rows` kernel that every access walks as one: [B, C] over contiguous memory becomes
 * [B·C]. Axes whose number is itself used (masks, iota, remainders) stay. Numbers do not change, only loops.
 * `shared` also joins where two or four neighbours load the same number, as those do that come from one place of a pool.
 */
import type { Access, RowsKernel, Stage, Value } from "./kernel.ts";

const coefOf = (access: Access, axis: number) => access.terms.find(([a]) => a === axis)?.[1] ?? 0;

function accessesOf(kernel: RowsKernel): Access[] {
  const loads = kernel.values.flatMap((v) => (v.op === "load" ? [v.access] : []));
  return [...loads, ...kernel.stages.flatMap((s) => s.stores.map((store) => store.access))];
}

/** A function of a kernel that is asked again and again. */
function once(make: (kernel: RowsKernel) => RowsKernel): (kernel: RowsKernel) => RowsKernel {
  const known = new WeakMap<RowsKernel, RowsKernel>();
  return (kernel) => {
    let made = known.get(kernel);
    if (!made) known.set(kernel, (made = make(kernel)));
    return made;
  };
}

export const coalesce = once((kernel) => joined(kernel, false));

/** For stages alone, whose loops nobody cuts: an access of neighbours that share has a half or a quarter as coefficient. */
export const shared = once((kernel) => joined(kernel, true));

function joined(kernel: RowsKernel, sharing: boolean): RowsKernel {
  const accesses = accessesOf(kernel);
  const used = new Set(kernel.values.flatMap((v) => (v.op === "axis" ? [v.axis] : [])));
  const extents = [...kernel.axes];
  /** Old axis → the axis it is part of now. */
  const into = extents.map((_, i) => i);
  const gone = new Set<number>();
  const stored = new Set(kernel.stages.flatMap((s) => s.stores.map(({ access }) => access)));
  const walksAsOne = (a: Access, before: number, axis: number, size: number) =>
    coefOf(a, before) === coefOf(a, axis) * size;
  /** Whether every `size` neighbours load one number, which is next to that of the others. */
  const shares = (a: Access, before: number, axis: number) =>
    coefOf(a, axis) === 0 && coefOf(a, before) === 1 && !stored.has(a) && a.dynamic.length === 0;
  /** Axes of a size whose loads may be shared. */
  const parts = new Map<number, number>();
  const join = (axes: readonly number[], sharing: boolean): number[] => {
    const out: number[] = [];
    for (const axis of axes) {
      const before = out[out.length - 1];
      const size = extents[axis] ?? 1;
      const free = before !== undefined && !used.has(axis) && !used.has(before);
      const last = sharing && axis === axes.at(-1) && (size === 2 || size === 4);
      const asOne = (a: Access) =>
        before !== undefined && (walksAsOne(a, before, axis, size) || (last && shares(a, before, axis)));
      if (free && accesses.every(asOne)) {
        if (last) parts.set(axis, size);
        out[out.length - 1] = axis;
        extents[axis] = size * (extents[before] ?? 1);
        gone.add(before);
        into[before] = axis;
      } else out.push(axis);
    }
    return out;
  };
  const outer = extents.map((_, i) => i).slice(0, kernel.grid);
  const grid = sharing ? outer : join(outer, false);
  const stageAxes = kernel.stages.map((s) => join(s.axes, sharing));
  if (gone.size === 0) return kernel;

  const kept = [...grid, ...stageAxes.flat()];
  const place = new Map(kept.map((axis, i) => [axis, i]));
  const number = (axis: number): number => {
    const at = place.get(axis);
    if (at === undefined) throw new Error(`expected axis ${axis} to be kept`);
    return at;
  };
  const access = (a: Access): Access => ({
    ...a,
    terms: a.terms.flatMap(([axis, coef]) => {
      if (!gone.has(axis)) return [[number(axis), coef] as const];
      const size = parts.get(into[axis]!);
      return size && coefOf(a, into[axis]!) === 0 ? [[number(into[axis]!), coef / size] as const] : [];
    }),
  });
  const values = kernel.values.map((v): Value => {
    if (v.op === "axis") return { ...v, axis: number(v.axis) };
    return v.op === "load" ? { ...v, access: access(v.access) } : v;
  });
  const stages = kernel.stages.map((s, i): Stage => ({
    axes: (stageAxes[i] ?? []).map(number),
    accs: s.accs,
    stores: s.stores.map((store) => ({ ...store, access: access(store.access) })),
  }));
  return {
    ...kernel,
    axes: kept.map((axis) => extents[axis] ?? 1),
    grid: grid.length,
    values,
    stages,
  };
}
