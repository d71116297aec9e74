/**
 * Packing of operands: a strip of neighbours of the outer role along the depth becomes a panel that the micro-kernel reads
 * in order. Strides and offset tables are followed here and nowhere else. Whatever lies side by side in memory, along
 * either role, moves as vectors: the runs of a table too (the pixels of one line under a window). Where the outer role is
 * side by side, several panels are packed at once: so a line of the cache is read once, and wholly.
 */
import type { Offsets, Operand } from "../kernel.ts";
import { Fn } from "./assembler.ts";

/** Depths of a run from which on it pays to walk run by run. */
const LEAST_RUN = 4;

/** Parameters. */
const [PANEL, SOURCE, OUTER, K, DEPTH, OUTER_TABLE, K_TABLE] = [0, 1, 2, 3, 4, 5, 6] as const;

/** Offsets that are neighbours in memory, all of them or run by run. */
const neighbours = (o: Offsets): number =>
  o.kind === "stride" ? (o.stride === 1 ? Infinity : 1) : o.runs[0]?.stride === 1 ? o.runs[0].length : 1;

class PackWriter {
  private readonly f = new Fn(["i32", "i32", "i32", "i32", "i32", "i32", "i32"]);
  private readonly operand: Operand;
  private readonly width: number;
  private readonly padded: number;
  /** Where the next depth of each panel is put. */
  private readonly panels: readonly number[];
  /** Addresses of the outer neighbours; the first alone where they are neighbours in memory. */
  private readonly sources: readonly number[];
  /** Bytes from there to the present depth. */
  private readonly at = this.f.local("i32");
  private readonly lanes = Array.from({ length: 8 }, () => this.f.local("v128"));

  constructor(operand: Operand, width: number, padded: number, panels: number) {
    this.operand = operand;
    this.panels = Array.from({ length: panels }, (_, p) => (p === 0 ? PANEL : this.f.local("i32")));
    this.width = width;
    this.padded = padded;
    const count = neighbours(operand.outer) === Infinity ? 1 : width;
    this.sources = Array.from({ length: count }, () => this.f.local("i32"));
  }

  private begin(): void {
    const { f, operand } = this;
    const { outer } = operand;
    this.panels.slice(1).forEach((panel, p) => {
      f.get(this.panels[p] ?? PANEL)
        .get(DEPTH)
        .i32(4 * this.padded)
        .op("i32.mul", "i32.add")
        .set(panel);
    });
    this.sources.forEach((source, i) => {
      f.get(SOURCE);
      if (outer.kind === "stride")
        f.get(OUTER)
          .i32(i)
          .op("i32.add")
          .i32(4 * outer.stride)
          .op("i32.mul");
      else
        f.get(OUTER_TABLE)
          .get(OUTER)
          .i32(2)
          .op("i32.shl", "i32.add")
          .mem("i32.load", 4 * i)
          .i32(2)
          .op("i32.shl");
      f.op("i32.add").set(source);
    });
  }

  private address(i: number): Fn {
    return this.f
      .get(this.sources[i] ?? 0)
      .get(this.at)
      .op("i32.add");
  }

  private advance(local: number, by: number): void {
    this.f.get(local).i32(by).op("i32.add").set(local);
  }

  private zeros(panel: number, depth: number): void {
    for (let i = this.width; i < this.padded; i++)
      this.f
        .get(panel)
        .f32(0)
        .mem("f32.store", 4 * (depth * this.padded + i));
  }

  /** One depth. */
  private one(joined: boolean): void {
    const { f, width } = this;
    this.panels.forEach((panel, p) => {
      const from = 4 * p * width;
      let i = 0;
      if (joined) {
        for (; i + 4 <= width; i += 4) {
          f.get(panel);
          this.address(0)
            .mem("v128.load", from + 4 * i)
            .mem("v128.store", 4 * i);
        }
        if (i + 2 <= width) {
          f.get(panel);
          this.address(0)
            .mem("v128.load64_zero", from + 4 * i)
            .mem("v128.store64_lane", 4 * i, 0);
          i += 2;
        }
      }
      for (; i < width; i++) {
        f.get(panel);
        this.address(joined ? 0 : i)
          .mem("f32.load", joined ? from + 4 * i : 0)
          .mem("f32.store", 4 * i);
      }
      this.zeros(panel, 0);
      this.advance(panel, 4 * this.padded);
    });
  }

  /** Four depths side by side in memory of scattered neighbours: transposes of 4×4, then of 2×4. */
  private four(): void {
    const { f, width, padded } = this;
    const [a, b, c, d, e, g, h, l] = this.lanes as [number, number, number, number, number, number, number, number];
    const panel = (depth: number, i: number) => 4 * (depth * padded + i);
    let i = 0;
    for (; i + 4 <= width; i += 4) {
      [a, b, c, d].forEach((row, r) =>
        this.address(i + r)
          .mem("v128.load")
          .set(row),
      );
      f.get(a).get(b).shuffle(0, 4, 1, 5).set(e);
      f.get(c).get(d).shuffle(0, 4, 1, 5).set(g);
      f.get(a).get(b).shuffle(2, 6, 3, 7).set(h);
      f.get(c).get(d).shuffle(2, 6, 3, 7).set(l);
      for (let depth = 0; depth < 4; depth++) {
        f.get(PANEL)
          .get(depth < 2 ? e : h)
          .get(depth < 2 ? g : l);
        if (depth % 2 === 0) f.shuffle(0, 1, 4, 5);
        else f.shuffle(2, 3, 6, 7);
        f.mem("v128.store", panel(depth, i));
      }
    }
    if (i + 2 <= width) {
      this.address(i).mem("v128.load").set(a);
      this.address(i + 1)
        .mem("v128.load")
        .set(b);
      f.get(a).get(b).shuffle(0, 4, 1, 5).set(c);
      f.get(a).get(b).shuffle(2, 6, 3, 7).set(d);
      for (let depth = 0; depth < 4; depth++)
        f.get(PANEL)
          .get(depth < 2 ? c : d)
          .mem("v128.store64_lane", panel(depth, i), depth % 2);
      i += 2;
    }
    if (i < width) {
      this.address(i).mem("v128.load").set(a);
      for (let depth = 0; depth < 4; depth++) f.get(PANEL).get(a).mem("v128.store32_lane", panel(depth, i), depth);
    }
    for (let depth = 0; depth < 4; depth++) this.zeros(PANEL, depth);
    this.advance(PANEL, 16 * padded);
  }

  /** While `count` (a local) is at least `step`. */
  private while(count: number, step: number, body: () => void): void {
    const { f } = this;
    f.get(count)
      .i32(step)
      .op("i32.ge_s")
      .if(() => {
        f.loop(() => {
          body();
          f.get(count).i32(step).op("i32.sub").tee(count).i32(step).op("i32.ge_s").brIf(0);
        });
      });
  }

  /** `count` (a local) depths from `at` on, each `stride` elements after the one before. */
  private regular(joined: boolean, count: number, stride: number): void {
    if (!joined && stride === 1 && this.width >= 2) {
      this.while(count, 4, () => {
        this.four();
        this.advance(this.at, 16);
      });
    }
    this.while(count, 1, () => {
      this.one(joined);
      this.advance(this.at, 4 * stride);
    });
  }

  private depths(joined: boolean): void {
    const { f, at } = this;
    const { k } = this.operand;
    if (k.kind === "stride") {
      f.get(K)
        .i32(4 * k.stride)
        .op("i32.mul")
        .set(at);
      this.regular(joined, DEPTH, k.stride);
      return;
    }
    const entry = () =>
      f.get(K_TABLE).get(K).i32(2).op("i32.shl", "i32.add").mem("i32.load").i32(2).op("i32.shl").set(at);
    const run = k.runs[0];
    if (!run || run.length < (joined ? 2 * LEAST_RUN : LEAST_RUN)) {
      const cursor = f.local("i32");
      f.get(K_TABLE).get(K).i32(2).op("i32.shl", "i32.add").set(cursor);
      this.while(DEPTH, 1, () => {
        f.get(cursor).mem("i32.load").i32(2).op("i32.shl").set(at);
        this.one(joined);
        this.advance(cursor, 4);
      });
      return;
    }
    // to the end of each run
    const left = f.local("i32");
    f.loop(() => {
      entry();
      f.i32(run.length).get(K).i32(run.length).op("i32.rem_u", "i32.sub").set(left);
      f.get(left).get(DEPTH).get(left).get(DEPTH).op("i32.lt_s", "select").set(left);
      f.get(K).get(left).op("i32.add").set(K);
      f.get(DEPTH).get(left).op("i32.sub").set(DEPTH);
      this.regular(joined, left, run.stride);
      f.get(DEPTH).i32(0).op("i32.gt_s").brIf(0);
    });
  }

  write(): Fn {
    const { f, width, operand } = this;
    const joined = neighbours(operand.outer);
    this.begin();
    if (joined === Infinity || joined < width || width < 2) this.depths(joined === Infinity);
    else {
      // within one run of the outer role?
      f.get(OUTER)
        .i32(joined)
        .op("i32.rem_u")
        .i32(joined - width)
        .op("i32.le_s")
        .if(
          () => this.depths(true),
          () => this.depths(false),
        );
    }
    return f;
  }
}

/**
 * Packs `panels` times `width` neighbours of the outer role along `depth` into panels of `padded` columns, end to end.
 * Parameters: panel, operand (at its batch), first outer, first k, depth, table of outer offsets, table of k offsets.
 */
export const packFunction = (operand: Operand, width: number, padded: number, panels: number): Fn =>
  new PackWriter(operand, width, padded, panels).write();

/** Panels that are packed at once. */
export const packedTogether = (operand: Operand): number => (neighbours(operand.outer) === Infinity ? 4 : 1);

const offsetsKey = (o: Offsets) =>
  o.kind === "stride" ? `s${o.stride}` : `t${o.runs[0]?.length}*${o.runs[0]?.stride}`;

/** Equal keys, equal functions. */
export const packKey = (o: Operand, width: number, padded: number, panels: number) =>
  `pack ${offsetsKey(o.outer)} ${offsetsKey(o.k)} ${width} ${padded} ${panels}`;
