/** A long script for measurements: `models` models of four kinds, all trained, about 12.5 lines for each. */

const kinds: readonly ((name: string) => string)[] = [
  (name) => `model ${name}(Classes: dim)(x: [B, 28, 28]) -> logits[B, Classes] {
  # a small convolutional network
  let h = x
    |> unsqueeze(1)
    |> Conv(6, 5, pad: 2) |> relu |> maxpool(2)
    |> Conv(16, 5) |> relu |> maxpool(2)
  h
    |> flatten
    |> Linear(84) |> relu |> Linear(Classes)
}`,
  (name) => `model ${name}(Classes: dim, width = 64)(x: [B, 28, 28]) -> logits[B, Classes] {
  let flat = x |> flatten
  let a = flat
    |> Linear(width)
    |> relu
    |> LayerNorm()
  let b = a |> Linear(width) |> tanh |> Dropout(0.1)
  a + b |> Linear(Classes)
}`,
  (name) => `model ${name}(Classes: dim)(x: [B, T, 28]) -> logits[B, Classes] {
  param wx: [28, 32] ~ xavier_uniform
  param wh: [32, 32] ~ xavier_uniform
  let s = scan xt in x over T with h = zeros([B, 32]) {
    h <- tanh(xt @ wx + h @ wh)
    yield mean(h)
  }
  s.h |> Linear(Classes)
}`,
  (name) => `model ${name}(Classes: dim, keep = true)(x: [B, 28, 28]) -> logits[B, Classes] {
  let rows = mean(x, over: 1)
  let inner = Linear(48)
  let h = rows |> inner |> relu |> BatchNorm()
  let g = sigmoid(h)
  let gated = keep ? h * g + (rows |> Linear(48, bias: false)) : h
  gated |> Linear(Classes)
}`,
];

export function longScript(models: number): string {
  const lines = ["seed 1", "input lr = 1e-3 in 1e-5 .. 1e-1 log", "let data = digits() |> split(val: 0.1)"];
  lines.push("let norm = standardize(data.train.image)", "");
  const names = Array.from({ length: models }, (_, i) => `Net${i + 1}`);
  names.forEach((name, i) =>
    lines.push(`## Network number ${i + 1}.`, ...kinds[i % kinds.length]!(name).split("\n"), ""),
  );
  for (let i = 0; i < models; i += 4) {
    const group = names.slice(i, i + 4);
    for (const name of group) lines.push(`let ${name.toLowerCase()} = ${name}(10)`);
    lines.push(`train fit${i} (image, label) in batches(shuffle(data.train), 100) for 1 epochs {`);
    lines.push("  let x = norm(image)");
    const logits = group.map((name) => `${name.toLowerCase()}(x)`).join(" + ");
    lines.push(`  let z = ${logits}`, "  let loss = cross_entropy(z, label)");
    lines.push(`  minimize loss over (${group.map((name) => name.toLowerCase()).join(", ")}) with Adam(lr)`);
    lines.push("  metric acc = accuracy(z, label)", "  plot loss, acc", "}", "");
  }
  return `${lines.join("\n")}\n`;
}
