/**
 * Convolutions of few channels, and the gradients of their weights, that read images where they lie: nothing is packed.
 * Which products: `direct-plan`.
 */
import type { DotKernel, Offsets, Run } from "../kernel.ts";
import { Fn } from "./assembler.ts";
import { DIRECT_ROWS as ROWS, cutOf, finishOf } from "./blocks.ts";
import type { Cut, Finish } from "./blocks.ts";
import { partsOf } from "./direct-plan.ts";
import type { Direct, Four } from "./direct-plan.ts";
import { Finisher } from "./finish.ts";
import type { Shared } from "./finish.ts";
import type { Helpers } from "./operations.ts";
import { atBatch, offset, upTo } from "./steps.ts";
import { multiplyAdd } from "./tile.ts";

/** Pixels after which sums of weight gradients are added to the result: as many stay in the first cache. */
const PIXELS = 1024;

const [A, B, C] = [0, 1, 2] as const;
const advance = (f: Fn, local: number, elements: number): void => {
  if (elements !== 0) f.get(local).i32(4 * elements).op("i32.add").set(local); // prettier-ignore
};

/** for (counter = count; counter > 0; counter--) */
function times(f: Fn, count: number, body: () => void): void {
  if (count === 1) return body();
  const counter = f.local("i32");
  f.i32(count).set(counter);
  f.loop(() => {
    body();
    f.get(counter).i32(1).op("i32.sub").tee(counter).brIf(0);
  });
}

/** Four pixels of a group, seen `by` elements further. */
function loadFour(f: Fn, base: number, { at, rest }: Four, by: number, into: number): void {
  f.get(base);
  if (rest === undefined) f.mem("v128.load", 4 * (at + by)).set(into);
  else {
    f.mem("v128.load64_zero", 4 * (at + by)).set(into);
    f.get(base).get(into).mem("v128.load64_lane", 4 * (rest + by), 1).set(into); // prettier-ignore
  }
}

const vectors = (f: Fn, count: number): readonly number[] => Array.from({ length: count }, () => f.local("v128"));

/** Walks windows line by line: `body` does one line; b is moved on from one to the next, what else moves does `body`. */
function byLines(f: Fn, runs: readonly Run[], body: () => void): void {
  const outer = runs.at(-1);
  if (!outer) return body();
  times(f, outer.length, () => {
    byLines(f, runs.slice(0, -1), body);
    advance(f, B, outer.stride);
  });
  advance(f, B, -outer.length * outer.stride);
}

/** `(a, b, c)`: results of `rows` rows at some vectors of a group. */
function forwardTile(rows: number, fours: readonly Four[], { windows }: Direct, kernel: DotKernel, madd: boolean): Fn {
  const f = new Fn(["i32", "i32", "i32"]);
  const { a, n } = kernel;
  const [outer, depth] = [a.outer, a.k].map((o) => (o.kind === "stride" ? o.stride : 0)) as [number, number];
  const x = vectors(f, rows);
  const y = f.local("v128");
  const sums = x.map(() => vectors(f, fours.length));
  const [line, ...others] = windows as readonly [Run, ...Run[]];
  byLines(f, others, () => {
    for (let tap = 0; tap < line.length; tap++) {
      x.forEach((local, i) => f.get(A).mem("v128.load32_splat", 4 * (i * outer + tap * depth)).set(local)); // prettier-ignore
      fours.forEach((four, j) => {
        loadFour(f, B, four, tap * line.stride, y);
        sums.forEach((row, i) => multiplyAdd(f, madd, row[j] ?? 0, x[i] ?? 0, y));
      });
    }
    advance(f, A, line.length * depth);
  });
  sums.forEach((row, i) => row.forEach((local, j) => f.get(C).get(local).mem("v128.store", 4 * (i * n + 4 * j)))); // prettier-ignore
  return f;
}

/** Puts the sums of each vector's lanes side by side into the first of them. */
function addLanes(f: Fn, [a = 0, b = a, c = a, d = a]: readonly number[], [x = 0, y = 0]: readonly number[]): void {
  f.get(a).get(b).shuffle(0, 4, 1, 5).get(a).get(b).shuffle(2, 6, 3, 7).op("f32x4.add").set(x); // prettier-ignore
  f.get(c).get(d).shuffle(0, 4, 1, 5).get(c).get(d).shuffle(2, 6, 3, 7).op("f32x4.add").set(y); // prettier-ignore
  f.get(x).get(y).shuffle(0, 1, 4, 5).get(x).get(y).shuffle(2, 3, 6, 7).op("f32x4.add").set(a); // prettier-ignore
}

/** Steps through the offsets of groups: from a table, or at a known distance. */
interface Steps {
  /** The place in the table, or the address itself. */
  readonly local: number;
  readonly table: boolean;
  readonly by: number;
}

/**
 * `(a, b, c, groups, is c new, tables…)`: c (+)= sums over so many groups of pixels, of `rows` rows and so many
 * taps, which are columns side by side. A table is where the offsets of the groups begin, of a and then of b.
 */
function weightsTile(rows: number, taps: readonly number[], plan: Direct, { a, b, n }: DotKernel, madd: boolean): Fn {
  const f = new Fn(Array.from({ length: 7 }, () => "i32" as const));
  const [groups, fresh] = [3, 4] as const;
  const outer = a.outer.kind === "stride" ? a.outer.stride : 0;
  const x = vectors(f, rows);
  const y = f.local("v128");
  const sums = x.map(() => vectors(f, taps.length));
  const steps = [a.k, b.k].map((o, i): Steps => {
    const table = o.kind === "table";
    return { table, local: table ? 5 + i : i, by: plan.pixels * (o.kind === "stride" ? o.stride : 1) };
  });
  const at = [f.local("i32"), f.local("i32")] as const;
  f.loop(() => {
    steps.forEach(({ local, table }, i) => {
      f.get(i);
      if (table) f.get(local).mem("i32.load").i32(2).op("i32.shl", "i32.add"); // prettier-ignore
      f.set(at[i] ?? 0);
    });
    plan.image.forEach((four, v) => {
      const own = plan.left[v] ?? four;
      x.forEach((local, i) => loadFour(f, at[0], own, i * outer, local));
      taps.forEach((by, tap) => {
        loadFour(f, at[1], four, by, y);
        sums.forEach((row, i) => multiplyAdd(f, madd, row[tap] ?? 0, x[i] ?? 0, y));
      });
    });
    for (const { local, by } of steps) advance(f, local, by);
    f.get(groups).i32(1).op("i32.sub").tee(groups).brIf(0);
  });
  for (const row of sums)
    for (let tap = 0; tap < taps.length; tap += 4) addLanes(f, row.slice(tap, tap + 4), [y, x[0] ?? 0]);
  const stores = (add: boolean) =>
    sums.forEach((row, i) => {
      for (let tap = 0; tap < taps.length; tap += 4) {
        const [sum, lanes] = [row[tap] ?? 0, Math.min(4, taps.length - tap)];
        const whole = lanes === 4;
        for (let lane = 0; lane < lanes; lane += whole ? 4 : 1) {
          const to = 4 * (i * n + tap + lane);
          if (add) {
            f.get(C).mem(whole ? "v128.load" : "v128.load32_splat", to);
            f.get(sum).op("f32x4.add").set(y);
          }
          f.get(C).get(add ? y : sum);
          if (whole) f.mem("v128.store", to);
          else f.mem("v128.store32_lane", to, lane);
        }
      }
    });
  f.get(fresh).if(() => stores(false), () => stores(true)); // prettier-ignore
  return f;
}

/** `(begin, end, pointers…)`: begin and end cut the axis of `cutOf`, multiples of its unit or its end. */
export const directFunction = (kernel: DotKernel, plan: Direct, madd: boolean, shared: Shared, helpers: Helpers): Fn =>
  new DirectWriter(kernel, plan, madd, shared, helpers).write();

class DirectWriter {
  private readonly f: Fn;
  private readonly kernel: DotKernel;
  private readonly plan: Direct;
  private readonly cut: Cut;
  private readonly epilogue: Finish | undefined;
  private readonly madd: boolean;
  private readonly shared: Shared;
  private readonly finisher: Finisher;
  private readonly a: number;
  private readonly b: number;
  private readonly c: number;
  private readonly g: number;

  constructor(kernel: DotKernel, plan: Direct, madd: boolean, shared: Shared, helpers: Helpers) {
    const f = new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]);
    [this.f, this.kernel, this.plan, this.madd, this.shared] = [f, kernel, plan, madd, shared];
    [this.cut, this.epilogue] = [cutOf(kernel), finishOf(kernel)];
    this.finisher = new Finisher(f, kernel, shared, helpers);
    [this.a, this.b, this.c, this.g] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
  }

  /** Along an axis: the part of this call if it is cut, else the whole. */
  private along(i: number, axis: Cut["axis"], step: number, body: () => void): void {
    const { f, cut, kernel } = this;
    if (cut.axis === axis) upTo(f, i, () => f.get(0), () => f.get(1), step, body); // prettier-ignore
    else upTo(f, i, () => f.i32(0), () => f.i32(kernel[axis]), step, body); // prettier-ignore
  }

  /** Calls `body` for two rows after the other, and one that may be left: their number, and where the first is kept. */
  private rows(row: number, body: (rows: number) => void): void {
    const { f, kernel } = this;
    this.along(row, "m", ROWS, () => {
      if (kernel.m % ROWS === 0) return body(ROWS);
      f.get(row).i32(kernel.m - 1).op("i32.eq").if(() => body(1), () => body(ROWS)); // prettier-ignore
    });
  }

  private forward(): void {
    const { f, kernel, plan, madd, shared, a, b, c, epilogue } = this;
    const { pixels, image } = plan;
    const [p, row, source] = [f.local("i32"), f.local("i32"), f.local("i32")];
    this.along(p, "n", pixels, () => {
      f.get(b);
      offset(f, kernel.b.outer, () => f.get(p));
      f.op("i32.add").set(source);
      this.rows(row, (rows) => {
        let first = 0;
        for (const count of partsOf(image.length)) {
          const base = image[first]?.at ?? 0;
          const moved = (x: number) => x - base;
          const fours = image
            .slice(first, first + count)
            .map(({ at, rest }) => (rest === undefined ? { at: moved(at) } : { at: moved(at), rest: moved(rest) }));
          const key = `direct forward ${rows} ${JSON.stringify([fours, plan.windows, kernel.a.outer, kernel.a.k])} ${kernel.n}`;
          const call = shared(key, () => forwardTile(rows, fours, plan, kernel, madd));
          f.get(a);
          offset(f, kernel.a.outer, () => f.get(row));
          f.op("i32.add").get(source).i32(4 * base).op("i32.add"); // prettier-ignore
          f.get(row).i32(kernel.n).op("i32.mul").get(p).op("i32.add").i32(4 * first).op("i32.add").i32(2).op("i32.shl"); // prettier-ignore
          f.get(c).op("i32.add").call(call);
          first += count;
        }
      });
      if (epilogue?.after === "n") this.finisher.from(epilogue, p, pixels, () => f.get(1));
    });
  }

  /** Pushes where the table of an offset begins at an index, or 0; its address moves on where it has none. */
  private table(o: Offsets, index: number): void {
    const { f } = this;
    if (o.kind === "stride") f.i32(0);
    else f.get(2 + o.param).get(index).i32(2).op("i32.shl", "i32.add"); // prettier-ignore
  }

  private weights(): void {
    const { f, kernel, plan, madd, shared, a, b, c, epilogue } = this;
    const { k, n } = kernel;
    const { pixels, taps: all } = plan;
    const local = () => f.local("i32");
    const [p, row, column, groups, left] = [local(), local(), local(), local(), local()];
    const step = pixels * Math.max(1, Math.floor(PIXELS / pixels));
    upTo(f, p, () => f.i32(0), () => f.i32(k), step, () => {
      f.i32(step).i32(k).get(p).op("i32.sub").i32(step).i32(k).get(p).op("i32.sub", "i32.lt_s", "select");
      f.i32(pixels).op("i32.div_u").set(groups);
      this.rows(row, (rows) => {
        f.get(a);
        offset(f, kernel.a.outer, () => f.get(row));
        f.op("i32.add");
        if (kernel.a.k.kind === "stride") f.get(p).i32(4 * kernel.a.k.stride).op("i32.mul", "i32.add"); // prettier-ignore
        f.set(left);
        upTo(f, column, () => f.i32(0), () => f.i32(n), all.length, () => {
          let first = 0;
          for (const count of partsOf(all.length)) {
            const base = all[first] ?? 0; // a tile begins at its own first tap
            const taps = all.slice(first, first + count).map((tap) => tap - base);
            const { image, left: own } = plan;
            const key = `direct weights ${rows} ${n} ${JSON.stringify([taps, image, own, kernel.a.outer, kernel.a.k, kernel.b.k])}`;
            const call = shared(key, () => weightsTile(rows, taps, plan, kernel, madd));
            const at = () => f.get(column).i32(first).op("i32.add");
            f.get(left).get(b);
            offset(f, kernel.b.outer, at);
            f.op("i32.add").get(c).get(row).i32(n).op("i32.mul");
            at();
            f.op("i32.add").i32(2).op("i32.shl", "i32.add").get(groups).get(p).op("i32.eqz");
            this.table(kernel.a.k, p);
            this.table(kernel.b.k, p);
            f.call(call);
            first += count;
          }
        });
        if (epilogue?.after !== "m") return;
        f.get(p).i32(step).op("i32.add").i32(k).op("i32.ge_s");
        f.if(() => this.finisher.from(epilogue, row, ROWS, () => f.get(1)));
      });
    }); // prettier-ignore
  }

  write(): Fn {
    const { f, kernel, plan, epilogue } = this;
    this.along(this.g, "g", 1, () => {
      atBatch(f, kernel.a, this.g);
      f.set(this.a);
      atBatch(f, kernel.b, this.g);
      f.set(this.b);
      f.get(2 + kernel.out).get(this.g).i32(4 * kernel.m * kernel.n).op("i32.mul", "i32.add").set(this.c); // prettier-ignore
      if (plan.kind === "forward") this.forward();
      else this.weights();
      if (epilogue?.after === "g") this.finisher.from(epilogue, this.g, 1, () => f.i32(kernel.g));
    });
    if (epilogue?.after === "all") this.finisher.all(epilogue);
    return f;
  }
}
