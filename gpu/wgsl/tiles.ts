/**
 * Large products: 16 × 16 invocations share a tile of both operands in workgroup memory and keep 4 × 4 or 8 × 8 sums
 * each. An invocation carries one vector of four elements of either operand into the tile at each turn, read into
 * registers while the turn before is computed. Nothing in the inner loop is guarded: outside of the product the last row
 * or column is read again, and steps beyond the depth count as zero. Operands of half precision stay so in the tile where
 * the adapter knows them. They are multiplied and summed in 32 bits: the product of two of them is exact in f32, and would
 * be rounded in f16.
 */
import type { DotKernel } from "../kernel.ts";
import { join, offset, store, whole } from "./product.ts";
import { SIDE } from "./product-plan.ts";
import type { Plan } from "./product-plan.ts";
import type { Shader, Writer } from "./writer.ts";

type Side = "a" | "b";
const sides: readonly Side[] = ["a", "b"];

/** Vectors of a tile's side, and steps along the depth of a turn: together one vector for each invocation. */
const across = ({ tm }: Plan): number => (tm * SIDE) / 4;
const turnOf = (plan: Plan): number => (SIDE * SIDE) / across(plan);
/** Vectors from one step to the next: odd, so that lanes that walk the depth meet different banks of memory. */
const pitchOf = (plan: Plan): number => across(plan) + 1;

/** What a tile of a side holds. */
const heldAs = ({ schedule, params }: Writer, kernel: DotKernel, side: Side): "f16" | "f32" =>
  schedule.f16 && params[kernel[side].param]?.half ? "f16" : "f32";

const outerFast = (kernel: DotKernel, side: Side): boolean => {
  const { outer } = kernel[side];
  return outer.kind === "stride" && outer.stride === 1;
};

/** Which vector is this invocation's, and where its four rows or columns begin. */
function places(w: Writer, kernel: DotKernel, plan: Plan, side: Side, first: string): void {
  const extent = side === "a" ? kernel.m : kernel.n;
  const [fast, slow] = outerFast(kernel, side) ? ["o", "k"] : ["k", "o"];
  const width = outerFast(kernel, side) ? across(plan) : turnOf(plan);
  w.line(`let ${fast}_${side} = lane % ${width}u;`);
  w.line(`let ${slow}_${side} = lane / ${width}u;`);
  for (let i = 0; i < 4; i++) {
    w.line(`let outer_${side}${i} = min(${first} + 4u * o_${side} + ${i}u, ${extent - 1}u);`);
    w.line(`let at_${side}${i} = ${join(whole(w, kernel[side], "g", `outer_${side}${i}`))};`);
  }
  w.line(`var next_${side} = vec4<${heldAs(w, kernel, side)}>();`);
}

/** Reads the invocation's vectors of the turn `turn`. */
function read(w: Writer, kernel: DotKernel, plan: Plan, turn: string): void {
  const { k } = kernel;
  const steps = turnOf(plan);
  const whole = plan.pieces === 1 && k % steps === 0;
  for (const side of sides) {
    const from = plan.pieces === 1 ? "" : `piece * ${plan.depth}u + `;
    w.line("{");
    w.line(`let step = ${from}${turn} * ${steps}u + k_${side};`);
    w.line(`let deep = ${whole ? "step" : `min(step, ${k - 1}u)`};`);
    w.line(`let deep_at = ${join([offset(w, kernel[side].k, "deep")])};`);
    const held = heldAs(w, kernel, side);
    const values = [0, 1, 2, 3].map((i) => {
      const [param, at] = [kernel[side].param, `at_${side}${i} + deep_at`];
      return held === "f16" ? w.half(param, at) : w.load(param, at);
    });
    w.line(`next_${side} = vec4<${held}>(${values.join(", ")});`);
    if (!whole) w.line(`next_${side} = select(vec4<${held}>(), next_${side}, step < ${k}u);`);
    w.line("}");
  }
}

export function tilesShader(w: Writer, kernel: DotKernel, plan: Plan): Shader {
  const { blocksM, blocksN, tm, tn, pieces, depth } = plan;
  const groups = kernel.g * blocksM * blocksN * pieces;
  const steps = turnOf(plan);
  const pitch = pitchOf(plan);
  const turns = Math.ceil(depth / steps);
  const vectors = tm / 4;
  w.line("let tile = groups.x + groups.y * all_groups.x;");
  w.line(`if (tile >= ${groups}u) { return; }`);
  w.line(`let first_n = (tile % ${blocksN}u) * ${tn * SIDE}u;`);
  w.line(`let first_m = ((tile / ${blocksN}u) % ${blocksM}u) * ${tm * SIDE}u;`);
  w.line(`let piece = (tile / ${blocksN * blocksM}u) % ${pieces}u;`);
  w.line(`let g = tile / ${blocksN * blocksM * pieces}u;`);
  w.line(`let x = lane % ${SIDE}u;`);
  w.line(`let y = lane / ${SIDE}u;`);
  places(w, kernel, plan, "a", "first_m");
  places(w, kernel, plan, "b", "first_n");
  for (let i = 0; i < tm; i++) for (let j = 0; j < vectors; j++) w.line(`var s${i}_${j} = vec4<f32>();`);
  read(w, kernel, plan, "0u");
  w.line(`for (var turn = 0u; turn < ${turns}u; turn++) {`);
  w.line("workgroupBarrier();");
  for (const side of sides) w.line(`tile_${side}[k_${side} * ${pitch}u + o_${side}] = next_${side};`);
  w.line("workgroupBarrier();");
  w.line(`if (turn < ${turns - 1}u) {`);
  read(w, kernel, plan, "(turn + 1u)");
  w.line("}");
  w.line(`for (var k = 0u; k < ${steps}u; k++) {`);
  const wide = (side: Side, lane: string, i: number): string => {
    const vector = `tile_${side}[k * ${pitch}u + ${lane} + ${SIDE * i}u]`;
    return heldAs(w, kernel, side) === "f16" ? `vec4<f32>(${vector})` : vector;
  };
  for (let i = 0; i < vectors; i++) w.line(`let a${i} = ${wide("a", "y", i)};`);
  for (let j = 0; j < vectors; j++) w.line(`let b${j} = ${wide("b", "x", j)};`);
  for (let i = 0; i < tm; i++) {
    for (let j = 0; j < vectors; j++) w.line(`s${i}_${j} += a${i >> 2}.${"xyzw"[i & 3]} * b${j};`);
  }
  w.line("}");
  w.line("}");
  const place = (first: string, lane: string) => (i: string) =>
    `${first} + 4u * (${lane} + ${SIDE}u * (${i} / 4u)) + ${i} % 4u`;
  store(w, kernel, plan, place("first_m", "y"), place("first_n", "x"), (i, j) => `s${i}_${j >> 2}.${"xyzw"[j & 3]}`);
  const shared = sides.map(
    (side) => `var<workgroup> tile_${side}: array<vec4<${heldAs(w, kernel, side)}>, ${steps * pitch}>;`,
  );
  return { ...w.module(SIDE * SIDE, shared), groups };
}
