/**
 * The micro-kernel of products: a tile of the result stays in registers while it walks along two packed panels.
 */
import { Fn } from "./assembler.ts";

/** Rows of a tile: what sixteen registers hold with and without fused multiply-add. */
const tileRows = (madd: boolean) => (madd ? 6 : 4);

/** `rows` as tiles, as alike as can be: small ones do not fill the processor. */
export function tilesOf(rows: number, madd: boolean): readonly number[] {
  const count = Math.ceil(rows / tileRows(madd));
  return Array.from({ length: count }, (_, i) => Math.floor((rows + count - 1 - i) / count));
}

/** How operands lie, in elements: from row to row and from depth to depth of a, from depth to depth of b. */
export interface TileLayout {
  readonly row: number;
  readonly depth: number;
  readonly across: number;
}

/**
 * c[rows × columns] (+)= a · b, both packed into panels unless `layout` tells more.
 * Parameters: a, b, c, depth, bytes per row of c, whether c is new.
 */
export function tileFunction(rows: number, columns: number, madd: boolean, layout?: TileLayout): Fn {
  const f = new Fn(["i32", "i32", "i32", "i32", "i32", "i32"]);
  const vectors = Math.ceil(columns / 4);
  const { row: rowA, depth: depthA, across: depthB } = layout ?? { row: 1, depth: rows, across: 4 * vectors };
  const x = f.local("v128");
  const b = Array.from({ length: vectors }, () => f.local("v128"));
  const acc = Array.from({ length: rows }, () => b.map(() => f.local("v128")));
  const step = (at: number) => {
    b.forEach((local, j) =>
      f
        .get(1)
        .mem("v128.load", 4 * (4 * j + at * depthB))
        .set(local),
    );
    acc.forEach((row, i) => {
      f.get(0)
        .mem("v128.load32_splat", 4 * (i * rowA + at * depthA))
        .set(x);
      row.forEach((local, j) => {
        if (madd)
          f.get(x)
            .get(b[j] ?? 0)
            .get(local)
            .op("f32x4.relaxed_madd")
            .set(local);
        else
          f.get(local)
            .get(x)
            .get(b[j] ?? 0)
            .op("f32x4.mul", "f32x4.add")
            .set(local);
      });
    });
  };
  f.get(3)
    .i32(1)
    .op("i32.and")
    .if(() => {
      step(0);
      f.get(0)
        .i32(4 * depthA)
        .op("i32.add")
        .set(0);
      f.get(1)
        .i32(4 * depthB)
        .op("i32.add")
        .set(1);
    });
  f.get(3)
    .i32(1)
    .op("i32.shr_u")
    .tee(3)
    .if(() => {
      f.loop(() => {
        step(0);
        step(1);
        f.get(0)
          .i32(8 * depthA)
          .op("i32.add")
          .set(0);
        f.get(1)
          .i32(8 * depthB)
          .op("i32.add")
          .set(1);
        f.get(3).i32(1).op("i32.sub").tee(3).brIf(0);
      });
    });
  const store = (add: boolean) => {
    acc.forEach((row, i) => {
      row.forEach((local, j) => {
        if (add)
          f.get(2)
            .mem("v128.load", 16 * j)
            .get(local)
            .op("f32x4.add")
            .set(local);
        const lanes = Math.min(4, columns - 4 * j);
        if (lanes === 4)
          f.get(2)
            .get(local)
            .mem("v128.store", 16 * j);
        else {
          if (lanes >= 2)
            f.get(2)
              .get(local)
              .mem("v128.store64_lane", 16 * j, 0);
          if (lanes !== 2)
            f.get(2)
              .get(local)
              .mem("v128.store32_lane", 16 * j + (lanes === 3 ? 8 : 0), lanes === 3 ? 2 : 0);
        }
      });
      if (i + 1 < acc.length) f.get(2).get(4).op("i32.add").set(2);
    });
  };
  // both ends walk c by its rows
  f.get(5).if(
    () => store(false),
    () => store(true),
  );
  return f;
}
