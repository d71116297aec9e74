/** What an optimizer writes once for each param is in a segment once; what differs in anything stays apart. */
import { expect, it } from "vitest";
import { Repeats } from "../../lang/check/repeats.ts";
import { make, nextId, topological, withInputs } from "../../lang/graph/index.ts";
import type { Attrs, Node } from "../../lang/graph/node.ts";
import { tickSegments } from "../../lang/program.ts";
import { check } from "./semantics.ts";

const span = { file: "a.dlx", start: 0, end: 1 };
const number = (value: number, attrs: Attrs = {}, at = span): Node =>
  make("const", [], { value, dtype: "f32", ...attrs }, at);
const spread = (of: Node, shape: readonly number[], at = span): Node => make("expand", [of], { shape, axes: [] }, at);

const layers = (count: number) => `
  let rows = toy.linear(w: [1, 2], n: 40, noise: 0.1)
  model Deep()(x: [B, D]) -> [B, 1] {
    let s = for i in 1..${count} with h = x { h <- relu(Linear(2)(h)) }
    s.h |> Linear(1)
  }
  let net = Deep()
  train (x, y) in batches(rows, 40) for 1 epoch { minimize mse(squeeze(net(x), -1), y) over net with AdamW(1e-3) }
`;

it("numbers of an update are made once for all params of a shape", async () => {
  const counts: number[] = [];
  for (const count of [2, 4, 8]) {
    const { program, diagnostics } = await check(layers(count));
    expect(diagnostics).toEqual([]);
    const block = program!.body.find((action) => action.kind === "train")!;
    const outputs = tickSegments(block.step).flatMap(({ outputs }) => outputs.map(({ node }) => node));
    const numbers = topological(outputs).filter(
      ({ op, origin, inputs }) =>
        origin?.role === "update" && (op === "const" || (op === "expand" && inputs[0]!.type.shape.length === 0)),
    );
    counts.push(numbers.length);
  }
  expect(counts[0]).toBeGreaterThan(0);
  expect(new Set(counts)).toEqual(new Set([counts[0]]));
});

it("one node where nothing tells two apart", () => {
  const repeats = new Repeats();
  const one = repeats.one(number(1));
  expect(repeats.one(number(1))).toBe(one);
  expect(repeats.one(spread(one, [2, 3]))).toBe(repeats.one(spread(one, [2, 3])));
});

it("two where a number, a sign, a shape, a place or a variable differ", () => {
  const repeats = new Repeats();
  const zero = repeats.one(number(0));
  const elsewhere = { ...span, end: 2 };
  const all = [
    zero,
    repeats.one(number(-0)),
    repeats.one(number(0, { dtype: "i32" })),
    repeats.one(number(0, {}, elsewhere)),
    repeats.one(number(0, { let: 1 })),
    repeats.one(number(0, { let: 2 })),
    repeats.one(spread(zero, [2])),
    repeats.one(spread(zero, [3])),
    repeats.one(spread(zero, [3], elsewhere)),
  ];
  expect(new Set(all).size).toBe(all.length);
});

it("a node with other inputs of the same types keeps its type and gets an id of its own", () => {
  const sum = make("add", [number(1), number(2)], {}, span);
  const id = nextId() + 1;
  const again = withInputs(sum, [sum.inputs[0]!, number(3)]);
  expect(again).toMatchObject({ op: "add", id, span });
  expect(again.type).toBe(sum.type);
  const [a, b] = [spread(number(1), [2]), spread(number(2), [2])];
  expect(withInputs(sum, [a, b]).type.shape).toEqual([2]);
  expect(() => withInputs(sum, [a, number(1)])).toThrow("add");
});
