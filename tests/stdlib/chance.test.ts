/** What is random: first values by their bounds and deviations, and Dropout. PyTorch gives the gains and fans. */
import { describe, expect, test } from "vitest";
import { devices, run, torch } from "./harness.ts";

const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length;
const deviation = (v: readonly number[]): number => Math.sqrt(mean(v.map((x) => (x - mean(v)) ** 2)));
/** Of a standard error or two: 3 % of the deviation. */
const near = (got: number, expected: number): void =>
  expect(Math.abs(got - expected)).toBeLessThan(0.03 * Math.abs(expected));

const layers = {
  Linear: (init: string) => `let f = Linear(150, init: ${init})\nlet y = f(zeros([1, 200]))\nprint "w", f.w`,
  Conv: (init: string) => `let f = Conv(64, 3, init: ${init})\nlet y = f(zeros([1, 48, 3, 3]))\nprint "w", f.w`,
};
const inits = ["he_uniform", "he_normal", "xavier_uniform", "xavier_normal"];

describe.each(devices)("first values on $device", (on) => {
  for (const [layer, script] of Object.entries(layers)) {
    test.each(inits)(`%s of ${layer}`, async (init) => {
      const expected = torch["inits"]![`${init} ${layer}`]![0]!;
      const w = (await run(script(init), on))["w"]!;
      const largest = w.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      expect(Math.abs(mean(w))).toBeLessThan(0.03 * expected);
      near(deviation(w), expected);
      if (init.endsWith("uniform")) {
        const bound = Math.sqrt(3) * expected;
        expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
        expect(largest).toBeGreaterThan(0.99 * bound);
      } else expect(largest).toBeGreaterThan(3 * expected);
    });
  }

  test("the seed chooses them, the place tells them apart", async () => {
    const script = (seed: number): string =>
      `seed ${seed}\nlet net = [Linear(5), Linear(5)]\nlet y = net(ones([2, 5]))\nprint "a", net[0].w, "b", net[1].w`;
    const [one, again, two] = [await run(script(1), on), await run(script(1), on), await run(script(2), on)];
    expect(one).toEqual(again);
    expect(one["a"]).not.toEqual(two["a"]);
    expect(one["a"]).not.toEqual(one["b"]);
  });
});

describe.each(devices)("orthogonal on $device", (on) => {
  test.each([
    ["[40, 7]", 40, 7],
    ["[7, 40]", 7, 40],
    ["[32, 32]", 32, 32],
    ["[6, 2, 3, 3]", 6, 18],
  ])("%s", async (shape, rows, columns) => {
    const { w } = await run(`print "w", orthogonal(${shape})`, on);
    const short = Math.min(rows, columns);
    const at = (i: number, k: number): number => (rows < columns ? w![i * columns + k]! : w![k * columns + i]!);
    for (let i = 0; i < short; i++)
      for (let j = 0; j < short; j++) {
        let product = 0;
        for (let k = 0; k < Math.max(rows, columns); k++) product += at(i, k) * at(j, k);
        expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-5);
      }
  });
  test("is another one for another seed, and of any sign", async () => {
    const [one, two] = [
      await run(`seed 1\nprint "w", orthogonal([8, 8])`, on),
      await run(`seed 2\nprint "w", orthogonal([8, 8])`, on),
    ];
    expect(one["w"]).not.toEqual(two["w"]);
    expect(one["w"]!.filter((v) => v < 0).length).toBeGreaterThan(16);
    expect(one["w"]!.filter((v) => v > 0).length).toBeGreaterThan(16);
  });
});

describe.each(devices)("first values of a matrix whose axes have no names of a layer, on $device", (on) => {
  test.each(["RNN", "GRU", "LSTM"])(
    "%s: fan-in is the width of the input, fan-out that of the output",
    async (cell) => {
      const got = await run(
        `let net = ${cell}(50)\nlet y = net(zeros([1, 2, 30]))\nprint "wx", net.wx, "wh", net.wh`,
        on,
      );
      const wide = { RNN: 50, GRU: 150, LSTM: 200 }[cell]!;
      for (const [name, fan] of [
        ["wx", 30],
        ["wh", 50],
      ] as const) {
        const bound = Math.sqrt(6 / (fan + wide));
        const largest = got[name]!.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
        expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
        expect(largest).toBeGreaterThan(0.99 * bound);
      }
    },
  );
});

const dropped = `
let drop = Dropout(0.3)
let w = Linear(1, init: zeros)
train for 2 steps {
  let x = ones([50, 400])
  let y = drop(x)
  metric out = last(y)
  metric dx = last(grad(sum(y), x))
  minimize mean(w(y)) over w with SGD(0.1)
}
let x = wave([3, 4])
print "x", x, "eval", drop(x)`;

describe.each(devices)("Dropout on $device", (on) => {
  test("zeros its part, keeps the mean, and is the same backward", async () => {
    const got = await run(dropped, on);
    const [y1, y2] = [got["out@1"]!, got["out@2"]!];
    expect(new Set(y1.map((v) => (v === 0 ? 0 : Math.round(v * 1e5)))).size).toBe(2);
    near(y1.filter((v) => v === 0).length / y1.length, 0.3);
    near(mean(y1), 1);
    expect(got["dx@1"]).toEqual(y1);
    expect(got["dx@2"]).toEqual(y2);
    expect(y1).not.toEqual(y2);
  });
  test("is x outside of training", async () => {
    const got = await run(dropped, on);
    expect(got["eval"]).toEqual(got["x"]);
  });
  test.each(["w", "[net, w]"])("in a block that moves %s: only where its network is trained", async (moved) => {
    const got = await run(
      `let net = [Linear(4, init: s => wave(s)), Dropout(0.5)]
let w = Linear(1)
train for 1 step {
  let y = net(wave([6, 3], 2))
  metric out = last(y)
  minimize mean(w(y)^2) over ${moved} with SGD(0.0)
}
print "y", net(wave([6, 3], 2))`,
      on,
    );
    const zeros = got["out@1"]!.filter((v) => v === 0).length;
    if (moved === "w") expect(got["out@1"]).toEqual(got["y"]);
    else expect(zeros).toBeGreaterThan(4);
  });
});
