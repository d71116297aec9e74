/** Mode belongs to the block, states are committed in order, and what is not trained is in eval mode. */
import { describe, expect, test } from "vitest";
import { expectClose, mistakes, numbers, printed, prints } from "./semantics.ts";

const rows = "let rows = toy.linear(w: [1, 2], n: 40, noise: 0.1)\n";

describe("dropout", () => {
  test("drops in train, passes elsewhere", async () => {
    const [top, train, epoch, evaluated] = await printed(`
      let net = [Dropout(0.5), Linear(1)]
      let drop = Dropout(0.5)
      ${rows}
      print sum(drop(ones([400])))
      train (x, y) in batches(rows, 40) for 1 epoch {
        print mean(drop(ones([4000])))
        minimize mse(squeeze(net(x), -1), y) over net with SGD(0.0)
        every epoch { print sum(drop(ones([400]))) }
      }
      eval e (x, y) in batches(rows, 40) { metric m = sum(drop(ones([400]))) }
      print e.m
    `);
    expect(top).toEqual([400]);
    expect(train![0]).not.toBe(1);
    expect(Math.abs(train![0]! - 1)).toBeLessThan(0.1);
    expect(epoch).toEqual([400]);
    expect(evaluated).toEqual([400]);
  });

  test("a frozen part does not drop", async () => {
    const lines = await printed(`
      let a = [Linear(200), Dropout(0.5)]
      let b = Linear(1)
      ${rows}
      train (x, y) in batches(rows, 40) for 1 epoch {
        let h = a(x)
        print sum(f32(h == 0))
        minimize mse(squeeze(b(h), -1), y) over b with SGD(0.0)
      }
      train (x, y) in batches(rows, 40) for 1 epoch {
        let h = a(x)
        print sum(f32(h == 0))
        minimize mse(squeeze(b(h), -1), y) over (a, b) with SGD(0.0)
      }
    `);
    expect(lines[1]![0]).toBeGreaterThan(1000);
    expect(lines[0]![0]).toBe(0);
  });
});

describe("batch norm", () => {
  const bn = (body: string) => `
    let bn = BatchNorm()
    let f = Linear(1)
    ${rows}
    print bn(rows.x[0..3])
    ${body}
    print bn.run_mean, bn.run_var
  `;
  const train = (over: string) =>
    `train (x, y) in batches(rows, 20) for 2 epochs { minimize mse(squeeze(f(bn(x)), -1), y) over ${over} with SGD(1e-3) }`;
  const still = [0, 0, 1, 1];

  test("running statistics move in training", async () => {
    const lines = await printed(bn(train("(bn, f)")));
    expect(lines.at(-1)).not.toEqual(still);
  });
  test.each([
    ["in eval", "eval e (x, y) in batches(rows, 20) { metric m = mse(squeeze(f(bn(x)), -1), y) }"],
    ["at top level", "print bn(rows.x)"],
    ["outside of over", train("f")],
    ["in except", train("(bn, f) except bn")],
  ])("they stay %s", async (_name, body) => {
    expect((await printed(bn(body))).at(-1)).toEqual(still);
  });

  test("by the formula: the first step moves a tenth of the way to the statistics of the batch", async () => {
    const [wanted, got] = await printed(`
      let bn = BatchNorm()
      let f = Linear(1)
      ${rows}
      let (m, v) = moments(rows.x, over: 0)
      print 0.1 * m, 0.9 + 0.1 * v * 40 / 39
      train (x, y) in batches(rows, 40) for 1 epoch { minimize mse(squeeze(f(bn(x)), -1), y) over (bn, f) with SGD(1e-3) }
      print bn.run_mean, bn.run_var
    `);
    expectClose(got, wanted);
  });

  test("two applications in one step commit one after the other", async () => {
    const [wanted, got] = await printed(`
      let bn = BatchNorm()
      ${rows}
      let (m, v) = moments(rows.x, over: 0)
      let (m2, v2) = moments(2 * rows.x, over: 0)
      print 0.9 * 0.1 * m + 0.1 * m2
      train (x, y) in batches(rows, 40) for 1 epoch { minimize mean(bn(x)) + mean(bn(2 * x)) over bn with SGD(1e-3) }
      print bn.run_mean
    `);
    expectClose(got, wanted);
  });
});

describe("state", () => {
  test("commits in order: later lines see it", async () => {
    const lines = await prints(`
      train for 3 steps {
        state k = 0
        k <- k + 1
        let a = k
        k <- 10 * k
        print "{a} {k}"
      }
    `);
    expect(lines.map(numbers)).toEqual([
      [1, 10],
      [11, 110],
      [111, 1110],
    ]);
  });

  test("keeps its value in eval", async () => {
    const lines = await printed(`
      model Count()(x) {
        state n = 0
        n <- n + 1
        n + 0 * x
      }
      let c = Count()
      print c(1.0)
      train for 2 steps { print c(1.0) }
      eval e { metric m = c(1.0) }
      print e.m, c(1.0)
    `);
    expect(lines).toEqual([[0], [1], [2], [2, 2]]);
  });

  test("a first value may be drawn; draws below it are those of the short batch too", async () => {
    const [a, b] = await printed(`
      ${rows}
      train (x) in batches(rows, 30) for 1 epoch {
        state s = normal([2])
        print sum(s), uniform([])
      }
    `);
    expect(a![0]).toBe(b![0]);
    expect(a![1]).not.toBe(b![1]);
  });

  test("an axis B needs drop_last", async () => {
    const block = (last: string) => `
      ${rows}
      train (x, y) in batches(rows, 30${last}) for 1 epoch {
        state h: [B] = 0
        h <- h + y
        print sum(h)
      }`;
    expect(await mistakes(block(""))).toEqual(["DLX0339 5"]);
    expect(await mistakes(block(", drop_last: true"))).toEqual([]);
  });

  test("a state cannot begin with a batch, which comes later", async () => {
    const script = `${rows}
      train (x, y) in batches(rows, 40) for 1 epoch {
        state h = 2 * y
        print sum(h)
      }`;
    expect(await mistakes(script)).toEqual(["DLX0304 4"]);
  });

  test("a metric cannot flow back", async () => {
    const script = `${rows}
      train (x, y) in batches(rows, 40) for 1 epoch {
        state h = 0
        metric m = mean(y)
        h <- m
      }`;
    expect(await mistakes(script)).toEqual(["DLX0325 5"]);
  });
});
