/** Data sets: parts, order, row functions, batches; and top-level values as snapshots. */
import { describe, expect, test } from "vitest";
import { expectClose, mistakes, numbers, printed, prints } from "./semantics.ts";

const rows = "let rows = toy.linear(w: [1, 2], n: 50, noise: 0.1)\n";

describe("parts", () => {
  test("are disjoint and cover the rows", async () => {
    const lines = await prints(`
      let rows = toy.linear(w: [1, 2], n: 10, noise: 0.1)
      let d = rows |> split(val: 0.2, test: 0.1)
      print d.train.rows, d.val.rows, d.test.rows
      print d.train.y, d.val.y, d.test.y
      print rows.y`);
    expect(lines[0]).toBe("7 2 1");
    expect(numbers(lines[1]).sort()).toEqual(numbers(lines[2]).sort());
  });
  test("digits keeps its test part", async () => {
    expect(await prints("let d = digits() |> split(val: 0.1)\nprint d.train.rows, d.val.rows, d.test.rows")).toEqual([
      "9000 1000 2000",
    ]);
  });
  test("take, rows, whole fields", async () => {
    expect(await prints(`${rows}let t = take(rows, 7)\nprint t.rows, shape(t.x), sum((t.y - rows.y[0..6])^2)`)).toEqual(
      ["7 [7, 2] 0"],
    );
  });
  test("standardize gives mean 0 and deviation 1, by the rows it was fitted on", async () => {
    const [line] = await printed(
      `${rows}let n = standardize(rows.x)\nprint mean(n(rows.x), over: 0), mean(n(rows.x)^2, over: 0)`,
    );
    expectClose(line, [0, 0, 1, 1]);
  });
  test.each([
    [
      "a part must be chosen for batches",
      "let d = digits()\neval e (image) in batches(d, 10) { metric m = mean(image) }",
      "DLX0335 2",
    ],
    ["and for fields", "let d = digits()\nprint mean(d.image)", "DLX0335 2"],
    ["an unknown part", `${rows}let d = split(rows, val: 0.1)\nprint d.vall.rows`, "DLX0313 3"],
    ["an unknown field", `${rows}eval e (x, z) in batches(rows, 10) { metric m = mean(x) }`, "DLX0337 2"],
    ["no batches", `${rows}eval e (x, y) in rows { metric m = mean(x) }`, "DLX0333 2"],
    ["no data", "eval e (x, y) in ones([3]) { metric m = mean(x) }", "DLX0334 1"],
    [
      "a batch larger than the data, dropped",
      `${rows}eval e (x) in batches(rows, 60, drop_last: true) { metric m = mean(x) }`,
      "DLX0336 2",
    ],
    ["a batch of none", `${rows}eval e (x) in batches(rows, 0) { metric m = mean(x) }`, "DLX0318 2"],
    ["nothing left to train", `${rows}let d = split(rows, val: 1.0)`, "DLX0318 2"],
    ["take of none", `${rows}let d = take(rows, 0)`, "DLX0318 2"],
    ["take of a fraction", `${rows}let d = take(rows, 2.5)`, "DLX0318 2"],
    [
      "a field that is no tensor",
      `${rows}eval e (s) in batches(rows |> map(r => { s: "word" }), 10) { metric m = s }`,
      "DLX0210 2",
    ],
    ["no limit", "train { print 1 }", "DLX0331 1"],
    ["epochs of nothing", "train for 2 epochs { print 1 }", "DLX0332 1"],
    ["minus one steps", "train for -1 steps { print 1 }", "DLX0318 1"],
    ["half a step", "train for 1.5 steps { print 1 }", "DLX0318 1"],
  ])("%s", async (_name, script, wanted) => {
    expect(await mistakes(script)).toEqual([wanted]);
  });
});

describe("map", () => {
  test("sees one row: a mean is that of the row, a draw is its own", async () => {
    const script = `${rows}let own = rows |> map(r => { ..r, c: r.x - mean(r.x), u: uniform([2]) })
eval e (x, c, u) in batches(own, 20) {
  metric off = mean(abs(c - (x - expand(mean(x, over: not B), [B, 2]))))
  metric centred = mean(abs(sum(c, over: not B)))
  metric alike = mean(abs(u[0] - u[1]))
}
print e.off < 1e-6, e.centred < 1e-5, e.alike > 0.01`;
    expect(await prints(script)).toEqual(["true true true"]);
  });
});

describe("batches", () => {
  test("the last one is short; drop_last leaves it out; a larger batch is the whole", async () => {
    const sizes = (n: string) =>
      prints(`${rows}train (x) in batches(rows, ${n}) for 1 epoch { print size(x, 0), B, i32(sum(ones([B]))) }`);
    expect(await sizes("20")).toEqual(["20 20 20", "20 20 20", "10 10 10"]);
    expect(await sizes("20, drop_last: true")).toEqual(["20 20 20", "20 20 20"]);
    expect(await sizes("80")).toEqual(["50 50 50"]);
  });
  test("a row function changes and adds fields", async () => {
    const lines = await printed(`${rows}
      let d = rows |> map(r => { ..r, x: 2 * r.x, s: sum(r.x, over: -1) })
      eval e (x, y, s) in batches(d, 20) {
        metric a = mean(x)
        metric b = mean(s)
      }
      print e.a, e.b
      print 2 * mean(rows.x), mean(sum(rows.x, over: 1))`);
    expectClose(lines[0], lines[1]);
  });
});

describe("snapshots", () => {
  const f = `${rows}let f = Linear(1)\nlet z = f(rows.x)\n`;
  const train =
    "train (x, y) in batches(rows, 25) for 1 epoch { minimize mse(squeeze(f(x), -1), y) over f with SGD(1e-3) }\n";
  test("a let above a train block keeps its value", async () => {
    const lines = await printed(`${f}print f.w
      let before = f.w
      let s = sum(f.w)
      let p = params(f)
      ${train}
      print before
      print s, sum(before), sum(p.w)
      print f.w - before
      ${train}
      print before`);
    expect(lines[1]).toEqual(lines[0]);
    expect(lines[2]![0]).toBeCloseTo(lines[0]![0]! + lines[0]![1]!, 4);
    expect(lines[2]![1]).toBeCloseTo(lines[2]![0]!, 5);
    expect(lines[2]![2]).toBeCloseTo(lines[2]![0]!, 5);
    expect(lines[3]![0]).not.toBe(0);
    expect(lines[4]).toEqual(lines[0]);
  });
  test("and its old params can be applied", async () => {
    const [a, b] = await printed(`${f}print sum(z)\nlet p = params(f)\n${train}print sum(f.with(p)(rows.x))`);
    expectClose(b, a);
  });
  test("a value of a finished block", async () => {
    const lines = await prints(
      `${f}eval a (x) in batches(rows, 10) { metric m = mean(x) }\nlet m = 2 * a.m\nprint "{m - a.m - a.m:.3f}"`,
    );
    expect(lines).toEqual(["0.000"]);
  });
});

describe("printing", () => {
  test("values of all kinds", async () => {
    expect(
      await prints(
        `
        print 1, 2.5, true, none, "text", (1, "a"), [1, 2], { a: 1, b: [2] }
        let n = 3
        print "n is {n} and {n + 1}, {{braces}}, {(n > 2 ? 1 : 0)}"
        print "{1 / 3:.3f} {0.1234:.1%} {1234567:d} {0.00012:.2e} {2:+.1f} {3.0:g}"
        print ones([2]) > 0, range(3)
        print "nested {"{n}"}"`.replace('"nested {"{n}"}"', '"plain"'),
      ),
    ).toEqual([
      "1 2.5 true none text (1, a) [1, 2] { a: 1, b: [2] }",
      "n is 3 and 4, {braces}, 1",
      "0.333 12.3% 1234567 1.20e-04 +2.0 3",
      "[true, true] [0, 1, 2]",
      "plain",
    ]);
  });
});

describe("fields that `map` makes, of the whole set", () => {
  const rows = "let base = toy.moons(n: 20)\n";
  test("new ones and changed ones, elementwise or row by row", async () => {
    const [values] = await printed(`${rows}let twice = map(base, row => { ..row, x: 2 * row.x, length: norm(row.x) })
print sum(abs(twice.x - 2 * base.x)), sum(abs(twice.length - norm(base.x, over: -1))), size(twice.length), twice.rows`);
    expectClose(values, [0, 0, 20, 20]);
  });
  test("fields that are read apart are of the same rows", async () => {
    const [values] = await printed(`${rows}let noisy = map(base, row => {
  let u = uniform([2])
  { up: row.x + u, down: row.x - u }
})
print sum(abs(noisy.up + noisy.down - 2 * base.x)), mean(abs(noisy.up - base.x)) > 0.1 ? 1 : 0`);
    expectClose(values, [0, 1], 5);
  });
  test("in parts, in a block, and unknown ones", async () => {
    const parts = "let data = digits() |> split(val: 0.1) |> map(row => { ..row, image: row.image / 2 })\n";
    const [values] = await printed(`${parts}let norm = standardize(data.train.image)
print max(data.val.image), abs(mean(norm(data.train.image))) < 0.001 ? 1 : 0`);
    expectClose(values, [0.5, 1], 2);
    expect(await mistakes(`${parts}let norm = standardize(data.val.image)`)).toEqual(["DLX0551 2"]);
    expect(await mistakes(`${rows}let m = map(base, row => { a: row.x })\nprint m.b`)).toEqual(["DLX0313 3"]);
    expect(await mistakes(`${rows}let m = map(base, row => { a: row.x })\nprint m.x`)).toEqual(["DLX0313 3"]);
  });
});
