/**
 * Joins neighbouring axes of a `rows` kernel that every access walks as one: [B, C] over contiguous memory becomes
 * [B·C]. Axes whose number is itself used (masks, iota, remainders) stay. Numbers do not change, only loops.
 */
import type { Access, RowsKernel, Stage, Value } from "./kernel.ts";

const coefOf = (access: Access, axis: number) => access.terms.find(([a]) => a === axis)?.[1] ?? 0;

function accessesOf(kernel: RowsKernel): Access[] {
  const loads = kernel.values.flatMap((v) => (v.op === "load" ? [v.access] : []));
  return [...loads, ...kernel.stages.flatMap((s) => s.stores.map((store) => store.access))];
}

const known = new WeakMap<RowsKernel, RowsKernel>();

export function coalesce(kernel: RowsKernel): RowsKernel {
  let made = known.get(kernel);
  if (!made) known.set(kernel, (made = coalesced(kernel)));
  return made;
}

function coalesced(kernel: RowsKernel): RowsKernel {
  const accesses = accessesOf(kernel);
  const used = new Set(kernel.values.flatMap((v) => (v.op === "axis" ? [v.axis] : [])));
  const extents = [...kernel.axes];
  /** Old axis → the axis it is part of now. */
  const into = extents.map((_, i) => i);
  const gone = new Set<number>();
  const join = (axes: readonly number[]): number[] => {
    const out: number[] = [];
    for (const axis of axes) {
      const before = out[out.length - 1];
      const size = extents[axis] ?? 1;
      const free = before !== undefined && !used.has(axis) && !used.has(before);
      if (free && accesses.every((a) => coefOf(a, before) === coefOf(a, axis) * size)) {
        out[out.length - 1] = axis;
        extents[axis] = size * (extents[before] ?? 1);
        gone.add(before);
        into[before] = axis;
      } else out.push(axis);
    }
    return out;
  };
  const grid = join(extents.map((_, i) => i).slice(0, kernel.grid));
  const stageAxes = kernel.stages.map((s) => join(s.axes));
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
    terms: a.terms.filter(([axis]) => !gone.has(axis)).map(([axis, coef]) => [number(axis), coef] as const),
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
