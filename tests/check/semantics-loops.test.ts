/** `for`, `scan`, `iterate`: values, carries, yields, and their gradients against the unrolled loop. */
import { describe, expect, test } from "vitest";
import { check, expectClose, mistakes, printed, prints } from "./semantics.ts";

const setup = `
dim T = 5
dim B = 2
let x = normal([T, B, 3])
let w = normal([3, 3])
let u = normal([3, 3])
let scanned = (x, w, u) => {
  let s = scan xt in x over 0 with h = zeros([B, 3]) {
    h <- tanh(xt @ w + h @ u)
    yield h^2
  }
  (s, s.h)
}
let unrolled = (x, w, u) => {
  let s = for t in 0..4 with h = zeros([B, 3]) {
    h <- tanh(x[t] @ w + h @ u)
    yield h^2
  }
  (s, s.h)
}
`;

describe("a scan is the unrolled loop", () => {
  test("values", async () => {
    const lines = await printed(`${setup}
      let (a, ha) = scanned(x, w, u)
      let (b, hb) = unrolled(x, w, u)
      print a
      print b
      print ha
      print hb`);
    expectClose(lines[0], lines[1]);
    expectClose(lines[2], lines[3]);
  });

  const loss = (f: string, of: string) => `{
      let (ys, h) = ${f}(x, w, u)
      ${of}
    }`;
  test.each([
    ["of the last carry", "sum(h)", "sum(h)"],
    ["of the yields", "sum(sum(ys, over: -1)^2)", "for y in ys with a = 0.0 { a <- a + sum(sum(y, over: -1)^2) }"],
  ])("gradients %s by source, params and outer values", async (_name, scan, unrolled) => {
    const lines = await printed(`${setup}
      let a = ${loss("scanned", scan)}
      let b = ${loss("unrolled", unrolled)}
      print grad(a, w), grad(a, u), grad(a, x)
      print grad(b, w), grad(b, u), grad(b, x)`);
    expectClose(lines[0], lines[1]);
  });

  test("second order", async () => {
    const lines = await printed(`${setup}
      let a = ${loss("scanned", "sum(h)")}
      let b = ${loss("unrolled", "sum(h)")}
      print grad(sum(grad(a, u)^2), u)
      print grad(sum(grad(b, u)^2), u)
      print grad(sum(grad(a, w)^2), x)
      print grad(sum(grad(b, w)^2), x)`);
    expectClose(lines[0], lines[1], 3);
    expectClose(lines[2], lines[3], 3);
  });
});

describe("scan", () => {
  test("along an axis that is not the first: yields are stacked where it stood", async () => {
    const lines = await prints(`
      dim B = 2
      dim T = 3
      let x = range(6) |> reshape([B, T])
      let s = scan xt in x over T with h = zeros([B]) {
        h <- h + xt
        yield h
      }
      print shape(s), s
      print sum(s, over: B), s.h`);
    expect(lines[0]).toMatch(/^\[2, 3\] \[\[0, 1, 3\],\s*\[3, 7, 12\]\]$/);
    expect(lines[1]).toBe("[3, 8, 15] [3, 12]");
  });

  test("several sources and carries", async () => {
    const lines = await printed(`
      let s = scan (a, b) in ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]) over 0 with p = 0.0, q = 1.0 {
        p <- p + a * b
        q <- q * a
      }
      print s.p, s.q
      print s`);
    expect(lines).toEqual([
      [140, 6],
      [140, 6],
    ]);
  });

  test("yields of tuples and records", async () => {
    const lines = await prints(`
      let (a, b) = scan i in 1..3 { yield (i, 2 * i) }
      print a, b
      let r = scan i in 1..3 { yield { one: i, two: [i, i + 1] } }
      print r.one, r.two[1]`);
    expect(lines).toEqual(["[1, 2, 3] [2, 4, 6]", "[1, 2, 3] [2, 3, 4]"]);
  });

  test("nested", async () => {
    const [line] = await printed(`
      print scan i in 1..3 with n = 0.0 {
        let inner = scan j in 1..4 with m = 0.0 { m <- m + i * j }
        n <- n + inner
      }`);
    expect(line).toEqual([60]);
  });

  test("a map over an axis, with a model that has params", async () => {
    const lines = await printed(`
      dim T = 4
      let x = normal([T, 3])
      let f = Linear(2)
      let y = scan r in x over T { yield f(r) }
      print y - f(x)`);
    expect(lines[0]!.every((v) => Math.abs(v) < 1e-6)).toBe(true);
  });

  test("iterate: Newton's square root; tuples of carries", async () => {
    const lines = await printed(`
      print iterate 20 with v = 1.0 { v <- (v + 2 / v) / 2 }
      let fib = iterate 10 with a = 0, b = 1 {
        let n = a + b
        a <- b
        b <- n
      }
      print fib.a`);
    expectClose(lines[0], [Math.SQRT2]);
    expect(lines[1]).toEqual([55]);
  });

  test("trains: a recurrence learns what its unrolled form learns", async () => {
    const script = (loop: string) => `
      dim T = 4
      model Cell()(x: [B, T]) -> [B] {
        param a: [] = 0.5
        param b: [] = 0.5
        ${loop}
      }
      let cell = Cell()
      let rows = toy.linear(w: [1, 2, 3, 4], n: 20, noise: 0)
      train (x, y) in batches(rows, 10) for 3 epochs { minimize mse(cell(x / 10), y / 10) over cell with SGD(1e-3) }
      print cell.a, cell.b`;
    const [a] = await printed(
      script("scan xt in x over T with h = zeros([B]) { h <- cell(h, xt) }").replace(/cell\(h, xt\)/, "a * h + b * xt"),
    );
    const [b] = await printed(script("for t in 0..3 with h = zeros([B]) { h <- a * h + b * x[.., t] }"));
    expectClose(a, b);
    expect(a![0]).not.toBe(0.5);
  });
});

describe("for", () => {
  test("types may change, yields are a list", async () => {
    expect(
      await prints(
        "let s = for i in 1..3 with h = ones([2]) {\n h <- concat([h, h], over: 0)\n yield size(h, 0)\n}\nprint s, shape(s.h)",
      ),
    ).toEqual(["[4, 8, 16] [16]"]);
  });
  test("over a list, a tuple pattern, a comprehension", async () => {
    expect(
      await prints(
        "let s = for (a, b) in [(1, 2), (3, 4)] with n = 0 { n <- n + a * b }\nprint s, [a * 2 for a in 1..3]",
      ),
    ).toEqual(["14 [2, 4, 6]"]);
  });
  test("the value of a sequence of runs", async () => {
    expect(await prints("let s = for i in 1..3 { i * i }\nprint s")).toEqual(["[1, 4, 9]"]);
    expect(await prints("let s = for i in 1..3 { yield i * i }\nprint s[2]")).toEqual(["9"]);
  });
  test("metrics of the passes", async () => {
    const [line] = await printed(`
      let all = for k in [1.0, 2.0] {
        eval e { metric m = 10 * k }
        e.m
      }
      print all, all[0] + all[1]`);
    expect(line).toEqual([10, 20, 30]);
  });
});

describe("mistakes", () => {
  test.each([
    ["no axis", "print scan v in ones([3]) { yield v }", "DLX0341 1"],
    ["two lengths", "print scan (a, b) in (ones([3]), ones([4])) over 0 { yield a + b }", "DLX0342 1"],
    ["a type that changes", "print iterate 3 with v = ones([2]) { v <- concat([v, v], over: 0) }", "DLX0317 1"],
    ["an unknown axis", "print scan v in ones([3]) over Q { yield v }", "DLX0301 1"],
    ["a count that is not known", "print iterate uniform([]) with v = 1.0 { v <- v }", "DLX0318 1"],
    ["too many passes", "print for i in 1..1_000_000 with v = 1.0 { v <- v }", "DLX0344 1"],
    ["yield outside", "yield 3", "DLX0306 1"],
    ["a definition written", "let a = 1\na <- 2", "DLX0305 2"],
    ["a carry of the loop around", "let s = for i in 1..2 with h = 0 {\n let q = h\n q <- 2\n}", "DLX0305 3"],
    ["names that do not fit", "print scan (a, b) in ones([3]) over 0 { yield a }", "DLX0324 1"],
    [
      "a state in a loop",
      "train for 1 step {\n state n = 0\n print iterate 3 with v = 1.0 { n <- n + 1\n v <- v } }",
      "DLX0343 3",
    ],
  ])("%s", async (_name, script, wanted) => {
    expect(await mistakes(script)).toEqual([wanted]);
  });
});

describe("carries that are no tensors", () => {
  test("tuples, records and bundles go round as one value", async () => {
    const [s, q, v] = await printed(`let s = scan i in 1..3 with r = { k: ones([2]), l: 2.0 } {
  r <- { k: r.k * 2, l: r.l + 1 }
  yield r.l
}
print s, s.r.k, s.r.l
print iterate 3 with t = (1.0, [2.0, 3.0]) { t <- (t[0] * 2, t[1] + 1) }
let f = Linear(2)
let y = f(ones([1, 3]))
let p = iterate 3 with p = params(f) { p <- 2 * p }
print norm(p) / norm(params(f))
`);
    expect(s).toEqual([3, 4, 5, 8, 8, 5]);
    expect(q).toEqual([8, 5, 6]);
    expectClose(v, [8]);
  });

  test("a carry that changes its form is a mistake", async () => {
    const wrong = async (loop: string) => (await check(loop)).diagnostics.map(({ code }) => code);
    expect(await wrong("print iterate 2 with t = (1.0, 2.0) { t <- 1.0 }")).toEqual(["DLX0317"]);
    expect(await wrong("print iterate 2 with t = { a: 1.0 } { t <- { b: 1.0 } }")).toEqual(["DLX0317"]);
    expect(await wrong("print iterate 2 with t = { a: 1.0 } { t <- { a: ones([2]) } }")).toEqual(["DLX0317"]);
  });
});
