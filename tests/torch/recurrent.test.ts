/** Truncated back-propagation through time against PyTorch: states go on from batch to batch and begin anew with each epoch. */
import { againstTorch, answersOf } from "./harness.ts";

const script = (cell: string, states: string, call: string, carry: string, anew: string): string => `
let corpus = text("letters.txt") |> chars
let embed = Embedding(corpus.size, 3, init: s => 0.5 * wave(s, 1))
let cell = ${cell}(5, init: s => 0.7 * wave(s, 2))
let head = Linear(corpus.size, init: s => 0.7 * wave(s, 4))
train (x, y) in batches(windows(corpus, 8), 4, contiguous: true, drop_last: true) for 2 epochs {
  ${states}
  ${call}
  ${carry}
  let loss = cross_entropy(head(z), y)
  metric L = last(loss)
  metric size = last(norm(grad(loss, (embed, cell, head))))
  minimize loss over (embed, cell, head) with clip_norm(0.25) |> Adam(0.03)
  every epoch { ${anew} }
}`;

againstTorch(answersOf("recurrent"), {
  RNN: script("RNN", "state h: [B, 5] = 0", "let (z, last_h) = cell(embed(x), h)", "h <- stop(last_h)", "h <- 0"),
  LSTM: script(
    "LSTM",
    "state h: [B, 5] = 0\n  state c: [B, 5] = 0",
    "let (z, (last_h, last_c)) = cell(embed(x), h, c)",
    "h <- stop(last_h)\n  c <- stop(last_c)",
    "h <- 0\n    c <- 0",
  ),
});
