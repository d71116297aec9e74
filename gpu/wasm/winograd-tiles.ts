/**
 * Tiles of Winograd's products on their way in and out: four channels of one tile, one in each lane, as functions
 * `(from, to)`. Lines of pixels are read and written as vectors and turned into lanes in between.
 */
import { Fn } from "./assembler.ts";
import { square } from "./winograd-transform.ts";
import type { Matrix } from "./winograd-transform.ts";

const [FROM, TO] = [0, 1] as const;

/** Elements from line to line and from channel to channel of an image. */
export interface Strides {
  readonly line: number;
  readonly channel: number;
}

type Four = readonly [number, number, number, number];

const four = (f: Fn): Four => [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")];

/** Pairs of the first two lanes of four vectors, then of the last two. */
function pairs(f: Fn, [a, b, c, d]: Four, [e, g, h, l]: Four, both: boolean): void {
  f.get(a).get(b).shuffle(0, 4, 1, 5).set(e);
  f.get(c).get(d).shuffle(0, 4, 1, 5).set(g);
  if (!both) return;
  f.get(a).get(b).shuffle(2, 6, 3, 7).set(h);
  f.get(c).get(d).shuffle(2, 6, 3, 7).set(l);
}

/** Pushes line `i` of the transpose. */
function line(f: Fn, [e, g, h, l]: Four, i: number): void {
  f.get(i < 2 ? e : h).get(i < 2 ? g : l);
  if (i % 2 === 0) f.shuffle(0, 1, 4, 5);
  else f.shuffle(2, 3, 6, 7);
}

/** A tile of an image, transformed; the points' shares are `pitch` elements apart. */
export function tileIn(matrix: Matrix, strides: Strides, pitch: number, madd: boolean): Fn {
  const f = new Fn(["i32", "i32"]);
  const [lanes, halves] = [four(f), four(f)];
  square(
    f,
    matrix,
    madd,
    (l, into) => {
      for (let x = 0; x < into.length; x += 4) {
        const whole = into.length - x >= 4;
        lanes.forEach((lane, c) =>
          f
            .get(FROM)
            .mem(whole ? "v128.load" : "v128.load64_zero", 4 * (c * strides.channel + l * strides.line + x))
            .set(lane),
        );
        pairs(f, lanes, halves, whole);
        into.slice(x, x + 4).forEach((local, i) => {
          line(f, halves, i);
          f.set(local);
        });
      }
    },
    (k, from) =>
      from.forEach((local, i) =>
        f
          .get(TO)
          .get(local)
          .mem("v128.store", 4 * (i * from.length + k) * pitch),
      ),
  );
  return f;
}

/** Loads of a transformed tile by its columns. */
const columnOf =
  (f: Fn, pitch: number) =>
  (l: number, into: readonly number[]): void =>
    into.forEach((local, i) =>
      f
        .get(FROM)
        .mem("v128.load", 4 * (i * into.length + l) * pitch)
        .set(local),
    );

/** Results of four channels as tiles of an image. */
export function tileOut(matrix: Matrix, strides: Strides, pitch: number, madd: boolean): Fn {
  const f = new Fn(["i32", "i32"]);
  const halves = four(f);
  square(f, matrix, madd, columnOf(f, pitch), (y, from) => {
    const [a = 0, b = 0, c = 0, d = 0] = from;
    const at = (lane: number) => 4 * (lane * strides.channel + y * strides.line);
    const [e, g, h, l] = halves;
    if (from.length === 2) {
      f.get(a).get(b).shuffle(0, 4, 1, 5).set(e);
      f.get(a).get(b).shuffle(2, 6, 3, 7).set(h);
      for (let lane = 0; lane < 4; lane++)
        f.get(TO)
          .get(lane < 2 ? e : h)
          .mem("v128.store64_lane", at(lane), lane % 2);
      return;
    }
    pairs(f, [a, b, c, d], [e, g, h, l], true);
    for (let lane = 0; lane < 4; lane++) {
      f.get(TO);
      line(f, halves, lane);
      f.mem("v128.store", at(lane));
    }
  });
  return f;
}

/** Results of four channels as their windows, end to end. */
export function windowsOut(matrix: Matrix, pitch: number, madd: boolean): Fn {
  const f = new Fn(["i32", "i32"]);
  const taps = matrix.length;
  square(f, matrix, madd, columnOf(f, pitch), (y, from) =>
    from.forEach((local, x) => {
      for (let lane = 0; lane < 4; lane++)
        f.get(TO)
          .get(local)
          .mem("v128.store32_lane", 4 * (lane * taps ** 2 + y * taps + x), lane);
    }),
  );
  return f;
}
