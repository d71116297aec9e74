/** Draws are addressed: by the seed, the chain of call sites, the step and the ticks of loops around them. */
import { describe, expect, test } from "vitest";
import { mistakes, printed, prints } from "./semantics.ts";

const script = `
let rows = toy.linear(w: [1, 2], n: 40, noise: 0.1)
let net = [Linear(4), Dropout(0.5), Linear(1)]
let noise = normal([3])
print noise
print uniform([2])
train (x, y) in batches(shuffle(rows), 10) for 2 epochs {
  let l = mse(squeeze(net(x), -1), y)
  minimize l over net with SGD(1e-3)
  print l, uniform([])
}
print net[0].w
`;

describe("the same numbers", () => {
  test("same seed, same run; another seed, another run", async () => {
    const first = await prints(script);
    expect(await prints(script)).toEqual(first);
    expect(await prints(script, { seed: 7 })).not.toEqual(first);
    expect(await prints(`seed 7\n${script}`)).toEqual(await prints(script, { seed: 7 }));
  });

  test.each([
    ["a comment", "# nothing\n", ""],
    ["blank lines", "\n\n\n", ""],
    ["an unrelated let", "let q = normal([5])\n", ""],
    ["an unrelated function that draws", "fn other(n) = normal([n])\nlet o = other(3)\n", ""],
    ["a let in the block", "", "let q = normal([5])\n"],
    ["a metric in the block", "", "metric q = mean(normal([5]))\n"],
    ["an unrelated model", "model M()(x) { x |> Linear(3) }\nlet m = M()\nlet z = m(normal([2, 2]))\n", ""],
    ["a test", 'test "t" { assert 1 < 2 }\n', ""],
  ])("%s moves none of them", async (_name, above, inside) => {
    const changed = above + script.replace("  let l", `  ${inside}  let l`);
    expect(await prints(changed)).toEqual(await prints(script));
  });
});

describe("other numbers", () => {
  test("call sites differ", async () => {
    const lines = await prints(`
      fn draw() = uniform([])
      print uniform([])
      print uniform([])
      print draw()
      print draw()
      let a = uniform([])
      let b = uniform([])
      print a
      print b
      let (c, d) = (uniform([]), uniform([]))
      print c
      print d
      for i in 1..1 { print uniform([]) }
      train for 1 step { print uniform([]) }
      train for 1 step { print uniform([]) }
      for i in 1..1 { train for 1 step { print uniform([]) } }
    `);
    expect(new Set(lines).size).toBe(12);
  });

  test("one let is one draw", async () => {
    const [line] = await printed("let a = uniform([])\nlet b = a\nprint a, b, a - b");
    expect(line![0]).toBe(line![1]);
    expect(line![2]).toBe(0);
  });

  test("each step draws anew, and so does each tick of a scan and pass of a for", async () => {
    const lines = await prints(`
      train for 3 steps { print uniform([]) }
      print scan i in 1..4 { yield uniform([]) }
      print iterate 3 with h = 0.0 { h <- 10 * h + f32(i32(10 * uniform([]))) }
      print for i in 1..3 with s = 0.0 { yield uniform([]) }
    `);
    expect(new Set(lines.slice(0, 3)).size).toBe(3);
    const inScan = lines[3]!.match(/0\.\d+/g)!;
    expect(new Set(inScan).size).toBe(4);
    expect(new Set(lines[5]!.match(/0\.\d+/g)).size).toBe(3);
  });

  test("nested scans", async () => {
    const [line] = await prints("print scan i in 1..3 { yield scan j in 1..3 { yield uniform([]) } }");
    expect(new Set(line!.match(/0\.\d+/g)).size).toBe(9);
  });

  test("layers of a list begin with numbers of their own", async () => {
    const [line] = await printed(`
      let net = [Linear(3, bias: false), Linear(3, bias: false)]
      let z = net(ones([2, 3]))
      print net[0].w - net[1].w`);
    expect(line!.every((v) => v !== 0)).toBe(true);
  });

  test("shuffles of two blocks differ, and so do epochs", async () => {
    const lines = await prints(`
      let rows = toy.linear(w: [1], n: 6, noise: 0)
      train (y) in batches(shuffle(rows), 6) for 2 epochs { print y }
      train (y) in batches(shuffle(rows), 6) for 1 epoch { print y }
      train (y) in batches(rows, 6) for 1 epoch { print y }
    `);
    expect(new Set(lines).size).toBe(4);
    const sorted = lines.map((l) =>
      l
        .match(/-?[\d.]+/g)!
        .sort()
        .join(),
    );
    expect(new Set(sorted).size).toBe(1);
  });
});

describe("one draw, seen twice", () => {
  test("forward and backward", async () => {
    // d/dw sum(w * mask) is the mask.
    const [line] = await printed(`
      let w = ones([50])
      let mask = uniform([50])
      print sum((grad(sum(w * mask), w) - mask)^2)
      train for 1 step {
        let m = bernoulli([50], 0.5)
        print sum((grad(sum(w * m), w) - m)^2)
      }`);
    expect(line).toEqual([0]);
  });

  test("passes of a top-level for begin alike; `seed i` makes them differ", async () => {
    const body = (seed: string) => `
      let rows = toy.linear(w: [1, 2], n: 20, noise: 0.1)
      for i in 1..2 {
        ${seed}
        let f = Linear(1)
        let n = uniform([])
        train (x, y) in batches(shuffle(rows), 5) for 1 epoch { minimize mse(squeeze(f(x), -1), y) over f with SGD(1e-3) }
        print f.w, n
      }`;
    const [a, b] = await prints(body(""));
    expect(a).toBe(b);
    const [c, d] = await prints(body("seed i"));
    expect(c).not.toBe(d);
  });

  test.each([
    ["applied above", "print sum(f(rows.x))"],
    ["applied in the passes only", "print 0"],
  ])("each pass begins with fresh state, also of a model made above: %s", async (_name, line) => {
    const lines = await prints(`
      let rows = toy.linear(w: [1, 2], n: 20, noise: 0.1)
      let f = [BatchNorm(), Linear(1)]
      ${line}
      for i in 1..3 {
        train (x, y) in batches(rows, 10) for 1 epoch { minimize mse(squeeze(f(x), -1), y) over f with Adam(0.1) }
        print f[1].w, f[0].run_mean
      }
      print f[1].w, f[0].run_mean`);
    expect(new Set(lines.slice(1)).size).toBe(1);
  });

  test("the seed must be known", async () => {
    expect(await mistakes("seed uniform([])")).toEqual(["DLX0318 1"]);
  });
});
