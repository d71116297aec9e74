/**
 * Convolutions of 3×3 and the gradients of their weights by Winograd: tiles are transformed, one small product over the
 * channels (or, of gradients, over the tiles) for each of their points takes the place of one over channels and windows,
 * and results are transformed back. Which products: `winograd-plan`.
 */
import type { DotKernel, Operand } from "../kernel.ts";
import { Fn } from "./assembler.ts";
import type { Finish } from "./blocks.ts";
import { Finisher } from "./finish.ts";
import type { Shared } from "./finish.ts";
import type { Helpers } from "./operations.ts";
import { offset, upTo } from "./steps.ts";
import { tileFunction, tilesOf } from "./tile.ts";
import type { TileLayout } from "./tile.ts";
import { TAPS, pitch } from "./winograd-plan.ts";
import type { Winograd } from "./winograd-plan.ts";
import { tileIn, tileOut, windowsOut } from "./winograd-tiles.ts";
import { inputMatrix, outputMatrix, square, weightMatrix } from "./winograd-transform.ts";

/** Columns of the micro-kernel. */
const NR = 8;

/** `(begin, end, pointers…)`: begin and end are multiples of `unit`, pixels or output channels. */
export function winogradFunction(
  kernel: DotKernel,
  plan: Winograd,
  epilogue: Finish | undefined,
  madd: boolean,
  shared: Shared,
  helpers: Helpers,
): Fn {
  const writer = new WinogradWriter(kernel, plan, epilogue, madd, shared, helpers);
  return plan.kind === "forward" ? writer.forward() : writer.weights();
}

/** Matrices of a product at each point: where it lies, how many rows and columns. */
interface Points {
  readonly at: number;
  readonly rows: number;
  readonly columns: number;
}

/** Tiles of a block on their way, for each four channels: strides in elements from tile to tile, line to line, four to four. */
interface Walk {
  readonly tile: number;
  readonly line: number;
  readonly channels: number;
}

class WinogradWriter {
  private readonly f: Fn;
  private readonly kernel: DotKernel;
  private readonly plan: Winograd;
  private readonly epilogue: Finish | undefined;
  private readonly madd: boolean;
  private readonly shared: Shared;
  private readonly finisher: Finisher;
  private readonly tiles: number;
  /** Channels by outputs (the weights, or their gradient), tiles by channels (the image), tiles by outputs. */
  private readonly whole: Points;
  private readonly image: Points;
  private readonly left: Points;

  constructor(
    kernel: DotKernel,
    plan: Winograd,
    epilogue: Finish | undefined,
    madd: boolean,
    shared: Shared,
    helpers: Helpers,
  ) {
    const f = new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]);
    this.f = f;
    this.kernel = kernel;
    this.plan = plan;
    this.epilogue = epilogue;
    this.madd = madd;
    this.shared = shared;
    this.finisher = new Finisher(f, kernel, shared, helpers);
    const { channels, outputs, lines, across } = plan;
    this.tiles = lines * across;
    const forward = plan.kind === "forward";
    const [rows, columns] = forward ? [channels, outputs] : [outputs, channels];
    this.whole = { at: 2 + kernel.scratch, rows, columns };
    this.image = { at: f.local("i32"), rows: this.tiles, columns: channels };
    this.left = { at: f.local("i32"), rows: this.tiles, columns: outputs };
  }

  // ---------------------------------------------------------------- loops and addresses

  private times(i: number, count: number, step: number, body: () => void): void {
    upTo(this.f, i, () => this.f.i32(0), () => this.f.i32(count), step, body); // prettier-ignore
  }

  private add(local: number, bytes: number): void {
    if (bytes !== 0) this.f.get(local).i32(bytes).op("i32.add").set(local);
  }

  /** Pushes the address of a row of an operand. */
  private row({ param, base, outer }: Operand, row: () => void): void {
    this.f.get(2 + param).i32(4 * base).op("i32.add"); // prettier-ignore
    offset(this.f, outer, row);
    this.f.op("i32.add");
  }

  /** Pushes the address of an element of an operand. */
  private address(operand: Operand, row: () => void, depth: () => void): void {
    this.row(operand, row);
    offset(this.f, operand.k, depth);
    this.f.op("i32.add");
  }

  /** Addresses in scratch: first what is kept, then tiles. */
  private begin(): void {
    const { f, plan, whole, image, left } = this;
    const bytes = (p: Points) => 4 * plan.size ** 2 * pitch(p.rows, p.columns);
    f.get(whole.at).i32(bytes(whole)).op("i32.add").tee(image.at);
    f.i32(bytes(image)).op("i32.add").set(left.at);
    f.get(0).get(1).op("i32.ge_s").if(() => f.op("return")); // prettier-ignore
  }

  // ---------------------------------------------------------------- steps

  /** Calls `(from, to)` for every tile of a block and each four of `channels`. */
  private walk(call: number, channels: number, start: readonly [() => void, () => void], walks: readonly [Walk, Walk]) {
    const { f, plan } = this;
    const [c, r, q, from, to] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    const ends = [from, to] as const;
    this.times(c, channels, 4, () => {
      ends.forEach((local, i) => {
        start[i]?.();
        f.get(c).i32(walks[i]?.channels ?? 0).op("i32.mul", "i32.add").set(local); // prettier-ignore
      });
      this.times(r, plan.lines, 1, () => {
        this.times(q, plan.across, 1, () => {
          f.get(from).get(to).call(call);
          ends.forEach((local, i) => this.add(local, 4 * (walks[i]?.tile ?? 0)));
        });
        ends.forEach((local, i) => this.add(local, 4 * ((walks[i]?.line ?? 0) - plan.across * (walks[i]?.tile ?? 0))));
      });
    });
  }

  /** Tiles of a block of an image are transformed; `source` is the first pixel's address. */
  private tilesIn(source: number, strides: { line: number; channel: number }, into: Points, taps: number): void {
    const { f, plan, madd } = this;
    const { size, side, across } = plan;
    const matrix = taps === 0 ? inputMatrix(size) : weightMatrix(size, taps);
    const apart = pitch(into.rows, into.columns);
    const key = `winograd in ${size} ${taps} ${strides.line} ${strides.channel} ${apart}`;
    const call = this.shared(key, () => tileIn(matrix, strides, apart, madd));
    const walks = [
      { tile: side, line: side * strides.line, channels: 4 * strides.channel },
      { tile: into.columns, line: across * into.columns, channels: 4 },
    ] as const;
    this.walk(call, into.columns, [() => f.get(source), () => f.get(into.at)], walks);
  }

  /** c (+)= a · b at every point. */
  private products(
    a: Points,
    b: Points,
    c: Points,
    depth: number,
    layout: Omit<TileLayout, "across">,
    fresh: () => void,
  ) {
    const { f, plan, madd } = this;
    const [place, x, y, z] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    const locals = [[a, x], [b, y], [c, z]] as const; // prettier-ignore
    for (const [points, local] of locals) f.get(points.at).set(local);
    this.times(place, plan.size ** 2, 1, () => {
      for (let column = 0; column < c.columns; column += NR) {
        const columns = Math.min(NR, c.columns - column);
        let row = 0;
        for (const rows of tilesOf(c.rows, madd)) {
          const key = `micro ${rows} ${columns} of ${layout.row} ${layout.depth} ${b.columns}`;
          const index = this.shared(key, () => tileFunction(rows, columns, madd, { ...layout, across: b.columns }));
          f.get(x).i32(4 * row * layout.row).op("i32.add"); // prettier-ignore
          f.get(y).i32(4 * column).op("i32.add"); // prettier-ignore
          f.get(z).i32(4 * (row * c.columns + column)).op("i32.add"); // prettier-ignore
          f.i32(depth).i32(4 * c.columns);
          fresh();
          f.call(index);
          row += rows;
        }
      }
      for (const [points, local] of locals) this.add(local, 4 * pitch(points.rows, points.columns));
    });
  }

  /** U = G w Gᵀ for the output channels from `first` on, four at a time. */
  private kernels(first: number): void {
    const { f, plan, madd, whole } = this;
    const { a } = this.kernel;
    const { channels, outputs, size } = plan;
    const [o, c, to] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const rows = [0, 1, 2, 3].map(() => f.local("i32"));
    const at = f.local("i32");
    const apart = pitch(whole.rows, whole.columns);
    this.times(o, outputs, 4, () => {
      rows.forEach((local, lane) => {
        this.row(a, () => f.get(first).get(o).op("i32.add").i32(lane).op("i32.add"));
        f.set(local);
      });
      f.get(whole.at).get(o).i32(2).op("i32.shl", "i32.add").set(to); // prettier-ignore
      this.times(c, channels, 1, () => {
        square(
          f,
          weightMatrix(size, TAPS),
          madd,
          (l, into) =>
            into.forEach((local, x) => {
              offset(this.f, a.k, () => f.get(c).i32(TAPS ** 2).op("i32.mul").i32(TAPS * l + x).op("i32.add")); // prettier-ignore
              f.set(at);
              rows.forEach((row, lane) => {
                f.get(row).get(at).op("i32.add");
                if (lane === 0) f.mem("v128.load32_zero").set(local);
                else f.get(local).mem("v128.load32_lane", 0, lane).set(local);
              });
            }),
          (k, from) => from.forEach((local, i) => f.get(to).get(local).mem("v128.store", 4 * (i * size + k) * apart)), // prettier-ignore
        );
        this.add(to, 4 * outputs);
      });
    });
  }

  /** The blocks of tiles of the lines that begin at pixel `p0`: `x` is the first pixel of one, `source` its address. */
  private blocks(p0: number, body: (x: number, source: number) => void): void {
    const { f, plan } = this;
    const { b } = this.kernel;
    const [first, x, source] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const pixel = () => f.get(p0);
    const zero = () => f.i32(0);
    if (plan.kind === "forward") this.address(b, pixel, zero);
    else this.address(b, zero, pixel);
    f.set(first);
    this.times(x, plan.width, plan.side * plan.across, () => {
      f.get(first).get(x).i32(2).op("i32.shl", "i32.add").set(source); // prettier-ignore
      body(x, source);
    });
  }

  // ---------------------------------------------------------------- both products

  forward(): Fn {
    const { f, kernel, plan, epilogue, image, left, whole, madd } = this;
    const { m, n } = kernel;
    const { channels, outputs, side, size, across, width, unit } = plan;
    const [m0, p0, target] = [f.local("i32"), f.local("i32"), f.local("i32")];
    this.begin();
    const apart = pitch(left.rows, left.columns);
    const out = this.shared(`winograd out ${size} ${width} ${n} ${apart}`, () =>
      tileOut(outputMatrix(size, TAPS), { line: width, channel: n }, apart, madd),
    );
    const walks = [
      { tile: outputs, line: across * outputs, channels: 4 },
      { tile: side, line: side * width, channels: 4 * n },
    ] as const;
    this.times(m0, m, outputs, () => {
      this.kernels(m0);
      upTo(f, p0, () => f.get(0), () => f.get(1), unit, () => {
        this.blocks(p0, (x, source) => {
          this.tilesIn(source, plan, image, 0);
          this.products(image, whole, left, channels, { row: channels, depth: 1 }, () => f.i32(1));
          f.get(m0).i32(n).op("i32.mul").get(p0).op("i32.add").get(x).op("i32.add");
          f.i32(2).op("i32.shl").get(2 + kernel.out).op("i32.add").set(target);
          this.walk(out, outputs, [() => f.get(left.at), () => f.get(target)], walks);
        });
        if (epilogue?.after !== "n") return;
        f.get(m0).i32(m - outputs).op("i32.eq");
        f.if(() => this.finisher.from(epilogue, p0, unit, () => f.get(1)));
      });
    }); // prettier-ignore
    if (epilogue?.after === "all") this.finisher.all(epilogue);
    return f;
  }

  weights(): Fn {
    const { f, kernel, plan, epilogue, image, left, whole, madd, tiles } = this;
    const { a, k, n } = kernel;
    const { channels, outputs, size, side, lines, width, unit, g } = plan;
    if (!g) throw new Error("expected the strides of the left operand");
    const [m0, p0, source, o, c, from, to] = [
      f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"),
    ]; // prettier-ignore
    this.begin();
    const apart = pitch(whole.rows, whole.columns);
    const out = this.shared(`winograd windows ${size} ${apart}`, () =>
      windowsOut(outputMatrix(size, side), apart, madd),
    );
    upTo(f, m0, () => f.get(0), () => f.get(1), unit, () => {
      this.times(p0, k, side * lines * width, () =>
        this.blocks(p0, (x, pixels) => {
          this.tilesIn(pixels, plan, image, 0);
          this.address(a, () => f.get(m0), () => f.get(p0));
          f.get(x).i32(2).op("i32.shl", "i32.add").set(source);
          this.tilesIn(source, g, left, side);
          this.products(left, image, whole, tiles, { row: 1, depth: outputs }, () =>
            f.get(p0).get(x).op("i32.or", "i32.eqz"),
          );
        }),
      );
      f.get(whole.at).set(from);
      f.get(m0).i32(4 * n).op("i32.mul").get(2 + kernel.out).op("i32.add").set(to);
      this.times(o, outputs, 1, () =>
        this.times(c, channels, 4, () => {
          f.get(from).get(to).call(out);
          this.add(from, 16);
          this.add(to, 16 * TAPS ** 2);
        }),
      );
      if (epilogue?.after === "m") this.finisher.from(epilogue, m0, unit, () => f.get(1));
    }); // prettier-ignore
    if (epilogue?.after === "all") this.finisher.all(epilogue);
    return f;
  }
}
