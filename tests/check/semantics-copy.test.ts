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
