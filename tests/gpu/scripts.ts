/**
 * Training scripts whose kernels are counted, and what the compiler makes of them under the base limits of WebGPU.
 * Written with the standard library, or with the library's own definitions pasted in under other names.
 */
import { dotScratch } from "../../gpu/wasm/blocks.ts";
import { lower } from "../../gpu/lower.ts";
import type { LowerOptions } from "../../gpu/lower.ts";
import { planArena } from "../../gpu/plan.ts";
import type { Plan } from "../../gpu/plan.ts";
import type { Lowered } from "../../gpu/program.ts";
import { statsOf } from "../../gpu/stats.ts";
import type { Stats } from "../../gpu/device.ts";
import { optimize } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { compile, renderDiagnostic } from "../../lang/index.ts";
import type { Facts, Output, Segment } from "../../lang/program.ts";
import { prelude } from "../../stdlib/index.ts";

const over = (net: string, size: number, call: string) => `
let data = mnist()
let net = ${net}
train (image, label) in batches(shuffle(data.train), ${size}) for 1 epochs {
  let z = ${call}
  let loss = cross_entropy(z, label)
  minimize loss over net with OPTIMIZER
}`;

const attention = `
model Block(Heads: dim)(x: [B, T, D]) -> [B, T, D] {
  let a = x + (x |> LayerNorm() |> MultiHead(Heads, causal: true))
  a + (a |> LayerNorm() |> Linear(4 * D) |> gelu |> Linear(D))
}
model GPT(Depth: dim, D: dim, V: dim)(ids: [B, T]) {
  param tok: [V, D] ~ he_uniform
  param pos: [T, D] ~ he_uniform
  let s = for i in 1..Depth with x = tok[ids] + pos { x <- x |> Block(4) }
  s.x |> LayerNorm() |> Linear(V)
}
let net = GPT(4, 128, 65)
train for 5 steps {
  let ids = range(16 * 64) * 37 % 65
  let z = net(reshape(ids, [16, 64]))
  let loss = cross_entropy(z, reshape((ids + 3) % 65, [16, 64]))
  minimize loss over net with OPTIMIZER
}`;

export const scripts = {
  mlp: over("[flatten, Linear(256), relu, Linear(128), relu, Linear(10)]", 128, "net(image)"),
  lenet: over(
    "[x => unsqueeze(x, 1), Conv(6, 5, pad: 2), relu, x => maxpool(x, 2), Conv(16, 5), relu, x => maxpool(x, 2), flatten, Linear(120), relu, Linear(84), relu, Linear(10)]",
    64,
    "net(image)",
  ),
  rnn: `
let data = mnist()
let rnn = RNN(64)
let head = Linear(10)
train (image, label) in batches(shuffle(data.train), 64) for 1 epochs {
  let (h, last) = rnn(image)
  let loss = cross_entropy(head(last), label)
  minimize loss over [rnn, head] with OPTIMIZER
}`,
  gpt: attention,
} as const;

/** Every definition of the library, and its name wherever it is used, with another name. */
export function renamed(script: string): string {
  const library = prelude.map(({ text }) => text.replaceAll(/^#.*$/gm, "")).join("\n");
  const names = [...library.matchAll(/^(?:fn|model|optimizer) (\w+)/gm)].map((match) => match[1] as string);
  const word = new RegExp(`(?<![.\\w])(${names.join("|")})(?![\\w:])`, "g");
  return `${library}\n${script}`.replaceAll(word, (name) => (/^[A-Z]/.test(name) ? `Other${name}` : `other_${name}`));
}

const facts: Facts = {
  fields: { image: { dtype: "f32", shape: [28, 28] }, label: { dtype: "i32", shape: [], classes: 10 } },
  rows: 70000,
  parts: { train: 60000, test: 10000 },
};

/** The segment of one step. */
export async function stepOf(script: string, optimizer: string): Promise<Segment> {
  const result = await compile(
    { file: "count.dlx", text: script.replace("OPTIMIZER", optimizer) },
    { prelude, facts: async () => facts, readModule: async () => undefined },
  );
  if (!result.program) {
    throw new Error(result.diagnostics.map((d) => renderDiagnostic(d, [...result.sources])).join("\n"));
  }
  const block = result.program.body.find((action) => action.kind === "train");
  const first = block?.kind === "train" ? block.step[0] : undefined;
  if (!first || !("segment" in first)) throw new Error("expected a train block with a step");
  return first.segment;
}

/** What every WebGPU device can do. */
export const baseLimits: LowerOptions = {
  disable: new Set(),
  maxParams: 64,
  maxBindings: 8,
  maxBindingBytes: 2 ** 27,
  minGrid: 8,
  dotScratch,
};

export interface Counted {
  readonly lowered: Lowered;
  readonly plan: Plan;
  readonly stats: Stats;
}

export function count(outputs: readonly Output[], options: LowerOptions = baseLimits): Counted {
  const nodes = optimize(outputs.map((output) => output.node));
  const wanted = outputs.map(({ role }, i) => {
    const node = nodes[i] as Node;
    return role.kind === "commit" ? { node, place: { kind: "stage", path: role.path } as const } : { node };
  });
  const lowered = lower(wanted, options);
  const plan = planArena(lowered.buffers, lowered.tape, lowered.outputs, lowered.kernels);
  return { lowered, plan, stats: statsOf(lowered, plan) };
}
