/** Embeddings, recurrent layers and attention against PyTorch, and language models that learn with a carried state. */
import { expect, test } from "vitest";
import { againstTorch, layerCase, run, type Case } from "./harness.ts";

const half = "init: s => 0.5 * wave(s, 1)";

const embedding: Case = {
  name: "Embedding",
  script: `
let net = Embedding(5, 4, init: s => wave(s, 1))
let y = net([[1, 4, 0], [0, 3, 1]])
print "y", y, "dw", grad(sum(y * wave([2, 3, 4], 7)), net.w)`,
};

const gru = (start: boolean): Case => ({
  name: `GRU${start ? " with a first state" : ""}`,
  script: `
let x = wave([2, 5, 3], 2)
let h0 = wave([2, 4], 6)
let net = GRU(4, ${half})
let (h, end) = net(x${start ? ", h0" : ""})
let loss = sum(h * wave([2, 5, 4], 7)) + sum(end^2)
print "h", h, "last", end, "dx", grad(loss, x), "dwx", grad(loss, net.wx), "dwh", grad(loss, net.wh)
print "db", grad(loss, net.b), "dc", grad(loss, net.c)${start ? `, "dh0", grad(loss, h0)` : ""}`,
});
const lstm = (start: boolean): Case => ({
  name: `LSTM${start ? " with a first state" : ""}`,
  script: `
let x = wave([2, 5, 3], 2)
let h0 = wave([2, 4], 6)
let c0 = wave([2, 4], 8)
let net = LSTM(4, ${half})
let (h, (end, memory)) = net(x${start ? ", h0, c0" : ""})
let loss = sum(h * wave([2, 5, 4], 7)) + sum(end^2) + sum(memory * wave([2, 4], 3))
print "h", h, "last", end, "memory", memory, "dx", grad(loss, x)
print "dwx", grad(loss, net.wx), "dwh", grad(loss, net.wh), "db", grad(loss, net.b)
${start ? `print "dh0", grad(loss, h0), "dc0", grad(loss, c0)` : ""}`,
});

/** The last state of an LSTM is (h, c). */
const hidden = (cell: string, state: string): string => (cell === "LSTM" ? `${state}[0]` : state);
const composed = ["RNN", "GRU", "LSTM"].flatMap((cell): Case[] => [
  {
    name: `Bidirectional ${cell}`,
    script: `
let x = wave([2, 5, 3], 2)
let net = Bidirectional(4, cell: ${cell}, ${half})
let (h, (forth, back)) = net(x)
let loss = sum(h * wave([2, 5, 8], 7))
print "h", h, "forth", ${hidden(cell, "forth")}, "back", ${hidden(cell, "back")}, "dx", grad(loss, x)
print "dforth", grad(loss, net.forwards.wx), "dback", grad(loss, net.backwards.wh)`,
  },
  {
    name: `Stacked ${cell}`,
    script: `
let x = wave([2, 5, 3], 2)
let net = Stacked(2, 4, cell: ${cell}, ${half})
let (h, ends) = net(x)
print "h", h, "low", ${hidden(cell, "ends[0]")}, "high", ${hidden(cell, "ends[1]")}, "dx", grad(sum(h * wave([2, 5, 4], 7)), x)`,
  },
]);

const kept = `let keep = bool([[1, 1, 0, 1, 0], [1, 0, 0, 0, 0]])`;
const attention = (name: string, more: string, keep = kept): Case => ({
  name: `attention${name}`,
  script: `
let q = 2 * wave([2, 3, 4], 2)
let k = 2 * wave([2, 5, 4], 5)
let v = wave([2, 5, 6], 8)
${keep}
let y = attention(q, k, v${more})
let loss = sum(y * wave([2, 3, 6], 7))
print "y", y, "dq", grad(loss, q), "dk", grad(loss, k), "dv", grad(loss, v)`,
});
const squared: Case = {
  name: "attention, squares",
  script: `
let q = 2 * wave([2, 3, 4], 2)
let k = 2 * wave([2, 5, 4], 5)
let v = wave([2, 5, 6], 8)
let s = sum(grad(sum(attention(q, k, v)^2), q)^2)
print "ddq", grad(s, q), "ddk", grad(s, k), "ddv", grad(s, v)`,
};

/** linear1 makes queries, keys and values, linear2 is the output. */
const multiHead = (name: string, causal: boolean, args: string): Case => ({
  name,
  script: `
let x = 2 * wave([2, 5, 6], 2)
${kept}
let net = MultiHead(3, causal: ${causal}, ${half})
let y = net(x${args})
let loss = sum(y * wave([2, 5, 6], 7))
print "y", y, "dx", grad(loss, x), "dqkv", grad(loss, net.linear1.w), "dqkv_b", grad(loss, net.linear1.b)
print "dout", grad(loss, net.linear2.w), "dout_b", grad(loss, net.linear2.b)`,
});
const cross: Case = {
  name: "CrossAttention",
  script: `
let x = 2 * wave([2, 4, 6], 2)
let m = 2 * wave([2, 5, 3], 4)
${kept}
let net = CrossAttention(2, ${half})
let y = net(x, m, keep: keep)
let loss = sum(y * wave([2, 4, 6], 7))
print "y", y, "dx", grad(loss, x), "dm", grad(loss, m), "dq", grad(loss, net.linear1.w)
print "dkv", grad(loss, net.linear2.w), "dout", grad(loss, net.linear3.w)`,
};
const additive: Case = {
  name: "AdditiveAttention",
  script: `
let q = wave([2, 3, 4], 2)
let k = wave([2, 5, 2], 5)
let v = wave([2, 5, 6], 8)
${kept}
let net = AdditiveAttention(7, init: s => wave(s, 1))
let y = net(q, k, v, keep)
let loss = sum(y * wave([2, 3, 6], 7))
print "y", y, "dq", grad(loss, q), "dk", grad(loss, k), "dv", grad(loss, v)
print "dwq", grad(loss, net.linear1.w), "dwk", grad(loss, net.linear2.w), "du", grad(loss, net.u)`,
};

/** The state at the end of a step is the first of the next. */
const learns = (name: string, cell: string, states: readonly string[]): Case => ({
  name,
  script: `
let embed = Embedding(6, 3, init: s => 0.5 * wave(s, 1))
let cell = ${cell}(5, ${half})
let head = Linear(6, ${half})
train for 5 steps {
  let ids = reshape((37 * range(24) + 11 * step) % 101 % 6, [4, 6])
${states.map((s) => `  state ${s}: [4, 5] = 0`).join("\n")}
  let (z, ${states.length > 1 ? `(${states.map((s) => `${s}_end`).join(", ")})` : `${states[0]}_end`}) = cell(embed(ids), ${states.join(", ")})
${states.map((s) => `  ${s} <- stop(${s}_end)`).join("\n")}
  let loss = cross_entropy(head(z), flip(ids, over: 1))
  metric before = last(loss)
  minimize loss over [embed, cell, head] with clip_norm(0.5) |> Adam(0.02)
  metric embed_w = last(embed.w)
  metric cell_wx = last(cell.wx)
  metric cell_wh = last(cell.wh)
  metric cell_b = last(cell.b)
  metric head_w = last(head.w)
}`,
  // PyTorch clips by the norm + 1e-6.
  tolerance: 1e-5,
});

againstTorch([
  embedding,
  gru(false),
  gru(true),
  lstm(false),
  lstm(true),
  ...composed,
  attention("", ""),
  attention(", keys kept", ", keep: keep"),
  attention(", a row that sees nothing", ", keep: keep", "let keep = bool([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0]])"),
  attention(", causal", ", causal: true"),
  attention(", causal and keys kept", ", keep: keep, causal: true"),
  squared,
  multiHead("MultiHead", false, ""),
  multiHead("MultiHead, causal", true, ""),
  multiHead("MultiHead, keys kept", false, ", keep"),
  multiHead("MultiHead, causal, keys kept", true, ", keep: keep"),
  cross,
  additive,
  { name: "positional_encoding", script: `print "p", positional_encoding(6, 8)` },
  layerCase("Pool", "wave([2, 5, 3], 2)", { net: "Pool()" }),
  layerCase("Pool, keys kept", "wave([2, 5, 3], 2)", { net: `Pool()\n${kept}`, apply: "net(x, keep)" }),
  learns("an RNN learns with a carried state", "RNN", ["h"]),
  learns("a GRU learns with a carried state", "GRU", ["h"]),
  learns("an LSTM learns with a carried state", "LSTM", ["h", "c"]),
]);

test("heads and merge_heads are inverse, and neighbouring columns go to one head", async () => {
  const got = await run(
    `let x = wave([2, 3, 6])\nprint "x", x, "again", merge_heads(heads(x, 2)), "second", heads(x, 2)[.., 1, 0..2, 0..2], "half", x[.., 3..5]`,
  );
  expect(got["again"]).toEqual(got["x"]);
  expect(got["second"]).toEqual(got["half"]);
});

test("masked hides what is not kept, and nothing without a mask", async () => {
  const got = await run(
    `let x = f32([1, 2, 3])\nprint "p", softmax(masked(x, x > 1.5)), "q", softmax(x[1..]), "all", masked(x)`,
  );
  expect(got["p"]).toEqual([0, ...got["q"]!]);
  expect(got["all"]).toEqual([1, 2, 3]);
});
