/**
 * Scripts with attention over more tokens than a workgroup has room for, as hardware runs them: steps as the reference
 * takes them, the same bits twice, and nothing kept of queries by keys.
 */
import { describe, expect, test } from "vitest";
import { segmentKernels } from "../../gpu/webgpu-text.ts";
import { hardware } from "../../gpu/wgsl/index.ts";
import { segmentsOf } from "../../runtime/actions.ts";
import { MirrorDevice } from "../devices/mirror.ts";
import { compileText, runText } from "../run-script.ts";
import { gpu, open } from "./setup.ts";

const [ROWS, HEADS, STEPS] = [2, 2, 2];

const script = (tokens: number, net: string): string => `seed 7
dim B = ${ROWS}
dim T = ${tokens}
model Dropped(Heads: dim)(x: [B, T, D]) -> [B, T, D] {
  let (q, k, v) = x |> Linear(3 * D) |> split(3)
  let score = heads(q, Heads) @ heads(k, Heads).T / 3
  softmax(score |> masked(lower(T, T)), over: -1) |> Dropout(0.2) |> mixed(heads(v, Heads)) |> Linear(D)
}
fn mixed(weights, v) = weights @ v |> merge_heads
let net = ${net}
train for ${STEPS} steps {
  let x = normal([B, T, 16])
  let loss = mse(net(x), sin(x))
  minimize loss over net with clip_norm(1) |> SGD(0.1)
  plot loss
}`;

const cases = [
  ["causal, 130 tokens, two layers", 130, `[MultiHead(${HEADS}, causal: true), gelu, MultiHead(${HEADS}, causal: true)]`],
  ["with dropout, 128 tokens", 128, `Dropped(${HEADS})`],
  ["over memory, 256 tokens", 256, `MultiHead(${HEADS})`],
] as const; // prettier-ignore

/** There is no room for a row, but in memory for fewer workgroups than there are units. */
const narrow = { ...hardware, windows: 256, slices: 2 ** 14 };
const schedules = [["hardware", hardware] as const, ["hardware, rows in memory", narrow] as const];

describe.skipIf(!gpu).each(schedules)("attention on %s", (_, schedule) => {
  test.each(cases)(
    "%s: takes the steps of the reference",
    async (_, tokens, net) => {
      const device = new MirrorDevice(await open({ schedule }));
      await runText(script(tokens, net), device, { steps: STEPS });
      expect(device.worst.error, device.worst.where).toBeLessThan(1e-5);
      await device.dispose();
    },
    200_000,
  );

  test("has the same bits twice", async () => {
    const state = async () => {
      const device = await open({ schedule });
      const ran = await runText(script(128, `Dropped(${HEADS})`), device, { steps: STEPS });
      await device.dispose();
      return ran.state;
    };
    expect(await state()).toEqual(await state());
  }, 200_000);
});

const long = [
  ["causal, 2048 tokens", 2048, cases[0][2]],
  ["with dropout, 2560 tokens", 2560, cases[1][2]],
  ["over memory, of a prime number of tokens", 4211, cases[2][2]],
] as const; // prettier-ignore
const mixed = [cases[0], long[0]].map((each) => [...each, "precision mixed\n"] as const);

test.each([...[...cases, ...long].map((each) => [...each, ""] as const), ...mixed])(
  "attention, %s: keeps nothing of queries by keys: %#",
  async (_, tokens, net, before) => {
    const program = await compileText(before + script(tokens, net));
    const step = segmentsOf(program.body).find(({ name }) => name.startsWith("train"))!;
    const heads = segmentKernels(step)
      .split("\n")
      .filter((line) => /^k\d/.test(line))
      .join("\n");
    expect(heads).toMatch(tokens >= 2048 ? /chain of .* slices/ : /chain of/);
    expect(heads).not.toContain(`[${ROWS * HEADS * tokens * tokens}]`);
  },
);
