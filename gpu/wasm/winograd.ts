/**
 * Convolutions of 3×3 by Winograd's F(2×2, 3×3): tiles of 4×4 inputs and the weights are transformed, sixteen small
 * products over the channels take the place of one over channels and windows, and 2×2 results are transformed back:
 * 16 multiplications where the plain product has 36. All transforms are sums and halves, so the error stays within a few
 * times that of the plain product.
 *   V = Bᵀ d B   U = G w Gᵀ   M[ξ] = V[ξ] · U[ξ]   y = Aᵀ M A
 * Which convolutions: the left operand's windows step by one pixel, over even lines of eights of pixels.
 */
import type { DotKernel } from "../kernel.ts";
import { Fn } from "./assembler.ts";
import type { Finish } from "./blocks.ts";
import { Finisher } from "./finish.ts";
import type { Shared } from "./finish.ts";
import type { HelperCalls } from "./operations.ts";
import { tileFunction } from "./tile.ts";

/** Most tiles of a block. */
const TILES = 16;
/** Least channels in and out, and pixels, that are worth the transforms. */
const CHANNELS = 16;
const PIXELS = 512;
/** Columns of the micro-kernel, and of a panel of transformed weights. */
const NR = 8;
/** Products: one for each place of a 4×4 tile. */
const PLACES = 16;

export interface Winograd {
  readonly channels: number;
  /** Output channels of a round: the transformed weights of one round fit into scratch. */
  readonly outputs: number;
  /** Tiles of a block: so many lines of tiles, so many tiles of each. */
  readonly lines: number;
  readonly across: number;
  /** Pixels in a line of the image. */
  readonly width: number;
  /** Of the input, in elements: from line to line and from channel to channel. */
  readonly line: number;
  readonly channel: number;
  /** Rows of the product that a step along the image makes: `lines` lines of tiles. */
  readonly unit: number;
}

const scratchFor = (channels: number, outputs: number): number =>
  PLACES * (channels * outputs + TILES * (channels + outputs));

function outputsOf(n: number, channels: number, most: number): number | undefined {
  for (let rounds = 1; n / rounds >= CHANNELS; rounds++) {
    if (n % (rounds * NR) === 0 && scratchFor(channels, n / rounds) <= most) return n / rounds;
  }
  return undefined;
}

/** Elements of scratch that a product of these sizes needs if it is such a convolution; `most` are to be had. */
export function winogradScratch(n: number, k: number, most: number): number {
  const outputs = k % 9 === 0 && k / 9 >= CHANNELS && n !== Infinity ? outputsOf(n, k / 9, most) : undefined;
  return outputs === undefined ? 0 : scratchFor(k / 9, outputs);
}

/** The largest divisor of `n` of at most `limit`; every divisor is a multiple of `step`. */
function divisor(n: number, step: number, limit: number): number {
  let out = 0;
  for (let d = step; d <= Math.min(n, limit); d += step) if (n % d === 0) out = d;
  return out;
}

export function winogradOf({ g, m, n, k, a }: DotKernel, most: number): Winograd | undefined {
  if (g !== 1 || m < PIXELS || a.outer.kind !== "table" || a.k.kind !== "table") return undefined;
  const [across, down] = a.outer.runs;
  const [x, y, channel, none] = a.k.runs;
  if (!across || !down || !x || !y || !channel || none) return undefined;
  const windows = x.length === 3 && y.length === 3 && 9 * channel.length === k;
  const steps = across.stride === 1 && x.stride === 1 && down.stride === y.stride;
  if (!windows || !steps || across.length % 8 !== 0 || down.length % 2 !== 0) return undefined;
  const outputs = channel.length < CHANNELS ? undefined : outputsOf(n, channel.length, most);
  if (outputs === undefined) return undefined;
  const tiles = divisor(across.length / 2, 4, TILES);
  // several lines at once only where a block holds them whole
  const lines = 2 * tiles === across.length ? Math.max(1, divisor(down.length / 2, 1, Math.floor(TILES / tiles))) : 1;
  return {
    channels: channel.length,
    outputs,
    lines,
    across: tiles,
    width: across.length,
    line: down.stride,
    channel: channel.stride,
    unit: 2 * lines * across.length,
  };
}

/** `(begin, end, pointers…)`: begin and end are multiples of `unit` rows. */
export const winogradFunction = (
  kernel: DotKernel,
  plan: Winograd,
  epilogue: Finish | undefined,
  madd: boolean,
  shared: Shared,
  helpers: HelperCalls,
): Fn => new WinogradWriter(kernel, plan, epilogue, madd, shared, helpers).write();

class WinogradWriter {
  private readonly f: Fn;
  private readonly kernel: DotKernel;
  private readonly plan: Winograd;
  private readonly epilogue: Finish | undefined;
  private readonly madd: boolean;
  private readonly shared: Shared;
  private readonly finisher: Finisher;
  private readonly tiles: number;
  /** Addresses: transformed weights, transformed input, products. */
  private readonly u: number;
  private readonly v: number;
  private readonly p: number;
  private readonly lanes: readonly number[];

  constructor(
    kernel: DotKernel,
    plan: Winograd,
    epilogue: Finish | undefined,
    madd: boolean,
    shared: Shared,
    helpers: HelperCalls,
  ) {
    const f = new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]);
    this.f = f;
    this.kernel = kernel;
    this.plan = plan;
    this.epilogue = epilogue;
    this.madd = madd;
    this.shared = shared;
    this.finisher = new Finisher(f, kernel, shared, helpers);
    this.tiles = plan.lines * plan.across;
    this.u = 2 + kernel.scratch;
    [this.v, this.p] = [f.local("i32"), f.local("i32")];
    this.lanes = Array.from({ length: 24 }, () => f.local("v128"));
  }

  private lane(i: number): number {
    const local = this.lanes[i];
    if (local === undefined) throw new Error(`expected one of ${this.lanes.length} vectors, got ${i}`);
    return local;
  }

  /** for (i = from; i < to; i += step), both pushed; at least once. */
  private loop(i: number, from: () => void, to: () => void, step: number, body: () => void): void {
    const { f } = this;
    from();
    f.set(i);
    f.loop(() => {
      body();
      f.get(i).i32(step).op("i32.add").tee(i);
      to();
      f.op("i32.lt_s").brIf(0);
    });
  }
  private times(i: number, count: number, step: number, body: () => void): void {
    this.loop(i, () => this.f.i32(0), () => this.f.i32(count), step, body); // prettier-ignore
  }

  // ---------------------------------------------------------------- transforms

  /** U = G w Gᵀ for the output channels from n0 on, in panels of eight. */
  private weights(n0: number): void {
    const { f, plan, kernel } = this;
    const { b } = kernel;
    const { channels, outputs } = plan;
    const [o, c, from, to] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    const w = Array.from({ length: 9 }, () => f.local("f32"));
    const t = Array.from({ length: 12 }, () => f.local("f32"));
    const sum = f.local("f32");
    const at = (list: readonly number[], i: number): number => list[i] ?? 0;
    /** Four of three: x, (x + y + z) / 2, (x - y + z) / 2, z; each pushed in turn and taken. */
    const four = (x: number, y: number, z: number, take: (i: number, push: () => void) => void) => {
      f.get(x).get(z).op("f32.add").set(sum);
      take(0, () => f.get(x));
      take(1, () => f.f32(0.5).get(sum).get(y).op("f32.add", "f32.mul"));
      take(2, () => f.f32(0.5).get(sum).get(y).op("f32.sub", "f32.mul"));
      take(3, () => f.get(z));
    };
    this.times(o, outputs, 1, () => {
      f.get(2 + b.param)
        .i32(4 * b.base)
        .op("i32.add");
      f.get(o).get(n0).op("i32.add");
      if (b.outer.kind === "stride") f.i32(4 * b.outer.stride).op("i32.mul");
      else
        f.i32(2)
          .op("i32.shl")
          .get(2 + b.outer.param)
          .op("i32.add")
          .mem("i32.load")
          .i32(2)
          .op("i32.shl");
      f.op("i32.add").set(from);
      // panel of o / 8, column o % 8
      f.get(o)
        .i32(NR)
        .op("i32.div_u")
        .i32(4 * channels * NR)
        .op("i32.mul");
      f.get(o).i32(NR).op("i32.rem_u").i32(2).op("i32.shl", "i32.add").get(this.u).op("i32.add").set(to);
      this.times(c, channels, 1, () => {
        w.forEach((local, i) => {
          f.get(from);
          if (b.k.kind === "stride")
            f.get(c)
              .i32(36 * b.k.stride)
              .op("i32.mul", "i32.add")
              .i32(4 * b.k.stride * i)
              .op("i32.add");
          else
            f.get(c)
              .i32(36)
              .op("i32.mul")
              .get(2 + b.k.param)
              .op("i32.add")
              .mem("i32.load", 4 * i)
              .i32(2)
              .op("i32.shl", "i32.add");
          f.mem("f32.load").set(local);
        });
        for (let j = 0; j < 3; j++)
          four(at(w, j), at(w, 3 + j), at(w, 6 + j), (i, push) => (push(), f.set(at(t, 3 * i + j))));
        for (let i = 0; i < 4; i++)
          four(at(t, 3 * i), at(t, 3 * i + 1), at(t, 3 * i + 2), (j, push) => {
            f.get(to);
            push();
            f.mem("f32.store", 4 * (4 * i + j) * channels * outputs);
          });
        f.get(to)
          .i32(4 * NR)
          .op("i32.add")
          .set(to);
      });
    });
  }

  /** first - third, second + third, third - second, second - fourth, each pushed and taken. */
  private inward(d: (i: number) => number, take: (i: number) => void): void {
    const { f } = this;
    f.get(d(0)).get(d(2)).op("f32x4.sub");
    take(0);
    f.get(d(1)).get(d(2)).op("f32x4.add");
    take(1);
    f.get(d(2)).get(d(1)).op("f32x4.sub");
    take(2);
    f.get(d(1)).get(d(3)).op("f32x4.sub");
    take(3);
  }

  /** V = Bᵀ d B of the tiles of a block, four tiles side by side in one vector; `source` is the block's first pixel. */
  private input(source: number): void {
    const { f, plan, tiles } = this;
    const { channels, lines, across, line, channel } = plan;
    const [c, r, q, from, to] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    const d = (i: number) => this.lane(i);
    const w = (row: number, j: number) => this.lane(4 + 4 * row + j);
    const [x, y] = [this.lane(20), this.lane(21)];
    f.get(this.v).set(to);
    this.times(c, channels, 1, () =>
      this.times(r, lines, 1, () => {
        f.get(c)
          .i32(4 * channel)
          .op("i32.mul")
          .get(r)
          .i32(8 * line)
          .op("i32.mul", "i32.add")
          .get(source)
          .op("i32.add")
          .set(from);
        this.times(q, across, 4, () => {
          for (let row = 0; row < 4; row++) {
            // pixels 0 2 4 6, 1 3 5 7, 2 4 6 8, 3 5 7 9: the four columns of four tiles
            for (const half of [0, 1]) {
              const offset = 4 * row * line + 8 * half;
              f.get(from).mem("v128.load", offset).set(x);
              f.get(from)
                .mem("v128.load", offset + 16)
                .set(y);
              f.get(x)
                .get(y)
                .shuffle(0, 2, 4, 6)
                .set(d(2 * half));
              f.get(x)
                .get(y)
                .shuffle(1, 3, 5, 7)
                .set(d(2 * half + 1));
            }
            this.inward(d, (j) => f.set(w(row, j)));
          }
          for (let j = 0; j < 4; j++) {
            this.inward(
              (row) => w(row, j),
              (i) => {
                f.set(x);
                f.get(to)
                  .get(x)
                  .mem("v128.store", 4 * (4 * i + j) * channels * tiles);
              },
            );
          }
          f.get(from).i32(32).op("i32.add").set(from);
          f.get(to).i32(16).op("i32.add").set(to);
        });
      }),
    );
  }

  /** y = Aᵀ M A, four output channels in one vector; `target` is the block's first result. */
  private output(target: number): void {
    const { f, plan, tiles } = this;
    const { lines, across, outputs, width } = plan;
    const { n } = this.kernel;
    const [r, q, o, from, to] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    const d = (i: number) => this.lane(i);
    const t = (row: number, j: number) => this.lane(4 + 4 * row + j);
    /** first + second + third, second - third - fourth */
    const outward = (m: (i: number) => number, take: (i: number) => void) => {
      f.get(m(0)).get(m(1)).op("f32x4.add").get(m(2)).op("f32x4.add");
      take(0);
      f.get(m(1)).get(m(2)).op("f32x4.sub").get(m(3)).op("f32x4.sub");
      take(1);
    };
    f.get(this.p).set(from);
    this.times(r, lines, 1, () => {
      f.get(r)
        .i32(8 * width * n)
        .op("i32.mul")
        .get(target)
        .op("i32.add")
        .set(to);
      this.times(q, across, 1, () => {
        this.times(o, outputs, 4, () => {
          for (let j = 0; j < 4; j++) {
            for (let i = 0; i < 4; i++)
              f.get(from)
                .mem("v128.load", 4 * (4 * i + j) * tiles * outputs)
                .set(d(i));
            outward(d, (i) => f.set(t(i, j)));
          }
          for (let i = 0; i < 2; i++) {
            outward(
              (j) => t(i, j),
              (j) => {
                f.set(this.lane(20));
                f.get(to)
                  .get(this.lane(20))
                  .mem("v128.store", 4 * (i * width + j) * n);
              },
            );
          }
          f.get(from).i32(16).op("i32.add").set(from);
          f.get(to).i32(16).op("i32.add").set(to);
        });
        // two pixels on
        f.get(to)
          .i32(4 * (2 * n - outputs))
          .op("i32.add")
          .set(to);
      });
    });
  }

  /** M[ξ] = V[ξ] · U[ξ] */
  private products(): void {
    const { f, plan, tiles } = this;
    const { channels, outputs } = plan;
    const [place, panel, v, u, p] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    f.get(this.v).set(v);
    f.get(this.u).set(u);
    f.get(this.p).set(p);
    const heights = tiles % 6 > 0 && tiles % 6 < 4 ? 4 : 6;
    this.times(place, PLACES, 1, () => {
      this.times(panel, outputs, NR, () => {
        for (let row = 0; row < tiles; row += heights) {
          const rows = Math.min(heights, tiles - row);
          const key = `micro ${rows} ${NR} of ${tiles}`;
          const index = this.shared(key, () => tileFunction(rows, NR, this.madd, tiles));
          f.get(v)
            .i32(4 * row)
            .op("i32.add")
            .get(u)
            .get(p)
            .i32(4 * row * outputs)
            .op("i32.add")
            .i32(channels)
            .i32(4 * outputs)
            .i32(1)
            .call(index);
        }
        f.get(u)
          .i32(4 * channels * NR)
          .op("i32.add")
          .set(u);
        f.get(p)
          .i32(4 * NR)
          .op("i32.add")
          .set(p);
      });
      f.get(v)
        .i32(4 * channels * tiles)
        .op("i32.add")
        .set(v);
      // behind the first row of this place
      f.get(p)
        .i32(4 * outputs * (tiles - 1))
        .op("i32.add")
        .set(p);
    });
  }

  write(): Fn {
    const { f, kernel, plan, epilogue } = this;
    const { a, m, n } = kernel;
    const { channels, outputs, across, width, unit } = plan;
    if (a.outer.kind !== "table" || a.k.kind !== "table") throw new Error("expected windows by tables");
    const [table, windows] = [a.outer.param, a.k.param];
    const [n0, m0, x, first, source, target] = [
      f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"),
    ]; // prettier-ignore
    f.get(this.u)
      .i32(4 * PLACES * channels * outputs)
      .op("i32.add")
      .tee(this.v)
      .i32(4 * PLACES * channels * this.tiles)
      .op("i32.add")
      .set(this.p);
    f.get(0)
      .get(1)
      .op("i32.ge_s")
      .if(() => f.op("return"));
    this.times(n0, n, outputs, () => {
      this.weights(n0);
      this.loop(m0, () => f.get(0), () => f.get(1), unit, () => {
        f.get(2 + a.param).i32(4 * a.base).op("i32.add");
        f.get(2 + windows).mem("i32.load");
        f.get(2 + table).get(m0).i32(2).op("i32.shl", "i32.add").mem("i32.load");
        f.op("i32.add").i32(2).op("i32.shl", "i32.add").set(first);
        this.times(x, width / 2, across, () => {
          f.get(first).get(x).i32(8).op("i32.mul", "i32.add").set(source);
          this.input(source);
          this.products();
          f.get(m0).get(x).i32(2).op("i32.mul", "i32.add").i32(n).op("i32.mul").get(n0).op("i32.add");
          f.i32(2).op("i32.shl").get(2 + kernel.out).op("i32.add").set(target);
          this.output(target);
        });
        if (epilogue?.after !== "m") return;
        f.get(n0).i32(n - outputs).op("i32.eq");
        f.if(() => this.finisher.from(epilogue, m0, unit, () => f.i32(m)));
      });
    }); // prettier-ignore
    if (epilogue?.after === "all") this.finisher.all(epilogue);
    return f;
  }
}
