/** What a gradient can be taken for: floats of a `let`, alone, in tuples and in lists; also through the loops below them. */
import { describe, expect, test } from "vitest";
import { expectClose, messages, mistakes, printed, prints } from "./semantics.ts";

describe("lists and tuples of floats", () => {
  test.each<[string, string, number[]]>([
    ["a vector", "let x = [1.0, 2.0]\nprint grad(sum(x^3), x)", [3, 12]],
    ["its elements", "let x = [3.0, 2.0]\nlet y = x[0]^2 * x[-1]\nprint grad(y, x)", [12, 9]],
    [
      "reductions",
      "let x = [1.0, 5.0]\nprint grad(sum(x), x), grad(mean(x), x), grad(max(x), x)",
      [1, 1, 0.5, 0.5, 0, 1],
    ],
    ["a matrix", "let A = [[2.0, 1.0], [1.0, 3.0]]\nprint grad(det(A), A)", [3, -1, -1, 2]],
    ["whole numbers beside floats", "let x = [1, 2.5]\nprint grad(sum(x^2), x)", [2, 5]],
    ["a tuple", "let (a, b) = (2.0, 3.0)\nprint grad(a^2 * b, (a, b)), grad(a^2 * b, [a, b])", [12, 4, 12, 4]],
    ["two equal lists", "let x = [2.0]\nlet y = [2.0]\nprint grad(sum(x^2 * y), y)", [4]],
    ["second order", "let x = [1.0, 2.0]\nprint hessian(x[0]^2 * x[1], x)", [4, 2, 2, 0]],
    [
      "directions written out",
      "let x = [1.0, 2.0]\nprint jvp(x^2, x, [1.0, 0.0]), hvp(sum(x^3), x, [1, 1]), vjp(x^2, x, [1, 2])",
      [2, 0, 6, 12, 2, 8],
    ],
  ])("%s", async (_name, script, wanted) => expectClose((await printed(script)).flat(), wanted));

  test("they stay lists of numbers that are known before the run", async () => {
    const lines = await prints(`
      let rates = [0.5, 0.25]
      let parts = toy.moons(n: 20) |> split(val: rates[1])
      let rows = toy.linear(w: rates, n: 10)
      for r in rates { print r }
      print [2 * r for r in rates], size(rates), parts.val.rows, rates[0] > 0.4 ? "above" : "below"
      if rates[1] > 0.4 { print "no" } else { print "yes" }`);
    expect(lines).toEqual(["0.5", "0.25", "[1, 0.5] 2 5 above", "yes"]);
  });

  test("what is written in its place varies with nothing", async () => {
    expect(await mistakes("let x = 2.0\nprint grad(x^2, 2.0)")).toEqual(["DLX0402 2"]);
    expect(await messages("let x = 2.0\nprint grad(x^2, [2.0])")).toContain("name it, as in `let x = 2.0`");
    expect(await messages("let x = [1, 2]\nprint grad(sum(x), x)")).toContain("only floats change by little steps");
  });
});

describe("through loops", () => {
  const orders = "print grad(y, w), grad(grad(y, w), w), grad(grad(grad(y, w), w), w)";
  test.each([
    ["scan", "scan i in 1..4 with h = 1.0 { h <- sin(h * w) + h }"],
    ["iterate", "iterate 4 with h = 1.0 { h <- sin(h * w) + h }"],
  ])("%s of a float as the unrolled loop, to the third order", async (_name, loop) => {
    const [got] = await printed(`let w = 0.6\nlet y = ${loop}\n${orders}`);
    const [wanted] = await printed(
      `let w = 0.6\nlet y = for i in 1..4 with h = 1.0 { h <- sin(h * w) + h }\n${orders}`,
    );
    expect(wanted!.every((x) => Math.abs(x) > 0.01)).toBe(true);
    expectClose(got, wanted);
  });

  test("a float inside the loop is one of each tick", async () => {
    const [got] = await printed(
      "print scan i in 1..3 { let v = 2.0\nyield grad(v^2 * i, v) }, scan i in 1..2 { let v = [1.0, 3.0]\nyield grad(sum(v^2), v) }",
    );
    expectClose(got, [4, 8, 12, 2, 6, 2, 6]);
  });
});

describe("derivatives that could only be 0", () => {
  const net = "let net = Linear(1)\nlet x = ones([2, 3])\n";
  test.each<[string, string, string]>([
    [
      "params that moved",
      `${net}train for 1 step {\n  let loss = sum(net(x)^2)\n  minimize loss over net with SGD(0.1)\n  plot norm(grad(loss, net))\n}`,
      "DLX0411 6",
    ],
    [
      "params that were written",
      `${net}train for 1 step {\n  let loss = sum(net(x)^2)\n  net <- 0.5 * params(net)\n  plot norm(grad(loss, net))\n}`,
      "DLX0411 6",
    ],
    [
      "a snapshot in a block",
      `${net}let loss = sum(net(x)^2)\ntrain for 1 step { plot norm(grad(loss, net)) }`,
      "DLX0411 4",
    ],
    [
      "a snapshot below a block",
      `${net}let loss = sum(net(x)^2)\ntrain for 1 step { net <- 0.5 * params(net) }\nprint grad(loss, net)`,
      "DLX0411 5",
    ],
    [
      "a snapshot that is minimized",
      `${net}let loss = sum(net(x)^2)\ntrain for 1 step { minimize loss over net with SGD(0.1) }`,
      "DLX0411 4",
    ],
    ["an expression in the place of a variable", "let x = 1.0\nprint grad(x^2, x + 1)", "DLX0402 2"],
    ["a variable below", "let x = 1.0\nlet y = x^2\nlet w = 3.0\nprint hessian(y, w)", "DLX0402 4"],
  ])("%s", async (_name, script, wanted) => expect(await mistakes(script)).toEqual([wanted]));

  test("0 where it is true: another variable above, and what is held", async () => {
    const [values] = await printed(`
      let x = 1.0
      let w = 3.0
      let y = x^2
      print grad(y, w), grad(stop(w) * x, w), hessian(2 * x, x)`);
    expectClose(values, [0, 0, 0]);
    const held = `${net}train for 1 step {
      let old = stop(net(x))
      minimize sum((net(x) - 1)^2) over net with SGD(0.1)
      plot norm(grad(sum((net(x) - old)^2), net))
    }`;
    expect(await mistakes(held)).toEqual([]);
  });
});
