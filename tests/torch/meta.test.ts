/** MAML (Finn et al., 2017) against PyTorch: a loss through three inner steps of gradient descent, `scan` over tasks. */
import { expect, test } from "vitest";
import { againstTorch, answersOf } from "./harness.ts";
import { onWebGpu } from "./webgpu.ts";

const script = (inner: string, more: { readonly above?: string; readonly over?: string } = {}): string => `
let net = [Linear(5, init: s => 0.8 * wave(s, 1)), tanh, Linear(1, init: s => 0.8 * wave(s, 3))]
${more.above ?? ""}
let tasks = csv("tasks.csv") |> map(row => {
  xs: reshape(row.x[0..3], [4, 1]), ys: reshape(row.x[4..7], [4, 1]),
  xq: reshape(row.x[8..11], [4, 1]), yq: reshape(row.x[12..15], [4, 1])
})
let shaped = net(zeros([4, 1]))
train (xs, ys, xq, yq) in batches(tasks, 4) for 10 steps {
  let losses = scan (a, b, c, d) in (xs, ys, xq, yq) over B {
    let fast = for i in 1..3 with p = params(net) { p <- ${inner} }
    yield mse(net.with(fast)(c), d)
  }
  let loss = mean(losses)
  metric L = last(loss)
  metric each_task = last(losses)
  minimize loss over ${more.over ?? "net"} with Adam(0.02)
}`;

const answers = answersOf("meta");
const cases = {
  MAML: script("p - 0.3 * grad(mse(net.with(p)(a), b), p)"),
  "MAML, first order": script("p - 0.3 * stop(grad(mse(net.with(p)(a), b), p))"),
  "MAML with a learned inner rate": script("p - rate(grad(mse(net.with(p)(a), b), p))", {
    above: `model Rate()(g) {
  param lr: [1] = 0.3
  g * squeeze(lr)
}
let rate = Rate()`,
    over: "(net, rate)",
  }),
};
againstTorch(answers, cases);
onWebGpu(answers, cases, ["MAML"]);

test("the second order matters", () => {
  const [full, first] = ["MAML", "MAML, first order"].map((name) => answers[name]!);
  expect(first!["L@1"]).toEqual(full!["L@1"]);
  const apart = full!["net.0.w"]!.map((w, i) => Math.abs(w - first!["net.0.w"]![i]!));
  expect(Math.max(...apart)).toBeGreaterThan(0.1);
});
