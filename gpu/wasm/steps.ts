/** What the functions of products have in common: counted loops, and addresses by strides or tables. */
import type { Offsets, Operand } from "../kernel.ts";
import type { Fn } from "./assembler.ts";

/** for (i = from; i < to; i += step), both pushed. */
export function upTo(f: Fn, i: number, from: () => void, to: () => void, step: number, body: () => void): void {
  from();
  f.tee(i);
  to();
  f.op("i32.lt_s").if(() => {
    f.loop(() => {
      body();
      f.get(i).i32(step).op("i32.add").tee(i);
      to();
      f.op("i32.lt_s").brIf(0);
    });
  });
}

/** Pushes the bytes of an offset; its index is pushed. Parameters follow two locals. */
export function offset(f: Fn, o: Offsets, index: () => void): void {
  index();
  if (o.kind === "stride") f.i32(4 * o.stride).op("i32.mul");
  else f.i32(2).op("i32.shl").get(2 + o.param).op("i32.add").mem("i32.load").i32(2).op("i32.shl"); // prettier-ignore
}

/** Pushes the address of an operand at a batch. */
export function atBatch(f: Fn, { param, base, g }: Operand, batch: number): void {
  f.get(2 + param).i32(4 * base).op("i32.add"); // prettier-ignore
  offset(f, g, () => f.get(batch));
  f.op("i32.add");
}
