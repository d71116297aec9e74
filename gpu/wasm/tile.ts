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

/** sum += x · y, of four lanes in locals. */
export function multiplyAdd(f: Fn, madd: boolean, sum: number, x: number, y: number): void {
  if (madd) f.get(x).get(y).get(sum).op("f32x4.relaxed_madd").set(sum);
  else f.get(sum).get(x).get(y).op("f32x4.mul", "f32x4.add").set(sum);
}

/**
 * c[rows × columns] (+)= a · b, both packed into panels unless `layout` tells more, or a is read where it lies ("apart"),
 * row by row, its depths side by side.
 * Parameters: a, b, c, depth, bytes per row of c, whether c is new; bytes per row of an a that lies apart.
 */
export function tileFunction(rows: number, columns: number, madd: boolean, layout?: TileLayout | "apart"): Fn {
  const apart = layout === "apart";
  const f = new Fn(Array.from({ length: apart ? 7 : 6 }, () => "i32" as const));
  const vectors = Math.ceil(columns / 4);
  const panels = { row: apart ? 0 : 1, depth: apart ? 1 : rows, across: 4 * vectors };
  const { row: rowA, depth: depthA, across: depthB } = layout === "apart" ? panels : (layout ?? panels);
  /** Where each row of a goes on: one local where they are at a known distance. */
  const lines = Array.from({ length: apart ? rows : 1 }, (_, i) => (i === 0 ? 0 : f.local("i32")));
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
      f.get(lines[i] ?? 0)
        .mem("v128.load32_splat", 4 * (i * rowA + at * depthA))
        .set(x);
      row.forEach((local, j) => {
        multiplyAdd(f, madd, local, x, b[j] ?? 0);
      });
    });
  };
  const steps = (count: number) => {
    for (let at = 0; at < count; at++) step(at);
    const advance = (local: number, by: number) => f.get(local).i32(by).op("i32.add").set(local);
    for (const line of lines) advance(line, 4 * count * depthA);
    advance(1, 4 * count * depthB);
  };
  lines.slice(1).forEach((line, i) =>
    f
      .get(lines[i] ?? 0)
      .get(6)
      .op("i32.add")
      .set(line),
  );
  f.get(3)
    .i32(1)
    .op("i32.and")
    .if(() => steps(1));
  f.get(3)
    .i32(1)
    .op("i32.shr_u")
    .tee(3)
    .if(() => {
      f.loop(() => {
        steps(2);
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
