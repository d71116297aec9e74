/**
 * The words of the language: how each is written, what it means, a line that uses it. The table has every word that the
 * tokens know; units stand together under `epoch`.
 */
import type { ReservedWord, SoftWord } from "../syntax/tokens.ts";

export interface WordDoc {
  readonly form: string;
  readonly meaning: string;
  readonly example: string;
}

export const words: Readonly<Record<ReservedWord | SoftWord | "epoch" | "step" | "training", WordDoc>> = {
  let: {
    form: "let name = value",
    meaning:
      "Names a value. It is never changed, and a name has one definition in its block. `let (a, b) = pair` takes a tuple apart.",
    example: "let (a, b) = (1, [10, 20, 30])",
  },
  dim: {
    form: "dim Name = size",
    meaning: "Declares an axis and its size; axes begin with a capital letter.",
    example: "dim Hidden = 128",
  },
  input: {
    form: "input name = value in domain log",
    meaning:
      "What a person may change: a float is live and sampled at every step, a whole number, a choice or a toggle shapes the program. `log` asks for a logarithmic slider.",
    example: "input lr = 1e-3 in 1e-5 .. 1e-1 log",
  },
  seed: { form: "seed number", meaning: "The seed of all random numbers of the script.", example: "seed 1" },
  precision: {
    form: "precision mixed",
    meaning:
      "The precision of what follows. `mixed`: products take and give half precision and sum in f32; the loss is scaled, and a step that overflows is skipped and counted as the metric `skipped`.",
    example: "precision f32",
  },
  fn: {
    form: "fn name(parameters) -> type = value",
    meaning:
      "Defines a function: `= value` or a block, whose last expression is the value. Types are lenses: inside, axes carry the names that the signature gives.",
    example: "fn hypotenuse(a, b) = sqrt(a^2 + b^2)",
  },
  import: {
    form: 'import Name from "./file.dlx"',
    meaning: "Takes names of the top level of another file.",
    example: 'import Block from "./blocks.dlx"',
  },
  model: {
    form: "model Name(settings)(x: type) -> type { }",
    meaning:
      "Defines a model: what it is, then what it acts on. The first list makes an instance with params of its own, the second applies it. `mixes B` says that rows of a batch meet.",
    example: "model Half(Out: dim)(x: [B, In]) -> [B, Out] { x |> Linear(Out) |> relu }",
  },
  optimizer: {
    form: "optimizer Name(settings)(p, g) { }",
    meaning: "Defines an optimizer on bundles: p the params, g their gradients, leaf by leaf.",
    example: "optimizer Descent(lr = 1e-2)(p, g) { p <- p - lr * g }",
  },
  param: {
    form: "param name: type ~ first or = value if condition",
    meaning: "A parameter of a model: `~ f` calls f on the shape; `= value if c` is a constant where c does not hold.",
    example: "model Scale()(x: [.., D]) {\n  param scale: [D] = 1\n  x * scale\n}",
  },
  state: {
    form: "state name = value",
    meaning: "Keeps a value from step to step; `name <- value` changes it, in training only.",
    example: "model Count()(x) {\n  state n = 0\n  n <- n + 1\n  x + n\n}",
  },
  train: {
    form: "train name (fields) in rows for 5 epochs { }",
    meaning:
      "Runs its body once for each batch: for epochs, steps or a time. Without rows it is one step after another.",
    example: "train (x, y) in batches(toy.linear(w: [2]), 20) for 3 epochs { plot mean(y) }",
  },
  eval: {
    form: "eval name (fields) in rows { metric m = value }",
    meaning: "Measures: goes over the rows once and writes nothing. Its metrics are read as `name.m` after it.",
    example: "eval all (x, y) in batches(toy.linear(w: [2]), 20) { metric height = mean(y) }",
  },
  minimize: {
    form: "minimize loss over net except part with optimizer if condition",
    meaning:
      "Moves the params of `net` downhill on the loss: gradients, then the optimizer. Below it the params are the new ones.",
    example: "let net = Linear(1)\ntrain for 10 steps { minimize sum(net(ones([2, 3]))^2) over net with SGD(1e-2) }",
  },
  metric: {
    form: "metric name = value",
    meaning:
      "A number that folds over the clock of its reader: the step for a plot, the epoch for an epoch's print, the pass for an `eval`. A bare value is the mean of rows.",
    example: "eval all (x, label) in batches(toy.xor(), 20) { metric ones = mean(label) }",
  },
  repeat: {
    form: "repeat 5 { }",
    meaning:
      "Inner steps within a step, also over rows of their own: `repeat (x) in batches(rows, 64) for 5 steps { }`.",
    example: "train for 100 steps { repeat 5 { plot 1.0 } }",
  },
  every: {
    form: "every epoch { } or every 100 steps { } or every 10 seconds { }",
    meaning:
      "Between steps, at the end of an epoch, after n steps or by the clock on the wall. With `minimize` inside it runs in its place after steps n, 2n, …",
    example: 'train (x) in batches(toy.xor(), 20) for 2 epochs { every epoch { print "epoch {epoch}" } }',
  },
  when: {
    form: "when condition { }",
    meaning: "Runs on each tick of its clock where the condition holds; `rises(c)` for the edge only.",
    example: "train for 100 steps { when step == 50 { stop } }",
  },
  print: {
    form: "print value, value",
    meaning: 'Writes values; a text holds values in braces with an optional format: "{loss:.4f}".',
    example: 'print "pi is {pi:.3f}"',
  },
  plot: {
    form: "plot value, value",
    meaning: "Draws scalars over the steps.",
    example: "train for 10 steps { plot 1 / step }",
  },
  show: {
    form: "show image",
    meaning: "Shows a tensor as an image.",
    example: "train for 10 steps { show normal([28, 28]) }",
  },
  record: {
    form: "record value",
    meaning: "Keeps a value of each step for later.",
    example: "train for 10 steps { record 1 / step }",
  },
  save: {
    form: 'save net to "file.safetensors"',
    meaning: "Writes all params and states of a model, atomically; `load` reads them.",
    example: 'let net = Linear(1)\nprint net(ones([2, 3]))\nsave net to "net.safetensors"',
  },
  yield: {
    form: "yield value",
    meaning: "What a pass of `scan` or `for` gives; stacked where the axis stood.",
    example: "print scan i in 1..4 with s = 0.0 {\n  s <- s + i\n  yield s\n}",
  },
  assert: {
    form: "assert condition",
    meaning: "In a `test`: the condition must hold.",
    example: 'test "square" { assert close(3.0^2, 9.0) }',
  },
  if: {
    form: "if condition { } else { }",
    meaning:
      "A value by a condition: known now, it picks a branch; a tensor, both are computed, element by element. Short: `c ? a : b`.",
    example: "let size = if true { 1 } else { 2 }",
  },
  else: {
    form: "if condition { } else { }",
    meaning: "The other branch of `if`.",
    example: "let size = if false { 1 } else { 2 }",
  },
  for: {
    form: "for i in 1..n with x = x0 { }",
    meaning:
      "Unrolled: types may change from pass to pass. At top level a sequence of runs with fresh state each. In heads of blocks: for how long.",
    example: "let three = for i in 1..3 with x = 1.0 { x <- 2 * x }",
  },
  in: {
    form: "for i in 1..n",
    meaning: "What a loop or a block goes over; of an `input` its domain.",
    example: "let squares = [i^2 for i in 1..5]",
  },
  scan: {
    form: "scan xt in x over T with h = h0 { }",
    meaning: "Walks along an axis and carries values: a recurrence, with back-propagation through time.",
    example: "print scan i in 1..4 with s = 0.0 {\n  s <- s + i\n  yield s\n}",
  },
  iterate: {
    form: "iterate n with v = v0 { }",
    meaning: "Repeats n times; the value is the last carry.",
    example: "print iterate 20 with v = ones([2]) { v <- v / (1 + v) }",
  },
  and: { form: "a and b", meaning: "True where both are true.", example: "print 1 < 2 and 2 < 3" },
  or: { form: "a or b", meaning: "True where one of them is true.", example: "print 1 > 2 or 2 < 3" },
  not: {
    form: "not a",
    meaning: "True where a is false. `over: not B` means all axes but B.",
    example: "print not (1 > 2)",
  },
  true: { form: "true", meaning: "The condition that holds.", example: "let bias = true" },
  false: { form: "false", meaning: "The condition that does not hold.", example: "let bias = false" },
  none: { form: "none", meaning: "No value: an argument that is left out.", example: "let mask = none" },
  over: {
    form: "minimize loss over net, scan xt in x over T, sum(x, over: C)",
    meaning: "What is moved, or along which axis.",
    example: "dim C = 3\nprint sum(ones([2, C]), over: C)",
  },
  with: {
    form: "minimize … with optimizer, scan … with h = h0",
    meaning: "By which optimizer, or with which carried values. `net.with(p)` is net with other params.",
    example: "let three = for i in 1..3 with x = 1.0 { x <- 2 * x }",
  },
  except: {
    form: "minimize loss over net except part with optimizer",
    meaning: "Params that are not moved.",
    example:
      "let head = Linear(1)\nlet net = [Linear(4), head]\ntrain for 10 steps { minimize sum(net(ones([2, 3]))^2) over net except head with SGD(1e-2) }",
  },
  to: {
    form: 'save net to "file"',
    meaning: "The file that is written.",
    example: 'let net = Linear(1)\nprint net(ones([2, 3]))\nsave net to "net.safetensors"',
  },
  from: {
    form: 'import Name from "./file.dlx"',
    meaning: "The file that is read.",
    example: 'import Block from "./blocks.dlx"',
  },
  mixes: {
    form: "model Name()(x: [B, C]) -> [B, C] mixes B { }",
    meaning: "Rows of this axis meet in the model, so a gradient `per: B` is not that of a row alone.",
    example: "model Centre()(x: [B, C]) -> [B, C] mixes B { x - mean(x, over: B) }",
  },
  log: {
    form: "input … log",
    meaning: "A logarithmic slider; elsewhere `log(x)` is the natural logarithm.",
    example: "input lr = 1e-3 in 1e-5 .. 1e-1 log",
  },
  test: {
    form: 'test "name" { }',
    meaning: "Checked with the script; run by `dlx test`.",
    example: 'test "square" { assert close(3.0^2, 9.0) }',
  },
  stop: {
    form: "stop",
    meaning: "Ends the block it stands in; `stop(x)` is x as a constant for gradients.",
    example: "train for 100 steps { when step == 50 { stop } }",
  },
  epoch: {
    form: "epoch",
    meaning:
      "The number of the epoch, from 1, in a `train` block. After a number a unit: `for 5 epochs`, like steps, seconds, minutes and hours.",
    example: 'train (x) in batches(toy.xor(), 20) for 2 epochs { every epoch { print "epoch {epoch}" } }',
  },
  step: {
    form: "step",
    meaning: "The number of the step, from 1, in a `train` block. After a number a unit: `for 2000 steps`.",
    example: "train for 10 steps { plot 1 / step }",
  },
  training: {
    form: "training",
    meaning: "In a model: whether this is a step that moves its params. Dropout and batch norm ask for it.",
    example: "model Noise()(x: [..]) { training ? x + normal(shape(x)) : x }",
  },
};
