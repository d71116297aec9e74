/**
 * Loops on the cpu: those whose rows are apart run by ranges of rows, one for each thread, and what their products read at
 * every tick is packed before them. Which loops do, and that the bits stay those of one thread and of plain kernels,
 * whatever the rows, and whatever the body holds.
 */
import { afterAll, describe, expect, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { CpuOptions } from "../../gpu/cpu.ts";
import type { Numbers } from "../../gpu/device.ts";
import { Profile } from "../../gpu/profile.ts";
import { build as g, gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { distance, fetches, inFloat64, input, numbers, runOn } from "./harness.ts";

const opened: CpuDevice[] = [];
const open = (options: CpuOptions): CpuDevice => {
  const device = new CpuDevice({ startWorker: startNodeWorker, grain: 0, ...options });
  opened.push(device);
  return device;
};
const one = open({});
const two = open({ threads: 2 });
const three = open({ threads: 3 });
const poisoned = open({ threads: 2, debug: "poison" });
const permuted = open({ threads: 2, debug: "permute" });
const unpacked = open({ disable: ["prepack"] });
const without = open({ threads: 2, disable: ["strands"] });
afterAll(async () => {
  for (const device of opened) await device.dispose();
});

interface Sizes {
  readonly rows: number;
  readonly hidden: number;
  readonly count: number;
}
interface Tick {
  readonly h: Node;
  readonly c: Node;
  readonly x: Node;
  readonly w: Node;
  readonly tick: Node;
  readonly sizes: Sizes;
}
/** The next h and c. */
type Cell = (tick: Tick) => readonly [Node, Node];

const product = (a: Node, b: Node) => g.dot(a, b, [], [[1, 0]]);
const part = (a: Node, { rows, hidden }: Sizes, i: number) => g.slice(a, [0, i * hidden], [rows, (i + 1) * hidden]);
const unary = (op: string, a: Node) => make(op, [a]);
const sigmoid = (a: Node) => g.scale(g.add(unary("tanh", g.scale(a, 0.5)), g.like(a, 1)), 0.5);
const softmax = (a: Node) => {
  const e = unary("exp", a);
  return g.div(e, g.expandOver(g.sum(e, [1]), a.type.shape, [1]));
};

const cells: Record<string, { readonly gates: number; readonly cell: Cell }> = {
  rnn: { gates: 1, cell: ({ h, c, x, w }) => [unary("tanh", g.add(x, product(h, w))), c] },
  lstm: {
    gates: 4,
    cell: ({ h, c, x, w, sizes }) => {
      const [i, f, m, o] = [0, 1, 2, 3].map((k) => part(g.add(x, product(h, w)), sizes, k)) as [Node, Node, Node, Node];
      const next = g.add(g.mul(sigmoid(f), c), g.mul(sigmoid(i), unary("tanh", m)));
      return [g.mul(sigmoid(o), unary("tanh", next)), next];
    },
  },
  "with sums over a row": { gates: 1, cell: ({ h, c, x, w }) => [softmax(g.add(x, product(h, w))), g.add(c, h)] },
  "that reads the tick": {
    gates: 1,
    cell: ({ h, c, x, w, tick }) => {
      const late = g.expand(g.scale(g.cast(tick, "f32"), 0.01), h.type.shape, []);
      return [unary("sin", g.add(g.add(x, late), product(h, w))), g.mul(c, late)];
    },
  },
  "of maps alone": { gates: 1, cell: ({ h, c, x }) => [unary("tanh", g.add(h, x)), g.sub(c, g.scale(h, 0.5))] },
  "with two products in a row": {
    gates: 1,
    cell: ({ h, c, x, w }) => [unary("tanh", g.add(x, product(unary("sin", product(h, w)), w))), c],
  },
};

/** What rows tell each other: their mean, their products, their order. */
const together: Record<string, Cell> = {
  mean: ({ h, c, x, sizes }) => [
    unary("tanh", g.add(x, g.expandOver(g.scale(g.sum(h, [0]), 1 / sizes.rows), h.type.shape, [0]))),
    c,
  ],
  "products of rows": ({ h, c, x, sizes }) => {
    const weights = g.scale(g.dot(h, c, [], [[1, 1]]), 1 / sizes.hidden / sizes.rows);
    return [unary("tanh", g.add(x, product(weights, h))), unary("sin", g.add(c, x))];
  },
  "rows upside down": ({ h, c, x }) => [unary("tanh", g.add(make("flip", [h], { axes: [0] }), x)), c],
};

function recurrence(cell: Cell, gates: number, sizes: Sizes, reverse = false): { nodes: Node[]; inputs: Node[] } {
  const { rows, hidden, count } = sizes;
  const of = (name: string, shape: number[], dtype: "f32" | "i32" = "f32") => g.param(name, { dtype, shape });
  const [w, h, c] = [
    of("const0", [hidden, gates * hidden]),
    of("carry0", [rows, hidden]),
    of("carry1", [rows, hidden]),
  ];
  const [x, tick] = [of("scan0", [rows, gates * hidden]), of("tick", [], "i32")];
  const [nextH, nextC] = cell({ h, c, x, w, tick, sizes });
  const inputs = [
    input("batch", "w", [hidden, gates * hidden]),
    input("batch", "h", [rows, hidden]),
    input("batch", "c", [rows, hidden]),
    input("batch", "x", [count, rows, gates * hidden]),
  ];
  const body = { params: [w, h, c, x, tick], results: [nextH, nextC, nextH] };
  const loop = make("loop", inputs, { body, count, consts: 1, carries: 2, scans: 1, reverse });
  const results = [0, 1, 2].map((index) => g.pick(loop, index));
  const weighted = results.map((node) => g.sum(g.mul(node, node), node.type.shape.map((_, i) => i))); // prettier-ignore
  const grads = gradient(weighted.reduce((a, b) => g.add(a, b)), inputs); // prettier-ignore
  return { nodes: [...results, ...grads.flatMap((node) => (node ? [node] : []))], inputs };
}

const batchOf = (inputs: readonly Node[]): Record<string, Numbers> =>
  Object.fromEntries(
    inputs.map(({ attrs, type }, i) => {
      const size = type.shape.reduce((a, b) => a * b, 1);
      return [attrs["name"] as string, numbers(size, i + 3, -0.3, 0.3)];
    }),
  );
const bitsOf = (values: Numbers) => Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length));

const shapes: readonly Sizes[] = [
  { rows: 32, hidden: 16, count: 5 },
  { rows: 13, hidden: 9, count: 4 },
  { rows: 2, hidden: 132, count: 3 },
  { rows: 101, hidden: 24, count: 2 },
  { rows: 5, hidden: 332, count: 2 },
];

describe.each(Object.keys(cells))("a loop %s", (name) => {
  const { cell, gates } = cells[name] as (typeof cells)[string];
  it.each(shapes)("of $rows rows, $hidden wide: the bits of one thread", async (sizes) => {
    const { nodes, inputs } = recurrence(cell, gates, sizes, sizes.rows % 2 === 1);
    const batch = batchOf(inputs);
    const { values, prepared } = await runOn(one, nodes, batch);
    const plain = await runOn(unpacked, nodes, batch);
    expect(plain.values.map(bitsOf)).toEqual(values.map(bitsOf));
    // smaller products are sums
    const products = name !== "of maps alone" && gates * sizes.rows * sizes.hidden ** 2 > 2048;
    expect(prepared.kernels.includes("(packed)")).toBe(products);
    expect(plain.prepared.kernels).not.toContain("(packed)");
    for (const device of [two, three, poisoned, permuted, without]) {
      const ran = await runOn(device, nodes, batch);
      const apart = ran.prepared.kernels.match(/strands of \d+ rows/g) ?? [];
      expect(apart.length > 0).toBe(device !== without);
      expect(ran.values.map(bitsOf)).toEqual(values.map(bitsOf));
    }
    if (sizes.rows === 13) {
      inFloat64(nodes, batch).forEach((exact, i) => expect(distance(values[i] as Numbers, exact)).toBeLessThan(2e-5));
    }
  });
});

describe.each(Object.keys(together))("rows that meet: %s", (name) => {
  it("have no strands of their own, and the bits of one thread", async () => {
    const { nodes, inputs } = recurrence(together[name] as Cell, 1, { rows: 12, hidden: 20, count: 3 });
    const forward = nodes.slice(0, 3);
    const prepared = await two.prepare({ name: "step", outputs: fetches(forward), host: [] });
    expect(prepared.kernels).not.toMatch(/strands of/);
    const batch = batchOf(inputs);
    const { values } = await runOn(one, nodes, batch);
    expect((await runOn(two, nodes, batch)).values.map(bitsOf)).toEqual(values.map(bitsOf));
  });
});

it("loops of little work stay with the calling thread", async () => {
  const { nodes, inputs } = recurrence(cells["rnn"]!.cell, 1, { rows: 4, hidden: 16, count: 2 });
  const device = open({ threads: 2, grain: 10_000 });
  const { prepared } = await runOn(device, nodes, batchOf(inputs));
  expect(prepared.kernels).not.toMatch(/strands of/);
});

describe("a profile", () => {
  const { nodes, inputs } = recurrence(cells["lstm"]!.cell, 4, { rows: 32, hidden: 16, count: 5 });
  const batch = batchOf(inputs);

  it.each([1, 2, 3])(
    "times the kernels of one thread beside strands of %s threads, and changes no bit",
    async (threads) => {
      const device = open({ threads });
      const prepared = await device.prepare({ name: "test", outputs: fetches(nodes), host: [] });
      const alone = await one.prepare({ name: "test", outputs: fetches(nodes), host: [] });
      const run = async () => {
        const { fetched } = await device.run(prepared, { scalars: {}, batch });
        return nodes.map((_, i) => bitsOf(fetched[`r${i}`] as Numbers));
      };
      const plain = await run();
      for (const profile of [new Profile(), new Profile()]) {
        device.measure(profile);
        // the second is asked for while the first waits for its kernels
        for (const bits of await Promise.all([run(), run()])) expect(bits).toEqual(plain);
        device.measure(undefined);
        expect(await run()).toEqual(plain);
        expect(profile.kernels.length).toBeGreaterThan(0);
        for (const { text, calls } of profile.kernels) {
          expect(text).not.toMatch(/strands of/);
          expect(alone.kernels).toContain(text.split("\n")[0]);
          expect(calls % 2).toBe(0);
        }
      }
      device.release(prepared);
    },
  );

  it("names the lines of the present script, also where it was planned for another", async () => {
    const kept = new Map<string, unknown>();
    const store = {
      get: (key: string) => kept.get(key),
      put: (key: string, value: unknown) => void kept.set(key, value),
    };
    const x = input("batch", "x", [8]);
    const at = (start: number) => [make("tanh", [x], {}, { file: "a.dlx", start, end: start + 4 })];
    const values = { x: numbers(8, 1) };
    const device = open({ store });
    const profile = new Profile();
    await runOn(device, at(10), values);
    const count = kept.size;
    for (const [again, start] of [[device, 20], [open({ store }), 30], [open({ store, profile }), 40]] as const) {
      again.measure(profile);
      await runOn(again, at(start), values);
      expect(profile.kernels.flatMap(({ spans }) => spans.map((span) => span.start)).at(-1)).toBe(start);
    } // prettier-ignore
    expect(profile.kernels.flatMap(({ spans }) => spans.map((span) => span.start))).toEqual([20, 30, 40]);
    expect(kept.size).toBe(count);
  });
});
