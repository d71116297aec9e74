/**
 * Epilogues of products as they are run: over the places of their outermost loop that a block of the product has made.
 */
import { kernelText } from "../kernel-text.ts";
import type { DotKernel, RowsKernel } from "../kernel.ts";
import type { Fn } from "./assembler.ts";
import type { Batches } from "./batches.ts";
import type { Finish } from "./blocks.ts";
import type { Helpers } from "./operations.ts";
import { rowsFunction } from "./rows.ts";

/** Adds a function once per key and gives its index. */
export type Shared = (key: string, write: () => Fn) => number;

export class Finisher {
  private readonly f: Fn;
  private readonly kernel: DotKernel;
  private readonly shared: Shared;
  private readonly helpers: Helpers;
  private readonly next: number;

  constructor(f: Fn, kernel: DotKernel, shared: Shared, helpers: Helpers) {
    this.f = f;
    this.kernel = kernel;
    this.shared = shared;
    this.helpers = helpers;
    this.next = f.local("i32");
  }

  /** Both ends are pushed; `moved` moves the pointer of a parameter. */
  private run(rows: RowsKernel, from: () => void, to: () => void, moved?: (param: number) => void): void {
    const { f } = this;
    from();
    to();
    this.kernel.epilogue?.params.forEach((param, i) => {
      f.get(2 + param);
      moved?.(i);
    });
    f.call(this.shared(`rows ${kernelText(rows)}`, () => rowsFunction(rows, this.helpers)));
  }

  all(epilogue: Finish): void {
    const { f } = this;
    this.run(epilogue.rows, () => f.i32(0), () => f.i32(epilogue.places)); // prettier-ignore
  }

  /** What is done with a unit of so many, whose number is the first parameter. */
  unit(units: number): void {
    const { f, kernel, helpers } = this;
    if (!kernel.epilogue) return;
    const { rows, params } = kernel.epilogue;
    f.get(0).i32(0);
    for (const param of params) f.get(2 + param);
    f.call(this.shared(`rows of ${units} units ${kernelText(rows)}`, () => rowsFunction(rows, helpers, units)));
  }

  private batch({ rows, count, steps }: Batches, g: number): void {
    const { f } = this;
    const from = () => f.get(g).i32(count).op("i32.rem_u");
    const to = () => void from().i32(1).op("i32.add");
    this.run(rows, from, to, (param) => {
      const step = steps[param] ?? 0;
      if (step !== 0) f.get(g).i32(count).op("i32.div_u").i32(4 * step).op("i32.mul", "i32.add"); // prettier-ignore
    });
  }

  /** What is done with the batches, rows or columns from `counter` on, `step` of them or up to the end, which is pushed. */
  from(epilogue: Finish, counter: number, step: number, end: () => void): void {
    const { f, next } = this;
    if (epilogue.batches) return this.batch(epilogue.batches, counter);
    const place = (local: number) => {
      f.get(local);
      if (epilogue.each > 1) f.i32(epilogue.each).op("i32.mul");
      if (epilogue.needs > 1) f.i32(epilogue.needs).op("i32.div_u");
    };
    f.get(counter).i32(step).op("i32.add").tee(next);
    end();
    f.get(next);
    end();
    f.op("i32.lt_s", "select").set(next);
    this.run(epilogue.rows, () => place(counter), () => place(next)); // prettier-ignore
  }
}
