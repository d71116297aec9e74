/** A signature is a lens over axes; sizes, scopes, shadowing, recursion. */
import { describe, expect, test } from "vitest";
import { messages, mistakes, printed, prints } from "./semantics.ts";

describe("the lens", () => {
  test("two names stay two though the caller gave one axis twice", async () => {
    const script = `
      dim T = 3
      fn scores(q: [T2, D], k: [S, D]) -> [T2, S] = q @ k.T
      let x = normal([T, 4])
      print shape(scores(x, x))`;
    expect(await prints(script)).toEqual(["[3, 3]"]);
  });
  test("axes of the caller come back", async () => {
    const script = `
      dim N = 3
      dim F = 4
      fn first(x: [A, B]) -> [A] = sum(x, over: B)
      let x = normal([N, F])
      print sum(first(x) - sum(x, over: F), over: N)
      print sum(first(x), over: A)`;
    expect(await mistakes(script)).toEqual(["DLX0301 7"]);
  });
  test("a dim in scope is that axis", async () => {
    const script = `
      dim D = 4
      fn f(x: [N, D]) = x
      print f(normal([2, 4]))
      print f(normal([2, 5]))`;
    expect(await mistakes(script)).toEqual(["DLX0212 5"]);
  });
  test("`..` keeps the caller's axes", async () => {
    const script = `
      dim B = 2
      fn last(x: [.., D]) -> [..] = sum(x, over: D)
      print sum(last(normal([B, 3, 4])), over: B)
      print last(normal([4]))`;
    expect(await mistakes(script)).toEqual([]);
  });
  test("one name twice is one size", async () => {
    const script = `fn f(a: [N, D], b: [N]) = 0
      print f(normal([3, 2]), normal([3]))
      print f(normal([3, 2]), normal([4]))`;
    expect(await mistakes(script)).toEqual(["DLX0212 3"]);
  });
  test("size arithmetic in a return type", async () => {
    const script = (k: string) => `
      fn half(x: [B, H]) -> [B, ${k}] = x[.., 0..H // 2 - 1]
      print shape(half(normal([2, 6])))`;
    expect(await prints(script("H // 2"))).toEqual(["[2, 3]"]);
    expect(await mistakes(script("2 * H"))).toEqual(["DLX0207 2"]);
  });
  test("an unknown size in a type", async () => {
    expect(await mistakes("fn f(x: [B, C]) -> [B, Q] = x\nprint f(ones([2, 3]))")).toEqual(["DLX0216 1"]);
  });
  test("dtypes", async () => {
    expect(await mistakes("fn f(x: i32[N]) = x\nprint f(ones([2]))")).toEqual(["DLX0212 2"]);
    expect(await mistakes("fn f(x: f32[N]) = x\nprint f(range(3))")).toEqual([]);
    expect(await mistakes("fn f(x: bool[N]) = x\nprint f(ones([2]) > 0)")).toEqual([]);
  });
  test("a size as a setting", async () => {
    expect(await mistakes("let f = Linear(2.5)\nprint f(ones([1, 2]))")).toEqual(["DLX0318 1"]);
    expect(await mistakes("let f = Linear(uniform([]))\nprint f(ones([1, 2]))")).toEqual(["DLX0318 1"]);
  });
  test("broadcasting inside a model is by the axes it names", async () => {
    const script = `
      model Shift()(x: [B, C, ..]) -> [B, C, ..] {
        param s: [C] = 1
        x + s
      }
      let m = Shift()
      print sum(m(zeros([2, 3, 4, 4])))`;
    expect(await prints(script)).toEqual(["96"]);
  });
});

describe("names", () => {
  test("the standard library can be shadowed, and uses its own names itself", async () => {
    const script = `
      fn relu(x) = 100 * x
      fn mean(x) = 7
      print relu(2), mean(ones([3])), mse(zeros([2]), ones([2]))`;
    expect(await prints(script)).toEqual(["200 7 1"]);
  });
  test("a model below may be used above", async () => {
    const script = `
      let m = M()
      print sum(m(ones([1, 2])))
      model M()(x) { x + one() }
      fn one() = 1`;
    expect(await prints(script)).toEqual(["4"]);
  });
  test("a let below may not", async () => {
    expect(await mistakes("print a\nlet a = 1")).toEqual(["DLX0327 1"]);
  });
  test("inner blocks may define a name again", async () => {
    expect(await mistakes("let a = 1\ntrain for 1 step {\n let a = 2\n print a }")).toEqual([]);
    expect(await mistakes("let a = 1\nfn a() = 2")).toEqual(["DLX0302 1"]);
    expect(await mistakes("fn f(a, a) = a")).toEqual(["DLX0302 1"]);
    expect(await mistakes("let (a, a) = (1, 2)")).toEqual(["DLX0302 1"]);
  });
  test("what a mistake would have named is silent afterwards", async () => {
    expect(await mistakes("let a = nope\nlet b = a + 1\nprint b, a\nlet (c, d) = a\nprint c")).toEqual(["DLX0301 1"]);
  });
});

describe("recursion", () => {
  test("on constants it ends", async () => {
    expect(await prints("fn f(n) = n == 0 ? 0 : n + f(n - 1)\nprint f(100)")).toEqual(["5050"]);
  });
  test("models may recur", async () => {
    const script = `
      model Deep(N: dim)(x: [B, D]) -> [B, D] {
        let h = x |> Linear(D)
        if N == 0 { h } else { h |> Deep(N - 1) }
      }
      let m = Deep(3)
      print shape(m(ones([2, 3])))`;
    expect(await prints(script)).toEqual(["[2, 3]"]);
  });
  test.each([
    ["a function", "fn f(n) = f(n) + 1\nprint f(1)", "DLX0323 1"],
    ["two branches", "fn f(n) {\n let a = f(n)\n let b = f(n)\n a + b\n}\nprint f(1)", "DLX0323 2"],
    ["two functions", "fn f(n) = g(n)\nfn g(n) = f(n)\nprint f(1)", "DLX0323"],
    ["a model", "model M()(x) { x |> M() }\nlet m = M()\nprint m(1.0)", "DLX0323 1"],
    [
      "a wide body",
      "fn f(n) { if n > 0 { (1 + (2 * (3 + (n > 1 ? [f(n)][0] : f(n))))) } else { 0 } }\nprint f(2)",
      "DLX0323 1",
    ],
    ["on a tensor", "fn f(x) = x > 0 ? f(x - 1) : x\nprint f(uniform([]))", "DLX0323 1"],
  ])("without an end: %s", async (_name, script, wanted) => {
    const found = await mistakes(script);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(wanted);
  });
  test("afterwards the checker goes on", async () => {
    expect(await mistakes("fn f(n) = f(n) + 1\nprint f(1)\nprint nope\nprint relu(1.0)")).toEqual([
      "DLX0323 1",
      "DLX0301 3",
    ]);
  });
});

describe("imports", () => {
  const files = {
    "blocks/a.dlx": 'import Inner from "./b.dlx"\nmodel Outer()(x) { x |> Inner() }\nlet seven = 7',
    "blocks/b.dlx": "model Inner()(x) { x + 1 }",
    "broken.dlx": "let a = nope\nlet b = 2",
    "syntax.dlx": "let a = = 3",
    "c1.dlx": 'import y from "./c2.dlx"\nlet x = 1',
    "c2.dlx": 'import x from "./c1.dlx"\nlet y = 1',
  };
  test("two levels deep, paths relative to the file", async () => {
    const script = 'import Outer, seven from "./blocks/a.dlx"\nlet o = Outer()\nprint o(1), seven';
    expect(await mistakes(script, files)).toEqual([]);
  });
  test.each<[string, string, string[]]>([
    ["a missing file", 'import a from "./none.dlx"\nprint a', ["DLX0314 1"]],
    ["a missing name", 'import Outr from "./blocks/a.dlx"\nprint Outr', ["DLX0315 1"]],
    ["a circle", 'import x from "./c1.dlx"\nprint x', ["DLX0308 c2.dlx:1"]],
    ["a mistake in the other file", 'import a, b from "./broken.dlx"\nprint a, b', ["DLX0301 broken.dlx:1"]],
    ["a name twice", 'import seven from "./blocks/a.dlx"\nlet seven = 8', ["DLX0302 2"]],
  ])("%s", async (_name, script, wanted) => {
    expect(await mistakes(script, files)).toEqual(wanted);
  });
  test("syntax errors of the other file are shown", async () => {
    expect(await messages('import a from "./syntax.dlx"', files)).toContain("syntax.dlx:1");
  });
  test("what is only in the standard library is not imported by accident", async () => {
    expect(await mistakes('import relu from "./blocks/b.dlx"', files)).toEqual(["DLX0315 1"]);
  });
});

describe("open facts", () => {
  test("an unknown file: no program, and no message about what follows from it", async () => {
    const script = `
      let data = csv("unknown.csv", target: "price") |> split(val: 0.2)
      let norm = standardize(data.train.x)
      let f = Linear(1)
      train (x, y) in batches(shuffle(data.train), 32) for 2 epochs {
        let loss = mse(squeeze(f(norm(x)), -1), y)
        minimize loss over f with SGD(1e-3)
        metric m = loss
        every epoch {
          eval val (x, y) in batches(data.val, 10) { metric loss = mse(squeeze(f(norm(x)), -1), y) }
          print "{val.loss}"
          when best(-val.loss) { save f to "f.safetensors" }
        }
      }
      print f.w, data.train.rows
      print nonsense`;
    const { compile } = await import("../../lang/index.ts");
    const { prelude } = await import("../../stdlib/index.ts");
    const result = await compile(
      { file: "script.dlx", text: script },
      { prelude, facts: async () => undefined, readModule: async () => undefined },
    );
    expect(result.diagnostics.map((d) => d.title)).toEqual(["there is no `nonsense` here"]);
    const clean = await compile(
      { file: "script.dlx", text: script.replace("print nonsense", "") },
      { prelude, facts: async () => undefined, readModule: async () => undefined },
    );
    expect(clean.diagnostics.filter((d) => d.severity !== "note")).toEqual([]);
    expect(clean.program).toBeUndefined();
  });
});

describe("parameters without a type", () => {
  test("see an axis that a type names under that name", async () => {
    const [line] = await printed(`dim K = 3
fn weigh(x: [N, D], by) { x * by }
let x = ones([K, 2])
print sum(weigh(x, range(K)), over: K)
`);
    expect(line).toEqual([3, 3]);
  });
  test("keep the caller's names where one axis was given twice", async () => {
    const [line] = await printed(`dim K = 3
fn pick(a: [N], b: [M], of) { sum(of, over: 0) + 0 * (sum(a) + sum(b)) }
let x = ones([K])
print pick(x, x, x)
`);
    expect(line).toEqual([3]);
  });
});
