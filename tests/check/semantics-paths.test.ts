/** Identity and paths of instances: what shares params and where they live. */
import { describe, expect, test } from "vitest";
import { mistakes, paths, printed } from "./semantics.ts";

const x = "let x = normal([4, 3])\n";

describe("paths", () => {
  test.each<[string, string, string[]]>([
    ["the name of the let", "let f = Linear(2)\nprint f(x)", ["f.b", "f.w"]],
    ["type and ordinal", "print x |> Linear(2, bias: false) |> Linear(1, bias: false)", ["linear1.w", "linear2.w"]],
    ["a call of a call", "let y = Linear(2, bias: false)(x)\nprint y", ["y.w"]],
    [
      "a list",
      "let net = [Linear(2, bias: false), tanh, Linear(1, bias: false)]\nprint net(x)",
      ["net.0.w", "net.2.w"],
    ],
    [
      "a list of a comprehension",
      "let net = [Linear(3, bias: false) for i in 1..2]\nprint net(x)",
      ["net.0.w", "net.1.w"],
    ],
    [
      "lists in a list",
      "let net = [[Linear(3, bias: false), tanh], Linear(3, bias: false)]\nprint net(x)",
      ["net.0.0.w", "net.1.w"],
    ],
    ["a choice on constants", "let f = 1 > 2 ? Linear(2) : Linear(3, bias: false)\nprint f(x)", ["f.w"]],
    ["a shared let", "let f = Linear(2, bias: false)\nlet g = f\nprint f(x), g(x)", ["f.w"]],
    [
      "inside a model: let name, ordinal, for",
      `model M()(x: [B, D]) -> [B, D] {
         let inner = Linear(D, bias: false)
         let y = x |> inner |> Linear(D, bias: false)
         for i in 1..2 with h = y {
           let step = Linear(D, bias: false)
           h <- h |> step |> Linear(D, bias: false)
         }
       }
       let m = M()
       print m(x)`,
      ["m.inner.w", "m.linear1.w", "m.linear2.w", "m.linear3.w", "m.step.0.w", "m.step.1.w"],
    ],
    [
      "a let named like an ordinal",
      `model M()(x) {
         let linear1 = Linear(4, bias: false)
         x |> linear1 |> Linear(2, bias: false)
       }
       let m = M()
       print m(x)`,
      ["m.linear1.w", "m.linear2.w"],
    ],
    [
      "models in models",
      `model Inner(N: dim)(x) { x |> Linear(N, bias: false) }
       model Outer()(x) { x |> Inner(3) |> Inner(2) }
       let o = Outer()
       print o(x)`,
      ["o.inner1.linear1.w", "o.inner2.linear1.w"],
    ],
    ["a layer of a scan is one", "print scan r in x over 0 { yield r |> Linear(2, bias: false) }", ["linear1.w"]],
    ["a layer of iterate is one", "print iterate 3 with h = x { h <- h |> Linear(3, bias: false) }", ["linear1.w"]],
    [
      "blocks own what they make",
      "train for 1 step {\n let f = Linear(1)\n minimize mean(f(x)) over f with SGD(0.1)\n}",
      ["train1.f.b", "train1.f.w"],
    ],
    [
      "passes of a top-level for",
      "for i in 1..2 {\n let f = Linear(1, bias: false)\n print f(x)\n}",
      ["run1.f.w", "run2.f.w"],
    ],
    [
      "states of optimizers",
      `let f = Linear(1, bias: false)
       train fit for 1 step {
         minimize mean(f(x)) over f with clip_norm(1.0) |> Adam(0.1)
         minimize mean(f(x)^2) over f with SGD(0.1, momentum: 0.9)
       }`,
      ["f.w", "fit.min1.Adam.m.f.w", "fit.min1.Adam.t", "fit.min1.Adam.v.f.w", "fit.min2.SGD.v.f.w"],
    ],
  ])("%s", async (_name, script, wanted) => {
    expect(await paths(x + script)).toEqual(wanted);
  });

  test("instances of two files do not meet", async () => {
    const files = { "a.dlx": "let f = Linear(2, bias: false)", "b.dlx": "let f = Linear(2, bias: false)\nlet g = f" };
    const script = `import f from "./a.dlx"\nimport g from "./b.dlx"\n${x}print f(x), g(x)`;
    expect(await paths(script, files)).toHaveLength(2);
  });
});

describe("sizes of an instance", () => {
  test("a second size is refused at the call", async () => {
    expect(await mistakes(`${x}let f = Linear(2)\nprint f(x)\nprint f(normal([4, 5]))`)).toEqual(["DLX0215 4"]);
  });
  test("other leading axes are welcome", async () => {
    expect(await mistakes(`${x}let f = Linear(2)\nprint f(x)\nprint f(normal([7, 4, 3]))`)).toEqual([]);
  });
  test("params are read after the first application only", async () => {
    expect(await mistakes("let f = Linear(2)\nprint f.w")).toEqual(["DLX0316 2"]);
    expect(await mistakes("let f = Linear(2)\nprint norm(params(f))")).toEqual(["DLX0316 2"]);
  });
  test("no instance in a function", async () => {
    expect(await mistakes(`${x}fn f(x) = x |> Linear(2)\nprint f(x)`)).toEqual(["DLX0311 2"]);
  });
});

describe("bundles", () => {
  const f = `${x}let f = Linear(2)\nprint sum(f(x))\nlet p = params(f)\n`;

  test("arithmetic goes leaf by leaf, norm over all leaves", async () => {
    const lines = await printed(
      `${f}print norm(2 * p), 2 * sqrt(sum(f.w^2) + sum(f.b^2))\nprint norm(p - p), norm(p + p * p)`,
    );
    expect(lines[1]![0]).toBeCloseTo(lines[1]![1]!, 4);
    expect(lines[2]![0]).toBe(0);
    expect(lines[2]![1]).toBeGreaterThan(0);
  });
  test("with: the same model, other params", async () => {
    const lines = await printed(`${f}print sum(f.with(3 * p)(x)), 3 * sum(f(x))\nprint sum(f(x))`);
    expect(lines[1]![0]).toBeCloseTo(lines[1]![1]!, 3);
    expect(lines[2]![0]).toBeCloseTo(lines[0]![0]!, 4);
  });
  test("with after a pipe says what to write", async () => {
    expect(await mistakes(`${f}print x |> f.with(p)`)).toEqual(["DLX0306 5"]);
  });
  test("net <- bundle moves all params", async () => {
    const lines = await printed(`${f}train for 2 steps { f <- 2 * params(f) }\nprint sum(f.w), 4 * sum(p.w)`);
    expect(lines[1]![0]).toBeCloseTo(lines[1]![1]!, 4);
  });
  test("net <- bundle needs a block", async () => {
    expect(await mistakes(`${f}f <- 2 * p`)).toEqual(["DLX0306 5"]);
  });
  test("with inside of a part", async () => {
    const [line] = await printed(`
      model M()(x) { x |> Linear(3) |> tanh |> Linear(1) }
      let m = M()
      ${x}
      print sum(m(x)), sum(m.with(params(m))(x)), sum(m.with(0 * params(m))(x))
    `);
    expect(line![0]).toBeCloseTo(line![1]!, 5);
    expect(line![2]).toBe(0);
  });
});
