/**
 * Which temporaries are stored in 16 bits: those of which every number is one of half precision, whoever writes it. Two
 * of them share a word, so whoever writes one must write its neighbour too; the renderer tells which kernels can. The
 * rounding itself is part of the graph, so a number has the same bits wherever it is kept.
 */
import { toHalf } from "../lang/graph/ops/half.ts";
import type { DotKernel, Kernel, Param, RowsKernel, Store } from "./kernel.ts";
import type { Buffer, Lowered, Step } from "./program.ts";

/** What a renderer can write in pairs: elements 2i and 2i + 1 by one hand. */
export interface Pairs {
  rows(kernel: RowsKernel, store: Store, stage: number): boolean;
  /** Neighbours along n, of which there is an even number. */
  dot(kernel: DotKernel): boolean;
}

/** Results are numbers of half precision where the arguments are. */
const KEEPING: ReadonlySet<string> = new Set(["neg", "abs", "max", "min", "select"]);
/** Kernels that read by elements; others look at words. */
const READERS: ReadonlySet<string> = new Set(["rows", "dot", "group", "cumsum", "scatter"]);

type IsHalf = (param: number) => boolean;

/** Whether a value is a number of half precision if the tensors `half` hold such. */
function isExact({ values, stages }: RowsKernel, half: IsHalf): (v: number) => boolean {
  const known = new Map<number, boolean>();
  const find = (v: number): boolean => {
    const value = values[v];
    if (!value || value.dtype === "bool") return false;
    if (value.op === "half") return true;
    if (value.op === "const") return Object.is(toHalf(value.value), value.value);
    if (value.op === "load") return half(value.access.param);
    if (value.op === "acc") {
      const acc = stages[value.stage]?.accs[value.acc];
      return acc?.op === "max" && exact(acc.value);
    }
    if (value.op === "cast") return values[value.args[0] ?? 0]?.dtype === "bool";
    return KEEPING.has(value.op) && value.args.slice(value.op === "select" ? 1 : 0).every(exact);
  };
  const exact = (v: number): boolean => {
    let is = known.get(v);
    if (is === undefined) known.set(v, (is = find(v)));
    return is;
  };
  return exact;
}

/** Parameters that cannot be stored in 16 bits. */
function refused(kernel: Kernel, half: IsHalf, pairs: Pairs): readonly number[] {
  if (kernel.kind === "rows") return refusedByRows(kernel, half, (store, s) => pairs.rows(kernel, store, s));
  if (kernel.kind === "dot") {
    const { epilogue, out, scratch, stored, params } = kernel;
    const tables = params.flatMap(({ dtype }, p) => (dtype === "f32" ? [] : [p]));
    const own = [...tables, scratch, ...(stored ? [out] : [])];
    if (!epilogue) return own;
    const of = (p: number) => epilogue.params[p] ?? -1;
    const written = refusedByRows(
      epilogue.rows,
      // the product itself is a sum in full
      (p) => of(p) !== out && half(of(p)),
      (store, s) => pairs.dot(kernel) && pairs.rows(epilogue.rows, store, s),
    );
    return [...own, ...written.map(of)];
  }
  if (kernel.kind === "group") {
    return kernel.members.flatMap((m) => {
      const of = (p: number) => m.params[p] ?? -1;
      return refused(m.kernel, (p) => half(of(p)), pairs).map(of);
    });
  }
  return kernel.params.flatMap(({ access }, p) => (access === "write" || !READERS.has(kernel.kind) ? [p] : []));
}

function refusedByRows(
  kernel: RowsKernel,
  half: IsHalf,
  inPairs: (store: Store, stage: number) => boolean,
): readonly number[] {
  const exact = isExact(kernel, half);
  return kernel.stages.flatMap(({ stores }, s) =>
    stores.flatMap((store) => (exact(store.value) && inPairs(store, s) ? [] : [store.access.param])),
  );
}

/** Which buffers can be stored in 16 bits: all that could be, less those that some step refuses, until none is refused. */
function chosen({ buffers, tape, kernels, outputs }: Lowered, pairs: Pairs): ReadonlySet<number> {
  const owner = (id: number): number => {
    const place = buffers[id]?.place;
    return place?.kind === "slice" ? owner(place.of) : id;
  };
  const half = new Set<number>();
  buffers.forEach(({ dtype, size, place }, id) => {
    if (dtype === "f32" && size > 1 && place.kind === "temp") half.add(id);
  });
  const drop = (id: number): void => {
    const place = buffers[id]?.place;
    if (place?.kind === "swap") [place.even, place.odd].forEach(drop);
    else half.delete(owner(id));
  };
  outputs.forEach(drop);
  buffers.forEach(({ place }, id) => {
    // the carries of a loop are copied as words, and a tick begins at a whole word
    if (place.kind === "swap" || (place.kind === "slice" && place.stride % 2 !== 0)) drop(id);
  });
  const calls: { readonly kernel: number; readonly args: readonly number[] }[] = [];
  const walk = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if (step.kind === "loop") walk(step.body);
      else if (step.kind === "copy") [step.from, step.to].forEach(drop);
      else calls.push(step);
    }
  };
  walk(tape);
  const written = new Set<number>();
  for (const { kernel, args } of calls) {
    kernels[kernel]?.params.forEach(({ access }, p) => {
      if (access === "write") written.add(owner(args[p] ?? -1));
    });
  }
  for (const id of half) if (!written.has(id)) half.delete(id);
  for (let before = -1; before !== half.size;) {
    before = half.size;
    for (const { kernel, args } of calls) {
      const found = kernels[kernel];
      if (!found || !args.some((id) => half.has(owner(id)))) continue;
      for (const p of refused(found, (p) => half.has(owner(args[p] ?? -1)), pairs)) drop(args[p] ?? -1);
    }
  }
  return new Set(buffers.flatMap((_, id) => (half.has(owner(id)) ? [id] : [])));
}

/** The kernel with its parameters `half` in 16 bits. */
function narrowed<K extends Kernel>(kernel: K, half: IsHalf): K {
  const params = kernel.params.map((param, p): Param => (half(p) ? { ...param, half: true } : param));
  const narrow = { ...kernel, params };
  if (narrow.kind === "dot" && narrow.epilogue) {
    const { rows, params: own } = narrow.epilogue;
    return { ...narrow, epilogue: { params: own, rows: narrowed(rows, (p) => half(own[p] ?? -1)) } };
  }
  if (narrow.kind === "group") {
    const members = narrow.members.map((m) => ({ ...m, kernel: narrowed(m.kernel, (p) => half(m.params[p] ?? -1)) }));
    return { ...narrow, members };
  }
  return narrow;
}

/** The same program with numbers of half precision in 16 bits. */
export function withHalves(lowered: Lowered, pairs: Pairs): Lowered {
  const half = chosen(lowered, pairs);
  if (half.size === 0) return lowered;
  const kernels: Kernel[] = [];
  const spans: (readonly { readonly file: string; readonly start: number; readonly end: number }[])[] = [];
  const known = new Map<string, number>();
  const variant = (kernel: number, args: readonly number[]): number => {
    const which = args.map((id) => (half.has(id) ? 1 : 0));
    const key = `${kernel} ${which.join("")}`;
    let id = known.get(key);
    if (id === undefined) {
      id = kernels.push(narrowed(lowered.kernels[kernel] as Kernel, (p) => which[p] === 1)) - 1;
      spans.push(lowered.spans[kernel] ?? []);
      known.set(key, id);
    }
    return id;
  };
  const walk = (steps: readonly Step[]): Step[] =>
    steps.map((step): Step => {
      if (step.kind === "kernel") return { ...step, kernel: variant(step.kernel, step.args) };
      return step.kind === "loop" ? { ...step, body: walk(step.body) } : step;
    });
  const tape = walk(lowered.tape);
  const buffers = lowered.buffers.map((b, id): Buffer => (half.has(id) ? { ...b, half: true } : b));
  return { ...lowered, kernels, spans, buffers, tape };
}
