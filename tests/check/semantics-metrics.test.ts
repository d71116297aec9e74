/** Metrics fold over their reader's clock; reactions, sinks, conditions with memory. */
import { describe, expect, test } from "vitest";
import { check, expectClose, mistakes, numbers, printed, prints, run } from "./semantics.ts";

const rows = "let rows = toy.linear(w: [1, 2], n: 50, noise: 0.1)\n";

describe("folds", () => {
  test("several plots of values that are no metrics: a short batch measures each under its own name", async () => {
    const { events } = await run(`let data = toy.linear(w: [1], n: 10, noise: 0)
train (x, y) in batches(data, 4) for 1 epochs {
  let a = mean(y)
  let b = 2 * a
  let c = 3 * a
  print a, b / a, c / a
  plot a, b, c
}
`);
    const steps = events.flatMap((e) => (e.event === "train" && !e.fold ? [e.metrics] : []));
    expect(steps).toHaveLength(3);
    for (const { a, b, c } of steps) {
      expect(b).toBeCloseTo(2 * Number(a), 5);
      expect(c).toBeCloseTo(3 * Number(a), 5);
    }
    const whole = events.find((e) => e.event === "train" && e.fold === "epoch");
    expect(whole).toMatchObject({ metrics: { a: expect.any(Number) as unknown } });
    const { a, b } = (whole as unknown as { metrics: Record<string, number> }).metrics;
    expect(b).toBeCloseTo(2 * a!, 5);
  });

  test("rows are weighted: a short batch counts as what it is", async () => {
    const [a, b, c] = await printed(`${rows}
      eval full (x, y) in batches(rows, 50) { metric m = mean(y^2) }
      eval parts (x, y) in batches(rows, 20) { metric m = mean(y^2) }
      print full.m
      print parts.m
      print mean(rows.y^2)`);
    expectClose(b, a, 6);
    expectClose(c, a, 6);
  });

  test("avg, total, last, lowest, highest over a pass", async () => {
    const [line] = await printed(`
      train t for 4 steps {
        metric a = avg(step)
        metric s = total(step)
        metric l = last(step)
        metric lo = lowest(-step)
        metric hi = highest(step)
        metric e = exp(avg(step)) + total(step)
      }
      print t.a, t.s, t.l, t.lo, t.hi, t.e`);
    expectClose(line, [2.5, 10, 4, -4, 4, Math.exp(2.5) + 10]);
  });

  test("a weight", async () => {
    const [line] = await printed(`
      train t for 3 steps { metric m = avg(f32(step), weight: f32(step)) }
      print t.m`);
    expectClose(line, [14 / 6]);
  });

  test("each reader has a window of its own: the step, n steps, the epoch, the last epoch", async () => {
    const lines = await prints(`${rows}
      train t (x, y) in batches(rows, 10) for 2 epochs {
        metric m = f32(step)
        print "step {m}"
        every 2 steps { print "two {m}" }
        every epoch { print "epoch {m}" }
      }
      print "after {t.m}"`);
    const of = (word: string) => lines.filter((l) => l.startsWith(word)).map((l) => numbers(l)[0]);
    expect(of("step")).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(of("two")).toEqual([1.5, 3.5, 5.5, 7.5, 9.5]);
    expect(of("epoch")).toEqual([3, 8]);
    expect(of("after")).toEqual([8]);
  });

  test("a scalar let in a sink is an average too", async () => {
    const lines = await printed(`${rows}
      train t (x, y) in batches(rows, 20) for 1 epoch {
        let loss = mean(y^2)
        every epoch { print loss, 2 * loss }
      }
      print mean(rows.y^2)`);
    expect(lines[0]![0]).toBeCloseTo(lines[1]![0]!, 3);
    expect(lines[0]![1]).toBeCloseTo(2 * lines[1]![0]!, 2);
  });

  test("a sink in the body of an eval shows the whole pass", async () => {
    const [a, b] = await printed(`${rows}
      eval e (x, y) in batches(rows, 20) {
        let m = mean(y)
        metric n = m
        print m, n
      }
      print mean(rows.y), e.n`);
    expectClose(a, b);
  });

  test("a tensor of a step is refused on a slower clock", async () => {
    expect(
      await mistakes(`${rows}train (x, y) in batches(rows, 10) for 1 epoch { let z = 2 * y
        every epoch { print z } }`),
    ).toEqual(["DLX0304 3"]);
  });

  test("names in JSON: metrics and scalars of sinks", async () => {
    const { events } = await run(`${rows}
      let f = Linear(1)
      train t (x, y) in batches(rows, 25) for 1 epoch {
        let loss = mse(squeeze(f(x), -1), y)
        minimize loss over f with SGD(1e-4)
        metric m = mean(y)
        plot loss
      }
      eval (x, y) in batches(rows, 25) { metric m = mean(y) }`);
    const names = events.flatMap((e) => ("metrics" in e ? [Object.keys(e.metrics).sort().join()] : []));
    expect(new Set(names)).toEqual(new Set(["loss,m", "m"]));
    expect(events.filter((e) => e.event === "eval").map((e) => "name" in e && e.name)).toEqual(["eval1"]);
  });
});

describe("reactions", () => {
  test("eval in a reaction, its metrics in conditions", async () => {
    const lines = await prints(`${rows}
      let f = Linear(1)
      train (x, y) in batches(rows, 25) for 30 epochs {
        minimize mse(squeeze(f(x), -1), y) over f with SGD(1e-3)
        every epoch {
          eval val (x, y) in batches(rows, 50) { metric loss = mse(squeeze(f(x), -1), y) }
          when val.loss < 0.5 {
            print "epoch {epoch} {val.loss}"
            stop
          }
        }
      }
      print "end"`);
    expect(lines).toHaveLength(2);
    expect(numbers(lines[0])[1]).toBeLessThan(0.5);
  });

  test("best, stale, rises", async () => {
    // 3 1 4 1 5 at steps 1..5
    const value = "(step == 1 ? 3.0 : step == 3 ? 4.0 : step == 5 ? 5.0 : 1.0)";
    const lines = await prints(`
      train for 5 steps {
        when best(${value}) { print "best {step}" }
        when rises(${value} > 2) { print "rises {step}" }
        when stale(-step, 3) { print "stale {step}" }
      }`);
    expect(lines.filter((l) => l.startsWith("best"))).toEqual(["best 1", "best 3", "best 5"]);
    expect(lines.filter((l) => l.startsWith("rises"))).toEqual(["rises 1", "rises 3", "rises 5"]);
    expect(lines.filter((l) => l.startsWith("stale"))[0]).toBe("stale 4");
  });

  test("stop in a when ends the block at that step", async () => {
    const { prints: lines, events } = await run(`
      train for 100 steps {
        state k = 0
        k <- k + normal([]) * 0 + 1
        when k > 6.5 { stop }
      }
      print "end"`);
    expect(lines).toEqual(["end"]);
    expect(events.filter((e) => e.event === "train").at(-1)).toMatchObject({ step: 7 });
  });

  test("every n steps with sinks only", async () => {
    expect(await prints(`train for 7 steps { every 3 steps { print "{step}" } }`)).toEqual(["3", "6"]);
  });

  test("a reaction sees committed params", async () => {
    const lines = await printed(`${rows}
      let f = Linear(1)
      train (x, y) in batches(rows, 50) for 1 epoch {
        minimize mse(squeeze(f(x), -1), y) over f with SGD(1e-3)
        every epoch { print f.w, sum(f.w) }
      }
      print f.w, sum(f.w)`);
    expectClose(lines[0], lines[1]);
  });

  test("before a first value: a dash, and conditions are false", async () => {
    const lines = await prints(`${rows}
      train (x, y) in batches(rows, 50) for 1 epoch {
        when rises(step > 5) { print "never" }
        every epoch { print "{epoch}" }
      }`);
    expect(lines).toEqual(["1"]);
  });

  test.each([
    ["minimize between ticks", "every epoch { minimize mean(f(x)) over f with SGD(0.1) }"],
    ["metric between ticks", "every epoch { metric m = 1 }"],
    ["every in a reaction", "every epoch { every 2 steps { print 1 } }"],
    ["train in a block", "train for 1 step { print 1 }"],
    ["eval on the step clock", "eval e (x, y) in batches(rows, 50) { metric m = mean(y) }"],
  ])("out of place: %s", async (_name, line) => {
    const found = await mistakes(`${rows}let f = Linear(1)
      train (x, y) in batches(rows, 50) for 1 epoch { minimize mean(f(x)) over f with SGD(0.1)
        ${line} }`);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^DLX0(306|413) 4$/);
  });
});

describe("values of each row", () => {
  const rows = `let rows = csv("rows.csv", target: "y")
`;
  const folder = { folder: import.meta.dirname };

  test("an average of [B] is the mean over all rows of the pass", async () => {
    const [mean] = await printed(
      `${rows}eval all (y) in batches(rows, 2) {
  metric bare = y
  metric written = avg(y)
  metric pairs = avg(expand(y, [B, 2]))
}
print all.bare, all.written, all.pairs
`,
      folder,
    );
    expect(mean).toEqual([6.2, 6.2, 6.2, 6.2]);
  });

  test("collect gives every row of the pass in order", async () => {
    const [all] = await printed(
      `${rows}eval all (y) in batches(rows, 2) {
  metric top = max(collect(y)) - mean(collect(y))
  metric order = collect(y)
}
print all.top, all.order
`,
      folder,
    );
    expectClose(all, [16 - 6.2, 1, 2, 4, 8, 16]);
  });

  test("functions of a folded tensor, with constants of its size", async () => {
    const script = `let rows = toy.moons(n: 40)
let net = Linear(2)
eval all (x, label) in batches(rows, 15) {
  metric counts = total(confusion(net(x), label))
  metric f1 = f1_score(total(confusion(net(x), label)))
  metric whole = mean(f1_score(total(confusion(net(x), label))))
}
print norm(all.f1 - f1_score(all.counts)), all.whole - mean(all.f1), sum(all.counts), all.whole > 0.1 ? 1 : 0
`;
    expectClose((await printed(script))[0], [0, 0, 40, 1]);
  });

  test("collect outside of an eval is a mistake", async () => {
    const { diagnostics } = await check(`let rows = toy.xor(n: 20)
train (x, label) in batches(rows, 10) for 1 epoch { metric all = collect(label) }
`);
    expect(diagnostics.map(({ code }) => code)).toEqual(["DLX0306"]);
  });
});
