/**
 * Gradients beyond one row: any order, push-forward, edges, and what the gradient of a loop looks like.
 */
import { describe, expect, test } from "vitest";
import {
  build as b,
  evaluate,
  forward,
  gradient,
  make,
  optimize,
  sizeOf,
  text,
  topological,
} from "../../lang/graph/index.ts";
import type { Body, Node } from "../../lang/graph/node.ts";
import { build, numbers, samples } from "./samples.ts";
import { questions } from "./weights.ts";

const x = (shape: readonly number[] = [], name = "x") => b.input("state", name, { dtype: "f32", shape });
const at = (nodes: readonly Node[], values: Record<string, number | number[]>) =>
  evaluate(nodes, (input) => values[input.attrs["name"] as string]).map((v) => (v.length === 1 ? v[0]! : [...v]));

describe("gradient", () => {
  test("of a scalar, up to the fifth order", () => {
    const v = x();
    let y = b.unary("sin", b.mul(v, v));
    const found: number[] = [];
    for (let i = 0; i < 5; i++) {
      y = gradient(y, [v])[0]!;
      found.push(at(optimize([y]), { x: 0.75 })[0] as number);
    }
    const [c, s, t] = [Math.cos(0.5625), Math.sin(0.5625), 0.75];
    const expected = [
      2 * t * c,
      2 * c - 4 * t ** 2 * s,
      -12 * t * s - 8 * t ** 3 * c,
      -12 * s - 48 * t ** 2 * c + 16 * t ** 4 * s,
      -120 * t * c + 160 * t ** 3 * s + 32 * t ** 5 * c,
    ];
    expected.forEach((e, i) => expect(found[i]).toBeCloseTo(e, 9));
  });

  test("zeros where y does not depend on x, ones of itself, sums over paths", () => {
    const [v, w] = [x(), x([3], "w")];
    expect(at(gradient(v, [v, w]), { x: 2, w: [1, 2, 3] })).toEqual([1, [0, 0, 0]]);
    const h = b.mul(v, v);
    expect(at(gradient(b.add(h, v), [v, h]), { x: 3 })).toEqual([7, 1]);
  });

  test("with a seed", () => {
    const w = x([3], "w");
    const seed = make("const", [], { values: [1, 10, 100], shape: [3], dtype: "f32" });
    expect(at(gradient(b.mul(w, w), [w], seed), { w: [1, 2, 3] })).toEqual([[2, 40, 600]]);
    expect(() => gradient(w, [w])).toThrow(/expected a f32 scalar/);
  });

  test("does not pass stop, casts and comparisons", () => {
    const v = x();
    const y = b.add(b.mul(b.unary("stop", v), v), b.cast(b.cast(v, "i32"), "f32"));
    expect(at(gradient(y, [v]), { x: 3 })).toEqual([3]);
  });

  test("lets of one value are two variables before, one number after", () => {
    const [p, q] = [1, 2].map((let_) => make("const", [], { value: 2, dtype: "f32", let: let_ }));
    expect(at(gradient(b.mul(b.mul(p!, p!), q!), [p!, q!]), {})).toEqual([8, 4]);
  });

  test("pow at base 0 with a variable exponent of 0, 1, 2: no NaN in any order", () => {
    for (const e of [0, 1, 2, 3]) {
      const [v, n] = [x(), x([], "n")];
      const y = b.binary("pow", v, n);
      const [d] = gradient(y, [v]);
      const [dd] = gradient(d!, [v]);
      const [ddd] = gradient(dd!, [v]);
      const expected = [e === 1 ? 1 : 0, e === 2 ? 2 : 0, e === 3 ? 6 : 0];
      expect(at([d!, dd!, ddd!], { x: 0, n: e })).toEqual(expected);
      expect(at(optimize([d!, dd!, ddd!]), { x: 0, n: e })).toEqual(expected);
      const [dn] = gradient(y, [n]);
      expect(Number.isFinite(at([dn!], { x: 0, n: e })[0])).toBe(true);
    }
  });

  test("max(x, 0) is flat at 0", () => {
    const v = x();
    const relu = b.binary("max", v, b.scalar(0));
    expect(at(gradient(relu, [v]), { x: 0 })).toEqual([0]);
    expect(at(gradient(relu, [v]), { x: 1 })).toEqual([1]);
  });

  test("of a chain of 20000 nodes", () => {
    const v = x();
    let y: Node = v;
    for (let i = 0; i < 20000; i++) y = b.add(y, v);
    expect(at(optimize(gradient(y, [v])), { x: 1 })).toEqual([20001]);
  });
});

describe("forward", () => {
  test("is the directional derivative of every sample with floats", () => {
    for (const sample of samples) {
      const q = questions(sample);
      const ys = q.outputs.filter((o) => o.type.dtype === "f32");
      if (sample.kink || q.asked.length === 0 || ys.length === 0) continue;
      const xs = q.asked.map((i) => q.inputs[i]!);
      const tangents = xs.map((v, i) =>
        make("const", [], { values: numbers(sizeOf(v.type.shape), 70 + i), shape: v.type.shape, dtype: "f32" }),
      );
      const data = sample.inputs.map((input) => input.data);
      const env = (shift: number) => (input: Node) => {
        const place = Number((input.attrs["name"] as string).slice(1));
        const k = q.asked.indexOf(place);
        return data[place]!.map((d, i) => (k < 0 ? d : d + shift * (tangents[k]!.attrs["values"] as number[])[i]!));
      };
      const pushed = evaluate(optimize(forward(ys, xs, tangents)), env(0));
      const [high, low] = [evaluate(ys, env(1e-5)), evaluate(ys, env(-1e-5))];
      pushed.forEach((p, i) =>
        p.forEach((d, k) => {
          const expected = (high[i]![k]! - low[i]![k]!) / 2e-5;
          if (!(Math.abs(d - expected) <= 1e-5 * Math.max(1, Math.abs(expected))))
            throw new Error(`${sample.op}: ${sample.name}: expected ${expected}, got ${d}`);
        }),
      );
    }
  });
});

describe("the gradient of a loop", () => {
  const sample = samples.find((s) => s.op === "loop" && s.name === "recurrence")!;
  const inputs = sample.inputs.map((i, k) => b.input("state", `x${k}`, { dtype: i.dtype, shape: i.shape }));
  const [last, squares] = build(sample, inputs);
  const loss = b.add(b.sum(last!, [0, 1]), b.sum(squares!, [0, 1, 2]));

  test("is one more loop, and the product for the weights is outside of both", () => {
    const graph = optimize([loss, ...gradient(loss, inputs)]);
    const order = topological(graph);
    const loops = order.filter((n) => n.op === "loop");
    expect(loops.length).toBe(2);
    const products = (nodes: readonly Node[]) => nodes.filter((n) => n.op === "dot").length;
    expect(products(order)).toBe(1);
    // Forward: h W, of which tanh is saved. Backward: g W^T.
    expect(loops.map((l) => products(topological((l.attrs["body"] as Body).results)))).toEqual([1, 1]);
    expect(text(graph)).toMatchSnapshot();
  });

  test("is right to the third order", () => {
    const env = (shift: number) => (input: Node) => {
      const place = Number((input.attrs["name"] as string).slice(1));
      return sample.inputs[place]!.data.map((d, i) => (place === 0 && i === 1 ? d + shift : d));
    };
    let y = loss;
    for (let order = 1; order <= 3; order++) {
      const slope = b.sum(gradient(y, [inputs[0]!])[0]!, [0, 1]);
      const [entry] = evaluate(optimize(gradient(y, [inputs[0]!])), env(0)).map((g) => g[1]!);
      const expected = (evaluate([y], env(1e-5))[0]![0]! - evaluate([y], env(-1e-5))[0]![0]!) / 2e-5;
      expect(Math.abs(entry! - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
      y = slope;
    }
  });
});
