/**
 * What all forms of products share: where operands lie, and what becomes of a sum: it is stored, or goes through the
 * epilogue, or is a piece that another dispatch adds up.
 */
import type { DotKernel, Offsets, Operand } from "../kernel.ts";
import type { Plan } from "./product-plan.ts";
import { decode, ValueWriter } from "./writer.ts";
import type { Writer } from "./writer.ts";

export const offset = (w: Writer, o: Offsets, i: string): string =>
  o.kind === "stride" ? (o.stride === 0 ? "" : `${i} * ${w.literal(o.stride, "u32")}`) : w.word(o.param, i);

/** The part of an address that does not depend on the depth. */
export function whole(w: Writer, operand: Operand, g: string, outer: string): string[] {
  const base = operand.base === 0 ? "" : w.literal(operand.base, "u32");
  return [offset(w, operand.g, g), offset(w, operand.outer, outer), base];
}

export const join = (parts: readonly string[]): string => parts.filter(Boolean).join(" + ") || "0u";

/** What becomes of one element of the product: `place` is its row-major place, `sum` its value. */
export function finish(w: Writer, kernel: DotKernel): void {
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

/** Whether an invocation must take neighbours along n in turn, as they share words where the epilogue puts them. */
export const inPairs = ({ epilogue }: DotKernel): boolean =>
  epilogue?.rows.params.some(({ half, access }) => half && access === "write") === true;

export type Each = (body: (i: number, j: number) => void) => void;

export const sums =
  ({ tm, tn }: Plan): Each =>
  (body) => {
    for (let i = 0; i < tm; i++) for (let j = 0; j < tn; j++) body(i, j);
  };

/** What becomes of all sums of an invocation: several are stored by a loop, as code for each takes long to compile. */
export function store(
  w: Writer,
  kernel: DotKernel,
  plan: Plan,
  row: (i: string) => string,
  column: (j: string) => string,
  name: (i: number, j: number) => string = (i, j) => `s${i}_${j}`,
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
  if (tm * tn > 1) {
    const names: string[] = [];
    sums(plan)((i, j) => names.push(name(i, j)));
    w.line(`var all_sums = array<f32, ${tm * tn}>(${names.join(", ")});`);
    w.line(`for (var each = 0u; each < ${tm * tn}u; each++) {`);
    one(`(each / ${tn}u)`, `(each % ${tn}u)`, "all_sums[each]");
    w.line("}");
    return;
  }
  w.line("{");
  one("0u", "0u", name(0, 0));
  w.line("}");
}
