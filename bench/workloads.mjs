/**
 * The workloads that every peer of the comparison trains, and the numbers that all of them begin with: shapes, params in
 * one order, weights and batch drawn by a hash, so that no peer's random numbers matter. `writeStart` lays them beside a
 * copy of the scripts, as `--set given=true` reads them, and the weights a second time under the names of the peers.
 */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { zipSync } from "fflate";

/** A param: its name in the peers' programs, its path in the script, its shape, how it begins. */
const weight = (name, path, ...shape) => ({ name, path, shape, kind: "weight" });
const table = (name, path, ...shape) => ({ name, path, shape, kind: "table" });
const ones = (name, path, ...shape) => ({ name, path, shape, kind: "ones" });
const zeros = (name, path, ...shape) => ({ name, path, shape, kind: "zeros" });

/** A convolution of 32 channels and the batch norm behind it. */
const normed = (i, conv, norm, channels) => [
  weight(`w${i}`, conv, 32, channels, 3, 3),
  ones(`g${i}`, `${norm}.scale`, 32),
  zeros(`b${i}`, `${norm}.shift`, 32),
];
const residual = (i, place) => [
  ...normed(i, `${place}.conv1.w`, `${place}.batchNorm1`, 32),
  ...normed(i + 1, `${place}.conv2.w`, `${place}.batchNorm2`, 32),
];
const block = (i) => {
  const at = (path) => `block.${i}.${path}`;
  return [
    ones(`g${i}`, at("layerNorm1.scale"), 128),
    zeros(`b${i}`, at("layerNorm1.shift"), 128),
    weight(`wqkv${i}`, at("multiHead1.linear1.w"), 128, 384),
    zeros(`bqkv${i}`, at("multiHead1.linear1.b"), 384),
    weight(`wo${i}`, at("multiHead1.linear2.w"), 128, 128),
    zeros(`bo${i}`, at("multiHead1.linear2.b"), 128),
    ones(`gg${i}`, at("layerNorm2.scale"), 128),
    zeros(`bg${i}`, at("layerNorm2.shift"), 128),
    weight(`wu${i}`, at("linear1.w"), 128, 512),
    zeros(`bu${i}`, at("linear1.b"), 512),
    weight(`wd${i}`, at("linear2.w"), 512, 128),
    zeros(`bd${i}`, at("linear2.b"), 128),
  ];
};
const recurrent = (gates) => [
  table("e", "0.w", 65, 64),
  weight("wi", "1.wx", 64, 128 * gates),
  weight("wh", "1.wh", 128, 128 * gates),
  zeros("bi", "1.bx", 128 * gates),
  zeros("bh", "1.bh", 128 * gates),
  weight("wo", "2.w", 128, 65),
  zeros("bo", "2.b", 65),
];
const dense = (i, path, from, to) => [weight(`w${i}`, `${path}.w`, from, to), zeros(`b${i}`, `${path}.b`, to)];

/**
 * `x`: the shape of the inputs; `tokens`: rows and places of token numbers, whose targets are the next ones. `losses` are
 * those of steps 1, 2 and 4, by PyTorch 1.13; `running` names the layers with statistics of 32 channels that are no params;
 * `sets` are inputs of the script that make it do the same work as the peers.
 */
export const workloads = {
  w1: {
    title: "logistic regression, SGD",
    x: [128, 784],
    classes: 2,
    params: [weight("w", "w", 784, 1), zeros("b", "b", 1)],
    losses: [0.72399, 0.6692, 0.57823],
  },
  w2: {
    title: "MLP 784-256-128-10, Adam",
    x: [64, 784],
    classes: 10,
    params: [...dense(1, "0", 784, 256), ...dense(2, "2", 256, 128), ...dense(3, "4", 128, 10)],
    losses: [2.31477, 2.19433, 1.99871],
  },
  w3: {
    title: "LeNet, Adam",
    x: [64, 1, 28, 28],
    classes: 10,
    params: [
      weight("wc1", "0.w", 6, 1, 5, 5),
      zeros("bc1", "0.b", 6),
      weight("wc2", "3.w", 16, 6, 5, 5),
      zeros("bc2", "3.b", 16),
      ...dense(1, "7", 400, 120),
      ...dense(2, "9", 120, 84),
      ...dense(3, "11", 84, 10),
    ],
    losses: [2.30146, 2.2981, 2.29078],
  },
  w4: {
    title: "residual net, batch norm, SGD with momentum",
    x: [32, 3, 32, 32],
    classes: 10,
    params: [
      ...normed(0, "0.w", "1", 3),
      ...residual(1, "3"),
      ...residual(3, "4"),
      weight("wf", "6.w", 32, 10),
      zeros("bf", "6.b", 10),
    ],
    running: ["1", "3.batchNorm1", "3.batchNorm2", "4.batchNorm1", "4.batchNorm2"],
    losses: [2.39832, 2.33616, 2.18788],
  },
  w5: {
    title: "GPT, 4 layers, AdamW",
    tokens: [16, 65],
    classes: 65,
    params: [
      table("e", "table.w", 65, 128),
      table("epos", "place", 64, 128),
      ...[0, 1, 2, 3].flatMap(block),
      ones("gf", "layerNorm1.scale", 128),
      zeros("bf", "layerNorm1.shift", 128),
      weight("wh", "linear1.w", 128, 65),
      zeros("bh", "linear1.b", 65),
    ],
    sets: ["clip=false"],
    losses: [4.30048, 4.1815, 4.05075],
  },
  w6: {
    title: "LSTM 128, 64 tokens, Adam, clip_norm",
    tokens: [32, 65],
    classes: 65,
    params: recurrent(4),
    losses: [4.17445, 4.17388, 4.17272],
  },
  w6b: {
    title: "RNN 128, 64 tokens, Adam, clip_norm",
    tokens: [32, 65],
    classes: 65,
    params: recurrent(1),
    losses: [4.17454, 4.1727, 4.16899],
  },
};

// ---------------------------------------------------------------- numbers

const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

/** 32 bits that look random, the same in every engine. */
function hash(i, seed) {
  let h = (Math.imul(i, 0x9e3779b1) + Math.imul(seed, 0x85ebca77)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
/** Evenly in -scale .. scale. */
const uniform = (n, seed, scale) => Float32Array.from({ length: n }, (_, i) => (hash(i, seed) / 2 ** 31 - 1) * scale);
const below = (limit, n, seed) => Int32Array.from({ length: n }, (_, i) => hash(i, seed) % limit);

const kinds = {
  // ± 1 / sqrt(fan in); the kernel of a convolution is [out, in, rows, columns].
  weight: (n, seed, shape) => uniform(n, seed, 1 / Math.sqrt(shape.length === 4 ? sizeOf(shape.slice(1)) : shape[0])),
  table: (n, seed) => uniform(n, seed, 0.05),
  ones: (n) => new Float32Array(n).fill(1),
  zeros: (n) => new Float32Array(n),
};

/** The first values of the params, in the order of the workload; the place in it is part of the seed. */
export function weightsOf({ params }) {
  return params.map(({ name, path, shape, kind }, i) => ({
    name,
    path,
    shape,
    data: kinds[kind](sizeOf(shape), i + 1, shape),
  }));
}

/** Running statistics of batch norm: a mean of 0, a variance of 1. */
function statisticsOf({ running = [] }) {
  return running.flatMap((layer) =>
    Object.entries({ run_mean: 0, run_var: 1 }).map(([state, value]) => ({
      path: `${layer}.${state}`,
      shape: [32],
      data: new Float32Array(32).fill(value),
    })),
  );
}

/** The one batch: `{ x, y }`, each with its shape. */
export function batchOf({ x, tokens, classes }) {
  if (x) {
    return {
      x: { shape: x, data: uniform(sizeOf(x), 1000, 1) },
      y: { shape: [x[0]], data: below(classes, x[0], 2000) },
    };
  }
  const [rows, places] = tokens;
  const all = below(classes, rows * places, 2000);
  const shape = [rows, places - 1];
  const from = (first) =>
    Int32Array.from({ length: sizeOf(shape) }, (_, i) => {
      const row = Math.floor(i / shape[1]);
      return all[row * places + (i % shape[1]) + first];
    });
  return { x: { shape, data: from(0) }, y: { shape, data: from(1) } };
}

// ---------------------------------------------------------------- files

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

/** A safetensors file: the length of a JSON header, the header, the numbers. */
function safetensors(tensors) {
  let offset = 0;
  const header = tensors.map(({ path, shape, data }) => {
    const data_offsets = [offset, (offset += data.byteLength)];
    return [path, { dtype: "F32", shape, data_offsets }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...tensors.map(({ data }) => bytesOf(data))]);
}

function npy({ shape, data }) {
  const descr = data instanceof Int32Array ? "<i4" : "<f4";
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  // Magic, version and length take ten bytes; the numbers begin at a multiple of 64.
  const header = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + "\n";
  const front = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length & 255, header.length >> 8]);
  return Buffer.concat([front, Buffer.from(header), bytesOf(data)]);
}

const npz = (arrays) =>
  zipSync(Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, npy(array)])), { level: 0 });

/** Lays the script of a workload into a folder, beside the weights and the batch that it begins with. */
export function writeStart(name, folder) {
  const workload = workloads[name];
  const weights = weightsOf(workload);
  const { x, y } = batchOf(workload);
  const script = join(folder, `${name}.dlx`);
  copyFileSync(fileURLToPath(new URL(`${name}.dlx`, import.meta.url)), script);
  writeFileSync(join(folder, `${name}.safetensors`), safetensors([...weights, ...statisticsOf(workload)]));
  writeFileSync(join(folder, `${name}.npz`), npz({ x, y }));
  writeFileSync(join(folder, `${name}.first.npz`), npz(Object.fromEntries(weights.map((each) => [each.name, each]))));
  return script;
}
