/**
 * The right operand of products as panels, for all columns and depths at once: what each of the products would pack again.
 * Blocks of depths follow each other; in a block, the panel of column j begins after those of all columns before.
 */
import type { PackKernel } from "../kernel.ts";
import { Fn } from "./assembler.ts";
import { COLUMNS, blockDepth, wholeColumns } from "./blocks.ts";
import type { Shared } from "./finish.ts";
import { BEGIN, END, PanelWriter } from "./panels.ts";

/** Elements of the panels. */
export const packedSize = (n: number, k: number): number => k * wholeColumns(n);

export const packedSteps = ({ n }: PackKernel) => ({ count: n, unit: COLUMNS });

export const packedFunction = (kernel: PackKernel, shared: Shared): Fn => new PackedWriter(kernel, shared).write();

/** Pushes where the panel of columns at j begins in a block of depths: locals, bytes. */
export function atPacked(f: Fn, n: number, k0: number, kc: number, j: number): Fn {
  f.get(k0).i32(wholeColumns(n)).op("i32.mul").get(j).get(kc).op("i32.mul", "i32.add");
  return f.i32(2).op("i32.shl");
}

class PackedWriter extends PanelWriter {
  private readonly kernel: PackKernel;

  constructor(kernel: PackKernel, shared: Shared) {
    super(new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]), kernel.n, shared);
    this.kernel = kernel;
  }

  write(): Fn {
    const { f, kernel, n, n0, nc, k0, kc, j } = this;
    const { b, k, params } = kernel;
    const source = f.local("i32");
    f.get(this.pointer(b.param))
      .i32(4 * b.base)
      .op("i32.add")
      .set(source);
    f.get(BEGIN).set(n0).get(END).get(BEGIN).op("i32.sub").set(nc);
    const whole = () => void f.i32(k);
    const depth = blockDepth(k);
    this.loop(k0, () => f.i32(0), whole, depth, () => {
      this.least(kc, whole, k0, depth);
      this.packColumns(b, source, () => atPacked(f, n, k0, kc, j).get(this.pointer(params.length - 1)).op("i32.add"));
    }); // prettier-ignore
    return f;
  }
}
