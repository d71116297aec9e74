/** `minimize`: versions of params, order, conditions, stages, hyperparameters that are tensors. */
import { describe, expect, test } from "vitest";
import { expectClose, messages, mistakes, numbers, printed, prints, run } from "./semantics.ts";

const data = "let rows = toy.linear(w: [1, 2], n: 40, noise: 0.1)\nlet f = Linear(1)\nlet start = f(rows.x)\n";
const loss = "mse(squeeze(f(x), -1), y)";

describe("versions", () => {
  test("one step of gradient descent, by hand", async () => {
    const [wanted, got] = await printed(`${data}
      let g = grad(mse(squeeze(start, -1), rows.y), f)
      let moved = params(f) - 1e-3 * g
      print moved
      train (x, y) in batches(rows, 40) for 1 epoch { minimize ${loss} over f with SGD(1e-3) }
      print params(f)
    `);
    expectClose(got, wanted);
  });

  test("a second minimize sees the moved params", async () => {
    const twice = await printed(`${data}
      train (x, y) in batches(rows, 40) for 1 epoch {
        minimize ${loss} over f with SGD(1e-3)
        minimize ${loss} over f with SGD(1e-3)
      }
      print f.w, f.b`);
    const epochs = await printed(`${data}
      train (x, y) in batches(rows, 40) for 2 epochs { minimize ${loss} over f with SGD(1e-3) }
      print f.w, f.b`);
    expectClose(twice[0], epochs[0]);
  });

  test("no gradient passes through a move", async () => {
    const script = (second: string) => `${data}
      let g = Linear(1)
      let start2 = g(rows.x)
      train (x, y) in batches(rows, 40) for 1 epoch {
        minimize mse(f(x), g(x)) over g with SGD(1e-3)
        minimize ${second} over f with SGD(1e-3)
      }
      print f.w, f.b`;
    // g moved by what it saw of f; for f it is a constant.
    const [a] = await printed(script("mse(f(x), g(x))"));
    const [b] = await printed(script("mse(f(x), stop(g(x)))"));
    expectClose(a, b);
  });

  test("a let above keeps the value of its moment, below it is the new one", async () => {
    const lines = await printed(`${data}
      train (x, y) in batches(rows, 40) for 1 epoch {
        let before = f.w
        minimize ${loss} over f with SGD(1e-3)
        print before, f.w - before
        let after = f.w
        print after
      }
      print f.w`);
    expectClose(lines[1], lines[2]);
    const [a, b, da, db] = lines[0]!;
    expectClose([a! + da!, b! + db!], lines[2]);
    expect(da).not.toBe(0);
  });
});

describe("stale losses", () => {
  const stale = (first: string, second: string, between = "") => `${data}
    let g = Linear(1)
    let start2 = g(rows.x)
    train (x, y) in batches(rows, 40) for 1 epoch {
      let a = ${first}
      minimize ${loss} over f with SGD(1e-3)
      ${between}
      minimize ${second} over f with SGD(1e-3)
    }`;
  test("above the move", async () => {
    expect(await mistakes(stale(loss, "a"))).toEqual(["DLX0411 11"]);
    expect(await messages(stale(loss, "a"))).toContain("they moved here");
  });
  test("only in part", async () => {
    expect(await mistakes(stale("sum(f.w^2)", `${loss} + a`))).toEqual(["DLX0411 11"]);
  });
  test("stopped, it is a constant", async () => {
    expect(await mistakes(stale("f.w", `${loss} + sum((f.w - stop(a))^2)`))).toEqual([]);
  });
  test("other params may have moved", async () => {
    expect(
      await mistakes(stale("mean(g(x))", `a * ${loss}`, "minimize mse(g(x), f(x)) over g with SGD(1e-3)")),
    ).toEqual([]);
    expect(await mistakes(stale("g(x)", "mse(f(x), g(x))", "minimize mse(g(x), f(x)) over g with SGD(1e-3)"))).toEqual(
      [],
    );
  });
  test("a snapshot from above the block is a constant", async () => {
    const lines = await printed(`${data}
      let w0 = f.w
      train (x, y) in batches(rows, 40) for 30 epochs { minimize sum((f.w - w0 - 1)^2) over f with SGD(0.1) }
      print f.w - w0`);
    expect(lines[0]![0]).toBeCloseTo(1, 2);
  });
  test("a block with `every n steps` between a loss and its minimize", async () => {
    const [a] = await printed(`${data}
      let g = Linear(1)
      train (x, y) in batches(rows, 20) for 2 epochs {
        let l = ${loss}
        every 2 steps { minimize mse(squeeze(g(x), -1), y) over g with SGD(1e-3) }
        minimize l over f with SGD(1e-3)
      }
      print f.w, f.b`);
    const [b] = await printed(`${data}
      train (x, y) in batches(rows, 20) for 2 epochs { minimize ${loss} over f with SGD(1e-3) }
      print f.w, f.b`);
    expectClose(a, b);
  });
});

describe("if, except, over", () => {
  test("if: otherwise params and slots stay", async () => {
    const { state } = await run(`${data}
      train fit (x, y) in batches(rows, 20) for 2 epochs { minimize ${loss} over f with Adam(0.1) if step % 2 == 0 }
      print f.w`);
    expect([...state["fit.min1.Adam.t"]!]).toEqual([2]);
    const { state: never } = await run(`${data}
      print f.w
      train fit (x, y) in batches(rows, 20) for 2 epochs { minimize ${loss} over f with Adam(0.1) if mean(y) > 1e9 }`);
    expect([...never["fit.min1.Adam.t"]!]).toEqual([0]);
    expect(Math.max(...never["fit.min1.Adam.m.f.w"]!.map(Math.abs))).toBe(0);
  });
  test("if: a loss that is dropped need not be finite", async () => {
    const lines = await printed(`${data}
      print f.w
      train (x, y) in batches(rows, 20) for 1 epoch {
        let l = ${loss} / 0
        minimize l over f with SGD(1.0) if finite(l)
      }
      print f.w`);
    expect(lines[1]).toEqual(lines[0]);
  });
  test("if needs a condition", async () => {
    expect(
      await mistakes(
        `${data}train (x, y) in batches(rows, 20) for 1 epoch { minimize ${loss} over f with SGD(1.0) if mean(y) }`,
      ),
    ).toEqual(["DLX0338 4"]);
  });
  test("except leaves a part as it is", async () => {
    const lines = await printed(`
      let rows = toy.linear(w: [1, 2], n: 40, noise: 0.1)
      let net = [Linear(2), Linear(1)]
      let z = net(rows.x)
      print net[0].w, net[1].w
      train (x, y) in batches(rows, 20) for 1 epoch { minimize mse(squeeze(net(x), -1), y) over net except net[0] with SGD(1e-3) }
      print net[0].w, net[1].w`);
    expect(lines[1]!.slice(0, 4)).toEqual(lines[0]!.slice(0, 4));
    expect(lines[1]!.slice(4)).not.toEqual(lines[0]!.slice(4));
  });
  test("one param can be left out", async () => {
    const lines = await printed(`${data}
      print f.w, f.b
      train (x, y) in batches(rows, 20) for 1 epoch { minimize ${loss} over f except f.b with SGD(1e-3) }
      print f.w, f.b`);
    expect(lines[1]![2]).toBe(lines[0]![2]);
    expect(lines[1]![0]).not.toBe(lines[0]![0]);
  });
  test.each([
    ["everything is excepted", `minimize ${loss} over f except f with SGD(0.1)`, "DLX0412 4"],
    ["the loss does not depend on them", "minimize mean(y) over f with SGD(0.1)", "DLX0412 4"],
    ["a loss with axes", "minimize (squeeze(f(x), -1) - y)^2 over f with SGD(0.1)", "DLX0401 4"],
    ["no optimizer", `minimize ${loss} over f with 0.1`, "DLX0326 4"],
    ["an optimizer without its list", `minimize ${loss} over f with SGD`, "DLX0321 4"],
  ])("%s", async (_name, line, wanted) => {
    expect(await mistakes(`${data}train (x, y) in batches(rows, 40) for 1 epoch { ${line} }`)).toEqual([wanted]);
  });
  test("at top level", async () => {
    expect(await mistakes(`${data}minimize mean(start) over f with SGD(0.1)`)).toEqual(["DLX0413 4"]);
  });
});

describe("optimizers", () => {
  test("stages run in order: clipping, then the step", async () => {
    const [wanted, got] = await printed(`${data}
      let g = grad(mse(squeeze(start, -1), rows.y), f)
      print params(f) - 0.1 * g / norm(g)
      train (x, y) in batches(rows, 40) for 1 epoch { minimize ${loss} over f with clip_norm(1.0) |> SGD(0.1) }
      print params(f)`);
    expectClose(got, wanted);
  });
  test("a stage after it may write p", async () => {
    const [line] = await printed(`${data}
      optimizer clip_weights(c)(p, g) { p <- clamp(p, -c, c) }
      train (x, y) in batches(rows, 40) for 1 epoch { minimize ${loss} over f with SGD(1.0) |> clip_weights(0.01) }
      print max(abs(f.w))`);
    expect(line![0]).toBeCloseTo(0.01, 6);
  });
  test("Adam by hand for three steps", async () => {
    const [a, b] = await printed(`
      model P()(x) {
        param w: [] = 2
        x * w
      }
      let f = P()
      let at = f(1.0)
      train for 3 steps { minimize f(1.0)^2 over f with Adam(0.1) }
      print f.w
      let s = for t in 1..3 with w = 2.0, m = 0.0, v = 0.0 {
        let g = 2 * w
        m <- 0.9 * m + 0.1 * g
        v <- 0.999 * v + 0.001 * g^2
        w <- w - 0.1 * (m / (1 - 0.9^t)) / (sqrt(v / (1 - 0.999^t)) + 1e-8)
      }
      print s.w`);
    expectClose(a, b);
  });
  test("a live input and a schedule as the rate", async () => {
    const script = (rate: string) => `
      input lr = 0.1 in 0 .. 1
      ${data}
      print sum(f.w)
      train (x, y) in batches(rows, 40) for 3 epochs { minimize sum(f.w) over f with SGD(${rate}) }
      print sum(f.w)`;
    const moved = async (rate: string, inputs = {}) => {
      const [a, b] = (await prints(script(rate), { inputs })).map((l) => numbers(l)[0]!);
      return a! - b!;
    };
    expect(await moved("lr")).toBeCloseTo(0.6, 4);
    expect(await moved("lr", { lr: 0.5 })).toBeCloseTo(3, 4);
    expect(await moved("linear(step, 0.3, 0, 3)")).toBeCloseTo(2 * (0.3 + 0.2 + 0.1), 4);
    expect(await moved("0.1 * epoch")).toBeCloseTo(2 * 0.6, 4);
    expect(await moved("lr / step", { lr: 0.6 })).toBeCloseTo(2 * (0.6 + 0.3 + 0.2), 4);
  });
  test("a setting that picks lines must be known: the call is named first", async () => {
    const script = `input m = 0.5 in 0 .. 1\n${data}train (x, y) in batches(rows, 40) for 1 epoch { minimize ${loss} over f with SGD(0.1, momentum: m) }`;
    expect(await mistakes(script)).toEqual(["DLX0318 5"]);
  });
  test("an optimizer that is shared keeps states of its own in each minimize", async () => {
    const { program } = await run(`${data}
      let opt = Adam(0.1)
      train fit (x, y) in batches(rows, 40) for 1 epoch {
        minimize ${loss} over f with opt
        minimize ${loss} over f with opt
      }`);
    expect(Object.keys(program.slots)).toEqual(expect.arrayContaining(["fit.min1.Adam.t", "fit.min2.Adam.t"]));
  });
  test("every n steps in place: two optimizers alternate", async () => {
    const { state } = await run(`${data}
      let g = Linear(1)
      optimizer Counting(lr)(p, g) {
        state n = 0 * p
        n <- n + 1
        p <- p - lr * g
      }
      train fit (x, y) in batches(rows, 10) for 2 epochs {
        minimize ${loss} over f with Counting(0.01)
        every 3 steps { minimize mse(squeeze(g(x), -1), y) over g with Counting(0.01) }
        minimize sum(f.w^2) over f with Counting(0.01)
      }`);
    expect([...state["fit.min1.Counting.n.f.b"]!]).toEqual([8]);
    expect([...state["fit.min2.Counting.n.g.b"]!]).toEqual([2]);
    expect([...state["fit.min3.Counting.n.f.b"]!]).toEqual([8]);
  });
});
