/**
 * The workloads in jax-js: node jax.mjs NAME SECONDS [BACKEND], wasm (the default) or webgpu. Forward, gradients and optimizer are one
 * `jit`. An array is used up by the call that takes it; `.ref` keeps it. Its optimizers are no package on npm, so they are
 * written here; the gradient of a lookup fails inside `jit`, so that is the product with a one-hot matrix. The running
 * averages of batch norm are left out: no step reads them.
 */
import { batchOf, weightsOf, workloads } from "../workloads.mjs";
import { installWebGpu } from "./dawn.mjs";
import { load, timed } from "./timing.mjs";

const [name, seconds, backend = "wasm"] = process.argv.slice(2);
if (backend === "webgpu") await installWebGpu();
const { numpy: np, nn, lax, jit, valueAndGrad, init, defaultDevice, tree } = load("@jax-js/jax");
const devices = await init(backend);
if (!devices.includes(backend)) throw new Error(`expected the device ${backend}, got ${devices}`);
defaultDevice(backend);

const workload = workloads[name];
const batch = batchOf(workload);
const weights = weightsOf(workload);
const names = weights.map(({ name }) => name);
let p = Object.fromEntries(weights.map(({ name, shape, data }) => [name, np.array(data).reshape(shape)]));
function oneHot({ data }) {
  const out = new Float32Array(data.length * workload.classes);
  data.forEach((v, i) => (out[i * workload.classes + v] = 1));
  return np.array(out).reshape([data.length, workload.classes]);
}
const x = workload.tokens ? oneHot(batch.x) : np.array(batch.x.data).reshape(batch.x.shape);
const y = name === "w1" ? np.array(Float32Array.from(batch.y.data)) : oneHot(batch.y);

const dense = (p, h, i) => np.matmul(h, p[`w${i}`]).add(p[`b${i}`]);
const crossEntropy = (logits, y) => np.mean(nn.logSoftmax(logits, -1).mul(y).sum(-1)).neg();
const head = (p, h, y) => crossEntropy(dense(p, nn.relu(dense(p, nn.relu(dense(p, h, 1)), 2)), 3), y);
const conv = (h, w, pad) =>
  lax.convGeneralDilated(
    h,
    w,
    [1, 1],
    [
      [pad, pad],
      [pad, pad],
    ],
  );
function halved(h) {
  const [rows, channels, n] = h.shape;
  return np.mean(h.reshape([rows, channels, n / 2, 2, n / 2, 2]), [3, 5]);
}
function normed(h, axes, scale, shift) {
  const d = h.ref.sub(np.mean(h, axes, { keepdims: true }));
  const v = np.mean(np.square(d.ref), axes, { keepdims: true });
  return d
    .div(np.sqrt(v.add(1e-5)))
    .mul(scale)
    .add(shift);
}
const channels = (v, n) => v.reshape([1, n, 1, 1]);
const convNormed = (p, h, i) =>
  normed(conv(h, p[`w${i}`], 1), [0, 2, 3], channels(p[`g${i}`], 32), channels(p[`b${i}`], 32));

function gpt(p, x, y) {
  const [rows, places, width, heads] = [16, 64, 128, 4];
  let h = np.matmul(x, p.e).reshape([rows, places, width]).add(p.epos).reshape([-1, width]);
  for (let i = 0; i < 4; i++) {
    const all = dense(p, normed(h.ref, -1, p[`g${i}`], p[`b${i}`]), `qkv${i}`);
    const parts = np.transpose(all.reshape([rows, places, 3, heads, width / heads]), [2, 0, 3, 1, 4]);
    const [q, k, v] = np.unstack(parts, 0);
    const unseen = np.triu(np.full([places, places], -1e9), 1);
    const score = np
      .matmul(q, np.transpose(k, [0, 1, 3, 2]))
      .mul((width / heads) ** -0.5)
      .add(unseen);
    const seen = np.transpose(np.matmul(nn.softmax(score, -1), v), [0, 2, 1, 3]);
    h = h.add(dense(p, seen.reshape([-1, width]), `o${i}`));
    const a = nn.gelu(dense(p, normed(h.ref, -1, p[`gg${i}`], p[`bg${i}`]), `u${i}`), { approximate: true });
    h = h.add(dense(p, a, `d${i}`));
  }
  return crossEntropy(dense(p, normed(h, -1, p.gf, p.bf), "h"), y);
}
const recurrent = (lstm) => (p, x, y) => {
  const inputs = np.matmul(np.matmul(x, p.e), p.wi).add(p.bi).add(p.bh).reshape([32, 64, -1]);
  let h = np.zeros([32, 128]);
  let c = np.zeros([32, 128]);
  const states = np.unstack(inputs, 1).map((at) => {
    const z = at.add(np.matmul(h, p.wh.ref));
    if (lstm) {
      const [i, f, g, o] = np.split(z, 4, 1);
      c = nn
        .sigmoid(f)
        .mul(c)
        .add(nn.sigmoid(i).mul(np.tanh(g)));
      h = nn.sigmoid(o).mul(np.tanh(c.ref));
    } else h = np.tanh(z);
    return h.ref;
  });
  h.dispose();
  c.dispose();
  p.wh.dispose();
  return crossEntropy(dense(p, np.stack(states, 1).reshape([-1, 128]), "o"), y);
};
const losses = {
  w1: (p, x, y) => {
    const z = np.matmul(x, p.w).add(p.b).reshape([-1]);
    const positive = np.maximum(z.ref, 0).sub(z.ref.mul(y));
    return np.mean(positive.add(np.log(np.exp(np.absolute(z).neg()).add(1))));
  },
  w2: (p, x, y) => head(p, x, y),
  w3: (p, x, y) => {
    const h = halved(nn.relu(conv(x, p.wc1, 2).add(channels(p.bc1, 6))));
    const g = halved(nn.relu(conv(h, p.wc2, 0).add(channels(p.bc2, 16))));
    return head(p, g.reshape([64, 400]), y);
  },
  w4: (p, x, y) => {
    let h = nn.relu(convNormed(p, x, 0));
    for (const i of [1, 3]) h = nn.relu(h.ref.add(convNormed(p, nn.relu(convNormed(p, h, i)), i + 1)));
    return crossEntropy(dense(p, np.mean(h, [2, 3]), "f"), y);
  },
  w5: gpt,
  w6: recurrent(true),
  w6b: recurrent(false),
};

/** How an optimizer goes about a param. */
const rules = {
  w1: { rate: 0.1 },
  w4: { rate: 0.05, momentum: 0.9 },
  w5: { rate: 3e-4, adam: true, decay: 0.01 },
};
const rule = rules[name] ?? { rate: 1e-3, adam: true };
const zeros = () => Object.fromEntries(weights.map(({ name, shape }) => [name, np.zeros(shape)]));
let m = rule.adam || rule.momentum ? zeros() : {};
let v = rule.adam ? zeros() : {};
let t = np.array([0]).reshape([]);

const update = jit((p, m, v, t, x, y) => {
  let [loss, grads] = valueAndGrad(losses[name])(tree.ref(p), x, y);
  if (name.startsWith("w6")) {
    const square = names.map((each) => np.square(grads[each].ref).sum()).reduce((a, b) => a.add(b));
    const factor = np.minimum(np.reciprocal(np.sqrt(square)), 1);
    grads = Object.fromEntries(names.map((each) => [each, grads[each].mul(factor.ref)]));
    factor.dispose();
  }
  t = t.add(1);
  const c1 = np
    .exp(t.ref.mul(Math.log(0.9)))
    .neg()
    .add(1);
  const c2 = np
    .exp(t.ref.mul(Math.log(0.999)))
    .neg()
    .add(1);
  const next = { p: {}, m: {}, v: {} };
  for (const each of names) {
    let d = grads[each];
    if (rule.momentum) {
      next.m[each] = m[each].mul(rule.momentum).add(d);
      d = next.m[each].ref;
    }
    if (rule.adam) {
      next.m[each] = m[each].mul(0.9).add(d.ref.mul(0.1));
      next.v[each] = v[each].mul(0.999).add(np.square(d).mul(0.001));
      d = next.m[each].ref.div(c1.ref).div(np.sqrt(next.v[each].ref.div(c2.ref)).add(1e-8));
    }
    next.p[each] = (rule.decay ? p[each].mul(1 - rule.rate * rule.decay) : p[each]).sub(d.mul(rule.rate));
  }
  c1.dispose();
  c2.dispose();
  return [loss, next.p, next.m, next.v, t];
});

await timed(Number(seconds), async () => {
  let loss;
  [loss, p, m, v, t] = update(p, m, v, t, x.ref, y.ref);
  const [read] = await loss.data();
  await Promise.all(Object.values(p).map((each) => each.blockUntilReady()));
  return read;
});
