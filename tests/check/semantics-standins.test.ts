/** The canonical scripts that leave pieces to their reader, with small stand-ins for these, on `reference` and `cpu`. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { Device } from "../../gpu/device.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { runText, type Ran } from "../run-script.ts";
import { numbers } from "./semantics.ts";

const script = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, `../lang/canonical/${name}.dlx`), "utf8");

const devices: Record<string, () => Device> = { reference: () => new ReferenceDevice(), cpu: () => new CpuDevice() };

/** The same numbers on every device, and no message. */
async function everywhere(text: string, steps: number, every = 1): Promise<Ran> {
  const all: Ran[] = [];
  for (const open of Object.values(devices)) {
    const ran = await runText(text, open(), { steps, every });
    expect(ran.events.filter(({ event }) => event === "error" || event === "warning")).toEqual([]);
    expect(ran.events.at(-1)).toMatchObject({ event: "end", status: "done" });
    all.push(ran);
  }
  const [oracle, ...others] = all;
  for (const other of others) {
    for (const path of Object.keys(oracle!.state)) {
      const [a, b] = [Array.from(oracle!.state[path]!), Array.from(other.state[path]!)];
      const scale = a.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
      const off = a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
      expect(off / scale, path).toBeLessThan(2e-3);
    }
  }
  return oracle!;
}

describe("canonical scripts with stand-ins", () => {
  test("3: WGAN-GP, a gradient inside of the loss", async () => {
    const above = `let data = { train: take(digits().train, 64) }
model Generator(Width: dim)(z: [B, Z]) -> [B, 28, 28] {
  z |> Linear(Width) |> leaky_relu |> Linear(784) |> sigmoid |> reshape([B, 28, 28])
}
model Critic(Width: dim)(x: [B, 28, 28]) -> [B] {
  x |> flatten |> Linear(Width) |> leaky_relu |> Linear(1) |> squeeze(-1)
}
`;
    const ran = await everywhere(
      above + script("03").replace("64) for 20 epochs", "16) for 2 epochs").replace("every 500 steps", "every 5 steps"),
      6,
    );
    const shown = ran.events.flatMap((e) => (e.event === "show" ? e.items : []));
    expect(shown.map(({ shape }) => shape)).toEqual([[8 * 28, 8 * 28]]);
  });

  test("3b: WGAN, five critic steps on fresh batches, clipped weights", async () => {
    const above = `let rows = toy.moons(n: 600)
model Net(Out: dim)(x: [B, In]) -> [B, Out] { x |> Linear(16) |> relu |> Linear(Out) }
let D = Net(1)
let G = Net(2)
`;
    const text = script("03b").replace("dim Z = 8\n", `dim Z = 8\n${above}`);
    const ran = await everywhere(text, 8);
    for (const [path, values] of Object.entries(ran.state)) {
      if (!/^D\./.test(path)) continue;
      expect(Math.max(...values.map(Math.abs)), path).toBeLessThanOrEqual(0.01 + 1e-7);
    }
    expect(Object.keys(ran.state).some((path) => path.includes(".RMSProp."))).toBe(true);
    const gaps = ran.events.flatMap((e) => (e.event === "train" && !e.fold ? [e.metrics.W] : []));
    expect(gaps).toHaveLength(8);
    expect(gaps.every((gap) => typeof gap === "number")).toBe(true);
  });

  test("4: attention by hand in a block", async () => {
    const ran = await everywhere(
      `${script("04")}
dim B = 3
dim T = 5
let block = Block(2)
let x = normal([B, T, 8])
print shape(block(x))
train for 3 steps {
  minimize mean((block(x) - 1)^2) over block with SGD(1e-2)
}
`,
      3,
    );
    expect(numbers(ran.prints[0])).toEqual([3, 5, 8]);
  });

  test("8: pretrain, then fine-tune the head only", async () => {
    const text = `dim T = 6
let rows = take(digits().train, 40) |> map(row => { tokens: i32(row.image[0..5, 0]), label: row.label % 2 })
let corpus = rows
let reviews = { train: rows }
model Bert()(tokens: [B, T]) -> [B, T, 8] { tokens |> Embedding(20, 8) |> Dropout(0.1) |> Linear(8) }
let bert = Bert()
fn masked_lm(net, tokens) = mean(net(tokens)^2)
model Pool()(x: [B, T, D]) -> [B, D] { mean(x, over: T) }
${script("08")}`;
    const ran = await everywhere(text.replaceAll(", 64)", ", 20)").replaceAll(", 32)", ", 20)"), 2);
    expect(Object.keys(ran.state).some((path) => path.startsWith("finetune.min1.Adam.m.clf.2."))).toBe(true);
    expect(Object.keys(ran.state).some((path) => path.startsWith("finetune.min1.Adam.m.bert."))).toBe(false);
  });

  test("10: cached generation writes what the whole context would", async () => {
    const below = `
dim V = 11
dim Len = 6
let net = GPT(2, 2, 8, 6, V)
fn room(net, B: dim, n: dim) = [{ k: zeros([B, n, 8]), v: zeros([B, n, 8]) } for i in 1..2]
let ids = range(Len) % V |> expand([3, Len])
let (whole, _) = net(ids)
let s = scan i in 0..5 with c = room(net, 3, 6) {
  let (z, next) = net(ids[.., i] |> unsqueeze(1), past: c, at: i)
  c <- next
  yield squeeze(z, 1)
}
print norm(s[5] - whole[Len: 5]), norm(s[2] - whole[Len: 2])
print shape(write(ids[.., 0], 6))
`;
    const ran = await everywhere(script("10") + below, 1);
    for (const gap of numbers(ran.prints[0])) expect(gap).toBeLessThan(1e-4);
    expect(numbers(ran.prints[1])).toEqual([6, 3]);
  });

  test("11: mixed precision written out", async () => {
    const above = `let data = { train: take(digits().train, 256) }
let net = [flatten, Linear(10)]
`;
    const ran = await everywhere(above + script("11").replace("for 3 epochs", "for 1 epoch"), 2);
    expect(ran.state["train1.scale"]?.[0]).toBeGreaterThan(2 ** 15);
  });

  test("12: policy gradient, an episode is a scan", async () => {
    const above = `fn cartpole(s: [B, 4], a: [B]) -> [B, 4] {
  let force = 20 * f32(a) - 10
  let (x, v, angle, spin) = (s[.., 0], s[.., 1], s[.., 2], s[.., 3])
  let push = (force + 0.05 * spin^2 * sin(angle)) / 1.1
  let turn = (9.8 * sin(angle) - cos(angle) * push) / (0.5 * (4 / 3 - 0.1 * cos(angle)^2 / 1.1))
  let go = push - 0.05 * turn * cos(angle) / 1.1
  stack([x + 0.02 * v, v + 0.02 * go, angle + 0.02 * spin, spin + 0.02 * turn], at: -1)
}
fn upright(s: [B, 4]) = f32(abs(s[.., 0]) < 2.4 and abs(s[.., 2]) < 0.21)
`;
    const text = script("12").replace("1..200", "1..20").replace("dim B = 32\n", `dim B = 32\n${above}`);
    const { events } = await runText(text, new ReferenceDevice(), { steps: 3, every: 1 });
    expect(events.filter(({ event }) => event === "error")).toEqual([]);
    const lengths = events.flatMap((e) => (e.event === "train" && !e.fold ? [e.metrics.length] : []));
    expect(lengths).toHaveLength(3);
    for (const length of lengths) {
      expect(length).toBeGreaterThan(5);
      expect(length).toBeLessThanOrEqual(20);
    }
  });
});
