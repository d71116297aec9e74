/** Sums of padded pieces that do not meet become concatenations; those that meet, or that others read, stay sums. */
import { describe, expect, test } from "vitest";
import { build as b, evaluate, make, optimize, topological } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { numbers } from "./samples.ts";

const piece = (name: string, columns: number) => b.input("state", name, { dtype: "f32", shape: [3, columns] });
const placed = (x: Node, from: number, total: number) => b.pad(x, [0, from], [0, total - from - x.type.shape[1]!]);
const count = (nodes: readonly Node[], op: string) => topological(nodes).filter((n) => n.op === op).length;
const env = (node: Node) => {
  const name = node.attrs["name"] as string;
  return numbers(node.type.shape.reduce((a, n) => a * n, 1), name.charCodeAt(0));
}; // prettier-ignore

function same(plain: readonly Node[]): readonly Node[] {
  const fast = optimize(plain);
  expect(evaluate(fast, env)).toEqual(evaluate(plain, env));
  return fast;
}

describe("a sum of padded pieces", () => {
  const [p, q, r] = [piece("p", 4), piece("q", 4), piece("r", 4)] as const;

  test("side by side is a concatenation, in any order of the sum", () => {
    const fast = same([b.add(b.add(placed(q, 4, 12), placed(r, 8, 12)), placed(p, 0, 12))]);
    expect([count(fast, "concat"), count(fast, "add"), count(fast, "pad")]).toEqual([1, 0, 0]);
  });
  test("with a gap has zeros there", () => {
    const fast = same([b.add(placed(p, 1, 12), placed(r, 8, 12))]);
    expect([count(fast, "concat"), count(fast, "add")]).toEqual([1, 0]);
  });
  test("that meet stays a sum", () => {
    const fast = same([b.add(placed(p, 0, 12), placed(q, 3, 12))]);
    expect([count(fast, "concat"), count(fast, "add")]).toEqual([0, 1]);
  });
  test("and of something else keeps that", () => {
    const whole = piece("w", 12);
    const fast = same([b.add(b.add(placed(p, 0, 12), whole), placed(q, 4, 12))]);
    expect([count(fast, "concat"), count(fast, "add")]).toEqual([1, 1]);
  });
  test("along two axes stays a sum", () => {
    const down = b.pad(piece("d", 12), [1, 0], [2, 0]);
    const across = b.pad(b.input("state", "e", { dtype: "f32", shape: [6, 4] }), [0, 0], [0, 8]);
    expect(count(same([b.add(down, across)]), "concat")).toBe(0);
  });
  test("in the body of a loop too", () => {
    const [carry, scan] = [b.param("carry0", p.type), b.param("scan0", p.type)];
    const sum = b.add(placed(carry, 0, 8), placed(scan, 4, 8));
    const body = {
      params: [carry, scan, b.param("tick", { dtype: "i32", shape: [] })],
      results: [b.add(carry, scan), b.mul(sum, sum)],
    };
    const attrs = { count: 2, consts: 0, carries: 1, scans: 1, reverse: false, body };
    const stack = b.input("state", "s", { dtype: "f32", shape: [2, 3, 4] });
    const fast = same([b.pick(make("loop", [p, stack], attrs), 1)]);
    const inner = topological(fast).find((n) => n.op === "loop")!.attrs["body"] as typeof body;
    expect(count(inner.results, "concat")).toBe(1);
  });
});
