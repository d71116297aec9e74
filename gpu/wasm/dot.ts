/**
 * The tiled product: blocks of both operands are packed into panels, a micro-kernel keeps a tile of the result in
 * registers. Packing reads operands through their offsets (strides or tables), so transposes, batches and the windows of
 * a convolution cost nothing more. Depth is cut into blocks that are added in order: same bits on every run.
 */
import type { DotKernel, Offsets, Operand } from "../kernel.ts";
import { Fn } from "./assembler.ts";

/** Depth, rows and columns of a block. */
const KC = 256;
const MC = 96;
const NC = 768;
/** Columns of a tile: two vectors. */
const NR = 8;

/** Rows of a tile: what sixteen registers hold with and without fused multiply-add. */
const tileRows = (madd: boolean) => (madd ? 6 : 4);

/** Elements of scratch that a product needs. */
export function dotScratch(sizes: { readonly m: number; readonly n: number; readonly k: number }): number {
  const depth = Math.min(KC, sizes.k);
  const columns = Math.min(NC, Math.ceil(sizes.n / NR) * NR);
  return depth * (columns + Math.min(MC, sizes.m));
}

/** Adds a function once per key and gives its index. */
export type Shared = (key: string, write: () => Fn) => number;

export function dotSteps(kernel: DotKernel, madd: boolean): { readonly count: number; readonly unit: number } {
  return { count: kernel.m, unit: tileRows(madd) };
}

/** c[rows × columns] (+)= panel a · panel b. Parameters: a, b, c, depth, bytes per row of c, whether c is new. */
function micro(rows: number, columns: number, madd: boolean): Fn {
  const f = new Fn(["i32", "i32", "i32", "i32", "i32", "i32"]);
  const vectors = Math.ceil(columns / 4);
  const x = f.local("v128");
  const b = Array.from({ length: vectors }, () => f.local("v128"));
  const acc = Array.from({ length: rows }, () => b.map(() => f.local("v128")));
  const step = (at: number) => {
    b.forEach((local, j) => f.get(1).mem("v128.load", 16 * (j + at * vectors)).set(local));
    acc.forEach((row, i) => {
      f.get(0).mem("v128.load32_splat", 4 * (i + at * rows)).set(x);
      row.forEach((local, j) => {
        if (madd) f.get(x).get(b[j] ?? 0).get(local).op("f32x4.relaxed_madd").set(local);
        else f.get(local).get(x).get(b[j] ?? 0).op("f32x4.mul", "f32x4.add").set(local);
      });
    });
  };
  f.get(3).i32(1).op("i32.and").if(() => {
    step(0);
    f.get(0).i32(4 * rows).op("i32.add").set(0);
    f.get(1).i32(16 * vectors).op("i32.add").set(1);
  });
  f.get(3).i32(1).op("i32.shr_u").tee(3).if(() => {
    f.loop(() => {
      step(0);
      step(1);
      f.get(0).i32(8 * rows).op("i32.add").set(0);
      f.get(1).i32(32 * vectors).op("i32.add").set(1);
      f.get(3).i32(1).op("i32.sub").tee(3).brIf(0);
    });
  });
  const store = (add: boolean) => {
    acc.forEach((row, i) => {
      row.forEach((local, j) => {
        if (add) f.get(2).mem("v128.load", 16 * j).get(local).op("f32x4.add").set(local);
        const lanes = Math.min(4, columns - 4 * j);
        if (lanes === 4) f.get(2).get(local).mem("v128.store", 16 * j);
        else {
          if (lanes >= 2) f.get(2).get(local).mem("v128.store64_lane", 16 * j, 0);
          if (lanes !== 2) f.get(2).get(local).mem("v128.store32_lane", 16 * j + (lanes === 3 ? 8 : 0), lanes === 3 ? 2 : 0);
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

/**
 * Packs `width` neighbours of the outer role along `depth` into a panel of `padded` columns.
 * Parameters: panel, operand (at its batch), first outer, first k, depth, table of outer offsets, table of k offsets.
 */
function pack(operand: Operand, width: number, padded: number): Fn {
  const f = new Fn(["i32", "i32", "i32", "i32", "i32", "i32", "i32"]);
  const k = f.local("i32");
  const { outer } = operand;
  const contiguous = outer.kind === "stride" && outer.stride === 1;
  const sources: number[] = [];
  for (let i = 0; i < (contiguous ? 1 : width); i++) {
    const s = f.local("i32");
    f.get(1);
    if (outer.kind === "stride") f.get(2).i32(i).op("i32.add").i32(4 * outer.stride).op("i32.mul");
    else f.get(5).get(2).i32(2).op("i32.shl", "i32.add").mem("i32.load", 4 * i).i32(2).op("i32.shl");
    f.op("i32.add").set(s);
    sources.push(s);
  }
  const at = f.local("i32");
  const x = f.local("v128");
  if (operand.k.kind === "stride") f.get(3).i32(4 * operand.k.stride).op("i32.mul").set(k);
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
        address(s).mem("v128.load", 4 * i).mem("v128.store", 4 * i);
      }
      for (; i < width; i++) {
        f.get(0);
        address(s).mem("f32.load", 4 * i).mem("f32.store", 4 * i);
      }
    } else {
      sources.forEach((s, i) => {
        f.get(0);
        address(s).mem("f32.load").mem("f32.store", 4 * i);
      });
    }
    for (let i = width; i < padded; i++) f.get(0).f32(0).mem("f32.store", 4 * i);
    f.get(0).i32(4 * padded).op("i32.add").set(0);
    f.get(k).i32(operand.k.kind === "stride" ? 4 * operand.k.stride : 4).op("i32.add").set(k);
    f.get(4).i32(1).op("i32.sub").set(4);
  };
  // four outer neighbours times four depths at a time are a 4×4 transpose
  if (!contiguous && operand.k.kind === "stride" && operand.k.stride === 1 && width >= 4) {
    const rows = [x, f.local("v128"), f.local("v128"), f.local("v128")] as const;
    const halves = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")] as const;
    f.get(4).i32(4).op("i32.ge_s").if(() => {
      f.loop(() => {
        f.get(k).set(at);
        let i = 0;
        for (; i + 4 <= width; i += 4) {
          rows.forEach((row, r) => address(sources[i + r] ?? 0).mem("v128.load").set(row));
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
        f.get(0).i32(16 * padded).op("i32.add").set(0);
        f.get(k).i32(16).op("i32.add").set(k);
        f.get(4).i32(4).op("i32.sub").tee(4).i32(4).op("i32.ge_s").brIf(0);
      });
    });
  }
  f.get(4).i32(0).op("i32.gt_s").if(() => {
    f.loop(() => {
      one();
      f.get(4).brIf(0);
    });
  });
  return f;
}

const offsetsKey = (o: Offsets) => (o.kind === "stride" ? `s${o.stride}` : "t");
const packKey = (o: Operand, width: number, padded: number) =>
  `pack ${offsetsKey(o.outer)} ${offsetsKey(o.k)} ${width} ${padded}`;

/** `(begin, end, pointers…)`: rows of every batch, begin and end multiples of the tile (or m). */
export function dotFunction(kernel: DotKernel, madd: boolean, shared: Shared): Fn {
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
  const depth = Math.min(KC, k);
  f.get(scratchB).i32(4 * depth * Math.min(NC, Math.ceil(n / NR) * NR)).op("i32.add").set(scratchA);

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
    f.get(pointer(operand.param)).i32(4 * operand.base).op("i32.add");
    if (operand.g.kind === "stride") f.get(g).i32(4 * operand.g.stride).op("i32.mul");
    else f.get(pointer(operand.g.param)).get(g).i32(2).op("i32.shl", "i32.add").mem("i32.load").i32(2).op("i32.shl");
    f.op("i32.add");
  };
  const packCall = (operand: Operand, source: number, panel: () => void, outer: () => void, width: number, padded: number) => {
    const index = shared(packKey(operand, width, padded), () => pack(operand, width, padded));
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

  const tailN = n % NR;
  const tailPadded = Math.ceil(tailN / 4) * 4;
  const tailM = m % MR;
  const fullN = n - tailN;
  const fullM = m - tailM;

  const packB = () => {
    const panel = () => f.get(scratchB).get(j).get(n0).op("i32.sub").get(kc).op("i32.mul").i32(2).op("i32.shl", "i32.add");
    if (fullN > 0) {
      const end = local();
      f.get(n0).get(nc).op("i32.add").set(end);
      f.get(end).i32(fullN).get(end).i32(fullN).op("i32.lt_s", "select").set(end);
      loop(j, () => f.get(n0), () => f.get(end), NR, () => packCall(kernel.b, b, panel, () => f.get(j), NR, NR));
    }
    if (tailN > 0) {
      f.get(n0).get(nc).op("i32.add").i32(n).op("i32.eq").if(() => {
        f.i32(fullN).set(j);
        packCall(kernel.b, b, panel, () => f.get(j), tailN, tailPadded);
      });
    }
  };

  const rowsOfA = (body: (rows: number) => void) => {
    // [m0, m0 + mc) in tiles; the last rows of m are a smaller tile
    if (fullM > 0) {
      const end = local();
      f.get(m0).get(mc).op("i32.add").set(end);
      f.get(end).i32(fullM).get(end).i32(fullM).op("i32.lt_s", "select").set(end);
      loop(i, () => f.get(m0), () => f.get(end), MR, () => body(MR));
    }
    if (tailM > 0) {
      f.get(m0).get(mc).op("i32.add").i32(m).op("i32.eq").if(() => {
        f.i32(fullM).set(i);
        body(tailM);
      });
    }
  };
  const panelA = () => f.get(scratchA).get(i).get(m0).op("i32.sub").get(kc).op("i32.mul").i32(2).op("i32.shl", "i32.add");
  const tiles = (columns: number) => {
    rowsOfA((rows) => {
      const index = shared(`micro ${rows} ${columns}`, () => micro(rows, columns, madd));
      panelA();
      f.get(tile);
      f.get(c).get(i).i32(n).op("i32.mul").get(j).op("i32.add").i32(2).op("i32.shl", "i32.add");
      f.get(kc).i32(4 * n).get(k0).op("i32.eqz").call(index);
    });
  };

  loop(g, () => f.i32(0), () => f.i32(kernel.g), 1, () => {
    atBatch(kernel.a);
    f.set(a);
    atBatch(kernel.b);
    f.set(b);
    f.get(pointer(kernel.out)).get(g).i32(4 * m * n).op("i32.mul", "i32.add").set(c);
    loop(n0, () => f.i32(0), () => f.i32(n), NC, () => {
      least(nc, n, n0, NC);
      loop(k0, () => f.i32(0), () => f.i32(k), KC, () => {
        least(kc, k, k0, KC);
        packB();
        loop(m0, () => f.get(0), () => f.get(1), MC, () => {
          f.get(1).get(m0).op("i32.sub").i32(MC);
          f.get(1).get(m0).op("i32.sub").i32(MC).op("i32.lt_s", "select").set(mc);
          rowsOfA((rows) => packCall(kernel.a, a, panelA, () => f.get(i), rows, rows));
          const column = () => f.get(scratchB).get(j).get(n0).op("i32.sub").get(kc).op("i32.mul").i32(2).op("i32.shl", "i32.add").set(tile);
          if (fullN > 0) {
            const end = row;
            f.get(n0).get(nc).op("i32.add").set(end);
            f.get(end).i32(fullN).get(end).i32(fullN).op("i32.lt_s", "select").set(end);
            loop(j, () => f.get(n0), () => f.get(end), NR, () => {
              column();
              tiles(NR);
            });
          }
          if (tailN > 0) {
            f.get(n0).get(nc).op("i32.add").i32(n).op("i32.eq").if(() => {
              f.i32(fullN).set(j);
              column();
              tiles(tailN);
            });
          }
        });
      });
    });
  });
  return f;
}
