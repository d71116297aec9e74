import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitRange } from "../../lang/check/sources.ts";
import type { DataPlan } from "../../lang/program.ts";
import { openPlan } from "../../runtime/node.ts";
import { Draws, keyOf, permutation } from "../../runtime/data/random.ts";
import { rowsOf as rowsBy } from "../../runtime/data/rows.ts";
import type { Table } from "../../runtime/data/table.ts";
import { source } from "./folder.ts";

const all: DataPlan = { op: "source", source: source("toy.xor", { n: 1000 }) };
const split = (from: number, to: number, site = 1, of: DataPlan = all): DataPlan => ({
  op: "split",
  of,
  from,
  to,
  site,
});
const shuffle = (of: DataPlan, site = 2): DataPlan => ({ op: "shuffle", of, site });
const take = (of: DataPlan, count: number): DataPlan => ({ op: "take", of, count });

/** Row r is (r, r + 0.5) and its id is r. */
function table(rows: number): Table {
  return {
    rows,
    columns: {
      x: { data: Float32Array.from({ length: rows * 2 }, (_, i) => i / 2), shape: [2] },
      id: { data: Int32Array.from({ length: rows }, (_, i) => i), shape: [] },
      image: { data: Uint8Array.from({ length: rows * 4 }, (_, i) => i % 256), shape: [2, 2], scale: 1 / 255 },
    },
  };
}

const rowsOf = (plan: DataPlan, seed: number, from: Table) => rowsBy(plan, seed, async () => from);
const ids = async (plan: DataPlan, seed = 0, epoch = 1, rows = 1000) => [
  ...(await rowsOf(plan, seed, table(rows))).order(epoch),
];

describe("splits", () => {
  test("parts share no row and leave none out, for any sizes and fractions", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(),
        async (rows, at, seed) => {
          const train = await ids(split(0, at), seed, 1, rows);
          const val = await ids(split(at, 1), seed, 1, rows);
          expect(train.length + val.length).toBe(rows);
          expect(new Set([...train, ...val]).size).toBe(rows);
          const { start, stop } = splitRange(rows, at, 1);
          expect(val.length).toBe(stop - start);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a part is the same in every epoch and with a shuffle below it", async () => {
    const part = split(0, 0.9, 1, shuffle(all));
    expect(await ids(part, 0, 1)).toEqual(await ids(part, 0, 2));
    const val = new Set(await ids(split(0.9, 1, 1, shuffle(all)), 0, 5));
    expect((await ids(shuffle(part, 3), 0, 9)).some((row) => val.has(row))).toBe(false);
  });

  test("depends on the seed and the place, and on nothing else", async () => {
    expect(await ids(split(0.9, 1))).toEqual(await ids(split(0.9, 1)));
    expect(await ids(split(0.9, 1), 1)).not.toEqual(await ids(split(0.9, 1)));
    expect(await ids(split(0.9, 1, 7))).not.toEqual(await ids(split(0.9, 1)));
  });
});

describe("shuffles and takes", () => {
  test("a new order each epoch, the same in each run", async () => {
    const first = await ids(shuffle(all), 3, 1);
    expect(first).toEqual(await ids(shuffle(all), 3, 1));
    expect(first).not.toEqual(await ids(shuffle(all), 3, 2));
    expect(first).not.toEqual(await ids(shuffle(all), 4, 1));
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  test("the first n, at most all", async () => {
    expect(await ids(take(all, 3))).toEqual([0, 1, 2]);
    expect(await ids(take(shuffle(all), 3))).toEqual((await ids(shuffle(all))).slice(0, 3));
    expect((await rowsOf(take(all, 5000), 0, table(1000))).count).toBe(1000);
  });
});

describe("values", () => {
  test("gather is row-major, keeps rows whole and uses the array it is given", async () => {
    const rows = await rowsOf(all, 0, table(10));
    const at = Uint32Array.of(7, 0, 3);
    expect([...rows.gather("x", at)]).toEqual([7, 7.5, 0, 0.5, 3, 3.5]);
    expect(rows.gather("id", at)).toEqual(Int32Array.of(7, 0, 3));
    expect(rows.gather("image", Uint32Array.of(2))).toEqual(Float32Array.of(8, 9, 10, 11).map((v) => v / 255));
    const out = new Float32Array(6);
    expect(rows.gather("x", at, out)).toBe(out);
    const short = rows.gather("x", at.subarray(0, 1), out);
    expect(short).not.toBe(out);
    expect([...short]).toEqual([7, 7.5]);
    expect(() => rows.gather("y", at)).toThrow(/expected one of the fields x, id, image, got y/);
    expect(() => rows.gather("x", Uint32Array.of(10))).toThrow(/expected a row below 10, got 10/);
  });

  test("a column is the whole field in the order of the plan", async () => {
    expect((await rowsOf(split(0.5, 1), 0, table(10))).column("id")).toEqual(
      Int32Array.from(await ids(split(0.5, 1), 0, 0, 10)),
    );
  });

  test("openPlan draws the source", async () => {
    const rows = await openPlan(take(shuffle(all), 10), { scriptFolder: "/" }, 0);
    expect(rows.count).toBe(10);
    expect(rows.gather("label", rows.order(1))).toHaveLength(10);
  });
});

describe("random numbers", () => {
  test("uniform, normal, and free of neighbours that agree", () => {
    const draws = new Draws(keyOf(1, 2));
    const values = Array.from({ length: 20_000 }, () => draws.uniform());
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean).toBeCloseTo(0.5, 2);
    const bins = new Array<number>(16).fill(0);
    for (const value of values) bins[Math.floor(value * 16)]! += 1;
    expect(bins.reduce((sum, count) => sum + (count - 1250) ** 2 / 1250, 0)).toBeLessThan(40);
    const normals = Array.from({ length: 20_000 }, () => draws.normal());
    expect(normals.reduce((a, b) => a + b * b, 0) / normals.length).toBeCloseTo(1, 1);
    // The first value of neighbouring keys.
    const firsts = Array.from({ length: 20_000 }, (_, i) => new Draws(keyOf(9, 0, i)).uniform());
    const lag = firsts.reduce((sum, v, i) => sum + (v - 0.5) * ((firsts[i + 1] ?? 0.5) - 0.5), 0) / firsts.length;
    expect(Math.abs(lag * 12)).toBeLessThan(0.03);
  });

  test("permutations are permutations, and every place is as likely", () => {
    const counts = new Array<number>(5).fill(0);
    for (let seed = 0; seed < 5000; seed++) counts[permutation(5, keyOf(seed)).indexOf(0)]! += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });

  test("written values, which may never change", () => {
    const draws = new Draws(keyOf(1, 2, 3));
    expect([draws.u32(), draws.u32(), draws.u32()]).toMatchInlineSnapshot(`
      [
        2757923888,
        3794703412,
        10624286,
      ]
    `);
    expect([...permutation(8, keyOf(5))]).toMatchInlineSnapshot(`
      [
        1,
        5,
        7,
        0,
        2,
        4,
        6,
        3,
      ]
    `);
  });
});
