/**
 * Packing of operands: a strip of neighbours of the outer role along the depth becomes a panel that the micro-kernel reads
 * in order. Strides and offset tables are followed here and nowhere else.
 */
import type { Offsets, Operand } from "../kernel.ts";
import { Fn } from "./assembler.ts";

/**
 * Packs `width` neighbours of the outer role along `depth` into a panel of `padded` columns.
 * Parameters: panel, operand (at its batch), first outer, first k, depth, table of outer offsets, table of k offsets.
 */
export function packFunction(operand: Operand, width: number, padded: number): Fn {
  const f = new Fn(["i32", "i32", "i32", "i32", "i32", "i32", "i32"]);
  const k = f.local("i32");
  const { outer } = operand;
  const contiguous = outer.kind === "stride" && outer.stride === 1;
  const sources: number[] = [];
  for (let i = 0; i < (contiguous ? 1 : width); i++) {
    const s = f.local("i32");
    f.get(1);
    if (outer.kind === "stride")
      f.get(2)
        .i32(i)
        .op("i32.add")
        .i32(4 * outer.stride)
        .op("i32.mul");
    else
      f.get(5)
        .get(2)
        .i32(2)
        .op("i32.shl", "i32.add")
        .mem("i32.load", 4 * i)
        .i32(2)
        .op("i32.shl");
    f.op("i32.add").set(s);
    sources.push(s);
  }
  const at = f.local("i32");
  const x = f.local("v128");
  if (operand.k.kind === "stride")
    f.get(3)
      .i32(4 * operand.k.stride)
      .op("i32.mul")
      .set(k);
  else f.get(6).get(3).i32(2).op("i32.shl", "i32.add").set(k);
  const address = (s: number) => f.get(s).get(at).op("i32.add");
  const one = () => {
    if (operand.k.kind === "stride") f.get(k).set(at);
    else f.get(k).mem("i32.load").i32(2).op("i32.shl").set(at);
    if (contiguous) {
      const s = sources[0] ?? 0;
      let i = 0;
      for (; i + 4 <= width; i += 4) {
        f.get(0);
        address(s)
          .mem("v128.load", 4 * i)
          .mem("v128.store", 4 * i);
      }
      for (; i < width; i++) {
        f.get(0);
        address(s)
          .mem("f32.load", 4 * i)
          .mem("f32.store", 4 * i);
      }
    } else {
      sources.forEach((s, i) => {
        f.get(0);
        address(s)
          .mem("f32.load")
          .mem("f32.store", 4 * i);
      });
    }
    for (let i = width; i < padded; i++)
      f.get(0)
        .f32(0)
        .mem("f32.store", 4 * i);
    f.get(0)
      .i32(4 * padded)
      .op("i32.add")
      .set(0);
    f.get(k)
      .i32(operand.k.kind === "stride" ? 4 * operand.k.stride : 4)
      .op("i32.add")
      .set(k);
    f.get(4).i32(1).op("i32.sub").set(4);
  };
  // four outer neighbours times four depths at a time are a 4×4 transpose
  if (!contiguous && operand.k.kind === "stride" && operand.k.stride === 1 && width >= 4) {
    const rows = [x, f.local("v128"), f.local("v128"), f.local("v128")] as const;
    const halves = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")] as const;
    f.get(4)
      .i32(4)
      .op("i32.ge_s")
      .if(() => {
        f.loop(() => {
          f.get(k).set(at);
          let i = 0;
          for (; i + 4 <= width; i += 4) {
            rows.forEach((row, r) =>
              address(sources[i + r] ?? 0)
                .mem("v128.load")
                .set(row),
            );
            f.get(rows[0]).get(rows[1]).shuffle(0, 4, 1, 5).set(halves[0]);
            f.get(rows[2]).get(rows[3]).shuffle(0, 4, 1, 5).set(halves[1]);
            f.get(rows[0]).get(rows[1]).shuffle(2, 6, 3, 7).set(halves[2]);
            f.get(rows[2]).get(rows[3]).shuffle(2, 6, 3, 7).set(halves[3]);
            for (let d = 0; d < 4; d++) {
              const [left, right] = d < 2 ? [halves[0], halves[1]] : [halves[2], halves[3]];
              f.get(0).get(left).get(right);
              if (d % 2 === 0) f.shuffle(0, 1, 4, 5);
              else f.shuffle(2, 3, 6, 7);
              f.mem("v128.store", 4 * (d * padded + i));
            }
          }
          for (; i < padded; i++) {
            for (let d = 0; d < 4; d++) {
              f.get(0);
              if (i < width) address(sources[i] ?? 0).mem("f32.load", 4 * d);
              else f.f32(0);
              f.mem("f32.store", 4 * (d * padded + i));
            }
          }
          f.get(0)
            .i32(16 * padded)
            .op("i32.add")
            .set(0);
          f.get(k).i32(16).op("i32.add").set(k);
          f.get(4).i32(4).op("i32.sub").tee(4).i32(4).op("i32.ge_s").brIf(0);
        });
      });
  }
  f.get(4)
    .i32(0)
    .op("i32.gt_s")
    .if(() => {
      f.loop(() => {
        one();
        f.get(4).brIf(0);
      });
    });
  return f;
}

const offsetsKey = (o: Offsets) => (o.kind === "stride" ? `s${o.stride}` : "t");

/** Equal keys, equal functions. */
export const packKey = (o: Operand, width: number, padded: number) =>
  `pack ${offsetsKey(o.outer)} ${offsetsKey(o.k)} ${width} ${padded}`;
