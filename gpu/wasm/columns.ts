/**
 * An epilogue by columns of its product: the axes of [m, n] become [n / unit, m, unit], so that its outermost loop walks
 * parts of the columns and each place takes all rows of one. Only the order of the grid changes.
 */
import type { Access, RowsKernel, Value } from "../kernel.ts";
import { coalesce } from "../coalesce.ts";

interface Part {
  readonly axis: number;
  readonly extent: number;
  /** Steps of the old axis to one of this. */
  readonly step: number;
}

/** The grid's axes in order, split where the running product of extents meets a border; undefined where it cannot. */
function split(kernel: RowsKernel, borders: readonly number[]): Part[][] | undefined {
  const sections: Part[][] = [[]];
  let done = 1;
  for (let axis = 0; axis < kernel.grid; axis++) {
    let left = kernel.axes[axis] ?? 1;
    while (left > 1) {
      const border = borders[sections.length - 1] ?? Infinity;
      const extent = done * left <= border ? left : border / done;
      if (!Number.isInteger(extent) || left % extent !== 0) return undefined;
      left /= extent;
      sections.at(-1)?.push({ axis, extent, step: left });
      done *= extent;
      if (done === border) sections.push([]);
    }
  }
  return done === borders.at(-1) ? sections : undefined;
}

export function byColumns(kernel: RowsKernel, m: number, n: number, unit: number): RowsKernel | undefined {
  if (unit === n) return undefined;
  const sections = split(kernel, [m, m * (n / unit), m * n]);
  const [rows, blocks, columns] = sections ?? [];
  if (!rows || !blocks || !columns) return undefined;
  const grid = [...blocks, ...rows, ...columns];
  const inner = kernel.axes.slice(kernel.grid);
  /** Old axis → its parts now. */
  const parts = kernel.axes.map((_, axis): (readonly [place: number, step: number])[] =>
    axis >= kernel.grid
      ? [[axis - kernel.grid + grid.length, 1]]
      : grid.flatMap((part, place) => (part.axis === axis ? [[place, part.step] as const] : [])),
  );
  const number = (axis: number): number | undefined => (parts[axis]?.length === 1 ? parts[axis][0]?.[0] : undefined);
  if (kernel.values.some((v) => v.op === "axis" && number(v.axis) === undefined)) return undefined;
  const access = (a: Access): Access => ({
    ...a,
    terms: a.terms.flatMap(([axis, coef]) => (parts[axis] ?? []).map(([place, step]) => [place, coef * step] as const)),
  });
  return coalesce({
    ...kernel,
    axes: [...grid.map(({ extent }) => extent), ...inner],
    grid: grid.length,
    values: kernel.values.map((v): Value => {
      if (v.op === "axis") return { ...v, axis: number(v.axis) ?? v.axis };
      return v.op === "load" ? { ...v, access: access(v.access) } : v;
    }),
    stages: kernel.stages.map((stage) => ({
      ...stage,
      axes: stage.axes.map((axis) => axis - kernel.grid + grid.length),
      stores: stage.stores.map((store) => ({ ...store, access: access(store.access) })),
    })),
  });
}
