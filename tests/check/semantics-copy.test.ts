/** `copy(net)`: a model of its own; `let t = net` is the same one. */
import { expect, test } from "vitest";
import { check, expectClose, printed } from "./semantics.ts";

const net = `seed 2
model Net()(x: [B, D]) -> [B, 1] { x |> Linear(4) |> tanh |> Linear(1) }
let net = Net()
let x = normal([6, 3])
let y = net(x)
`;
const train = `train for 5 steps { minimize mean((net(x) - 1)^2) over net with SGD(0.1) }
`;

test("a copy keeps what the model was, and learns alone", async () => {
  const [values] = await printed(`${net}let before = copy(net)
let shared = net
${train}let after = copy(net)
print norm(before(x) - y), norm(after(x) - net(x)), norm(shared(x) - net(x))
print norm(net(x) - y) > 0.01 ? 1 : 0
train for 5 steps { minimize mean(after(x)^2) over after with SGD(0.1) }
print norm(after(x) - net(x)) > 0.01 ? 1 : 0, norm(params(after)) / norm(params(net)) == 1 ? 1 : 0
`);
  expectClose(values, [0, 0, 0]);
});

test("it is told apart by name in checkpoints and metrics", async () => {
  const { program } = await check(`${net}let target = copy(net)\nprint norm(target(x))\n`);
  const params = Object.values(program!.slots).filter(({ kind }) => kind === "param");
  expect(params.map(({ path }) => path).sort()).toEqual([
    "net.linear1.b", "net.linear1.w", "net.linear2.b", "net.linear2.w",
    "target.linear1.b", "target.linear1.w", "target.linear2.b", "target.linear2.w",
  ]); // prettier-ignore
});

test("mistakes: before it was applied, in a block, of a number", async () => {
  const codes = async (text: string) => (await check(text)).diagnostics.map(({ code }) => code);
  expect(await codes("let f = Linear(2)\nlet g = copy(f)\n")).toEqual(["DLX0316"]);
  expect(await codes(`${net}train for 1 step { let g = copy(net) }\n`)).toEqual(["DLX0306"]);
  expect(await codes("let g = copy(3)\n")).toEqual(["DLX0326"]);
});

test("a copy is a target that follows slowly: bundles of one kind of model meet", async () => {
  const lines = await printed(`${net}let target = copy(net)
train for 3 steps {
  minimize mean((net(x) - 1)^2) over net with SGD(0.1)
  let want = 0.9 * params(target) + 0.1 * params(net)
  target <- want
  metric off = norm(params(target) - want)
}
train after for 40 steps { target <- 0.5 * (params(net) + params(target)) }
print norm(params(target) - params(net)) / norm(params(net)), dot(params(net), params(target)) > 0 ? 1 : 0
`);
  expectClose(lines.at(-1), [0, 1]);
  const codes = async (text: string) => (await check(text)).diagnostics.map(({ code }) => code);
  const two = "let f = Linear(2)\nlet g = Linear(3)\nlet y = f(ones([1, 2])) |> g\n";
  expect(await codes(`${two}print norm(params(f) + params(g))\n`)).toEqual(["DLX0210"]);
});

test("a condition chooses leaf by leaf", async () => {
  const [values] = await printed(`${net}let p = params(net)
print norm(where(p > 0, p, 0 * p) - max(p, 0)), norm((p > 0 ? p : 0) - max(p, 0))
`);
  expectClose(values, [0, 0]);
});

test("size: of a model, of a list of models, of rows, of a list", async () => {
  expect(
    await printed(`let one = Linear(3)
let nets = [[Linear(3), relu, Linear(1)] for i in 1..2]
let rows = toy.moons(n: 20)
let ys = [n(rows.x) for n in nets]
print size(one(rows.x)), size(one), size(nets[0]), size(nets), size(rows), size(ys)
`),
  ).toEqual([[60, 9, 13, 26, 20, 2]]);
});
