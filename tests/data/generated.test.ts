import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checkSource, knownFacts, sources } from "../../lang/check/sources.ts";
import { digits } from "../../runtime/data/digits.ts";
import { factsOf, openSource } from "../../runtime/node.ts";
import { generatedTable } from "../../runtime/data/generated.ts";
import type { Table } from "../../runtime/data/table.ts";
import { mistake, source, words } from "./folder.ts";
import { softmaxAccuracy } from "./softmax.ts";

const train = digits(0, "train");
const held = digits(0, "test");

function imageHashes(table: Table): Set<string> {
  const data = table.columns.image?.data as Uint8Array;
  const hashes = Array.from({ length: table.rows }, (_, r) =>
    createHash("sha1")
      .update(data.subarray(r * 784, (r + 1) * 784))
      .digest("base64"),
  );
  return new Set(hashes);
}

describe("digits", () => {
  test("the same seed gives the same images; rows are balanced and none comes twice", () => {
    const again = digits(0, "test");
    expect(again.columns.label).toEqual(held.columns.label);
    expect(imageHashes(again)).toEqual(imageHashes(held));
    for (const [table, each] of [
      [train, 1000],
      [held, 200],
    ] as const) {
      const counts = new Array<number>(10).fill(0);
      for (const label of table.columns.label?.data ?? []) counts[label]! += 1;
      expect(counts).toEqual(new Array<number>(10).fill(each));
      expect(imageHashes(table).size).toBe(table.rows);
    }
  });

  test("written bytes, which may not change without notice: weights and losses in other tests depend on them", () => {
    const hash = createHash("sha1").update(held.columns.image?.data as Uint8Array);
    expect(hash.digest("hex")).toMatchInlineSnapshot(`"dfa101ee3a540241d4fbf7917eb3644b17dbf10c"`);
  });

  test("parts share no image, nor do seeds", () => {
    const trained = imageHashes(train);
    for (const other of [held, digits(1, "train"), digits(1, "test"), digits(2 ** 32, "test")]) {
      expect([...imageHashes(other)].filter((hash) => trained.has(hash))).toEqual([]);
    }
  });

  test("images have ink in the middle and paper at the rim", () => {
    const data = train.columns.image?.data as Uint8Array;
    let ink = 0;
    let corner = 0;
    for (let r = 0; r < train.rows; r++) {
      corner += data[r * 784] ?? 0;
      for (let p = 0; p < 784; p++) ink += data[r * 784 + p] ?? 0;
    }
    expect(ink / train.rows / 784 / 255).toBeGreaterThan(0.07);
    expect(ink / train.rows / 784 / 255).toBeLessThan(0.2);
    expect(corner / train.rows / 255).toBeLessThan(0.03);
  });

  test("both parts are drawn in two seconds", () => {
    const start = performance.now();
    digits(3, "train");
    digits(3, "test");
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("softmax regression ends between 80 and 93 %", () => {
    const accuracy = softmaxAccuracy(train, held);
    console.log(
      `digits: softmax regression ${(accuracy.test * 100).toFixed(1)} % (train ${(accuracy.fit * 100).toFixed(1)} %)`,
    );
    expect(accuracy.test).toBeGreaterThan(0.8);
    expect(accuracy.test).toBeLessThan(0.93);
  });
});

describe("toys", () => {
  test("facts and tables agree", async () => {
    for (const ref of [
      source("toy.linear", { w: [3, 4], n: 50 }),
      source("toy.moons", { n: 30 }),
      source("toy.spirals", { classes: 3, n: 31 }),
      source("toy.xor"),
      source("toy.rings", { n: 30, classes: 3 }),
      source("toy.gaussians", { n: 40, classes: 4 }),
      source("toy.sine", { n: 20 }),
      source("toy.series", { n: 20 }),
      source("toy.adding", { n: 20, length: 7 }),
      source("toy.copy", { n: 40, length: 5, symbols: 3, delay: 2 }),
      source("toy.reverse", { n: 3, length: 4 }),
      source("toy.tasks", { n: 5 }),
      source("digits"),
    ]) {
      const facts = knownFacts(ref);
      const table = await openSource(ref, { scriptFolder: "/" });
      expect(await factsOf(ref, { scriptFolder: "/" })).toEqual(facts);
      expect(table.rows).toBe(facts?.rows);
      expect(Object.keys(table.columns).sort()).toEqual(Object.keys(facts?.fields ?? {}).sort());
      for (const [name, fact] of Object.entries(facts?.fields ?? {})) {
        const column = table.columns[name];
        expect(column?.shape).toEqual(fact.shape);
        expect(column?.data instanceof Int32Array).toBe(fact.dtype === "i32");
        expect(column?.data.length).toBe(table.rows * fact.shape.reduce((a, b) => a * b, 1));
        // Padding is a class that `toy.reverse` never has, and the sign of `toy.copy` stands in x only.
        const drawn = new Set(column?.data).size;
        if (fact.classes && (ref.name === "toy.reverse" || ref.name === "toy.copy"))
          expect(Math.max(...column!.data)).toBeLessThan(fact.classes);
        else if (fact.classes) expect(drawn).toBe(fact.classes);
      }
    }
  });

  test("linear is w · x + b with the noise asked for", () => {
    const table = (noise: number) => generatedTable(source("toy.linear", { w: [3, -4], b: 2, n: 4000, noise }));
    const exact = table(0);
    const noisy = table(3);
    let squares = 0;
    for (let r = 0; r < 4000; r++) {
      const [x0 = 0, x1 = 0] = (noisy?.columns.x?.data ?? []).slice(2 * r, 2 * r + 2);
      const line = 3 * x0 - 4 * x1 + 2;
      expect(exact?.columns.y?.data[r]).toBeCloseTo(line, 4);
      squares += ((noisy?.columns.y?.data[r] ?? 0) - line) ** 2;
    }
    expect(Math.sqrt(squares / 4000)).toBeCloseTo(3, 0);
  });

  test("waves, clouds and sequences are what they say", () => {
    const columns = (name: string, args: Parameters<typeof source>[1]) => generatedTable(source(name, args))!.columns;
    const sine = columns("toy.sine", { n: 50, noise: 0 });
    sine.x!.data.forEach((x, i) => expect(sine.y!.data[i]).toBeCloseTo(Math.sin(x), 6));
    const series = columns("toy.series", { n: 50, period: 25, noise: 0 }).x!.data;
    expect(series[30]).toBeCloseTo(series[5]!, 6);
    const rings = columns("toy.rings", { n: 9, classes: 3, noise: 0 });
    for (let r = 0; r < 9; r++)
      expect(Math.hypot(rings.x!.data[2 * r]!, rings.x!.data[2 * r + 1]!)).toBeCloseTo((r % 3) + 1, 5);
    const clouds = columns("toy.gaussians", { n: 4000, classes: 2, noise: 0.5 }).x!.data;
    const right = Array.from({ length: 2000 }, (_, i) => clouds[4 * i]!);
    expect(right.reduce((sum, x) => sum + x / 2000, 0)).toBeCloseTo(2, 1);
    const adding = columns("toy.adding", { n: 30, length: 9 });
    for (let r = 0; r < 30; r++) {
      const row = adding.x!.data.slice(18 * r, 18 * (r + 1));
      const marks = [...row.filter((_, i) => i % 2 === 1).keys()].filter((t) => row[2 * t + 1] === 1);
      expect(marks).toHaveLength(2);
      expect(marks[0]! < 4 && marks[1]! >= 4).toBe(true);
      expect(adding.y!.data[r]).toBeCloseTo(row[2 * marks[0]!]! + row[2 * marks[1]!]!, 6);
    }
    const { x, y } = columns("toy.copy", { n: 1, length: 3, symbols: 4, delay: 2 });
    const symbols = [...x!.data.slice(0, 3)];
    expect([...x!.data]).toEqual([...symbols, 0, 5, 0, 0, 0]);
    expect([...y!.data]).toEqual([0, 0, 0, 0, 0, ...symbols]);
    expect(Math.min(...symbols)).toBeGreaterThan(0);
    const reverse = columns("toy.reverse", { n: 2, length: 4 });
    expect([...reverse.y!.data.slice(4)]).toEqual([...reverse.x!.data.slice(4)].reverse());
    const tasks = columns("toy.tasks", { n: 1, shots: 3, queries: 40 });
    // One wave: y = a sin x + b cos x for all points, a and b from the first two.
    const [x0, x1] = tasks.xs!.data as Float32Array as unknown as [number, number];
    const [y0, y1] = tasks.ys!.data as Float32Array as unknown as [number, number];
    const area = Math.sin(x0) * Math.cos(x1) - Math.sin(x1) * Math.cos(x0);
    const a = (y0 * Math.cos(x1) - y1 * Math.cos(x0)) / area;
    const b = (Math.sin(x0) * y1 - Math.sin(x1) * y0) / area;
    tasks.xq!.data.forEach((q, i) => expect(tasks.yq!.data[i]).toBeCloseTo(a * Math.sin(q) + b * Math.cos(q), 3));
  });

  test("a row does not depend on how many there are; seeds differ", () => {
    const few = generatedTable(source("toy.spirals", { n: 10, classes: 3 }));
    const many = generatedTable(source("toy.spirals", { n: 500, classes: 3 }));
    expect(many?.columns.x?.data.slice(0, 20)).toEqual(few?.columns.x?.data);
    expect(generatedTable(source("toy.moons", { seed: 1 }))).not.toEqual(generatedTable(source("toy.moons")));
  });
});

describe("the table of sources", () => {
  test("every row has a doc line and parameters that accept their defaults", () => {
    for (const [name, row] of Object.entries(sources)) {
      expect(row.doc).toMatch(/\.$/);
      const required = row.params.filter((p) => p.default === undefined).map((p) => p.name);
      const args = Object.fromEntries(required.map((p) => [p, p === "w" ? [1] : "text"]));
      expect(checkSource(source(name, args))).toEqual([]);
    }
  });

  test("wrong arguments", async () => {
    const said = (name: string, args: Parameters<typeof source>[1]) =>
      checkSource(source(name, args)).map((d) => d.title);
    expect(said("toy.moons", { n: 0 })).toEqual(["`n` of `toy.moons` is a whole number of at least 1, not 0"]);
    expect(said("toy.moons", { n: 1.5, noise: -1 })).toHaveLength(2);
    expect(said("toy.spirals", { classes: 1 })).toEqual([
      "`classes` of `toy.spirals` is a whole number of at least 2, not 1",
    ]);
    expect(said("toy.linear", {})).toEqual([
      "`w` of `toy.linear` is a list of numbers, with at least one, not nothing",
    ]);
    expect(said("csv", { path: 3 })).toHaveLength(1);
    expect(said("csv", { path: "a.csv", target: ["a", "b"] })).toEqual([]);
    const late = await mistake(openSource(source("toy.xor", { n: -1 }), { scriptFolder: "/" }));
    expect(words(late)).toMatch(/toy\.xor\(n: …\)/);
  });
});
