/**
 * Softmax regression in plain TypeScript: the yardstick for how hard a set is for a linear classifier. Pixels are
 * centred; minibatch gradient descent with a falling rate and a little weight decay. Nothing here is fast.
 */
import type { Table } from "../../runtime/data/table.ts";

/** Accuracy on `test` after `epochs` over `train`; `fit` is the accuracy on `train` itself. */
export function softmaxAccuracy(train: Table, test: Table, epochs = 12): { fit: number; test: number } {
  const x = floats(train);
  const y = labels(train);
  const size = x.length / train.rows;
  const mean = new Float32Array(size);
  for (let r = 0; r < train.rows; r++) for (let p = 0; p < size; p++) mean[p]! += x[r * size + p]! / train.rows;

  const weights = new Float32Array(10 * size);
  const bias = new Float32Array(10);
  const batch = 50;
  const gradient = new Float32Array(10 * size);
  const biasGradient = new Float32Array(10);
  const steps = Math.floor(train.rows / batch);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = 0.06 * 0.75 ** epoch;
    for (let step = 0; step < steps; step++) {
      gradient.fill(0);
      biasGradient.fill(0);
      for (let k = 0; k < batch; k++) {
        // A stride coprime to the rows visits each row once per epoch.
        const row = ((step * batch + k) * 7919 + epoch) % train.rows;
        const at = row * size;
        const scores = scoresOf(weights, bias, mean, x, at, size);
        const top = Math.max(...scores);
        const exps = scores.map((s) => Math.exp(s - top));
        const total = exps.reduce((a, b) => a + b, 0);
        for (let c = 0; c < 10; c++) {
          const delta = (exps[c]! / total - (y[row] === c ? 1 : 0)) / batch;
          biasGradient[c]! += delta;
          if (Math.abs(delta) < 1e-7) continue;
          const base = c * size;
          for (let p = 0; p < size; p++) gradient[base + p]! += delta * (x[at + p]! - mean[p]!);
        }
      }
      for (let i = 0; i < weights.length; i++) weights[i]! -= rate * (gradient[i]! + 1e-4 * weights[i]!);
      for (let c = 0; c < 10; c++) bias[c]! -= rate * biasGradient[c]!;
    }
  }
  return { fit: accuracy(train), test: accuracy(test) };

  function accuracy(table: Table): number {
    const images = floats(table);
    const truth = labels(table);
    let right = 0;
    for (let r = 0; r < table.rows; r++) {
      const scores = scoresOf(weights, bias, mean, images, r * size, size);
      if (scores.indexOf(Math.max(...scores)) === truth[r]) right++;
    }
    return right / table.rows;
  }
}

function scoresOf(
  weights: Float32Array,
  bias: Float32Array,
  mean: Float32Array,
  x: Float32Array,
  at: number,
  size: number,
): number[] {
  const scores: number[] = [];
  for (let c = 0; c < 10; c++) {
    let sum = bias[c]!;
    const base = c * size;
    for (let p = 0; p < size; p++) sum += weights[base + p]! * (x[at + p]! - mean[p]!);
    scores.push(sum);
  }
  return scores;
}

function floats(table: Table): Float32Array {
  const column = table.columns.image!;
  return Float32Array.from(column.data, (v) => v * (column.scale ?? 1));
}

function labels(table: Table): Int32Array {
  return Int32Array.from(table.columns.label!.data);
}
