/** `show`, `record`, and `minimize along`. */
import { describe, expect, test } from "vitest";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { picture } from "../../runtime/sinks/picture.ts";
import { runText } from "../run-script.ts";
import { check, expectClose, numbers, prints, run } from "./semantics.ts";

const point = `model Point()() -> [2] {
  param w: [2] = 3
  w
}
let f = Point()
`;

describe("show and record", () => {
  test("what is shown is an event with its values; what has no shape is printed", async () => {
    const { events } = await run(`let x = range(6) |> reshape([2, 3])
show f32(x), twice: 2 * x[0], pair: (1, 2)
`);
    expect(events.filter(({ event }) => event === "show" || event === "print")).toEqual([
      { event: "print", text: "pair (1, 2)" },
      {
        event: "show",
        items: [
          { label: "f32(x)", shape: [2, 3], values: [0, 1, 2, 3, 4, 5] },
          { label: "twice", shape: [3], values: [0, 2, 4] },
        ],
      },
    ]);
  });

  test("a record names the place of the training", async () => {
    const { events } = await run(`train for 4 steps {
  state n = 0
  n <- n + 1
  metric sum_n = total(n)
  every 2 steps { record sum_n, both: [n, 2 * n] }
}
`);
    expect(events.filter(({ event }) => event === "record")).toEqual([
      { event: "record", step: 2, epoch: 1, metrics: { sum_n: 3, both: [2, 4] } },
      { event: "record", step: 4, epoch: 1, metrics: { sum_n: 7, both: [4, 8] } },
    ]);
  });

  test("an image is drawn in greys, other tensors by their range", () => {
    const ramp = { label: "x", shape: [4, 10], values: Array.from({ length: 40 }, (_, i) => i % 10) };
    expect(picture(ramp, 80)).toEqual(["x  [4, 10]  0 .. 9", "  ░░▒▒▓▓██", "  ░░▒▒▓▓██"]);
    expect(picture(ramp, 5)).toEqual(["x  [4, 10]  0 .. 9", " ░▒▓█"]);
    expect(picture({ label: "v", shape: [3], values: [1, NaN, 2] }, 80)).toEqual(["v  [3]  1 .. 2"]);
    expect(picture({ label: "v", shape: [1], values: [NaN] }, 80)).toEqual(["v  [1]  no finite value"]);
    expect(picture({ label: "flat", shape: [4, 4], values: Array(16).fill(7) }, 80)[1]).toBe("");
  });
});

describe("minimize along a given gradient", () => {
  test("moves as the loss whose gradient it is", async () => {
    const script = (move: string) => `${point}train for 5 steps {
  let loss = sum(f()^4)
  ${move}
}
print f.w
`;
    const [plain] = await prints(script("minimize loss over f with Adam(0.1)"));
    const [along] = await prints(script("let g = grad(loss, f)\n  minimize along(g, f) over f with Adam(0.1)"));
    expect(along).toBe(plain);
    const [half] = await prints(script("minimize along(grad(loss, f) / 2, f) over f with SGD(0.002)"));
    expectClose(numbers(half), numbers((await prints(script("minimize loss over f with SGD(0.001)")))[0]));
  });

  test("a step that does not hold is dropped whole, also when its gradient is infinite", async () => {
    const lines = await prints(`${point}train for 4 steps {
  state scale = 2.0
  let g = grad(scale * sum(f()^2) * (step == 2 ? 1e300 * 1e300 : 1.0), f) / scale
  let ok = finite(norm(g))
  minimize along(g, f) over f with SGD(0.1) if ok
  scale <- ok ? scale * 2 : scale / 2
}
print f.w
`);
    expectClose(numbers(lines[0]), Array(2).fill(3 * 0.8 ** 3));
  });

  test("an infinite gradient stops the training before it is used", async () => {
    const { events, state } = await runText(
      `${point}train for 4 steps {
  minimize along(grad(sum(f()^2) * (step == 3 ? 1e300 * 1e300 : 1.0), f), f) over f with SGD(0.1)
}
`,
      new ReferenceDevice(),
    );
    expect(events.find(({ event }) => event === "error")).toMatchObject({ diagnostic: { code: "DLX0701" } });
    expectClose([...state["f.w"]!], Array(2).fill(3 * 0.8 ** 2));
  });

  test("mistakes", async () => {
    const codes = async (line: string) =>
      (await check(`${point}train for 1 step { ${line} }`)).diagnostics.map(({ code }) => code);
    expect(await codes("minimize along(sum(f()), f) over f with SGD(1)")).toEqual(["DLX0326"]);
    expect(await codes("minimize along(grad(sum(f()), f)) over f with SGD(1)")).toHaveLength(1);
    expect(await codes("minimize along(grad(sum(f()), f), f, 1) over f with SGD(1)")).toHaveLength(1);
  });
});
