/**
 * Small kernels that walk their elements in order: running sums, scatter-add, LU. `begin` and `end` cut the outer axis
 * where there is one.
 */
import type { CumsumKernel, ScatterKernel, SolveKernel } from "../kernel.ts";
import { Fn } from "./assembler.ts";

export const parameters = (n: number) => ["i32", "i32", ...Array.from({ length: n }, () => "i32" as const)] as const;

/** for (i = from; i < to; i++), both pushed. */
export function each(f: Fn, i: number, from: () => void, to: () => void, body: () => void): void {
  from();
  f.set(i);
  f.block(() => {
    f.loop(() => {
      f.get(i);
      to();
      f.op("i32.ge_s").brIf(1);
      body();
      f.get(i).i32(1).op("i32.add").set(i).br(0);
    });
  });
}

export function cumsumFunction(kernel: CumsumKernel): Fn {
  const f = new Fn(parameters(2));
  const [o, j, i, at] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")] as const;
  const { count, inner, reverse } = kernel;
  const float = kernel.params[0]?.dtype === "f32";
  const sum = f.local(float ? "f32" : "i32");
  const [load, store, add] = float
    ? (["f32.load", "f32.store", "f32.add"] as const)
    : (["i32.load", "i32.store", "i32.add"] as const);
  each(f, o, () => f.get(0), () => f.get(1), () =>
    each(f, i, () => f.i32(0), () => f.i32(inner), () => {
      if (float) f.f32(0);
      else f.i32(0);
      f.set(sum);
      f.get(o).i32(count * inner).op("i32.mul").get(i).op("i32.add");
      if (reverse) f.i32((count - 1) * inner).op("i32.add");
      f.i32(2).op("i32.shl").set(at);
      each(f, j, () => f.i32(0), () => f.i32(count), () => {
        f.get(sum).get(2).get(at).op("i32.add").mem(load).op(add).set(sum);
        f.get(3).get(at).op("i32.add").get(sum).mem(store);
        f.get(at).i32(4 * inner * (reverse ? -1 : 1)).op("i32.add").set(at);
      });
    }),
  ); // prettier-ignore
  return f;
}

export function scatterFunction(kernel: ScatterKernel): Fn {
  const f = new Fn(parameters(3));
  const [v, ids, out] = [2, 3, 4];
  const [o, j, i, id, from, to] = Array.from({ length: 6 }, () => f.local("i32")) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const { count, inner, size, paired } = kernel;
  const vectors = inner - (inner % 4);
  f.get(out)
    .get(0)
    .i32(4 * size * inner)
    .op("i32.mul", "i32.add");
  f.i32(0)
    .get(1)
    .get(0)
    .op("i32.sub")
    .i32(4 * size * inner)
    .op("i32.mul")
    .memoryFill();
  each(f, o, () => f.get(0), () => f.get(1), () =>
    each(f, j, () => f.i32(0), () => f.i32(count), () => {
      f.get(ids).get(j);
      if (paired) f.get(o).i32(count).op("i32.mul", "i32.add");
      f.i32(2).op("i32.shl", "i32.add").mem("i32.load").set(id);
      f.get(id).i32(0).get(id).i32(0).op("i32.gt_s", "select").set(id);
      f.get(id).i32(size - 1).get(id).i32(size - 1).op("i32.lt_s", "select").set(id);
      f.get(v).get(o).i32(count).op("i32.mul").get(j).op("i32.add").i32(4 * inner).op("i32.mul", "i32.add").set(from);
      f.get(out).get(o).i32(size).op("i32.mul").get(id).op("i32.add").i32(4 * inner).op("i32.mul", "i32.add").set(to);
      f.i32(0).set(i);
      if (vectors > 0) {
        f.loop(() => {
          f.get(to).get(to).mem("v128.load").get(from).mem("v128.load").op("f32x4.add").mem("v128.store");
          f.get(to).i32(16).op("i32.add").set(to);
          f.get(from).i32(16).op("i32.add").set(from);
          f.get(i).i32(4).op("i32.add").tee(i).i32(vectors).op("i32.lt_s").brIf(0);
        });
      }
      for (let rest = vectors; rest < inner; rest++) {
        const at = 4 * (rest - vectors);
        f.get(to).get(to).mem("f32.load", at).get(from).mem("f32.load", at).op("f32.add").mem("f32.store", at);
      }
    }),
  ); // prettier-ignore
  return f;
}

/**
 * Runs a body once for each place from `begin` to `end`; each pointer moves on by its own number of elements a place.
 */
export function eachPlace(f: Fn, strides: readonly number[], body: () => void): void {
  const o = f.local("i32");
  const move = (pointer: number, stride: number, by: () => void) => {
    f.get(pointer);
    by();
    f.i32(4 * stride)
      .op("i32.mul", "i32.add")
      .set(pointer);
  };
  strides.forEach((stride, i) => move(2 + i, stride, () => f.get(0)));
  each(f, o, () => f.get(0), () => f.get(1), () => {
    body();
    strides.forEach((stride, i) => move(2 + i, stride, () => f.i32(1)));
  }); // prettier-ignore
}

/** Gaussian elimination on a copy of A; the columns of b are carried along in `out`. */
export function solveFunction(kernel: SolveKernel): Fn {
  const f = new Fn(parameters(4));
  const [A, b, out, lu] = [2, 3, 4, 5] as const;
  const { n, m } = kernel;
  const [p, r, c, best, x, y] = Array.from({ length: 6 }, () => f.local("i32")) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [size, factor] = [f.local("f32"), f.local("f32")];
  const copy = (from: number, to: number, count: number) =>
    each(f, c, () => f.i32(0), () => f.i32(count), () => {
      f.get(to).get(c).i32(2).op("i32.shl", "i32.add");
      f.get(from).get(c).i32(2).op("i32.shl", "i32.add").mem("f32.load").mem("f32.store");
    }); // prettier-ignore
  /** Pushes the address of element (row, column) of a matrix with `width` columns. */
  const at = (matrix: number, row: number, column: number, width: number) =>
    f.get(matrix).get(row).i32(width).op("i32.mul").get(column).op("i32.add").i32(2).op("i32.shl", "i32.add");
  const swap = (matrix: number, width: number) =>
    each(f, c, () => f.i32(0), () => f.i32(width), () => {
      at(matrix, p, c, width).set(x);
      at(matrix, best, c, width).set(y);
      f.get(x).mem("f32.load").set(factor);
      f.get(x).get(y).mem("f32.load").mem("f32.store");
      f.get(y).get(factor).mem("f32.store");
    }); // prettier-ignore
  /** row r of a matrix -= factor · row p, from column `first` on */
  const eliminate = (matrix: number, width: number, first: () => void) =>
    each(f, c, first, () => f.i32(width), () => {
      at(matrix, r, c, width).tee(x).get(x).mem("f32.load");
      f.get(factor);
      at(matrix, p, c, width).mem("f32.load").op("f32.mul", "f32.sub").mem("f32.store");
    }); // prettier-ignore
  eachPlace(f, [n * n, n * m, n * m, n * n], () => {
    copy(A, lu, n * n);
    copy(b, out, n * m);
    each(f, p, () => f.i32(0), () => f.i32(n), () => {
      f.get(p).set(best);
      at(lu, p, p, n).mem("f32.load").op("f32.abs").set(size);
      each(f, r, () => f.get(p), () => f.i32(n), () => {
        at(lu, r, p, n).mem("f32.load").op("f32.abs").get(size).op("f32.gt").if(() => {
          f.get(r).set(best);
          at(lu, r, p, n).mem("f32.load").op("f32.abs").set(size);
        });
      });
      f.get(best).get(p).op("i32.ne").if(() => {
        swap(lu, n);
        swap(out, m);
      });
      each(f, r, () => f.get(p).i32(1).op("i32.add"), () => f.i32(n), () => {
        at(lu, r, p, n).mem("f32.load");
        at(lu, p, p, n).mem("f32.load").op("f32.div").set(factor);
        eliminate(lu, n, () => f.get(p));
        eliminate(out, m, () => f.i32(0));
      });
    });
    // back substitution, last row first: row p of out /= pivot, then it leaves the rows above
    f.i32(n - 1).set(p);
    f.loop(() => {
      at(lu, p, p, n).mem("f32.load").set(size);
      each(f, c, () => f.i32(0), () => f.i32(m), () => {
        at(out, p, c, m).tee(x).get(x).mem("f32.load").get(size).op("f32.div").mem("f32.store");
      });
      each(f, r, () => f.i32(0), () => f.get(p), () => {
        at(lu, r, p, n).mem("f32.load").set(factor);
        eliminate(out, m, () => f.i32(0));
      });
      f.get(p).i32(1).op("i32.sub").tee(p).i32(0).op("i32.ge_s").brIf(0);
    });
  }); // prettier-ignore
  return f;
}
