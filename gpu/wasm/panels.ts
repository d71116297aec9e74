/**
 * What products and the packing of their right operand share: walks over blocks and strips of columns, and the call that
 * packs a strip into panels.
 */
import type { Operand } from "../kernel.ts";
import type { Fn } from "./assembler.ts";
import { NR } from "./blocks.ts";
import type { Shared } from "./finish.ts";
import { packFunction, packKey, packedTogether } from "./pack.ts";
import { upTo } from "./steps.ts";

/** Parameters of every kernel. */
export const [BEGIN, END] = [0, 1] as const;

export class PanelWriter {
  protected readonly f: Fn;
  protected readonly n: number;
  protected readonly shared: Shared;
  /** Where the block begins and how large it is: columns, depth. The strip of columns. */
  protected readonly n0: number;
  protected readonly nc: number;
  protected readonly k0: number;
  protected readonly kc: number;
  protected readonly j: number;
  private readonly end: number;

  constructor(f: Fn, n: number, shared: Shared) {
    this.f = f;
    this.n = n;
    this.shared = shared;
    const local = () => f.local("i32");
    [this.n0, this.nc, this.k0, this.kc, this.j, this.end] = [local(), local(), local(), local(), local(), local()];
  }

  protected pointer(param: number): number {
    return 2 + param;
  }

  /** for (counter = from; counter < to; counter += step), both pushed. */
  protected loop(counter: number, from: () => void, to: () => void, step: number, body: () => void): void {
    upTo(this.f, counter, from, to, step, body);
  }

  /** to = min(whole - from, limit); the whole is pushed. */
  protected least(to: number, whole: () => void, from: number, limit: number): void {
    const { f } = this;
    whole();
    f.get(from).op("i32.sub").tee(to).i32(limit).get(to).i32(limit).op("i32.lt_s", "select").set(to);
  }

  /** Strips of columns of the block: whole ones (several `together`), then what is left at the end of n. */
  protected columns(together: number, body: (columns: number, panels: number) => void): void {
    const { f, n, n0, nc, j, end } = this;
    const tail = n % NR;
    const full = n - tail;
    f.get(n0).get(nc).op("i32.add").set(end);
    if (full > 0) {
      const stop = f.local("i32");
      f.get(end).i32(full).get(end).i32(full).op("i32.lt_s", "select").set(stop);
      let first = () => void f.get(n0);
      if (together > 1) {
        const most = f.local("i32");
        f.get(stop)
          .i32(together * NR - 1)
          .op("i32.sub")
          .set(most);
        this.loop(j, first, () => f.get(most), together * NR, () => body(NR, together)); // prettier-ignore
        first = () => void f.get(j);
      }
      this.loop(j, first, () => f.get(stop), NR, () => body(NR, 1)); // prettier-ignore
    }
    if (tail > 0)
      f.get(end)
        .i32(n)
        .op("i32.eq")
        .if(() => {
          f.i32(full).set(j);
          body(tail, 1);
        });
  }

  /** Packs strips of an operand; the address of the first panel and the first outer place are pushed. */
  protected pack(
    operand: Operand,
    source: number,
    panel: () => void,
    outer: () => void,
    width: number,
    padded: number,
    panels: number,
  ): void {
    const { f } = this;
    const index = this.shared(packKey(operand, width, padded, panels), () =>
      packFunction(operand, width, padded, panels),
    );
    panel();
    f.get(source);
    outer();
    f.get(this.k0).get(this.kc);
    for (const o of [operand.outer, operand.k]) {
      if (o.kind === "table") f.get(this.pointer(o.param));
      else f.i32(0);
    }
    f.call(index);
  }

  /** Packs the block's columns of the right operand; the address of the panel of columns at j is pushed. */
  protected packColumns(b: Operand, source: number, panel: () => void): void {
    this.columns(packedTogether(b), (width, panels) => {
      this.pack(b, source, panel, () => this.f.get(this.j), width, Math.ceil(width / 4) * 4, panels);
    });
  }
}
