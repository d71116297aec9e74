/** Gradients as values: of any order, by params, by row, inside of losses. */
import { describe, expect, test } from "vitest";
import { expectClose, printed, prints } from "./semantics.ts";

describe("by hand", () => {
  test.each<[string, string, number[]]>([
    ["a power", "let x = 3.0\nprint grad(x^3, x), grad(grad(x^3, x), x), grad(grad(grad(x^3, x), x), x)", [27, 18, 6]],
    [
      "two equal floats are two variables",
      "let x = 2.0\nlet y = 2.0\nprint grad(x^2 * y, x), grad(x^2 * y, y)",
      [8, 4],
    ],
    ["a tuple", "let x = 2.0\nlet y = 3.0\nlet (a, b) = grad(x * y^2, (x, y))\nprint a, b", [9, 12]],
    ["stop", "let x = 3.0\nprint grad(x * stop(x), x), grad(stop(x), x)", [3, 0]],
    ["a loss with a gradient in it", "let x = 2.0\nlet g = grad(x^3, x)\nprint grad((g - 1)^2, x)", [2 * 11 * 12]],
    [
      "through solve",
      "let a = 4.0\nlet A = expand(a, [1, 1])\nlet s = solve(A, ones([1]))\nprint grad(sum(s), a)",
      [-1 / 16],
    ],
  ])("%s", async (_name, script, wanted) => {
    const [line] = await printed(script);
    expectClose(line, wanted);
  });

  test("per: B gives the gradient of each row", async () => {
    const lines = await printed(`
      dim B = 3
      let x = normal([B, 2])
      let g = grad(sum(x^3, over: not B), x, per: B)
      print sum((g - 3 * x^2)^2)
      print sum((norm(g, over: not B) - sqrt(sum(g^2, over: not B)))^2)`);
    expect(lines[0]![0]).toBeLessThan(1e-9);
    expect(lines[1]![0]).toBeLessThan(1e-9);
  });
});

describe("by params", () => {
  test("a difference quotient", async () => {
    const [got] = await printed(`
      let x = normal([6, 3])
      let f = Linear(2)
      let loss = mean(tanh(f(x))^2)
      let g = grad(loss, f)
      let p = params(f)
      let up = p + 1e-3 * g
      let down = p - 1e-3 * g
      let slope = (mean(tanh(f.with(up)(x))^2) - mean(tanh(f.with(down)(x))^2)) / 2e-3
      print slope, norm(g)^2`);
    expect(got![0]).toBeCloseTo(got![1]!, 3);
  });
  test("a gradient penalty inside a loss trains", async () => {
    const lines = await printed(`
      let rows = toy.moons(n: 40)
      let D = [Linear(8), tanh, Linear(1)]
      train t (x) in batches(rows, 20) for 20 epochs {
        let g = grad(squeeze(D(x), -1), x, per: B)
        let penalty = mean((norm(g, over: not B) - 1)^2)
        minimize penalty over D with Adam(0.01)
        metric first = lowest(penalty)
        metric p = penalty
        every epoch { print p }
      }`);
    expect(lines.at(-1)![0]).toBeLessThan(lines[0]![0]! / 2);
  });
  test("an inner step and the outer gradient through it (second order)", async () => {
    const [a] = await printed(`
      let x = ones([1, 1])
      let f = Linear(1, bias: false)
      let l = sum(f(x)^2)
      let fast = params(f) - 0.1 * grad(l, f)
      let outer = sum(f.with(fast)(x)^2)
      print grad(outer, f)
      print 2 * 0.8 * 0.8 * f.w`);
    const [, b] = await printed(`
      let x = ones([1, 1])
      let f = Linear(1, bias: false)
      let l = sum(f(x)^2)
      print 0
      print 2 * 0.8 * 0.8 * f.w`);
    expectClose(a, b);
  });
  test("hessian of a saddle", async () => {
    const lines = await prints(
      "let x = 0.0\nlet y = 0.0\nlet s = x^2 - y^2\nprint hessian(s, (x, y))\nprint grad(s, (x, y))",
    );
    expect(lines[0]!.replace(/\s+/g, "")).toBe("[[2,0],[0,-2]]");
  });
  test("in eval and in a reaction", async () => {
    const lines = await printed(`
      let f = Linear(1, bias: false)
      let z = f(ones([1, 1]))
      train for 1 step { minimize sum(f(ones([1, 1]))) over f with SGD(0.0) }
      eval e { metric g = norm(grad(sum(f(ones([1, 1]))^2), f)) }
      print e.g, abs(2 * sum(f.w))`);
    expect(lines[0]![0]).toBeCloseTo(lines[0]![1]!, 4);
  });
});
