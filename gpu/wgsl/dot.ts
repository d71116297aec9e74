/**
 * Tiled products as WGSL: a square of invocations shares a tile of both operands in workgroup memory, each keeps a block
 * of up to 4 × 4 sums in registers. Operands are read where they lie, by strides or tables of offsets. Where tiles are few and the
 * depth is long, the depth is cut: partial products go to scratch and a second dispatch adds them in order.
 */
import type { DotKernel, Offsets, Operand } from "../kernel.ts";
import { decode, ValueWriter, Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

/** Steps along the depth that are in workgroup memory at once. */
const DEPTH = 16;
/** Tiles that keep a device busy. */
const ENOUGH = 96;
/** Fewest steps along the depth that a piece is worth. */
const SHORT = 256;

interface Sizes {
  readonly g: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

interface Plan {
  /** Invocations of a workgroup along either side. */
  readonly side: 8 | 16;
  /** Sums of an invocation: rows and columns. */
  readonly tm: number;
  readonly tn: number;
  readonly tilesM: number;
  readonly tilesN: number;
  readonly pieces: number;
  /** Depth of a piece, a multiple of 16. */
  readonly depth: number;
}

/** By shape alone, so that results do not depend on the machine. */
function planOf({ g, m, n, k }: Sizes): Plan {
  const count = (side: number, tm: number, tn: number) => g * Math.ceil(m / (side * tm)) * Math.ceil(n / (side * tn));
  const side = m >= 64 && n >= 64 && count(16, 4, 4) >= ENOUGH ? 16 : 8;
  const fit = (size: number) => (size > 2 * side ? 4 : size > side ? 2 : 1);
  const [tm, tn] = [fit(m), fit(n)];
  const tiles = count(side, tm, tn);
  const wanted = Math.max(1, Math.min(64, Math.floor(ENOUGH / tiles), Math.floor(k / SHORT)));
  const depth = Math.ceil(Math.ceil(k / wanted) / DEPTH) * DEPTH;
  const [tilesM, tilesN] = [Math.ceil(m / (side * tm)), Math.ceil(n / (side * tn))];
  return { side, tm, tn, tilesM, tilesN, pieces: Math.ceil(k / depth), depth };
}

/** Elements of scratch that a product needs. */
export function dotScratch(sizes: Sizes): number {
  const { pieces } = planOf(sizes);
  return pieces > 1 ? pieces * sizes.g * sizes.m * sizes.n : 1;
}

const offset = (w: Writer, o: Offsets, i: string): string =>
  o.kind === "stride" ? (o.stride === 0 ? "" : `${i} * ${w.literal(o.stride, "u32")}`) : w.word(o.param, i);

function address(w: Writer, operand: Operand, g: string, outer: string, k: string): string {
  const parts = [offset(w, operand.g, g), offset(w, operand.outer, outer), offset(w, operand.k, k)].filter(Boolean);
  if (operand.base !== 0 || parts.length === 0) parts.push(w.literal(operand.base, "u32"));
  return parts.join(" + ");
}

/** Fills one tile: `across` elements of the outer axis from `first`, 16 steps of the depth from `k0`. */
function fill(w: Writer, kernel: DotKernel, side: "a" | "b", across: number, size: number, first: string): void {
  const operand = kernel[side];
  const extent = side === "a" ? kernel.m : kernel.n;
  const pitch = across + 1;
  const outerFast = operand.outer.kind === "stride" && operand.outer.stride === 1;
  for (let part = 0; part < (across * DEPTH) / size; part++) {
    const at = part === 0 ? "lane" : `(lane + ${size * part}u)`;
    const [o, k] = outerFast ? [`${at} % ${across}u`, `${at} / ${across}u`] : [`${at} / ${DEPTH}u`, `${at} % ${DEPTH}u`];
    w.line("{");
    w.line(`let o = ${o};`);
    w.line(`let k = ${k};`);
    w.line(`let outer = ${first} + o;`);
    w.line("let deep = k0 + k;");
    w.line("var value = 0f;");
    w.line(`if (outer < ${extent}u && deep < last) { value = ${w.load(operand.param, address(w, operand, "g", "outer", "deep"))}; }`);
    w.line(`tile_${side}[k * ${pitch}u + o] = value;`);
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

function tiles(kernel: DotKernel, banks: readonly number[], plan: Plan): Shader {
  const { g, m, n, k } = kernel;
  const { side, tm, tn, tilesM, tilesN, pieces, depth } = plan;
  const size = side * side;
  const w = new Writer(kernel.params, banks);
  const [bm, bn] = [side * tm, side * tn];
  const groups = g * pieces * tilesM * tilesN;
  w.line("let tile = groups.x + groups.y * all_groups.x;");
  w.line(`if (tile >= ${groups}u) { return; }`);
  w.line(`let n0 = (tile % ${tilesN}u) * ${bn}u;`);
  w.line(`let m0_ = ((tile / ${tilesN}u) % ${tilesM}u) * ${bm}u;`);
  w.line(`let piece = (tile / ${tilesN * tilesM}u) % ${pieces}u;`);
  w.line(`let g = tile / ${tilesN * tilesM * pieces}u;`);
  w.line(`let first = piece * ${depth}u;`);
  w.line(`let last = min(first + ${depth}u, ${k}u);`);
  w.line(`let x = lane % ${side}u;`);
  w.line(`let y = lane / ${side}u;`);
  const each = (body: (i: number, j: number) => void) => {
    for (let i = 0; i < tm; i++) for (let j = 0; j < tn; j++) body(i, j);
  };
  each((i, j) => w.line(`var s${i}${j} = 0f;`));
  w.line(`for (var k0 = first; k0 < last; k0 += ${DEPTH}u) {`);
  fill(w, kernel, "a", bm, size, "m0_");
  fill(w, kernel, "b", bn, size, "n0");
  w.line("workgroupBarrier();");
  w.line(`for (var k = 0u; k < ${DEPTH}u; k++) {`);
  for (let i = 0; i < tm; i++) w.line(`let a${i} = tile_a[k * ${bm + 1}u + y + ${side * i}u];`);
  for (let j = 0; j < tn; j++) w.line(`let b${j} = tile_b[k * ${bn + 1}u + x + ${side * j}u];`);
  each((i, j) => w.line(`s${i}${j} += a${i} * b${j};`));
  w.line("}");
  w.line("workgroupBarrier();");
  w.line("}");
  each((i, j) => {
    w.line("{");
    w.line(`let row = m0_ + y + ${side * i}u;`);
    w.line(`let column = n0 + x + ${side * j}u;`);
    w.line(`let sum = s${i}${j};`);
    w.line(`if (row < ${m}u && column < ${n}u) {`);
    w.line(`let place = (g * ${m}u + row) * ${n}u + column;`);
    if (pieces > 1) w.save(kernel.scratch, `piece * ${g * m * n}u + place`, "sum");
    else finish(w, kernel);
    w.line("}");
    w.line("}");
  });
  const shared = [
    `var<workgroup> tile_a: array<f32, ${DEPTH * (bm + 1)}>;`,
    `var<workgroup> tile_b: array<f32, ${DEPTH * (bn + 1)}>;`,
  ];
  return { code: w.module(size, shared), groups };
}

function addPieces(kernel: DotKernel, banks: readonly number[], pieces: number): Shader {
  const size = kernel.g * kernel.m * kernel.n;
  const w = new Writer(kernel.params, banks);
  w.line("let place = (groups.x + groups.y * all_groups.x) * 64u + lane;");
  w.line(`if (place >= ${size}u) { return; }`);
  w.line("var sum = 0f;");
  w.line(`for (var piece = 0u; piece < ${pieces}u; piece++) { sum += ${w.load(kernel.scratch, `piece * ${size}u + place`)}; }`);
  finish(w, kernel);
  return { code: w.module(64), groups: Math.ceil(size / 64) };
}

export function dotShaders(kernel: DotKernel, banks: readonly number[]): readonly Shader[] {
  const plan = planOf(kernel);
  const first = tiles(kernel, banks, plan);
  return plan.pieces > 1 ? [first, addPieces(kernel, banks, plan.pieces)] : [first];
}
