/**
 * Kernels whose elements depend on each other in order: running sums (an invocation per line), scatter-add (who makes a
 * row looks for what is added to it: no atomics, so always the same bits), and LU (one invocation per system).
 */
import type { CumsumKernel, ScatterKernel, SolveKernel } from "../kernel.ts";
import type { Schedule } from "./schedule.ts";
import { Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

const SIZE = 64;

/** One invocation for each of `count` places: `place`. */
export function perElement(w: Writer, count: number): void {
  w.line(`let place = (groups.x + groups.y * all_groups.x) * ${SIZE}u + lane;`);
  w.line(`if (place >= ${count}u) { return; }`);
}

export const shader = (w: Writer, count: number, more: readonly string[] = []): Shader => ({
  ...w.module(SIZE, [], more),
  groups: Math.ceil(count / SIZE),
});

export function cumsumShader(kernel: CumsumKernel, banks: readonly number[], schedule: Schedule): Shader {
  const { outer, count, inner, reverse } = kernel;
  const w = new Writer(kernel.params, banks, schedule);
  perElement(w, outer * inner);
  w.line(`let line = (place / ${inner}u) * ${count * inner}u + place % ${inner}u;`);
  w.line(`var sum = ${w.literal(0, kernel.params[0]?.dtype ?? "f32")};`);
  w.line(`for (var step = 0u; step < ${count}u; step++) {`);
  w.line(`let at = line + ${reverse ? `(${count - 1}u - step)` : "step"} * ${inner}u;`);
  w.line(`sum += ${w.load(0, "at")};`);
  w.save(1, "at", "sum");
  w.line("}");
  return shader(w, outer * inner);
}

/** Neighbours of a row that one invocation sums: as many as leave the adapter busy. */
function runOf({ outer, size, inner }: ScatterKernel, { threads }: Schedule): number {
  let run = inner;
  while (inner % run !== 0 || (run > 1 && outer * size * (inner / run) < threads)) run--;
  return run;
}

export function scatterShader(kernel: ScatterKernel, banks: readonly number[], schedule: Schedule): Shader {
  const w = new Writer(kernel.params, banks, schedule);
  return schedule.together ? scatterTogether(w, kernel) : scatterAlone(w, kernel, runOf(kernel, schedule));
}

/** Whether what is at a place of the indices belongs to `own`, a row of the line `outer`. */
function isOwn(w: Writer, { count, size, paired }: ScatterKernel, outer: string, j: string): string {
  const at = paired ? `(${outer}) * ${count}u + ${j}` : j;
  return `clamp(${w.load(1, at)}, 0, ${size - 1}) == own`;
}

/**
 * A workgroup makes a row, or `SIZE` neighbours of it. Its lanes look for the row's indices, each through a word of them,
 * a bit for each; then each adds up its own column of what was found, in order.
 */
function scatterTogether(w: Writer, kernel: ScatterKernel): Shader {
  const { outer, count, inner, size } = kernel;
  const [chunks, words] = [Math.ceil(inner / SIZE), Math.ceil(count / 32)];
  const [groups, rounds] = [outer * size * chunks, Math.ceil(words / SIZE)];
  w.line("let unit = groups.x + groups.y * all_groups.x;");
  w.line(`if (unit >= ${groups}u) { return; }`);
  w.line(`let own = i32((unit / ${chunks}u) % ${size}u);`);
  w.line(`let outer = unit / ${chunks * size}u;`);
  w.line(`let column = (unit % ${chunks}u) * ${SIZE}u + lane;`);
  w.line(`var sum = ${w.literal(0, kernel.params[0]?.dtype ?? "f32")};`);
  w.loop("round", rounds, () => {
    w.line("var bits = 0u;");
    w.loop("bit", 32, () => {
      w.line(`let j = (round * ${SIZE}u + lane) * 32u + bit;`);
      w.line(`if (j < ${count}u && ${isOwn(w, kernel, "outer", "j")}) { bits |= 1u << bit; }`);
    });
    w.line("found[lane] = bits;");
    w.line("workgroupBarrier();");
    w.loop("word", Math.min(SIZE, words), () => {
      w.line("var left = found[word];");
      w.loop("turn", 32, () => {
        w.line("if (left == 0u) { break; }");
        w.line(`let j = (round * ${SIZE}u + word) * 32u + firstTrailingBit(left);`);
        w.line("left &= left - 1u;");
        w.line(`if (column < ${inner}u) { sum += ${w.load(0, `(outer * ${count}u + j) * ${inner}u + column`)}; }`);
      });
    });
    if (rounds > 1) w.line("workgroupBarrier();");
  });
  w.line(`if (column < ${inner}u) {`);
  w.save(2, `(outer * ${size}u + u32(own)) * ${inner}u + column`, "sum");
  w.line("}");
  return { ...w.module(SIZE, [`var<workgroup> found: array<u32, ${SIZE}>;`]), groups };
}

/** Every invocation goes through all indices, so the fewer there are the better. */
function scatterAlone(w: Writer, kernel: ScatterKernel, run: number): Shader {
  const { outer, count, inner, size } = kernel;
  const runs = inner / run;
  const dtype = kernel.params[0]?.dtype ?? "f32";
  perElement(w, outer * size * runs);
  w.line(`let own = i32((place / ${runs}u) % ${size}u);`);
  w.line(`let line = (place / ${runs * size}u) * ${count * inner}u + (place % ${runs}u) * ${run}u;`);
  const indices = (hit: () => void) =>
    w.loop("j", count, () => {
      w.line(`if (!(${isOwn(w, kernel, `place / ${runs * size}u`, "j")})) { continue; }`);
      hit();
    });
  if (run === 1) {
    w.line(`var sum = ${w.literal(0, dtype)};`);
    indices(() => w.line(`sum += ${w.load(0, `line + j * ${inner}u`)};`));
    w.save(2, "place", "sum");
  } else {
    const result = `place * ${run}u + i`;
    w.loop("i", run, () => w.save(2, result, w.literal(0, dtype)));
    indices(() =>
      w.loop("i", run, () => w.save(2, result, `(${w.load(2, result)} + ${w.load(0, `line + j * ${inner}u + i`)})`)),
    );
  }
  return shader(w, outer * size * runs);
}

/** Gaussian elimination with partial pivoting on a copy of A; the columns of b are carried along in the result. */
export function solveShader(kernel: SolveKernel, banks: readonly number[], schedule: Schedule): Shader {
  const { outer, n, m } = kernel;
  const w = new Writer(kernel.params, banks, schedule);
  const lu = (row: string, column: string) => w.load(3, `square + ${row} * ${n}u + ${column}`);
  const b = (row: string, column: string) => w.load(2, `right + ${row} * ${m}u + ${column}`);
  const base = (param: number) => (param === 0 || param === 3 ? "square" : "right");
  const copy = (from: number, to: number, count: number) =>
    w.loop("c", count, () => w.save(to, `${base(to)} + c`, w.load(from, `${base(from)} + c`)));
  const swap = (param: number, width: number) =>
    w.loop("c", width, () => {
      const at = (row: string) => `${base(param)} + ${row} * ${width}u + c`;
      w.line(`let kept = ${w.load(param, at("p"))};`);
      w.save(param, at("p"), w.load(param, at("best")));
      w.save(param, at("best"), "kept");
    });
  const eliminate = (param: number, width: number, first: string) =>
    w.range("c", first, `${width}u`, width, () => {
      const at = (row: string) => `${base(param)} + ${row} * ${width}u + c`;
      w.save(param, at("r"), `(${w.load(param, at("r"))} - factor * ${w.load(param, at("p"))})`);
    });
  perElement(w, outer);
  w.line(`let square = place * ${n * n}u;`);
  w.line(`let right = place * ${n * m}u;`);
  copy(0, 3, n * n);
  copy(1, 2, n * m);
  w.loop("p", n, () => {
    w.line("var best = p;");
    w.line(`var size = abs(${lu("p", "p")});`);
    w.range("r", "p", `${n}u`, n, () => {
      w.line(`let other = abs(${lu("r", "p")});`);
      w.line("if (other > size) { best = r; size = other; }");
    });
    w.line("if (best != p) {");
    swap(3, n);
    swap(2, m);
    w.line("}");
    w.range("r", "p + 1u", `${n}u`, n, () => {
      w.line(`let factor = ${lu("r", "p")} / ${lu("p", "p")};`);
      eliminate(3, n, "p");
      eliminate(2, m, "0u");
    });
  });
  // back substitution, last row first
  w.loop("step", n, () => {
    w.line(`let p = ${n - 1}u - step;`);
    w.line(`let size = ${lu("p", "p")};`);
    w.loop("c", m, () => w.save(2, `right + p * ${m}u + c`, `(${b("p", "c")} / size)`));
    w.range("r", "0u", "p", n, () => {
      w.line(`let factor = ${lu("r", "p")};`);
      eliminate(2, m, "0u");
    });
  });
  return shader(w, outer);
}
