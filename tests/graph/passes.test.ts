/**
 * Passes: what each rule does, and that random graphs evaluate the same before and after.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  build as b,
  cse,
  evaluate,
  gradient,
  hoistScalars,
  hostable,
  make,
  optimize,
  simplify,
  sizeOf,
  text,
  tidyLoops,
  topological,
  verify,
} from "../../lang/graph/index.ts";
import type { Body, Node } from "../../lang/graph/node.ts";
import { build, numbers, samples } from "./samples.ts";

const x = (shape: readonly number[] = [], name = "x") => b.input("state", name, { dtype: "f32", shape });
const ones = (node: Node, value = 1) => b.like(node, value);
const pow = (node: Node, n: number) => b.binary("pow", node, b.like(node, n));
/** The graph as nested calls, for short expectations. */
function called(node: Node): string {
  if (node.op === "input") return node.attrs["name"] as string;
  if (node.op === "const") return String(node.attrs["value"]);
  if (b.constant(node) !== undefined) return String(b.constant(node));
  return `${node.op}(${node.inputs.map(called).join(" ")})`;
}

describe("simplify", () => {
  const v = x([2, 3]);
  const s = x([], "s");
  const truth = b.input("state", "c", { dtype: "bool", shape: [2, 3] });
  const spread = (node: Node) => b.expand(node, [2, 3], []);
  const rows: [string, Node, string][] = [
    ["x + 0", b.add(v, ones(v, 0)), "x"],
    ["0 + x", b.add(ones(v, 0), v), "x"],
    ["x - 0", b.sub(v, ones(v, 0)), "x"],
    ["0 - x", b.sub(ones(v, 0), v), "neg(x)"],
    ["x * 1", b.mul(v, ones(v)), "x"],
    ["x * -1", b.mul(v, ones(v, -1)), "neg(x)"],
    ["x * 0 keeps a NaN", b.mul(v, ones(v, 0)), "mul(x 0)"],
    ["x / 4", b.div(v, ones(v, 4)), "mul(x 0.25)"],
    ["x / 49 stays exact", b.div(v, ones(v, 49)), "div(x 49)"],
    ["x c d", b.mul(b.mul(v, ones(v, 2)), ones(v, 3)), "mul(x 6)"],
    [
      "c d too large",
      b.mul(b.mul(v, ones(v, 1e20)), ones(v, 1e20)),
      "mul(mul(x 100000000000000000000) 100000000000000000000)",
    ],
    ["neg neg", b.neg(b.neg(v)), "x"],
    ["a + -b", b.add(v, b.neg(b.mul(v, v))), "sub(x mul(x x))"],
    ["x^1", pow(v, 1), "x"],
    ["x^2", pow(v, 2), "mul(x x)"],
    ["x^3", pow(v, 3), "mul(mul(x x) x)"],
    ["x^0.5", pow(v, 0.5), "sqrt(x)"],
    ["x^-1", pow(v, -1), "div(1 x)"],
    ["x^2.5", pow(v, 2.5), "pow(x 2.5)"],
    ["const folding", b.mul(ones(v, 2), b.add(ones(v, 3), ones(v, 4))), "14"],
    ["1/0 is left", b.div(ones(v, 1), ones(v, 0)), "div(1 0)"],
    ["reshape twice", make("reshape", [make("reshape", [v], { shape: [6] })], { shape: [3, 2] }), "reshape(x)"],
    ["reshape back", make("reshape", [make("reshape", [v], { shape: [6] })], { shape: [2, 3] }), "x"],
    ["permute twice", b.permute(b.permute(v, [1, 0]), [1, 0]), "x"],
    ["expand twice", b.expand(b.expand(s, [3], []), [2, 3], [1]), "expand(s)"],
    ["sum of expand", b.sum(spread(s), [0, 1]), "mul(s 6)"],
    ["sum of partly new axes", b.sum(b.expand(x([3], "r"), [2, 3], [1]), [0, 1]), "mul(sum(r) 2)"],
    ["sum of sum", b.sum(b.sum(v, [0]), [0]), "sum(x)"],
    ["cast to the same", make("cast", [v], { dtype: "f32" }), "x"],
    ["select of true", b.select(b.fill(1, { dtype: "bool", shape: [2, 3] }), v, b.neg(v)), "x"],
    ["select of not", b.select(b.unary("not", truth), v, b.neg(v)), "select(c neg(x) x)"],
    ["stop", b.unary("stop", v), "x"],
    ["let", b.mul(s, make("const", [], { value: 1, dtype: "f32", let: 3 })), "s"],
    ["work on what is repeated", b.mul(b.unary("exp", spread(s)), ones(v, 2)), "expand(mul(exp(s) 2))"],
    [
      "slice of slice",
      make("slice", [make("slice", [v], { start: [0, 1], stop: [2, 3], step: [1, 1] })], {
        start: [1, 0],
        stop: [2, 2],
        step: [1, 1],
      }),
      "slice(x)",
    ],
    ["dot of a transpose", b.dot(b.permute(v, [1, 0]), v, [], [[1, 0]]), "dot(x x)"],
  ];
  for (const [name, node, expected] of rows)
    test(name, () => {
      const [after] = simplify([node]);
      verify([after!]);
      expect(called(after!)).toBe(expected);
      expect(after!.type).toEqual(node.type);
    });

  test("before gradients, stop and let stay", () => {
    const node = b.mul(b.unary("stop", s), make("const", [], { value: 1, dtype: "f32", let: 3 }));
    expect(called(simplify([node], { beforeGradient: true })[0]!)).toBe("mul(stop(s) 1)");
  });

  test("is stable", () => {
    for (const [, node] of rows) {
      const once = simplify([node]);
      expect(text(simplify(once))).toBe(text(once));
    }
  });
});

/** Random graphs over tensors of [2,3], [3], [2] and scalars, with finite values throughout. */
const random = fc.array(fc.tuple(fc.nat(20), fc.nat(1000), fc.nat(1000), fc.constantFrom(0, 1, -1, 2, 0.5, 3)), {
  minLength: 1,
  maxLength: 25,
});
function grown(steps: readonly (readonly [number, number, number, number])[]): Node[] {
  const nodes: Node[] = [x([2, 3]), x([3], "r"), x([2], "q"), x([], "s"), b.fill(2, { dtype: "f32", shape: [2, 3] })];
  const calm = (node: Node) => b.unary("tanh", node);
  for (const [kind, i, j, c] of steps) {
    const a = nodes[i % nodes.length]!;
    const fitting = nodes.filter((n) => n.type.shape.join() === a.type.shape.join());
    const d = fitting[j % fitting.length]!;
    const rank = a.type.shape.length;
    const axes = rank === 0 ? [] : [j % rank];
    const positive = b.add(b.mul(calm(a), calm(a)), b.like(a, 0.5));
    const rules: (() => Node)[] = [
      () => b.add(a, d),
      () => b.sub(a, d),
      () => b.mul(calm(a), d),
      () => b.div(a, b.add(b.mul(d, d), b.like(d, 1))),
      () => b.mul(a, b.like(a, c)),
      () => b.add(b.like(a, c), a),
      () => b.neg(a),
      () => pow(positive, c),
      () => b.binary("pow", positive, calm(d)),
      () => b.binary("max", a, d),
      () => b.select(b.binary("lt", a, d), a, b.like(a, c)),
      () => b.sum(a, axes),
      () => make("amax", [a], { axes }),
      () => make("reshape", [make("reshape", [a], { shape: [sizeOf(a.type.shape)] })], { shape: a.type.shape }),
      () => b.permute(b.permute(a, [...a.type.shape.keys()].reverse()), [...a.type.shape.keys()].reverse()),
      () =>
        rank < 2 ? b.expand(a, rank === 0 ? [2, 3] : [2, 2, ...a.type.shape].slice(-2), rank === 0 ? [] : [1]) : a,
      () => make("flip", [a], { axes }),
      () =>
        rank === 2
          ? b.dot(b.permute(a, [1, 0]), d, [], [[1, 0]])
          : b.dot(
              a,
              d,
              [],
              a.type.shape.map((_, k) => [k, k] as const),
            ),
      () =>
        make(
          "slice",
          [
            b.pad(
              a,
              a.type.shape.map(() => 1),
              a.type.shape.map(() => 2),
              c,
            ),
          ],
          { start: a.type.shape.map(() => 1), stop: a.type.shape.map((n) => n + 1), step: a.type.shape.map(() => 1) },
        ),
      () => make("cast", [b.binary("le", a, b.like(a, c))], { dtype: "f32" }),
      () => calm(b.unary("stop", a)),
    ];
    const made = rules[kind]!();
    nodes.push(sizeOf(made.type.shape) > 6 || made.type.shape.join() === "3,3" ? calm(b.sum(made, [0])) : calm(made));
  }
  return nodes.slice(-4);
}
const data: Record<string, number[]> = { x: numbers(6, 1), r: numbers(3, 2), q: numbers(2, 3), s: numbers(1, 4) };
const env = (input: Node) => data[input.attrs["name"] as string];

describe("the way back through a softmax", () => {
  const z = x([4, 5], "z");
  const t = x([4, 5], "t");
  const over = (node: Node, axis: number) => b.expand(b.sum(node, [axis]), [4, 5], [1 - axis]);
  const of = (e: Node, axis: number) => {
    const y = b.div(e, over(e, axis));
    return gradient(b.sum(b.mul(y, t), [0, 1]), [z])[0]!;
  };
  const count = (node: Node, op: string) => topological([node]).filter((each) => each.op === op).length;
  const values = (name: string) => numbers(20, name === "z" ? 3 : 4).map((n) => 4 * n);

  test.each([0, 1])("asks for the softmax alone, along axis %i", (axis) => {
    const back = of(b.unary("exp", z), axis);
    const [found] = optimize([back]);
    // those of y itself; without the rule each element divides and is multiplied by e once more
    expect([count(back, "div"), count(back, "mul")]).toEqual([2, 3]);
    expect([count(found!, "div"), count(found!, "mul"), count(found!, "exp")]).toEqual([1, 2, 1]);
    const [before, after] = evaluate([back, found!], ({ attrs }) => values(attrs["name"] as string));
    after!.forEach((value, i) => expect(Math.abs(value - before![i]!)).toBeLessThan(1e-14));
  });
  test("of what is divided by sums of other elements stays as it is", () => {
    const [w, g] = [x([4, 4], "z"), x([4, 4], "t")];
    const e = b.unary("exp", w);
    const s = b.expand(b.sum(e, [1]), [4, 4], [1]);
    const part = b.div(g, s);
    const more = b.expand(b.sum(make("neg", [b.mul(part, b.div(e, s))]), [1]), [4, 4], [1]);
    const back = b.mul(e, b.add(part, more));
    const [before, after] = evaluate([back, simplify([back])[0]!], ({ attrs }) => values(attrs["name"] as string).slice(4)); // prettier-ignore
    after!.forEach((value, i) => expect(Math.abs(value - before![i]!)).toBeLessThan(1e-14));
  });
  test("of something else than exp stays as it is", () => {
    const back = of(b.mul(z, z), 1);
    expect(count(optimize([back])[0]!, "div")).toBe(2);
  });
});

describe("random graphs evaluate the same", () => {
  for (const [name, pass] of Object.entries({ simplify, cse, tidyLoops, optimize }) as [
    string,
    (o: readonly Node[]) => Node[],
  ][])
    test(`${name}, with gradients`, () => {
      fc.assert(
        fc.property(random, (steps) => {
          const grownNodes = grown(steps);
          const loss = grownNodes.map((n) => b.sum(n, [...n.type.shape.keys()])).reduce(b.add);
          const outputs = [
            ...grownNodes,
            ...gradient(
              loss,
              topological([loss]).filter((n) => n.op === "input"),
            ),
          ];
          const after = pass(outputs);
          verify(after);
          const values = evaluate(after, env);
          evaluate(outputs, env).forEach((v, i) => v.forEach((n, k) => expect(values[i]![k]).toBeCloseTo(n, 8)));
          expect(topological(after).length).toBeLessThanOrEqual(topological(outputs).length + 4);
        }),
        { numRuns: 150, seed: 11 },
      );
    });
});

describe("cse", () => {
  test("merges by op, attrs and inputs", () => {
    const v = x([2]);
    const [sum] = cse([b.add(b.unary("exp", v), b.unary("exp", x([2])))]);
    expect(topological([sum!]).length).toBe(3);
  });
  test("merges of many that read one tensor those with the same attrs", () => {
    const v = x([40]);
    const slice = (at: number) => make("slice", [v], { start: [at], stop: [at + 1], step: [1] });
    const twice = Array.from({ length: 80 }, (_, i) => slice(i % 40));
    expect(new Set(cse(twice)).size).toBe(40);
  });
  test("keeps lets, sites and types apart", () => {
    const draw = (site: number) => make("random", [], { site, shape: [2] });
    const outputs = [
      draw(1),
      draw(2),
      b.scalar(1),
      b.scalar(1, "i32"),
      make("const", [], { value: 1, dtype: "f32", let: 1 }),
    ];
    expect(new Set(cse(outputs)).size).toBe(5);
    expect(new Set(cse([draw(1), draw(1)])).size).toBe(1);
  });
});

describe("loops", () => {
  const sample = samples.find((s) => s.op === "loop" && s.name === "recurrence")!;
  const inputs = sample.inputs.map((i, k) => b.input("state", `x${k}`, { dtype: i.dtype, shape: i.shape }));
  test("what nobody picks is left out", () => {
    const [last] = tidyLoops([build(sample, inputs)[0]!]);
    const loop = last!.inputs[0]!;
    expect((loop.attrs["body"] as Body).results.length).toBe(1);
    verify([last!]);
  });
  test("two that run the same ticks become one", () => {
    const both = tidyLoops([build(sample, inputs)[0]!, build(sample, inputs)[1]!]);
    expect(topological(both).filter((n) => n.op === "loop").length).toBe(1);
  });
  test("dead carries go with their inputs", () => {
    const counting = samples.find((s) => s.op === "loop" && s.name === "counting")!;
    const args = counting.inputs.map((i, k) => b.input("state", `x${k}`, { dtype: i.dtype, shape: i.shape }));
    const [n] = tidyLoops([build(counting, args)[0]!]);
    expect(n!.inputs[0]!.inputs.length).toBe(1);
  });
});

describe("hoistScalars", () => {
  const step = b.input("scalar", "step", { dtype: "f32", shape: [] });
  const seed = b.input("scalar", "seed", { dtype: "u32", shape: [] });
  const lr = b.input("state", "opt.lr", { dtype: "f32", shape: [] });
  const isHost = (path: string) => path === "opt.lr";
  const rate = b.mul(lr, b.sub(b.scalar(1), b.binary("pow", b.scalar(0.999), step)));

  test("hostable", () => {
    expect(hostable(rate, isHost)).toBe(true);
    expect(hostable(rate, () => false)).toBe(false);
    expect(hostable(b.cast(seed, "f32"), isHost)).toBe(false);
    expect(hostable(b.expand(step, [2], []), isHost)).toBe(false);
  });
  test("replaces the largest parts once", () => {
    const w = x([2], "w");
    const move = b.mul(w, b.expand(rate, [2], []));
    const { outputs, host } = hoistScalars([move, b.neg(move), rate], isHost);
    expect(host.map((h) => [h.name, called(h.node)])).toEqual([["h0", "mul(opt.lr sub(1 pow(0.999 step)))"]]);
    expect(outputs.map(called)).toEqual(["mul(w expand(h0))", "neg(mul(w expand(h0)))", "h0"]);
  });
  test("leaves uploads and consts, not bare host slots", () => {
    const { outputs, host } = hoistScalars(
      [b.expand(step, [2], []), b.expand(b.scalar(2), [2], []), b.expand(lr, [2], [])],
      isHost,
      (k) => `h:${k}`,
    );
    expect(outputs.map(called)).toEqual(["expand(step)", "2", "expand(h:0)"]);
    expect(host.length).toBe(1);
  });
});

describe("text and verify", () => {
  test("one line per node", () => {
    const v = x([2, 3]);
    expect(text([b.add(v, b.like(v, 1))])).toMatchInlineSnapshot(`
      "%0 = input {dtype: f32, name: x, shape: [2,3], source: state} : f32[2,3]
      %1 = const {dtype: f32, value: 1} : f32[]
      %2 = expand %1 {axes: [], shape: [2,3]} : f32[2,3]
      %3 = add %0 %2 : f32[2,3]
      return %3"
    `);
  });
  test("bodies are indented", () => {
    const sample = samples.find((s) => s.op === "loop" && s.name === "map")!;
    expect(
      text(
        build(
          sample,
          sample.inputs.map((i, k) => b.input("state", `x${k}`, { dtype: i.dtype, shape: i.shape })),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "%0 = input {dtype: f32, name: x0, shape: [3], source: state} : f32[3]
      %1 = input {dtype: f32, name: x1, shape: [5,3], source: state} : f32[5,3]
      %2 = loop %0 %1 {carries: 0, consts: 1, count: 5, reverse: false, scans: 1}
        %0 = input {dtype: f32, name: scan0, shape: [3], source: loop} : f32[3]
        %1 = mul %0 %0 : f32[3]
        %2 = input {dtype: f32, name: const0, shape: [3], source: loop} : f32[3]
        %3 = mul %1 %2 : f32[3]
        return %3
      %3 = pick %2 {index: 0} : f32[5,3]
      return %3"
    `);
  });
  test("a wrong type, a read loop and an open body throw", () => {
    const v = x([2]);
    const wrong = { ...b.neg(v), type: { dtype: "f32" as const, shape: [3] } };
    expect(() => verify([wrong])).toThrow(/expected f32\[2\], got f32\[3\]/);
    const tick = b.param("tick", { dtype: "i32", shape: [] });
    const loop = make("loop", [], {
      count: 2,
      consts: 0,
      carries: 0,
      scans: 0,
      reverse: false,
      body: { params: [tick], results: [v] },
    });
    expect(() => verify([b.pick(loop, 0)])).toThrow(/closed body/);
    expect(() => verify([loop])).toThrow(/expected a pick/);
  });
  test("survives a structured clone", () => {
    const v = x([2, 3]);
    const graph = [b.sum(b.mul(v, v), [0, 1])];
    expect(text(structuredClone(graph))).toBe(text(graph));
  });
});
