/**
 * Products as WGSL. Each invocation keeps a block of up to 4 × 4 sums in registers. In large products 16 × 16 invocations
 * share a tile of both operands in workgroup memory; in others each reads its operands itself, without barriers. Operands are read where they lie, by strides or tables of offsets. Where blocks are few and the
 * depth is long, the depth is cut: partial products go to scratch and a second dispatch adds them in order.
 */
import type { DotKernel, Offsets, Operand } from "../kernel.ts";
import { branched } from "./branches.ts";
import type { Branch } from "./branches.ts";
import type { Schedule } from "./schedule.ts";
import { decode, ValueWriter, Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

/** Invocations of a workgroup along either side, and steps along the depth that are in workgroup memory at once. */
const SIDE = 16;
/** Workgroups that keep a device busy with tiles. */
const TILES = 64;
/** Fewest steps along the depth that a piece is worth. */
const SHORT = 64;

interface Sizes {
  readonly g: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

interface Plan {
  readonly tiled: boolean;
  /** Sums of an invocation: rows and columns. */
  readonly tm: number;
  readonly tn: number;
  /** Blocks of invocations (tiles of workgroups) along rows and columns. */
  readonly blocksM: number;
  readonly blocksN: number;
  readonly pieces: number;
  readonly depth: number;
}

/** The block that wastes least: loads fall with its size, sums outside of the product grow. */
function block(size: number, most: number): number {
  let best = 1;
  const cost = (t: number) => Math.ceil(size / t) * t * (1 + 1 / t);
  for (let t = 2; t <= most; t++) if (cost(t) <= cost(best)) best = t;
  return best;
}

/** By shape and schedule alone, so that results do not depend on the moment. */
function planOf({ g, m, n, k }: Sizes, { together, threads: busy, block: most }: Schedule): Plan {
  const wide = Math.ceil(m / (4 * SIDE)) * Math.ceil(n / (4 * SIDE));
  if (together && m >= 4 * SIDE && n >= 4 * SIDE && k >= 4 * SIDE && g * wide >= TILES) {
    const [blocksM, blocksN] = [Math.ceil(m / (4 * SIDE)), Math.ceil(n / (4 * SIDE))];
    return { tiled: true, tm: 4, tn: 4, blocksM, blocksN, pieces: 1, depth: k };
  }
  const blocks = (most: number) => {
    const [tm, tn] = [block(m, most), block(n, most)];
    return { tm, tn, blocksM: Math.ceil(m / tm), blocksN: Math.ceil(n / tn) };
  };
  let plan = blocks(most);
  for (let less = most / 2; less >= 2 && g * plan.blocksM * plan.blocksN < busy / 4; less /= 2) plan = blocks(less);
  const threads = g * plan.blocksM * plan.blocksN;
  const wanted = Math.max(1, Math.min(64, Math.floor(busy / threads), Math.floor(k / SHORT)));
  const depth = Math.ceil(k / wanted);
  return { tiled: false, ...plan, pieces: Math.ceil(k / depth), depth };
}

/** Elements of scratch that a product needs. */
export function dotScratch(sizes: Sizes, schedule: Schedule): number {
  const { pieces } = planOf(sizes, schedule);
  return pieces > 1 ? pieces * sizes.g * sizes.m * sizes.n : 1;
}

const offset = (w: Writer, o: Offsets, i: string): string =>
  o.kind === "stride" ? (o.stride === 0 ? "" : `${i} * ${w.literal(o.stride, "u32")}`) : w.word(o.param, i);

/** The part of an address that does not depend on the depth. */
function whole(w: Writer, operand: Operand, g: string, outer: string): string[] {
  const base = operand.base === 0 ? "" : w.literal(operand.base, "u32");
  return [offset(w, operand.g, g), offset(w, operand.outer, outer), base];
}

const join = (parts: readonly string[]): string => parts.filter(Boolean).join(" + ") || "0u";

/** Fills one tile: 64 elements of the outer axis from `first`, 16 steps of the depth from `k0`. */
function fill(w: Writer, kernel: DotKernel, side: "a" | "b", first: string): void {
  const operand = kernel[side];
  const extent = side === "a" ? kernel.m : kernel.n;
  const across = 4 * SIDE;
  const outerFast = operand.outer.kind === "stride" && operand.outer.stride === 1;
  for (let part = 0; part < 4; part++) {
    const at = part === 0 ? "lane" : `(lane + ${SIDE * SIDE * part}u)`;
    const [o, k] = outerFast ? [`${at} % ${across}u`, `${at} / ${across}u`] : [`${at} / ${SIDE}u`, `${at} % ${SIDE}u`];
    w.line("{");
    w.line(`let o = ${o};`);
    w.line(`let k = ${k};`);
    w.line(`let outer = ${first} + o;`);
    w.line("let deep = k0 + k;");
    w.line("var value = 0f;");
    const address = join([...whole(w, operand, "g", "outer"), offset(w, operand.k, "deep")]);
    w.line(`if (outer < ${extent}u && deep < ${kernel.k}u) { value = ${w.load(operand.param, address)}; }`);
    w.line(`tile_${side}[k * ${across + 1}u + o] = value;`);
    w.line("}");
  }
}

/** What becomes of one element of the product: `place` is its row-major place, `sum` its value. */
function finish(w: Writer, kernel: DotKernel): void {
  if (kernel.stored) w.save(kernel.out, "place", "sum");
  if (!kernel.epilogue) return;
  const { rows, params } = kernel.epilogue;
  const own = (p: number) => {
    const param = params[p];
    if (param === undefined) throw new Error(`expected parameter ${p} of the epilogue`);
    return param;
  };
  const values = new ValueWriter(w, rows.values, own, (p) => (own(p) === kernel.out ? "sum" : undefined));
  decode(
    w,
    "place",
    rows.axes.map((extent, axis) => [axis, extent] as const),
  );
  rows.values.forEach((_, v) => values.define(v));
  for (const stage of rows.stages) stage.stores.forEach((store) => values.store(store));
}

type Each = (body: (i: number, j: number) => void) => void;

const sums =
  ({ tm, tn }: Plan): Each =>
  (body) => {
    for (let i = 0; i < tm; i++) for (let j = 0; j < tn; j++) body(i, j);
  };

/** Sums that are stored one by one, in code of their own; more are stored by a loop. */
const FEW = 16;

/** What becomes of all sums of an invocation. */
function store(
  w: Writer,
  kernel: DotKernel,
  plan: Plan,
  row: (i: string) => string,
  column: (j: string) => string,
): void {
  const { g, m, n } = kernel;
  const { tm, tn } = plan;
  const one = (i: string, j: string, sum: string) => {
    w.line(`let row = ${row(i)};`);
    w.line(`let column = ${column(j)};`);
    w.line(`let sum = ${sum};`);
    w.line(`if (row < ${m}u && column < ${n}u) {`);
    w.line(`let place = (g * ${m}u + row) * ${n}u + column;`);
    if (plan.pieces > 1) w.save(kernel.scratch, `piece * ${g * m * n}u + place`, "sum");
    else finish(w, kernel);
    w.line("}");
  };
  if (tm * tn > FEW) {
    const names: string[] = [];
    sums(plan)((i, j) => names.push(`s${i}_${j}`));
    w.line(`var all_sums = array<f32, ${tm * tn}>(${names.join(", ")});`);
    w.line(`for (var each = 0u; each < ${tm * tn}u; each++) {`);
    one(`(each / ${tn}u)`, `(each % ${tn}u)`, "all_sums[each]");
    w.line("}");
    return;
  }
  sums(plan)((i, j) => {
    w.line("{");
    one(`${i}u`, `${j}u`, `s${i}_${j}`);
    w.line("}");
  });
}

function tiles(w: Writer, kernel: DotKernel, plan: Plan): Shader {
  const { blocksM, blocksN, tm, tn } = plan;
  const pitch = 4 * SIDE + 1;
  const groups = kernel.g * blocksM * blocksN;
  w.line("let tile = groups.x + groups.y * all_groups.x;");
  w.line(`if (tile >= ${groups}u) { return; }`);
  w.line(`let first_n = (tile % ${blocksN}u) * ${4 * SIDE}u;`);
  w.line(`let first_m = ((tile / ${blocksN}u) % ${blocksM}u) * ${4 * SIDE}u;`);
  w.line(`let g = tile / ${blocksN * blocksM}u;`);
  w.line(`let x = lane % ${SIDE}u;`);
  w.line(`let y = lane / ${SIDE}u;`);
  sums(plan)((i, j) => w.line(`var s${i}_${j} = 0f;`));
  w.line(`for (var k0 = 0u; k0 < ${kernel.k}u; k0 += ${SIDE}u) {`);
  fill(w, kernel, "a", "first_m");
  fill(w, kernel, "b", "first_n");
  w.line("workgroupBarrier();");
  w.line(`for (var k = 0u; k < ${SIDE}u; k++) {`);
  for (let i = 0; i < tm; i++) w.line(`let a${i} = tile_a[k * ${pitch}u + y + ${SIDE * i}u];`);
  for (let j = 0; j < tn; j++) w.line(`let b${j} = tile_b[k * ${pitch}u + x + ${SIDE * j}u];`);
  sums(plan)((i, j) => w.line(`s${i}_${j} += a${i} * b${j};`));
  w.line("}");
  w.line("workgroupBarrier();");
  w.line("}");
  store(
    w,
    kernel,
    plan,
    (i) => `first_m + y + ${SIDE}u * ${i}`,
    (j) => `first_n + x + ${SIDE}u * ${j}`,
  );
  const shared = ["a", "b"].map((side) => `var<workgroup> tile_${side}: array<f32, ${SIDE * pitch}>;`);
  return { code: w.module(SIDE * SIDE, shared), groups };
}

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

/** The sums of the block numbered `at`, of the batch `g`. */
function blockAt(w: Writer, kernel: DotKernel, plan: Plan): void {
  const { m, n, k, a, b } = kernel;
  const { tm, tn, blocksM, blocksN, pieces, depth } = plan;
  w.line(`let x = at % ${blocksN}u;`);
  w.line(`let y = (at / ${blocksN}u) % ${blocksM}u;`);
  const row = (i: string) => `y + ${blocksM}u * ${i}`;
  const column = (j: string) => `x + ${blocksN}u * ${j}`;
  // blocks at the border read the last row or column again
  for (let i = 0; i < tm; i++) w.line(`let row${i} = min(${row(`${i}u`)}, ${m - 1}u);`);
  for (let j = 0; j < tn; j++) w.line(`let column${j} = min(${column(`${j}u`)}, ${n - 1}u);`);
  for (let i = 0; i < tm; i++) w.line(`let at_a${i} = ${join(whole(w, a, "g", `row${i}`))};`);
  for (let j = 0; j < tn; j++) w.line(`let at_b${j} = ${join(whole(w, b, "g", `column${j}`))};`);
  sums(plan)((i, j) => w.line(`var s${i}_${j} = 0f;`));
  const last = pieces > 1 ? `min((piece + 1u) * ${depth}u, ${k}u)` : `${k}u`;
  w.line(`for (var k = ${pieces > 1 ? `piece * ${depth}u` : "0u"}; k < ${last}; k++) {`);
  w.line(`let deep_a = ${join([offset(w, a.k, "k")])};`);
  w.line(`let deep_b = ${join([offset(w, b.k, "k")])};`);
  for (let i = 0; i < tm; i++) w.line(`let a${i} = ${w.load(a.param, `at_a${i} + deep_a`)};`);
  for (let j = 0; j < tn; j++) w.line(`let b${j} = ${w.load(b.param, `at_b${j} + deep_b`)};`);
  sums(plan)((i, j) => w.line(`s${i}_${j} += a${i} * b${j};`));
  w.line("}");
  store(w, kernel, plan, row, column);
}

/** `count` batches from the one numbered `first` on, by the lanes of one workgroup. */
export function productOfUnit(w: Writer, kernel: DotKernel, size: number, first: string, count: number): void {
  const { m, n, k } = kernel;
  const [tm, tn] = [block(m, 4), block(n, 4)];
  const [blocksM, blocksN] = [Math.ceil(m / tm), Math.ceil(n / tn)];
  w.line(`for (var at = lane; at < ${count * blocksM * blocksN}u; at += ${size}u) {`);
  w.line(`let g = ${first} + at / ${blocksM * blocksN}u;`);
  blockAt(w, kernel, { tiled: false, tm, tn, blocksM, blocksN, pieces: 1, depth: k });
  w.line("}");
}

/** Adds the pieces of a product that was cut along its depth, in order. */
export function piecesBranch(w: Writer, kernel: DotKernel, size: number): Branch {
  const { pieces } = planOf(kernel, w.schedule);
  const count = kernel.g * kernel.m * kernel.n;
  const write = (group: string): void => {
    w.line(`let place = ${group} * ${size}u + lane;`);
    w.line(`if (place < ${count}u) {`);
    w.line("var sum = 0f;");
    const word = w.load(kernel.scratch, `piece * ${count}u + place`);
    w.line(`for (var piece = 0u; piece < ${pieces}u; piece++) { sum += ${word}; }`);
    finish(w, kernel);
    w.line("}");
  };
  return { groups: Math.ceil(count / size), write };
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

/** Large products have workgroups of a form of their own. */
export const isTiled = (sizes: Sizes, schedule: Schedule): boolean => planOf(sizes, schedule).tiled;
export const inPieces = (sizes: Sizes, schedule: Schedule): boolean => planOf(sizes, schedule).pieces > 1;

export function dotShaders(kernel: DotKernel, banks: readonly number[], schedule: Schedule): readonly Shader[] {
  const plan = planOf(kernel, schedule);
  if (plan.tiled) return [tiles(new Writer(kernel.params, banks, schedule), kernel, plan)];
  const alone = (branch: typeof productBranch): Shader => {
    const w = new Writer(kernel.params, banks, schedule);
    return branched(w, 64, [branch(w, kernel, 64)]);
  };
  return plan.pieces > 1 ? [alone(productBranch), alone(piecesBranch)] : [alone(productBranch)];
}
