/** Models in lists with other params, and derivatives along directions that have gradients of their own. */
import { expect, test } from "vitest";
import { expectClose, mistakes, printed } from "../check/semantics.ts";

const net = "let x = normal([3])\nlet net = [Linear(2), tanh, [Linear(1)]]\nlet z = net(x)\nlet p = params(net)\n";

test("a list of models takes a bundle, and is one for norm and unflatten", async () => {
  const [[a, b], [c, d, e], [f, g]] = (await printed(`${net}
print sum(z), sum(net.with(p)(x))
print norm(net), norm(p), norm(unflatten(flatten(p), net))
let other = net.with(2 * p)
print norm(grad(sum(other(x)), other)), norm(2 * p) / norm(other)`)) as [number[], number[], number[]];
  expect(b).toBe(a);
  expectClose([c!, e!], [d!, d!]);
  expect(f).toBeGreaterThan(0);
  expect(g).toBe(1);
});

test.each([
  ["params of another model", "let f = Linear(1)\nlet y = f(x)\nprint net.with(params(f))(x)", "DLX0326 7"],
  ["other shapes", "print net.with(leaves(p, w => sum(w)))(x)", "DLX0326 5"],
])("with refuses %s", async (_name, lines, wanted) => {
  expect(await mistakes(net + lines)).toEqual([wanted]);
});

test.each([
  ["hvp by its direction", "hvp(s, x, w)", "w", "6 * x * u"],
  ["vjp by its direction", "vjp(y, x, w)", "w", "exp(x) * u"],
  ["jvp by its direction", "jvp(y, x, w)", "w", "exp(x) * u"],
  ["hvp along what x makes", "hvp(s, x, x^2)", "x", "18 * x^2 * u"],
  ["vjp along what x makes", "vjp(y, x, x^2)", "x", "exp(x) * (x^2 + 2 * x) * u"],
])("%s", async (_name, derivative, by, wanted) => {
  const [got, formula] = await printed(`let (x, w, u) = (normal([3]), normal([3]), normal([3]))
let (y, s) = (exp(x), sum(x^3))
print grad(sum(${derivative} * u), ${by})
print ${wanted}`);
  expectClose(got, formula);
});
