/**
 * The tiled product: blocks of both operands are packed into panels, a micro-kernel keeps a tile of the result in
 * registers. Packing reads operands through their offsets (strides or tables), so transposes, batches and the windows of
 * a convolution cost nothing more. Depth is cut into blocks that are added in order: same bits on every run.
 */
import type { DotKernel, Operand } from "../kernel.ts";
import type { Triangle } from "../triangle.ts";
import { Fn } from "./assembler.ts";
import { NC, asDirect, asWinograd, blockDepth, blockRows, cutOf, finishOf, packedColumns } from "./blocks.ts";
import type { Cut, Finish } from "./blocks.ts";
import { directFunction } from "./direct.ts";
import { Finisher } from "./finish.ts";
import type { Shared } from "./finish.ts";
import type { Helpers } from "./operations.ts";
import { packedTogether } from "./pack.ts";
import { atPacked } from "./packed.ts";
import { BEGIN, END, PanelWriter } from "./panels.ts";
import { atBatch } from "./steps.ts";
import { tileFunction, tilesOf } from "./tile.ts";
import { rangesOf } from "./unit.ts";
import type { Range } from "./unit.ts";
import { winogradFunction } from "./winograd.ts";

/** What a product is cut into: parts of so many rows, the last one of what is left, or units of a chain. */
export type Pieces = { readonly part: number } | { readonly units: number };

/**
 * `(begin, end, pointers…)`: begin and end cut the axis of `cutOf`, multiples of its unit or its end; the rows where there
 * are parts. Where there are units, begin is the number of one.
 */
export function dotFunction(kernel: DotKernel, madd: boolean, shared: Shared, helpers: Helpers, part?: Pieces): Fn {
  const winograd = asWinograd(kernel);
  if (winograd) return winogradFunction(kernel, winograd, finishOf(kernel), madd, shared, helpers);
  const direct = part === undefined ? asDirect(kernel) : undefined;
  if (direct) return directFunction(kernel, direct, madd, shared, helpers);
  return new DotWriter(kernel, madd, shared, helpers, part).write();
}

/** Distance of rows whose depths lie side by side: they need no panels. */
function rowsApart({ outer, k }: Operand): number | undefined {
  if (outer.kind !== "stride" || k.kind !== "stride" || k.stride !== 1) return undefined;
  return outer.stride;
}

class DotWriter extends PanelWriter {
  private readonly kernel: DotKernel;
  private readonly madd: boolean;
  private readonly finisher: Finisher;
  private readonly units: number | undefined;
  /** By axis that does not run whole. */
  private readonly ranges = new Map<Cut["axis"], Range>();
  private readonly epilogue: Finish | undefined;
  /** Rows and depth of a block. */
  private readonly height: number;
  private readonly depth: number;
  /** Elements from row to row of a left operand that is read where it lies. */
  private readonly apart: number | undefined;
  /** Rows of the last blocks of parts, where these are no whole blocks. */
  private readonly tails: readonly number[];
  /** Addresses of the operands and the result at a batch, of scratch, of a panel of the right operand. */
  private readonly a: number;
  private readonly b: number;
  private readonly c: number;
  private readonly panelsA: number;
  private readonly panelsB: number;
  private readonly panelB: number;
  /** The batch; where the block of rows begins. */
  private readonly g: number;
  private readonly m0: number;
  /** Of a tile of a triangle: how many depths of the block come before, and how many count. */
  private readonly first: number;
  private readonly depths: number;

  constructor(kernel: DotKernel, madd: boolean, shared: Shared, helpers: Helpers, pieces: Pieces | undefined) {
    const f = new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]);
    super(f, kernel.n, shared);
    this.kernel = kernel;
    this.madd = madd;
    this.finisher = new Finisher(f, kernel, shared, helpers);
    const { g, m } = kernel;
    this.units = pieces && "units" in pieces ? pieces.units : undefined;
    const most = !pieces ? m : "part" in pieces ? pieces.part : m / Math.max(1, pieces.units / g);
    if (this.units === undefined) this.ranges.set(pieces ? "m" : cutOf(kernel).axis, { from: BEGIN, to: END });
    this.epilogue = this.units === undefined ? finishOf(kernel, pieces !== undefined) : undefined;
    this.height = blockRows(most);
    const tails = [most, kernel.m % most].map((rows) => rows % this.height);
    this.tails = [...new Set(tails)].filter((rows) => rows > 0);
    this.depth = blockDepth(kernel.k);
    this.apart = rowsApart(kernel.a);
    const local = () => f.local("i32");
    [this.a, this.b, this.c, this.panelsA, this.panelB] = [local(), local(), local(), local(), local()];
    [this.g, this.m0, this.first, this.depths] = [local(), local(), local(), local()];
    this.panelsB = this.pointer(kernel.scratch);
  }

  /** Where an axis begins and ends for this call. */
  private range(axis: Cut["axis"], extent: number): readonly [from: () => void, to: () => void] {
    const { f } = this;
    const range = this.ranges.get(axis);
    return range ? [() => f.get(range.from), () => f.get(range.to)] : [() => f.i32(0), () => f.i32(extent)];
  }

  /** The heights of the tiles of the block at m0, which ends at the latest where `to` pushes: all are alike but the last. */
  private rows(to: () => void, body: (tiles: readonly number[]) => void): void {
    const { f, madd, height, m0 } = this;
    const either = (rows: number, ...fewer: readonly number[]): void => {
      const [next, ...others] = fewer;
      if (next === undefined) return body(tilesOf(rows, madd));
      f.get(m0).i32(rows).op("i32.add");
      to();
      f.op("i32.le_s").if(
        () => body(tilesOf(rows, madd)),
        () => either(next, ...others),
      );
    };
    either(height, ...[...this.tails].sort((a, b) => b - a));
  }

  // ---------------------------------------------------------------- packing

  /** Pushes the address of the panel of columns that begins at j. */
  private atPanel(): void {
    const { f } = this;
    if (this.kernel.packed) {
      atPacked(f, this.n, this.k0, this.kc, this.j).get(this.b).op("i32.add");
      return;
    }
    f.get(this.j).get(this.n0).op("i32.sub").get(this.kc).op("i32.mul").i32(2).op("i32.shl");
    f.get(this.panelsB).op("i32.add");
  }

  /** Pushes the address of the panel of rows whose first one is `row` places into the block, or of the rows themselves. */
  private atRow(row: number): void {
    const { f } = this;
    if (this.apart !== undefined) {
      f.get(this.m0).i32(row).op("i32.add").i32(4 * this.apart).op("i32.mul").get(this.a).op("i32.add"); // prettier-ignore
      f.get(this.k0).i32(2).op("i32.shl", "i32.add");
      return;
    }
    f.get(this.panelsA);
    if (row > 0)
      f.get(this.kc)
        .i32(4 * row)
        .op("i32.mul", "i32.add");
  }

  private packLeft(tiles: readonly number[]): void {
    const { f } = this;
    const { a } = this.kernel;
    if (this.apart !== undefined) return;
    const alike = tiles.every((rows) => rows === tiles[0]);
    const panels = alike && packedTogether(a) > 1 ? tiles.length : 1;
    let row = 0;
    for (let i = 0; i < tiles.length; i += panels) {
      const [first, rows] = [row, tiles[i] ?? 0];
      this.pack(a, this.a, () => this.atRow(first), () => f.get(this.m0).i32(first).op("i32.add"), rows, rows, panels); // prettier-ignore
      row += rows * panels;
    }
  }

  // ---------------------------------------------------------------- the product

  /** Pushes what is left of a count of depths from the beginning of the block up to a place, which is pushed. */
  private depthsTo(place: () => void): void {
    const { f, kc, k0, depths } = this;
    place();
    f.get(k0).op("i32.sub").tee(depths).get(kc).get(depths).get(kc).op("i32.lt_s", "select").tee(depths);
    f.i32(0).get(depths).i32(0).op("i32.gt_s", "select");
  }

  /** Where the depths of a tile begin and how many there are: less of them than of the block where the rest is left out. */
  private depthsOf({ from, to, out }: Triangle, row: number, rows: number, columns: number): void {
    const { f, kc, first, depths, m0, j } = this;
    const behind = (axis: "m" | "n") => () =>
      axis === "m" ? f.get(m0).i32(row + rows).op("i32.add") : f.get(j).i32(columns).op("i32.add"); // prettier-ignore
    const before = (axis: "m" | "n") => () => (axis === "m" ? f.get(m0).i32(row).op("i32.add") : f.get(j));
    if (from) this.depthsTo(before(from));
    else f.i32(0);
    f.set(first);
    if (to) this.depthsTo(behind(to));
    else f.get(kc);
    f.get(first).op("i32.sub").set(depths);
    f.get(depths).i32(0).get(depths).i32(0).op("i32.gt_s", "select").set(depths);
    if (!out) return;
    // no depth where all results are left out
    const [outside, inside] = out === "lower" ? (["n", "m"] as const) : (["m", "n"] as const);
    f.get(depths).i32(0);
    before(outside)();
    behind(inside)();
    f.op("i32.lt_s", "select").set(depths);
  }

  /** The tiles of a block in the strip of columns at j. */
  private strip(tiles: readonly number[], columns: number): void {
    const { f } = this;
    const { n, triangle } = this.kernel;
    this.atPanel();
    f.set(this.panelB);
    let row = 0;
    for (const rows of tiles) {
      const { apart } = this;
      const layout = apart === undefined ? undefined : ("apart" as const);
      const key = `micro ${rows} ${columns} ${layout ?? "packed"}`;
      const index = this.shared(key, () => tileFunction(rows, columns, this.madd, layout));
      if (triangle) this.depthsOf(triangle, row, rows, columns);
      this.atRow(row);
      if (triangle) f.get(this.first).i32(apart === undefined ? 4 * rows : 4).op("i32.mul", "i32.add"); // prettier-ignore
      f.get(this.panelB);
      if (triangle) f.get(this.first).i32(16 * Math.ceil(columns / 4)).op("i32.mul", "i32.add"); // prettier-ignore
      f.get(this.m0).i32(row).op("i32.add").i32(n).op("i32.mul").get(this.j).op("i32.add").i32(2).op("i32.shl");
      f.get(this.c).op("i32.add");
      f.get(triangle ? this.depths : this.kc)
        .i32(4 * n)
        .get(this.k0)
        .op("i32.eqz");
      if (apart !== undefined) f.i32(4 * apart);
      f.call(index);
      row += rows;
    }
  }

  private block(): void {
    const { f, epilogue } = this;
    const { m, n, k } = this.kernel;
    const [from, to] = this.range("m", m);
    this.loop(this.m0, from, to, this.height, () => {
      this.rows(to, (tiles) => {
        this.packLeft(tiles);
        this.columns(1, (columns) => this.strip(tiles, columns));
      });
      // of several blocks of columns the last one finishes the rows
      if (epilogue?.after !== "m") return;
      f.get(this.k0).get(this.kc).op("i32.add").i32(k).op("i32.eq");
      f.get(this.n0).get(this.nc).op("i32.add").i32(n).op("i32.eq", "i32.and");
      f.if(() => this.finisher.from(epilogue, this.m0, this.height, to));
    });
  }

  private batch(): void {
    const { f, kernel } = this;
    const { m, n, k } = kernel;
    atBatch(f, kernel.a, this.g);
    f.set(this.a);
    atBatch(f, kernel.b, this.g);
    f.set(this.b);
    f.get(this.pointer(kernel.out))
      .get(this.g)
      .i32(4 * m * n)
      .op("i32.mul", "i32.add")
      .set(this.c);
    const [from, to] = this.range("n", n);
    this.loop(this.n0, from, to, NC, () => {
      this.least(this.nc, to, this.n0, NC);
      const whole = () => void f.i32(k);
      this.loop(this.k0, () => f.i32(0), whole, this.depth, () => {
        this.least(this.kc, whole, this.k0, this.depth);
        if (!kernel.packed) this.packColumns(kernel.b, this.b, () => this.atPanel());
        this.block();
      }); // prettier-ignore
      if (this.epilogue?.after === "n") this.finisher.from(this.epilogue, this.n0, NC, to);
    });
  }

  write(): Fn {
    const { f, kernel, epilogue, units } = this;
    if (units !== undefined) {
      const ranges = rangesOf(f, [kernel.g, kernel.m], units);
      (["g", "m"] as const).forEach((axis, i) => ranges[i] && this.ranges.set(axis, ranges[i]));
    }
    f.get(this.panelsB)
      .i32(4 * this.depth * packedColumns(kernel.n))
      .op("i32.add")
      .set(this.panelsA);
    const [from, to] = this.range("g", kernel.g);
    this.loop(this.g, from, to, 1, () => {
      this.batch();
      if (epilogue?.after === "g") this.finisher.from(epilogue, this.g, 1, () => f.i32(kernel.g));
    });
    if (epilogue?.after === "all") this.finisher.all(epilogue);
    if (units !== undefined) this.finisher.unit(units);
    return f;
  }
}
