/**
 * The tiled product: blocks of both operands are packed into panels, a micro-kernel keeps a tile of the result in
 * registers. Packing reads operands through their offsets (strides or tables), so transposes, batches and the windows of
 * a convolution cost nothing more. Depth is cut into blocks that are added in order: same bits on every run.
 */
import { coalesce } from "../coalesce.ts";
import { kernelText } from "../kernel-text.ts";
import type { DotKernel, Operand, RowsKernel } from "../kernel.ts";
import { Fn } from "./assembler.ts";
import type { HelperCalls } from "./operations.ts";
import { packFunction, packKey, packedTogether } from "./pack.ts";
import { outerSteps, rowsFunction } from "./rows.ts";
import { tileFunction } from "./tile.ts";

/** Most depth, rows and columns of a block. */
const KC = 320;
const MC = 24;
const NC = 768;
/** Columns of a tile: two vectors. */
const NR = 8;

/** Rows of a tile: what sixteen registers hold with and without fused multiply-add. */
const tileRows = (madd: boolean) => (madd ? 6 : 4);

/** Depth of a block: all blocks are alike, whatever runs of the depth they cut. */
function blockDepth(k: number): number {
  if (k <= KC) return k;
  const blocks = Math.ceil(k / KC);
  return Math.min(KC, 8 * Math.ceil(k / blocks / 8));
}

/** Elements of scratch that a product needs. */
export function dotScratch(sizes: { readonly m: number; readonly n: number; readonly k: number }): number {
  const depth = sizes.k === Infinity ? KC : blockDepth(sizes.k);
  const columns = Math.min(NC, Math.ceil(sizes.n / NR) * NR);
  return depth * (columns + Math.min(MC, sizes.m));
}

/** Adds a function once per key and gives its index. */
export type Shared = (key: string, write: () => Fn) => number;

/**
 * How the epilogue's outermost loop runs along the rows of the product: by how much per row. Undefined when it does not
 * (permuted or batched results): then it runs once, after the whole product.
 */
function rowStep(kernel: DotKernel, rows: RowsKernel): number | undefined {
  const { count, axis } = outerSteps(rows);
  // the first axis begins with the rows; of a square product the columns are as many
  if (kernel.g !== 1 || axis !== 0) return undefined;
  if (count === kernel.m) return 1;
  return count === kernel.m * kernel.n ? kernel.n : undefined;
}

export function dotSteps(kernel: DotKernel, madd: boolean): { readonly count: number; readonly unit: number } {
  const whole = kernel.epilogue && rowStep(kernel, coalesce(kernel.epilogue.rows)) === undefined;
  // cuts must suit the tiles, and the vectors of an epilogue
  return { count: kernel.m, unit: whole ? kernel.m : 2 * tileRows(madd) };
}

const rowsKey = (rows: RowsKernel) => `rows ${kernelText(rows)}`;

/** `(begin, end, pointers…)`: rows of every batch, begin and end multiples of the tile (or m). */
export function dotFunction(kernel: DotKernel, madd: boolean, shared: Shared, helpers: HelperCalls): Fn {
  const f = new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]);
  const { m, n, k } = kernel;
  const MR = tileRows(madd);
  const pointer = (param: number) => 2 + param;
  const local = () => f.local("i32");
  const [g, a, b, c, n0, k0, kc, m0, mc, nc, i, j, row, tile] = Array.from({ length: 14 }, local) as [
    number, number, number, number, number, number, number, number, number, number, number, number, number, number,
  ]; // prettier-ignore
  const scratchB = pointer(kernel.scratch);
  const scratchA = local();
  const depth = blockDepth(k);
  f.get(scratchB)
    .i32(4 * depth * Math.min(NC, Math.ceil(n / NR) * NR))
    .op("i32.add")
    .set(scratchA);

  const least = (to: number, left: number, from: number, limit: number) => {
    f.i32(left).get(from).op("i32.sub").i32(limit);
    f.i32(left).get(from).op("i32.sub").i32(limit).op("i32.lt_s", "select").set(to);
  };
  const loop = (counter: number, from: () => void, to: () => void, step: number, body: () => void) => {
    from();
    f.set(counter);
    f.get(counter);
    to();
    f.op("i32.lt_s").if(() => {
      f.loop(() => {
        body();
        f.get(counter).i32(step).op("i32.add").tee(counter);
        to();
        f.op("i32.lt_s").brIf(0);
      });
    });
  };
  const atBatch = (operand: Operand) => {
    f.get(pointer(operand.param))
      .i32(4 * operand.base)
      .op("i32.add");
    if (operand.g.kind === "stride")
      f.get(g)
        .i32(4 * operand.g.stride)
        .op("i32.mul");
    else f.get(pointer(operand.g.param)).get(g).i32(2).op("i32.shl", "i32.add").mem("i32.load").i32(2).op("i32.shl");
    f.op("i32.add");
  };
  const packCall = (
    operand: Operand,
    source: number,
    panel: () => void,
    outer: () => void,
    width: number,
    padded: number,
    panels: number,
  ) => {
    const index = shared(packKey(operand, width, padded, panels), () => packFunction(operand, width, padded, panels));
    panel();
    f.get(source);
    outer();
    f.get(k0).get(kc);
    if (operand.outer.kind === "table") f.get(pointer(operand.outer.param));
    else f.i32(0);
    if (operand.k.kind === "table") f.get(pointer(operand.k.param));
    else f.i32(0);
    f.call(index);
  };

  /** [from, end) in strips of `width`, as many at once as are packed together. */
  const inPanels = (
    operand: Operand,
    counter: number,
    from: () => void,
    end: number,
    width: number,
    body: (panels: number) => void,
  ) => {
    const panels = packedTogether(operand);
    let first = from;
    if (panels > 1) {
      const most = panels * width;
      from();
      f.set(counter);
      f.get(end)
        .get(counter)
        .op("i32.sub")
        .i32(most)
        .op("i32.ge_s")
        .if(() => {
          f.loop(() => {
            body(panels);
            f.get(counter).i32(most).op("i32.add").tee(counter);
            f.i32(most).op("i32.add").get(end).op("i32.le_s").brIf(0);
          });
        });
      first = () => f.get(counter);
    }
    loop(counter, first, () => f.get(end), width, () => body(1)); // prettier-ignore
  };

  const tailN = n % NR;
  const tailPadded = Math.ceil(tailN / 4) * 4;
  const tailM = m % MR;
  const fullN = n - tailN;
  const fullM = m - tailM;

  const packB = () => {
    const panel = () =>
      f.get(scratchB).get(j).get(n0).op("i32.sub").get(kc).op("i32.mul").i32(2).op("i32.shl", "i32.add");
    if (fullN > 0) {
      const end = local();
      f.get(n0).get(nc).op("i32.add").set(end);
      f.get(end).i32(fullN).get(end).i32(fullN).op("i32.lt_s", "select").set(end);
      inPanels(
        kernel.b,
        j,
        () => f.get(n0),
        end,
        NR,
        (panels) => packCall(kernel.b, b, panel, () => f.get(j), NR, NR, panels),
      );
    }
    if (tailN > 0) {
      f.get(n0)
        .get(nc)
        .op("i32.add")
        .i32(n)
        .op("i32.eq")
        .if(() => {
          f.i32(fullN).set(j);
          packCall(kernel.b, b, panel, () => f.get(j), tailN, tailPadded, 1);
        });
    }
  };

  /** [m0, m0 + mc) of the left operand in tiles; the last rows of m are a smaller tile. */
  const rowsOfA = (together: boolean, body: (rows: number, panels: number) => void) => {
    if (fullM > 0) {
      const end = local();
      f.get(m0).get(mc).op("i32.add").set(end);
      f.get(end).i32(fullM).get(end).i32(fullM).op("i32.lt_s", "select").set(end);
      const from = () => f.get(m0);
      if (together) inPanels(kernel.a, i, from, end, MR, (panels) => body(MR, panels));
      else loop(i, from, () => f.get(end), MR, () => body(MR, 1)); // prettier-ignore
    }
    if (tailM > 0) {
      f.get(m0)
        .get(mc)
        .op("i32.add")
        .i32(m)
        .op("i32.eq")
        .if(() => {
          f.i32(fullM).set(i);
          body(tailM, 1);
        });
    }
  };
  const panelA = () =>
    f.get(scratchA).get(i).get(m0).op("i32.sub").get(kc).op("i32.mul").i32(2).op("i32.shl", "i32.add");
  const tiles = (columns: number) => {
    rowsOfA(false, (rows) => {
      const index = shared(`micro ${rows} ${columns}`, () => tileFunction(rows, columns, madd));
      panelA();
      f.get(tile);
      f.get(c).get(i).i32(n).op("i32.mul").get(j).op("i32.add").i32(2).op("i32.shl", "i32.add");
      f.get(kc)
        .i32(4 * n)
        .get(k0)
        .op("i32.eqz")
        .call(index);
    });
  };

  const { epilogue } = kernel;
  const rows = epilogue && coalesce(epilogue.rows);
  const perRow = rows && rowStep(kernel, rows);
  /** Runs the epilogue over places of its outermost loop, both pushed. */
  const finish = (from: () => void, to: () => void) => {
    if (!epilogue || !rows) return;
    from();
    to();
    for (const param of epilogue.params) f.get(pointer(param));
    f.call(shared(rowsKey(rows), () => rowsFunction(rows, helpers)));
  };
  const scaled = (by: number) => f.i32(by).op("i32.mul");
  const byBlocks = perRow !== undefined && n <= NC;

  loop(
    g,
    () => f.i32(0),
    () => f.i32(kernel.g),
    1,
    () => {
      atBatch(kernel.a);
      f.set(a);
      atBatch(kernel.b);
      f.set(b);
      f.get(pointer(kernel.out))
        .get(g)
        .i32(4 * m * n)
        .op("i32.mul", "i32.add")
        .set(c);
      loop(
        n0,
        () => f.i32(0),
        () => f.i32(n),
        NC,
        () => {
          least(nc, n, n0, NC);
          loop(
            k0,
            () => f.i32(0),
            () => f.i32(k),
            depth,
            () => {
              least(kc, k, k0, depth);
              packB();
              loop(
                m0,
                () => f.get(0),
                () => f.get(1),
                MC,
                () => {
                  f.get(1).get(m0).op("i32.sub").i32(MC);
                  f.get(1).get(m0).op("i32.sub").i32(MC).op("i32.lt_s", "select").set(mc);
                  rowsOfA(true, (rows, panels) => packCall(kernel.a, a, panelA, () => f.get(i), rows, rows, panels));
                  const column = () =>
                    f
                      .get(scratchB)
                      .get(j)
                      .get(n0)
                      .op("i32.sub")
                      .get(kc)
                      .op("i32.mul")
                      .i32(2)
                      .op("i32.shl", "i32.add")
                      .set(tile);
                  if (fullN > 0) {
                    const end = row;
                    f.get(n0).get(nc).op("i32.add").set(end);
                    f.get(end).i32(fullN).get(end).i32(fullN).op("i32.lt_s", "select").set(end);
                    loop(
                      j,
                      () => f.get(n0),
                      () => f.get(end),
                      NR,
                      () => {
                        column();
                        tiles(NR);
                      },
                    );
                  }
                  if (tailN > 0) {
                    f.get(n0)
                      .get(nc)
                      .op("i32.add")
                      .i32(n)
                      .op("i32.eq")
                      .if(() => {
                        f.i32(fullN).set(j);
                        column();
                        tiles(tailN);
                      });
                  }
                  if (byBlocks) {
                    f.get(k0)
                      .get(kc)
                      .op("i32.add")
                      .i32(k)
                      .op("i32.eq")
                      .if(() => {
                        finish(
                          () => (f.get(m0), scaled(perRow)),
                          () => (f.get(m0).get(mc).op("i32.add"), scaled(perRow)),
                        );
                      });
                  }
                },
              );
            },
          );
        },
      );
    },
  );
  if (rows && !byBlocks) {
    if (perRow === undefined)
      finish(
        () => f.i32(0),
        () => f.i32(outerSteps(rows).count),
      );
    else
      finish(
        () => (f.get(0), scaled(perRow)),
        () => (f.get(1), scaled(perRow)),
      );
  }
  return f;
}
