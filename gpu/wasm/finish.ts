/**
 * Epilogues of products as they are run: over the places of their outermost loop that a block of the product has made.
 */
import { kernelText } from "../kernel-text.ts";
import type { DotKernel } from "../kernel.ts";
import type { Fn } from "./assembler.ts";
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

  /** Both ends are pushed. */
  private run({ rows }: Finish, from: () => void, to: () => void): void {
    const { f } = this;
    from();
    to();
    for (const param of this.kernel.epilogue?.params ?? []) f.get(2 + param);
    f.call(this.shared(`rows ${kernelText(rows)}`, () => rowsFunction(rows, this.helpers)));
  }

  all(epilogue: Finish): void {
    const { f } = this;
    this.run(epilogue, () => f.i32(0), () => f.i32(epilogue.places)); // prettier-ignore
  }

  /** What is done with the batches, rows or columns from `counter` on, `step` of them or up to the end, which is pushed. */
  from(epilogue: Finish, counter: number, step: number, end: () => void): void {
    const { f, next } = this;
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
    this.run(epilogue, () => place(counter), () => place(next)); // prettier-ignore
  }
}
