/** Gradient, Hessian, eigenvalues and kind of points of surfaces, against what is known in closed form. */
import { describe, expect, test } from "vitest";
import { runText } from "../run-script.ts";
import { close, run } from "../stdlib/harness.ts";
import { devices } from "./harness.ts";

interface Point {
  readonly name: string;
  readonly at: readonly number[];
  readonly surface: string;
  readonly gradient: readonly number[];
  readonly hessian: readonly number[];
  readonly eigenvalues: readonly number[];
  readonly kind: "minimum" | "maximum" | "saddle" | "undecided";
}

const [r2, e] = [Math.SQRT2, Math.E];
const points: readonly Point[] = [
  { name: "a saddle", at: [0, 0], surface: "x^2 - y^2", gradient: [0, 0], hessian: [2, 0, 0, -2], eigenvalues: [-2, 2], kind: "saddle" },
  { name: "a saddle that is turned", at: [0, 0], surface: "x * y", gradient: [0, 0], hessian: [0, 1, 1, 0], eigenvalues: [-1, 1], kind: "saddle" },
  { name: "Rosenbrock's minimum", at: [1, 1], surface: "(1 - x)^2 + 100 * (y - x^2)^2", gradient: [0, 0], hessian: [802, -400, -400, 200],
    eigenvalues: [501 - Math.sqrt(501 ** 2 - 400), 501 + Math.sqrt(501 ** 2 - 400)], kind: "minimum" },
  { name: "the top of a bell", at: [0, 0], surface: "exp(-(x^2 + x * y + y^2))", gradient: [0, 0], hessian: [-2, -1, -1, -2], eigenvalues: [-3, -1], kind: "maximum" },
  { name: "a monkey saddle", at: [0, 0], surface: "x^3 - 3 * x * y^2", gradient: [0, 0], hessian: [0, 0, 0, 0], eigenvalues: [0, 0], kind: "undecided" },
  { name: "a valley", at: [0, 2], surface: "x^2", gradient: [0, 0], hessian: [2, 0, 0, 0], eigenvalues: [0, 2], kind: "undecided" },
  { name: "a slope", at: [1, 2], surface: "x * exp(x) * y^2", gradient: [8 * e, 4 * e], hessian: [12 * e, 8 * e, 8 * e, 2 * e],
    eigenvalues: [7 * e - e * Math.sqrt(89), 7 * e + e * Math.sqrt(89)], kind: "saddle" },
  { name: "three variables, a minimum", at: [0, 0, 0], surface: "x^2 + y^2 + z^2 + x * y + y * z", gradient: [0, 0, 0],
    hessian: [2, 1, 0, 1, 2, 1, 0, 1, 2], eigenvalues: [2 - r2, 2, 2 + r2], kind: "minimum" },
  { name: "three variables, a maximum", at: [0, 0, 0], surface: "cos(x) + cos(y) * cos(2 * z)", gradient: [0, 0, 0],
    hessian: [-1, 0, 0, 0, -1, 0, 0, 0, -4], eigenvalues: [-4, -1, -1], kind: "maximum" },
  { name: "three variables, a saddle", at: [0, 0, 0], surface: "x * y + y * z + z * x", gradient: [0, 0, 0],
    hessian: [0, 1, 1, 1, 0, 1, 1, 1, 0], eigenvalues: [-1, -1, 2], kind: "saddle" },
  { name: "three variables, degenerate", at: [0, 0, 0], surface: "(x + y + z)^2 + x^4", gradient: [0, 0, 0],
    hessian: [2, 2, 2, 2, 2, 2, 2, 2, 2], eigenvalues: [0, 0, 6], kind: "undecided" },
]; // prettier-ignore

describe.each(devices)("$device", (on) => {
  test.each(points)("$name", async ({ at, surface, gradient, hessian, eigenvalues, kind }) => {
    const names = ["x", "y", "z"].slice(0, at.length);
    const above = names.map((name, i) => `let ${name} = ${at[i]!.toFixed(1)}\n`).join("");
    const variables = `(${names.join(", ")})`;
    const script = `${above}let s = ${surface}\nlet H = hessian(s, ${variables})\n`;
    const got = await run(`${script}print "g", grad(s, ${variables}), "H", H, "w", eigvals(H)`, on);
    close(
      names.flatMap((_, i) => got[`g.${i}`]!),
      gradient,
      on.tolerance,
      "gradient",
    );
    close(got["H"], hessian, on.tolerance, "Hessian");
    close(got["w"], eigenvalues, on.tolerance, "eigenvalues");
    const { prints } = await runText(`${script}print critical_point(H)`, await on.open());
    expect(prints).toEqual([kind]);
  });
});
