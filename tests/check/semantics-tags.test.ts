/** What numbers mean and what rows share, checked where it matters; and silence wherever it is not sure. */
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { check, mistakes } from "./semantics.ts";

const rows = "let rows = toy.moons(n: 40)\nlet net = [Linear(4), relu, Linear(2)]\n";
const train = (body: string) => `${rows}train (x, label) in batches(rows, 20) for 1 epoch {\n${body}\n}`;

describe("probabilities", () => {
  test.each([
    "minimize cross_entropy(softmax(net(x)), label) over net with SGD(0.1)",
    "minimize cross_entropy(sigmoid(net(x)), label) over net with SGD(0.1)",
    "minimize net(x) |> softmax |> cross_entropy(label) over net with SGD(0.1)",
    "plot mean(softmax(softmax(net(x))))",
    "plot mean(log_softmax(softmax(net(x))))",
    "plot binary_cross_entropy(sigmoid(net(x)[.., 0]), label)",
    "plot mean(sigmoid(sigmoid(net(x))))",
  ])("%s", async (line) => expect(await mistakes(train(line))).toEqual(["DLX0601 4"]));
  test.each([
    "minimize cross_entropy(log_softmax(net(x)), label) over net with SGD(0.1)",
    "minimize cross_entropy(net(x), softmax(net(x))) over net with SGD(0.1)",
    "plot kl(softmax(net(x)), softmax(net(x) / 2))",
    "plot mean(softmax(2 * softmax(net(x))))",
    "plot mean(softmax(sigmoid(net(x))))",
    "plot mean(softmax(log(softmax(net(x)))))",
    "plot mean(log(net(x)^2 + 1))",
  ])("silent: %s", async (line) => expect(await mistakes(train(line))).toEqual([]));
  test("log, entropy and sample of declared logits", async () => {
    const model =
      "model Net()(x: [B, D]) -> logits[B, 2] { x |> Linear(2) }\nlet net = Net()\nlet z = net(normal([3, 4]))\n";
    const uses = "print log(z)\nprint entropy(z)\nprint sample(z)\nprint log(softmax(z)), exp(z), z / 2";
    expect(await mistakes(model + uses)).toEqual(["DLX0602 4", "DLX0602 5", "DLX0602 6"]);
  });
});

describe("labels", () => {
  test.each([
    ["DLX0208", "plot cross_entropy(net(x), one_hot(label, 3))"],
    ["DLX0221", "plot cross_entropy(net(x), f32(label))"],
    ["DLX0221", "plot cross_entropy(net(x), unsqueeze(label, -1))"],
    ["DLX0603", "plot cross_entropy(label, net(x))"],
    ["DLX0604", "plot mse(net(x), label)"],
    ["DLX0604", "plot mean(net(x) == label)"],
    ["DLX0605", "plot cross_entropy(net(x)[.., 0], label)"],
    ["DLX0605", "plot accuracy(argmax(net(x), over: -1), label)"],
  ])("%s: %s", async (code, line) => expect(await mistakes(train(line))).toEqual([`${code} 4`]));
  test.each([
    "plot mse(net(x), one_hot(label, 2))",
    "plot mse(net(x)[.., 0], label)",
    "plot mean(argmax(net(x), over: -1) == label)",
    "plot binary_cross_entropy(net(x)[.., 0], label)",
  ])("silent: %s", async (line) => expect(await mistakes(train(line))).toEqual([]));
});

describe("gradients for each row", () => {
  const penalty = (layer: string) => `let rows = toy.moons(n: 40)
let critic = [Linear(4), ${layer}, relu, Linear(1)]
fn penalty(x: [B, D]) = mean(norm(grad(squeeze(critic(x), -1), x, per: B), over: not B))
`;
  const use = "train (x) in batches(rows, 20) for 1 epoch { minimize penalty(x) over critic with SGD(0.1) }";
  test("through what mixes rows", async () => {
    expect(await mistakes(penalty("BatchNorm()") + use)).toEqual(["DLX0606 3"]);
    const own = "model Centre()(x: [B, D]) -> [B, D] mixes B { x - mean(x, over: B) }\n";
    expect(await mistakes(own + penalty("Centre()") + use)).toEqual(["DLX0606 4"]);
  });
  test("silent: another norm, and batch norm in eval mode", async () => {
    expect(await mistakes(penalty("LayerNorm()") + use)).toEqual([]);
    const measured = "eval all (x) in batches(rows, 20) { metric p = penalty(x) }";
    expect(await mistakes(penalty("BatchNorm()") + measured)).toEqual([]);
  });
});

describe("states and clocks", () => {
  test("an eval writes nothing", async () => {
    const block = (line: string) => `${rows}eval all (x, label) in batches(rows, 20) {\nlet z = net(x)\n${line}\n}`;
    expect(await mistakes(block("state n = 0\nn <- n + 1"))).toEqual(["DLX0347 6"]);
    expect(
      await mistakes(
        block("f <- 0.5 * params(f)")
          .replace("let z", "let y = f(x)\nlet z")
          .replace("eval", "let f = Linear(2)\neval"),
      ),
    ).toEqual(["DLX0347 7"]);
    expect(await mistakes(block("minimize mean(z) over net with SGD(0.1)"))).toEqual(["DLX0347 5"]);
  });
  test("no value needs itself in its own step", async () => {
    expect(await mistakes("let a = 0.5 * b\nlet b = a + 1")).toEqual(["DLX0328 1"]);
    expect(await mistakes(train("let seen = seen + 1"))).toEqual(["DLX0328 4"]);
    expect(await mistakes("let a = 2 * b\nlet b = 3.0")).toEqual(["DLX0327 1"]);
  });
  test("a metric does not reach the loss", async () => {
    const body = "metric loss = cross_entropy(net(x), label)\nminimize loss over net with SGD(0.1)";
    expect(await mistakes(train(body))).toEqual(["DLX0325 5"]);
  });
});

describe("silence", () => {
  const root = resolve(import.meta.dirname, "../..");
  const scripts = ["examples", "bench", "tests/lang/canonical"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".dlx"))
      .map((name) => `${folder}/${name}`),
  );
  test.each(scripts)("%s", async (name) => {
    const { diagnostics } = await check(readFileSync(join(root, name), "utf8"));
    // Fragments leave names undefined and files of data are not there; no check of this page may speak.
    const own = diagnostics.filter((d) => /^DLX06|^DLX0(116|327|328|347)$/.test(d.code));
    expect(own.map((d) => `${d.code}: ${d.title}`)).toEqual([]);
  });
});

describe("signatures that say what numbers mean", () => {
  const nll = "fn nll(p: logprob[B, C], y: index(C)[B]) = -mean(p[.., y])\ndim B = 3\nlet z = normal([B, 4])\n";
  const y = "argmax(z, over: -1)";
  test.each([
    [`${nll}print nll(softmax(z), ${y})`, "DLX0602 4"],
    [`${nll}print nll(log_softmax(z), argmax(normal([B, 5]), over: -1))`, "DLX0212 4"],
    [
      "model P(C: dim)(x: [B, D]) -> logits[B, C] { x |> Linear(C) |> softmax }\nprint ones([2, 3]) |> P(2)",
      "DLX0602 1",
    ],
    ["fn f(z: [B, C]) -> logprob[B, C] = softmax(z)\nprint f(zeros([2, 2]))", "DLX0602 1"],
    ["fn f(p: logits[B, C]) = softmax(p)\nprint f(softmax(zeros([2, 2])))", "DLX0602 2"],
    ["fn f(x: [N]) -> bool[N] = x\nprint f(zeros([2]))", "DLX0207 1"],
    ["fn f(x: [N]) -> index(3)[N] = x\nprint f(zeros([2]))", "DLX0207 1"],
    ["fn f(z: [N, C]) -> index(2)[N] = argmax(z, over: C)\nprint f(zeros([2, 3]))", "DLX0207 1"],
  ])("%s", async (script, wanted) => expect(await mistakes(script)).toEqual([wanted]));
  test.each([
    `${nll}print nll(log_softmax(z), ${y}), nll(log(softmax(z)), ${y}), nll(z - 1, ${y})`,
    "fn f(z: logits[B, C]) -> logprob[B, C] = z - log(sum(exp(z), over: C, spread: true))\nprint f(zeros([2, 2]))",
    "fn f(z: [B, C]) -> prob[B, C] { exp(z) / sum(exp(z), over: C, spread: true) }\nprint f(zeros([2, 2]))",
    "fn f(p: prob[B, C]) -> f32[B, C] = log(p)\nprint f(softmax(zeros([2, 2])))",
    "fn f(z: logits[B, C]) = softmax(z)\nprint f(log_softmax(zeros([2, 2])))",
    "fn f(x: [N]) -> f32[N] = x > 0\nprint f(zeros([2]))",
    "fn f(z: [N, C]) -> index(C)[N] = argmax(z, over: C)\nprint f(zeros([2, 3]))",
  ])("silent: %s", async (script) => expect(await mistakes(script)).toEqual([]));
});

describe("what is done cannot be chosen by a tensor", () => {
  test.each([
    ["let x = normal([3])\nif x[0] > 0 { print 1 } else { print 2 }", "DLX0306 2"],
    ["train for 1 step {\n  state s = 1.0\n  if s > 0.5 { s <- s / 2 }\n}", "DLX0306 3"],
    [
      `${rows}train (x, label) in batches(rows, 20) for 1 epoch {\n  when step > 1 { minimize mean(net(x)^2) over net with SGD(0.1) }\n}`,
      "DLX0413 4",
    ],
    ["model M()(x: [D]) {\n  param w: [D]\n  w * x\n}\nprint ones([2]) |> M()", "DLX0303 2"],
  ])("%s", async (script, wanted) => expect(await mistakes(script)).toEqual([wanted]));
});
