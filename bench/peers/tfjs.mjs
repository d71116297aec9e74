/**
 * The workloads in TensorFlow.js: node tfjs.mjs NAME SECONDS [BACKEND], wasm (the default) or webgpu. Images lie as
 * [B, H, W, C] there. The wasm backend has no gradient of a convolution's kernel, so W3 is for webgpu alone, and none of a
 * lookup in a table: that is the product with a one-hot matrix. W4 is left out: no backend has bearable gradients of it.
 */
import { dirname, sep } from "node:path";
import { batchOf, weightsOf, workloads } from "../workloads.mjs";
import { installWebGpu } from "./dawn.mjs";
import { load, pathOf, timed } from "./timing.mjs";

const [name, seconds, backend = "wasm"] = process.argv.slice(2);
if (backend === "webgpu") await installWebGpu();
const tf = load("@tensorflow/tfjs");
const own = load(`@tensorflow/tfjs-backend-${backend}`);
if (backend === "wasm") own.setWasmPaths(dirname(pathOf("@tensorflow/tfjs-backend-wasm")) + sep);
if (!(await tf.setBackend(backend))) throw new Error(`expected the backend ${backend} to start`);
await tf.ready();

const workload = workloads[name];
const batch = batchOf(workload);
/** As weights lie there: kernels of convolutions [H, W, in, out], rows behind an image in the order of its places. */
function laid(key, data, shape) {
  const given = tf.tensor(data, shape);
  if (shape.length === 4) return tf.transpose(given, [2, 3, 1, 0]);
  if (name !== "w3" || key !== "w1") return given;
  return tf.reshape(tf.transpose(tf.reshape(given, [16, 5, 5, 120]), [1, 2, 0, 3]), [400, 120]);
}
const p = Object.fromEntries(
  weightsOf(workload).map(({ name: key, shape, data }) => [key, tf.variable(laid(key, data, shape))]),
);
const variables = Object.values(p);
const oneHot = ({ data }) => tf.cast(tf.oneHot(tf.tensor1d(data, "int32"), workload.classes), "float32");
const given = workload.tokens ? oneHot(batch.x) : tf.tensor(batch.x.data, batch.x.shape);
const x = batch.x.shape.length === 4 ? tf.transpose(given, [0, 2, 3, 1]) : given;
const y = name === "w1" ? tf.tensor1d(Float32Array.from(batch.y.data)) : oneHot(batch.y);

const dense = (h, i) => tf.add(tf.matMul(h, p[`w${i}`]), p[`b${i}`]);
const crossEntropy = (logits) => tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(logits)), -1)));
const mean = (h) => tf.mean(h, -1, true);
function normed(h, scale, shift) {
  const d = tf.sub(h, mean(h));
  return tf.add(tf.mul(tf.mul(d, tf.rsqrt(tf.add(mean(tf.square(d)), 1e-5))), scale), shift);
}
function gelu(h) {
  const inner = tf.mul(tf.add(h, tf.mul(tf.mul(tf.mul(h, h), h), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(h, 0.5), tf.add(tf.tanh(inner), 1));
}
const head = (h) => crossEntropy(dense(tf.relu(dense(tf.relu(dense(h, 1)), 2)), 3));
function lenet() {
  const conv = (h, i, pad) => tf.relu(tf.add(tf.conv2d(h, p[`wc${i}`], 1, pad), p[`bc${i}`]));
  const pooled = (h) => tf.avgPool(h, 2, 2, "valid");
  return head(tf.reshape(pooled(conv(pooled(conv(x, 1, "same")), 2, "valid")), [64, 400]));
}
function gpt() {
  const [rows, places, width, heads] = [16, 64, 128, 4];
  const unseen = tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([places, places]), -1, 0)), -1e9);
  let h = tf.reshape(tf.add(tf.reshape(tf.matMul(x, p.e), [rows, places, width]), p.epos), [-1, width]);
  for (let i = 0; i < 4; i++) {
    const all = dense(normed(h, p[`g${i}`], p[`b${i}`]), `qkv${i}`);
    const parts = tf.transpose(tf.reshape(all, [rows, places, 3, heads, width / heads]), [2, 0, 3, 1, 4]);
    const [q, k, v] = tf.unstack(parts, 0);
    const score = tf.add(tf.mul(tf.matMul(q, k, false, true), (width / heads) ** -0.5), unseen);
    const seen = tf.transpose(tf.matMul(tf.softmax(score), v), [0, 2, 1, 3]);
    h = tf.add(h, dense(tf.reshape(seen, [-1, width]), `o${i}`));
    h = tf.add(h, dense(gelu(dense(normed(h, p[`gg${i}`], p[`bg${i}`]), `u${i}`)), `d${i}`));
  }
  return crossEntropy(dense(normed(h, p.gf, p.bf), "h"));
}
function recurrent(lstm) {
  const inputs = tf.add(tf.matMul(tf.matMul(x, p.e), p.wi), tf.add(p.bi, p.bh));
  let h = tf.zeros([32, 128]);
  let c = h;
  const states = tf.unstack(tf.reshape(inputs, [32, 64, -1]), 1).map((at) => {
    const z = tf.add(at, tf.matMul(h, p.wh));
    if (!lstm) return (h = tf.tanh(z));
    const [i, f, g, o] = tf.split(z, 4, 1);
    c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
    return (h = tf.mul(tf.sigmoid(o), tf.tanh(c)));
  });
  return crossEntropy(dense(tf.reshape(tf.stack(states, 1), [-1, 128]), "o"));
}
const losses = {
  w1: () => tf.losses.sigmoidCrossEntropy(y, tf.reshape(tf.add(tf.matMul(x, p.w), p.b), [-1])),
  w2: () => head(x),
  w3: lenet,
  w5: gpt,
  w6: () => recurrent(true),
  w6b: () => recurrent(false),
};
const adam = (rate) => tf.train.adam(rate, 0.9, 0.999, 1e-8);
const optimizer = name === "w1" ? tf.train.sgd(0.1) : adam(name === "w5" ? 3e-4 : 1e-3);

function clipped(grads) {
  const all = Object.values(grads);
  const norm = tf.sqrt(tf.addN(all.map((g) => tf.sum(tf.square(g)))));
  const factor = tf.minimum(tf.div(1, norm), 1);
  return Object.fromEntries(Object.entries(grads).map(([key, g]) => [key, tf.mul(g, factor)]));
}

await timed(Number(seconds), async () => {
  const loss = tf.tidy(() => {
    const { value, grads } = tf.variableGrads(losses[name], variables);
    // There is no AdamW: the decay goes before Adam's step, as it is defined.
    if (name === "w5") for (const each of variables) each.assign(tf.mul(each, 1 - 3e-4 * 0.01));
    optimizer.applyGradients(name.startsWith("w6") ? clipped(grads) : grads);
    return value;
  });
  const [read] = await loss.data();
  loss.dispose();
  return read;
});
