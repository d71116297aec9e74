/**
 * Which results of a kernel may take the place of one of its inputs: every element of the input is read for the last
 * time before, or by the very point that writes the same place. Grid points must not meet: each owns a row of places.
 */
import type { Access, DotKernel, Kernel, RowsKernel } from "./kernel.ts";

const sameTerms = (a: Access, b: Access, axes: (axis: number) => boolean): boolean => {
  const of = (access: Access) =>
    access.terms
      .filter(([axis]) => axes(axis))
      .map(([axis, coef]) => `${axis}:${coef}`)
      .join();
  return of(a) === of(b);
};

const sameAccess = (a: Access, b: Access) =>
  a.base === b.base && a.dynamic.length === 0 && b.dynamic.length === 0 && sameTerms(a, b, () => true);

/** The highest place that the inner axes reach, from the grid point's own; undefined when they step backwards. */
function innerSpan(kernel: RowsKernel, access: Access): number | undefined {
  let span = 0;
  for (const [axis, coef] of access.terms) {
    if (axis < kernel.grid) continue;
    if (coef < 0) return undefined;
    span += coef * ((kernel.axes[axis] ?? 1) - 1);
  }
  return span;
}

/** Whether places [point, point + span] of different grid points are different. */
function rowsApart(kernel: RowsKernel, access: Access, span: number): boolean {
  const grid = access.terms.filter(([axis]) => axis < kernel.grid).sort((a, b) => a[1] - b[1]);
  if (grid.length < kernel.axes.slice(0, kernel.grid).filter((n) => n > 1).length) return false;
  let free = span + 1;
  for (const [axis, coef] of grid) {
    if (coef < free) return false;
    free = coef * ((kernel.axes[axis] ?? 1) - 1) + free;
  }
  return true;
}

/** The stage in whose loops a value is computed first: that of an inner axis it depends on, else the earliest. */
function stagesOf(kernel: RowsKernel, axes: Iterable<number>): number {
  for (const axis of axes) {
    const stage = kernel.stages.findIndex((s) => s.axes.includes(axis));
    if (stage >= 0) return stage;
  }
  return -1;
}

/** Loads of a parameter. */
const loadsOf = (kernel: RowsKernel, param: number): Access[] =>
  kernel.values.flatMap((v) => (v.op === "load" && v.access.param === param ? [v.access] : []));

const storesOf = (kernel: RowsKernel, param: number) =>
  kernel.stages.flatMap((stage, at) =>
    stage.stores.filter((s) => s.access.param === param).map((s) => ({ at, access: s.access })),
  );

function mayReplace(kernel: RowsKernel, input: number, output: number): boolean {
  const [from, to] = [kernel.params[input], kernel.params[output]];
  if (from?.access !== "read" || to?.access !== "write" || from.size !== to.size) return false;
  const stores = storesOf(kernel, output);
  const [store] = stores;
  if (!store || stores.length > 1 || store.access.dynamic.length > 0) return false;
  const span = innerSpan(kernel, store.access);
  if (span === undefined || !rowsApart(kernel, store.access, span)) return false;
  return loadsOf(kernel, input).every((load) => {
    if (load.dynamic.length > 0) return false;
    const axes = load.terms.map(([axis]) => axis).filter((axis) => axis >= kernel.grid);
    const stage = stagesOf(kernel, axes);
    if (stage === store.at) return sameAccess(load, store.access);
    if (stage > store.at || load.base !== store.access.base) return false;
    if (axes.length === 0 && sameAccess(load, store.access)) return true;
    // read whole before the stage of the store begins, and inside of the grid point's own row
    const reach = innerSpan(kernel, load);
    return (
      reach !== undefined &&
      reach <= span &&
      axes.length > 0 &&
      sameTerms(load, store.access, (axis) => axis < kernel.grid)
    );
  });
}

type Pair = readonly [input: number, output: number];
const pairs = new WeakMap<RowsKernel, readonly Pair[]>();

/** Parameters of which the second may lie where the first does. */
function pairsOf(kernel: RowsKernel): readonly Pair[] {
  const known = pairs.get(kernel);
  if (known) return known;
  const places = [...kernel.params.keys()];
  const outputs = places.filter((at) => kernel.params[at]?.access === "write");
  const found = outputs.flatMap((output) =>
    places.filter((input) => mayReplace(kernel, input, output)).map((input): Pair => [input, output]),
  );
  pairs.set(kernel, found);
  return found;
}

/** The parameter that the kernel writes at just the places where it reads `input`. */
export function storedInPlaceOf(kernel: RowsKernel, input: number): number | undefined {
  const loads = loadsOf(kernel, input);
  for (const stage of kernel.stages) {
    for (const { access } of stage.stores) {
      const same = kernel.params[access.param]?.size === kernel.params[input]?.size;
      const once = storesOf(kernel, access.param).length === 1;
      if (same && once && stage.axes.length === 0 && loads.every((load) => sameAccess(load, access)))
        return access.param;
    }
  }
  return undefined;
}

/** Pairs of arguments (input, output) of a call of which the second may lie where the first does, if that ends here. */
export function replacements(kernel: Kernel, args: readonly number[]): (readonly [from: number, to: number])[] {
  const rows =
    kernel.kind === "rows"
      ? [{ kernel, params: args.map((_, i) => i) }]
      : kernel.kind === "group"
        ? kernel.members.flatMap((m) => (m.kernel.kind === "rows" ? [{ kernel: m.kernel, params: m.params }] : []))
        : [];
  const users = new Map<number, number>();
  const count = (id: number | undefined) => void (id !== undefined && users.set(id, (users.get(id) ?? 0) + 1));
  if (kernel.kind === "group") for (const m of kernel.members) for (const p of new Set(m.params)) count(args[p]);
  else args.forEach(count);
  const out: (readonly [number, number])[] = [];
  for (const { kernel: own, params } of rows) {
    for (const [input, output] of pairsOf(own)) {
      const [from, into] = [args[params[input] ?? -1], args[params[output] ?? -1]];
      if (from !== undefined && into !== undefined && users.get(from) === 1) out.push([from, into]);
    }
  }
  return out;
}

/** Such pairs of a product's epilogue: not with what the product's own place is, where it may be put before any of them is read. */
export function replacementsAfter(
  { epilogue, out }: DotKernel,
  args: readonly number[],
): ReturnType<typeof replacements> {
  if (!epilogue) return [];
  const own = epilogue.params.map((p) => args[p]!);
  const once = (id: number) => args.filter((other) => other === id).length === 1;
  return replacements(epilogue.rows, own).filter(([from, to]) => to !== args[out] && once(from));
}
