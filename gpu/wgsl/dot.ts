/**
 * Products as WGSL: each invocation keeps a block of sums in registers and reads its operands itself, where they lie, by
 * strides or tables of offsets. Where the depth is cut, partial products go to scratch and a second dispatch adds them in
 * order. Large products have tiles instead (`tiles.ts`).
 */
import type { DotKernel, Offsets, Operand } from "../kernel.ts";
import { branched } from "./branches.ts";
import type { Branch } from "./branches.ts";
import { finish, inPairs, join, offset, store, sums, whole } from "./product.ts";
import { blocksOf, planOf } from "./product-plan.ts";
import type { Plan } from "./product-plan.ts";
import type { Schedule } from "./schedule.ts";
import { tilesShader } from "./tiles.ts";
import { Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

/** Rows and columns of an invocation are a whole number of blocks apart, so that neighbours read neighbours. */
export function productBranch(w: Writer, kernel: DotKernel, size: number): Branch {
  const plan = planOf(kernel, w.schedule);
  const { g, m, n } = kernel;
  const { blocksM, blocksN, pieces } = plan;
  const count = g * pieces * blocksM * blocksN;
  const write = (group: string): void => {
    w.line(`let at = ${group} * ${size}u + lane;`);
    w.line(`if (at < ${count}u) {`);
    w.line(`let piece = (at / ${blocksN * blocksM}u) % ${pieces}u;`);
    w.line(`let g = at / ${blocksN * blocksM * pieces}u;`);
    blockAt(w, kernel, plan);
    w.line("}");
  };
  return { groups: g * m * n === 0 ? 0 : Math.ceil(count / size), write };
}

/** The sums of the block numbered `at`, of the batch `g`, which is one of `parts` of a batch of the operands. */
function blockAt(w: Writer, kernel: DotKernel, plan: Plan, parts = 1): void {
  const { m, n, k, a, b } = kernel;
  const { tm, tn, blocksM, blocksN, pieces, depth } = plan;
  w.line(`let x = at % ${blocksN}u;`);
  w.line(`let y = (at / ${blocksN}u) % ${blocksM}u;`);
  const row = (i: string) => `y + ${blocksM}u * ${i}`;
  const column = inPairs(kernel)
    ? (j: string) => `2u * x + ${2 * blocksN}u * (${j} / 2u) + ${j} % 2u`
    : (j: string) => `x + ${blocksN}u * ${j}`;
  // blocks at the border read the last row or column again
  for (let i = 0; i < tm; i++) w.line(`let row${i} = min(${row(`${i}u`)}, ${m - 1}u);`);
  for (let j = 0; j < tn; j++) w.line(`let column${j} = min(${column(`${j}u`)}, ${n - 1}u);`);
  if (parts > 1) {
    w.line(`let batch = g / ${parts}u;`);
    w.line(`let first_row = g % ${parts}u * ${m}u;`);
  }
  const [batch, inBatch] = parts > 1 ? ["batch", (i: string) => `(first_row + ${i})`] : ["g", (i: string) => i];
  for (let i = 0; i < tm; i++) w.line(`let at_a${i} = ${join(whole(w, a, batch, inBatch(`row${i}`)))};`);
  for (let j = 0; j < tn; j++) w.line(`let at_b${j} = ${join(whole(w, b, batch, `column${j}`))};`);
  sums(plan)((i, j) => w.line(`var s${i}_${j} = 0f;`));
  const step = () => {
    w.line(`let deep_a = ${join([offset(w, a.k, "k")])};`);
    w.line(`let deep_b = ${join([offset(w, b.k, "k")])};`);
    for (let i = 0; i < tm; i++) w.line(`let a${i} = ${w.load(a.param, `at_a${i} + deep_a`)};`);
    for (let j = 0; j < tn; j++) w.line(`let b${j} = ${w.load(b.param, `at_b${j} + deep_b`)};`);
    sums(plan)((i, j) => w.line(`s${i}_${j} += a${i} * b${j};`));
  };
  if (pieces === 1) w.loop("k", k, step);
  else if (k % depth !== 0) w.range("k", `piece * ${depth}u`, `${k}u`, depth, step);
  else {
    w.loop("own_k", depth, () => {
      w.line(`let k = piece * ${depth}u + own_k;`);
      step();
    });
  }
  store(w, kernel, plan, row, column);
}

/** One of so many units by the lanes of one workgroup: whole batches, or a block of rows of one batch. */
export function productOfUnit(w: Writer, kernel: DotKernel, size: number, unit: string, units: number): void {
  const parts = Math.max(1, units / kernel.g);
  // such a block is a batch of fewer rows
  const own = { ...kernel, g: kernel.g * parts, m: kernel.m / parts };
  const count = own.g / units;
  // the largest blocks of which each lane has one
  const sizes = [4, 2, 1].map((most) => blocksOf(own, most));
  const blocks = sizes.find(({ blocksM, blocksN }) => count * blocksM * blocksN >= size) ?? sizes.at(-1)!;
  const { blocksM, blocksN } = blocks;
  w.turns("at", "lane", size, count * blocksM * blocksN, () => {
    w.line(`let g = ${unit} * ${count}u + at / ${blocksM * blocksN}u;`);
    blockAt(w, own, { tiled: false, ...blocks, pieces: 1, depth: kernel.k }, parts);
  });
}

/** Adds the pieces of a product that was cut along its depth, in order. */
export function piecesBranch(w: Writer, kernel: DotKernel, size: number): Branch {
  const { pieces } = planOf(kernel, w.schedule);
  const count = kernel.g * kernel.m * kernel.n;
  const paired = inPairs(kernel);
  const write = (group: string): void => {
    if (paired) w.line("for (var part = 0u; part < 2u; part++) {");
    w.line(`let place = ${paired ? `2u * (${group} * ${size}u + lane) + part` : `${group} * ${size}u + lane`};`);
    w.line(`if (place < ${count}u) {`);
    w.line("var sum = 0f;");
    const word = w.load(kernel.scratch, `piece * ${count}u + place`);
    w.line(`for (var piece = 0u; piece < ${pieces}u; piece++) { sum += ${word}; }`);
    finish(w, kernel);
    w.line("}");
    if (paired) w.line("}");
  };
  return { groups: Math.ceil(count / (paired ? 2 * size : size)), write };
}

/** The kernel by the numbers that its parameters have in a group. */
export function withParams(kernel: DotKernel, own: readonly number[]): DotKernel {
  const param = (p: number): number => own[p] ?? p;
  const offsets = (o: Offsets): Offsets => (o.kind === "stride" ? o : { ...o, param: param(o.param) });
  const operand = (o: Operand): Operand => ({
    ...o,
    param: param(o.param),
    g: offsets(o.g),
    outer: offsets(o.outer),
    k: offsets(o.k),
  });
  const { a, b, out, scratch, epilogue } = kernel;
  return {
    ...kernel,
    a: operand(a),
    b: operand(b),
    out: param(out),
    scratch: param(scratch),
    epilogue: epilogue && { ...epilogue, params: epilogue.params.map(param) },
  };
}

export function dotShaders(kernel: DotKernel, banks: readonly number[], schedule: Schedule): readonly Shader[] {
  const plan = planOf(kernel, schedule);
  const alone = (branch: typeof productBranch): Shader => {
    const w = new Writer(kernel.params, banks, schedule);
    return branched(w, 64, [branch(w, kernel, 64)]);
  };
  const products = plan.tiled
    ? tilesShader(new Writer(kernel.params, banks, schedule), kernel, plan)
    : alone(productBranch);
  return plan.pieces > 1 ? [products, alone(piecesBranch)] : [products];
}
