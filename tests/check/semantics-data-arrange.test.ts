/** Rows that are filtered, put together, repeated, cut into windows and folds: what a script reads of them. */
import { describe, expect, test } from "vitest";
import { mistakes, numbers, printed, prints, run } from "./semantics.ts";

const rows = "let rows = toy.linear(w: [2, -3], n: 50, noise: 0.1)\n";
const series = "let rows = toy.series(n: 20, noise: 0)\n";

describe("filter", () => {
  test("keeps the rows for which the condition holds, and its count is a size", async () => {
    const lines = await prints(`${rows}
      let up = rows |> filter(r => r.y > 0)
      print up.rows, sum(i32(rows.y > 0)), min(up.y) > 0
      print shape(zeros([up.rows, 2]))
      eval e (y) in batches(up, 7) { metric least = lowest(min(y)) }
      print e.least > 0`);
    expect(numbers(lines[0])[0]).toBe(numbers(lines[0])[1]);
    expect(lines[0]).toMatch(/true$/);
    expect(numbers(lines[1])[0]).toBe(numbers(lines[0])[0]);
    expect(lines[2]).toBe("true");
  });
  test("sees one row: a mean is that of the row, an index picks from it; row functions before it are applied", async () => {
    const lines = await printed(`${rows}
      let a = rows |> filter(r => mean(r.x) > 0)
      let b = rows |> map(r => { ..r, x: r.x + 100 }) |> filter(r => r.x[0] > 100)
      print a.rows, sum(i32(mean(rows.x, over: 1) > 0)), b.rows, sum(i32(rows.x[.., 0] > 0))`);
    const [a, b, p, q] = lines[0]!;
    expect([a, p]).toEqual([b, q]);
    expect(a).toBeGreaterThan(5);
    expect(a).toBeLessThan(45);
  });
  test("of more rows than are computed at a time, and of parts", async () => {
    const lines = await printed(`
      let d = digits() |> filter(r => r.label < 2) |> split(val: 0.1)
      print d.train.rows, d.val.rows, d.test.rows, max(d.test.label), sum(d.train.label) + sum(d.val.label)`);
    expect(lines[0]).toEqual([1800, 200, 400, 1, 1000]);
  });
  test("of a new order each epoch", async () => {
    const lines = await printed(`${rows}
      train (y) in batches(shuffle(rows) |> filter(r => r.y > 0), 100) for 2 epochs { print y[0], min(y), sum(y) }`);
    expect(lines[0]![0]).not.toBe(lines[1]![0]);
    expect(lines[0]![1]).toBe(lines[1]![1]);
    expect(lines[0]![1]).toBeGreaterThan(0);
  });
});

describe("concat, zip, again", () => {
  test("rows of one below those of the other, in the order of each", async () => {
    const lines = await printed(`
      let a = toy.series(n: 3, noise: 0)
      let b = toy.series(n: 2, noise: 0, period: 3)
      let both = concat(a, b)
      print both.rows, both.x
      print a.x, b.x
      print concat(a, a, take(a, 1)).x`);
    const [count, ...x] = lines[0]!;
    expect(count).toBe(5);
    expect(x).toEqual(lines[1]);
    expect(lines[2]).toEqual([...x.slice(0, 3), ...x.slice(0, 3), x[0]]);
  });
  test("of parts of one set is the set", async () => {
    const lines = await printed(`${rows}let d = split(rows, val: 0.3)
      let all = concat(d.train, d.val)
      print all.rows, sum(all.y) - sum(rows.y)
      eval e (y) in batches(all, 8) { metric t = total(sum(y)) }
      print e.t - sum(rows.y)`);
    expect(lines[0]![0]).toBe(50);
    expect(lines[0]![1]).toBeCloseTo(0, 3);
    expect(lines[1]![0]).toBeCloseTo(0, 3);
  });
  test("zip pairs row i with row i, also of shuffled and split parts", async () => {
    const lines = await printed(`${rows}
      let other = toy.linear(w: [2, -3], n: 50, noise: 0.1, b: 7)
      let pair = zip(a: rows, b: other)
      print sum(abs(pair.b_y - pair.a_y - 7)) < 1e-3
      eval e (a_y, b_y) in batches(shuffle(split(pair, val: 0.5).val), 7) { metric off = avg(mean(b_y - a_y)) }
      print e.off
      let mixed = zip(toy.series(n: 50), label: shuffle(toy.moons(n: 50)) |> take(50))
      print mixed.rows, sum(mixed.label_label)`);
    expect(lines[1]![0]).toBeCloseTo(7, 4);
    expect(lines[2]).toEqual([50, 25]);
  });
  test("again: epochs of an epoch, each in its order", async () => {
    const lines = await printed(`${series}
      let twice = again(take(rows, 3), 2)
      print twice.rows, twice.x
      train (x) in batches(again(rows, 2), 16) for 1 epoch { print size(x, 0) }`);
    expect(lines[0]!.slice(1, 4)).toEqual(lines[0]!.slice(4));
    expect(lines.slice(1)).toEqual([[16], [16], [8]]);
  });
});

describe("windows", () => {
  test("stretches of rows, side by side or overlapping", async () => {
    const lines = await printed(`${series}
      let w = windows(rows, 4)
      print w.rows, w.x[1]
      print rows.x[4..7]
      let s = windows(rows, 4, stride: 1)
      print s.rows, s.x[3]
      print rows.x[3..6]
      let p = windows(toy.moons(n: 10), 3)
      print shape(p.x), shape(p.label)`);
    expect(lines[0]).toEqual([5, ...lines[1]!]);
    expect(lines[2]).toEqual([17, ...lines[3]!]);
    expect(lines[4]).toEqual([3, 3, 2, 3, 3]);
  });
  test("a forecast: map cuts a window into past and next", async () => {
    const lines = await printed(`${series}
      let w = windows(rows, 5, stride: 1) |> map(r => { past: r.x[0..3], next: r.x[4] }) |> split(val: 0.25)
      eval e (past, next) in batches(w.val, 3) { metric m = mean(past[.., 3] - next) }
      print w.train.rows, w.val.rows, e.m`);
    expect(lines[0]!.slice(0, 2)).toEqual([12, 4]);
    expect(lines[0]![2]).not.toBe(0);
  });
  test("contiguous batches: row k continues row k, for any rows and sizes", async () => {
    for (const [n, size, drop] of [
      [12, 3, false],
      [11, 3, false],
      [11, 4, true],
      [5, 8, false],
    ] as const) {
      const { prints: lines } = await run(`
        let rows = zip(toy.series(n: ${n}, noise: 0), i: toy.series(n: ${n}, period: 400, noise: 0))
        train (i) in batches(rows, ${size}, contiguous: true, drop_last: ${drop}) for 1 epoch { print i }`);
      const at = (line: string) => numbers(line).map((x) => Math.round((Math.asin(x) * 400) / (2 * Math.PI)));
      const batches = lines.map(at);
      for (let t = 1; t < batches.length; t++)
        batches[t]!.forEach((row, k) => expect(row).toBe(batches[t - 1]![k]! + 1));
      const seen = batches.flat();
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.length).toBe(drop ? Math.floor(n / size) * size : n);
    }
  });
});

describe("kfold", () => {
  test("each row is held out once, and the same seed gives the same folds", async () => {
    const script = `${rows}
      let sums = for (fold, part) in kfold(rows, 3) {
        print fold, part.train.rows, part.val.rows, sum(part.train.y) + sum(part.val.y) - sum(rows.y)
        sum(part.val.y)
      }
      print sums[0] + sums[1] + sums[2] - sum(rows.y), sums[0]`;
    const lines = await printed(script);
    expect(lines.map((line) => line.slice(0, 3)).slice(0, 3)).toEqual([
      [1, 33, 17],
      [2, 34, 16],
      [3, 33, 17],
    ]);
    for (const line of lines.slice(0, 3)) expect(line[3]).toBeCloseTo(0, 2);
    expect(lines[3]![0]).toBeCloseTo(0, 2);
    expect((await printed(script))[3]).toEqual(lines[3]);
    expect((await printed(script, { seed: 9 }))[3]![1]).not.toBe(lines[3]![1]);
  });
});

describe("mistakes", () => {
  test.each([
    ["concat of other fields", "let d = concat(toy.moons(n: 5), toy.series(n: 5))", "DLX0540 1"],
    ["concat of other classes", "let d = concat(toy.rings(n: 6), toy.rings(n: 6, classes: 3))", "DLX0540 1"],
    ["zip of other lengths", "let d = zip(toy.series(n: 5), label: toy.moons(n: 6))", "DLX0541 1"],
    ["zip of one name twice", "let d = zip(toy.series(n: 5), toy.moons(n: 5))", "DLX0542 1"],
    ["a window longer than the rows", "let d = windows(toy.series(n: 5), 6)", "DLX0543 1"],
    ["more folds than rows", "let d = kfold(toy.series(n: 5), 6)", "DLX0544 1"],
    ["one fold", "let d = kfold(toy.series(n: 5), 1)", "DLX0544 1"],
    ["windows of mixed rows", "let d = windows(shuffle(toy.series()), 6)", "DLX0545 1"],
    [
      "contiguous batches of split rows",
      "eval e (x) in batches(split(toy.series(), val: 0.5).val, 4, contiguous: true) { metric m = mean(x) }",
      "DLX0545 1",
    ],
    ["windows behind map", "let d = toy.series() |> map(r => { ..r, x: 2 * r.x }) |> windows(4)", "DLX0546 1"],
    ["zip behind map", "let d = zip(toy.series(), m: toy.moons() |> map(r => r))", "DLX0546 1"],
    ["filter keeps none", "let d = toy.moons() |> filter(r => r.label > 1)", "DLX0547 1"],
    ["filter by a draw", "let d = toy.moons() |> filter(r => uniform([]) < 0.5)", "DLX0548 1"],
    [
      "filter by a live input",
      "input most = 0.5 in 0 .. 1\nlet d = toy.moons() |> filter(r => r.x[0] < most)",
      "DLX0548 2",
    ],
    ["filter by other rows", "let m = toy.moons()\nlet d = m |> filter(r => r.x[0] < mean(m.x))", "DLX0548 2"],
    ["filter behind split", "let d = toy.moons() |> split(val: 0.5) |> filter(r => r.label == 1)", "DLX0549 1"],
    [
      "filter behind a random take",
      "let d = toy.moons() |> shuffle |> take(10) |> filter(r => r.label == 1)",
      "DLX0549 1",
    ],
    ["a condition that is a number", "let d = toy.moons() |> filter(r => r.label)", "DLX0338 1"],
    ["a condition of an unknown field", "let d = toy.moons() |> filter(r => r.labl == 1)", "DLX0313 1"],
    ["again no times", "let d = again(toy.moons(), 0)", "DLX0318 1"],
    ["one data set to zip", "let d = zip(toy.moons())", "DLX0309 1"],
  ])("%s", async (_name, script, wanted) => {
    expect(await mistakes(script)).toEqual([wanted]);
  });
  test("in-order parts may be cut into windows", async () => {
    expect(
      await mistakes("let d = toy.series() |> split(val: 0.5, in_order: true) |> windows(5)\nprint d.val.x[0]"),
    ).toEqual([]);
  });
});

describe("splits are not mixed up", () => {
  const net = "let data = digits() |> split(val: 0.1)\nlet net = [flatten, Linear(10)]\n";
  const fit = (from: string, body = "") =>
    `${net}train (image, label) in batches(${from}, 50) for 1 epoch { minimize cross_entropy(net(image), label) over net with Adam(1e-3)\n${body} }`;
  const choose = (part: string, what: string) =>
    fit(
      "data.train",
      `every epoch { eval e (image, label) in batches(data.${part}, 50) { metric acc = accuracy(net(image), label) }\n ${what} }`,
    );
  test.each([
    ["minimize on test rows", fit("data.test"), ["DLX0551 3"]],
    ["on validation rows", fit("shuffle(data.val)"), ["DLX0551 3"]],
    ["on rows that were put together from both", fit("concat(data.train, data.test)"), ["DLX0551 3"]],
    ["on the validation part of a fold", fit("kfold(data.train, 5)[0][1].val"), ["DLX0551 3"]],
    ["on train rows", fit("take(shuffle(data.train), 100)"), []],
    ["on rows of no part", fit("take(digits().train, 100) |> map(r => r)"), []],
    ["stop by test rows", choose("test", "when stale(e.acc, 3) { stop }"), ["DLX0552 5"]],
    [
      "save by test rows",
      choose("test", 'when best(e.acc) { print "best"\n save net to "a.safetensors" }'),
      ["DLX0552 5"],
    ],
    ["stop by a number of the test rows", choose("test", "when e.acc > 0.9 { stop }"), ["DLX0552 5"]],
    ["print by test rows", choose("test", 'when best(e.acc) { print "best" }'), []],
    ["stop by validation rows", choose("val", "when stale(e.acc, 3) { stop }"), []],
  ])("%s", async (_name, script, wanted) => {
    expect(await mistakes(script)).toEqual(wanted);
  });
});
