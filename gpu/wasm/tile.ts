/**
 * The micro-kernel of products: a tile of the result stays in registers while it walks along two packed panels.
 */
import { Fn } from "./assembler.ts";

/**
 * c[rows × columns] (+)= panel a · panel b, where `wide` rows of a lie side by side.
 * Parameters: a, b, c, depth, bytes per row of c, whether c is new.
 */
export function tileFunction(rows: number, columns: number, madd: boolean, wide = rows): Fn {
  const f = new Fn(["i32", "i32", "i32", "i32", "i32", "i32"]);
  const vectors = Math.ceil(columns / 4);
  const x = f.local("v128");
  const b = Array.from({ length: vectors }, () => f.local("v128"));
  const acc = Array.from({ length: rows }, () => b.map(() => f.local("v128")));
  const step = (at: number) => {
    b.forEach((local, j) =>
      f
        .get(1)
        .mem("v128.load", 16 * (j + at * vectors))
        .set(local),
    );
    acc.forEach((row, i) => {
      f.get(0)
        .mem("v128.load32_splat", 4 * (i + at * wide))
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
        .i32(4 * wide)
        .op("i32.add")
        .set(0);
      f.get(1)
        .i32(16 * vectors)
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
          .i32(8 * wide)
          .op("i32.add")
          .set(0);
        f.get(1)
          .i32(32 * vectors)
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
