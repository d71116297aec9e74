/**
 * What a graphics processor and its driver cost, asked of Dawn directly: what it offers, microseconds of the host for each
 * call, of the adapter for each dispatch, what dependences, bindings and forms of loops cost, how long pipelines take to
 * compile and answers to come back. Prints one JSON object. `node questions.mjs [FLAG ..]`: flags of Dawn's `create`;
 * `--about` tells the adapter alone.
 */
import { create } from "webgpu";

const STORAGE = 128 | 4 | 8;
/** Dawn must not be collected while a device of it lives: it would answer nothing more. */
const kept = (globalThis.dawn = { gpu: create(process.argv.slice(2).filter((each) => each !== "--about")) });
const adapter = await kept.gpu.requestAdapter({ powerPreference: "high-performance" });
if (!adapter) {
  process.stdout.write(`${JSON.stringify({ failed: "there is no adapter" })}\n`);
  process.exit(0);
}
const { info } = adapter;
const software = /swiftshader|llvmpipe|lavapipe/i.test([info.description, info.device, info.architecture].join(" "));
/** Software is here to prove that the questions can be asked. */
const scale = software ? 20 : 1;

const wanted = ["timestamp-query", "subgroups", "shader-f16", "chromium-experimental-subgroup-matrix"];
const requiredFeatures = wanted.filter((each) => adapter.features.has(each));
const limits = {};
for (const name in adapter.limits) limits[name] = adapter.limits[name];
const asked = ["maxStorageBufferBindingSize", "maxBufferSize", "maxStorageBuffersPerShaderStage"];
asked.push("maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup");
const requiredLimits = Object.fromEntries(asked.map((name) => [name, adapter.limits[name]]));
Object.assign(kept, { adapter });
const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
const errors = [];
device.addEventListener("uncapturederror", ({ error }) => errors.push(error.message));
const { queue } = device;

const buffer = (bytes) => device.createBuffer({ size: bytes, usage: STORAGE });
const compiled = (code) =>
  device.createComputePipelineAsync({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
  });
const bound = (pipeline, ...buffers) =>
  device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((each, binding) => ({ binding, resource: { buffer: each } })),
  });
const marker = device.createBuffer({ size: 4, usage: 1 | 8 });
const mark = buffer(4);
/** When all that was submitted is done. */
async function done() {
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(mark, 0, marker, 0, 4);
  queue.submit([encoder.finish()]);
  await marker.mapAsync(1);
  marker.unmap();
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** One pass of dispatches: milliseconds of the host to encode it, and until the adapter has done it. */
async function pass(calls, groups) {
  const start = performance.now();
  const encoder = device.createCommandEncoder();
  const into = encoder.beginComputePass();
  for (const [pipeline, group] of calls) {
    into.setPipeline(pipeline);
    into.setBindGroup(0, group);
    into.dispatchWorkgroups(groups);
  }
  into.end();
  const commands = encoder.finish();
  const encoded = performance.now();
  queue.submit([commands]);
  const submitted = performance.now();
  await done();
  return { encode: encoded - start, submit: submitted - encoded, whole: performance.now() - encoded };
}

/** The least of a few runs: the first compiles, others may be disturbed. */
async function least(run, of, times = 5) {
  const found = [];
  for (let i = 0; i < times; i++) found.push(of(await run()));
  return Math.min(...found);
}

const touch = `@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) at: vec3<u32>) { x[at.x] += 1u; }`;

async function dispatches() {
  const pipeline = await compiled(touch);
  const [many, few] = [Math.ceil(4000 / scale), Math.ceil(400 / scale)];
  const groups = Array.from({ length: 8 }, () => bound(pipeline, buffer(1024)));
  const calls = (n, apart) => Array.from({ length: n }, (_, i) => [pipeline, groups[apart ? i % 8 : 0]]);
  const each = async (apart) => {
    const [long, short] = [await least(() => pass(calls(many, apart), 4), (t) => t.whole), await least(() => pass(calls(few, apart), 4), (t) => t.whole)]; // prettier-ignore
    return (1000 * (long - short)) / (many - few);
  };
  const encode = await least(
    () => pass(calls(many, false), 4),
    (t) => t.encode,
  );
  return {
    hostUsEach: (1000 * encode) / many,
    dependentUsEach: await each(false),
    independentUsEach: await each(true),
  };
}

async function submits() {
  const pipeline = await compiled(touch);
  const call = [[pipeline, bound(pipeline, buffer(1024))]];
  const times = [];
  for (let i = 0; i < 100; i++) times.push(await pass(call, 4));
  return { hostUs: 1000 * median(times.map((t) => t.submit)), untilDoneUs: 1000 * median(times.map((t) => t.whole)) };
}

async function readBack() {
  const read = device.createBuffer({ size: 256, usage: 1 | 8 });
  const from = buffer(256);
  const times = [];
  for (let i = 0; i < 50; i++) {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, read, 0, 256);
    const start = performance.now();
    queue.submit([encoder.finish()]);
    await read.mapAsync(1);
    times.push(1000 * (performance.now() - start));
    read.unmap();
  }
  return { medianUs: median(times), leastUs: Math.min(...times) };
}

/** Bytes per second of a copy, by how the memory is bound. */
async function bindings() {
  const words = Math.floor((1 << 24) / scale / 256) * 256;
  const head = (from, to) => `${from}\n${to}
@compute @workgroup_size(256) fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * 32768u) * 256u + lane;`;
  const forms = {
    readOnly: [head("@group(0) @binding(0) var<storage, read> x: array<u32>;", "@group(0) @binding(1) var<storage, read_write> y: array<u32>;"), "y[at] = x[at] + 1u; }", 2], // prettier-ignore
    readWrite: [head("@group(0) @binding(0) var<storage, read_write> x: array<u32>;", "@group(0) @binding(1) var<storage, read_write> y: array<u32>;"), "y[at] = x[at] + 1u; x[0] = select(x[0], 1u, at == 4294967295u); }", 2], // prettier-ignore
    oneArena: [head("@group(0) @binding(0) var<storage, read_write> x: array<u32>;", ""), `x[at + ${words}u] = x[at] + 1u; }`, 1], // prettier-ignore
    oneArenaInFours: [head("@group(0) @binding(0) var<storage, read_write> x: array<vec4<u32>>;", ""), `if (at < ${words / 4}u) { x[at + ${words / 4}u] = x[at] + 1u; } }`, 1, 4], // prettier-ignore
  };
  const found = {};
  for (const [name, [begin, body, count, unit = 1]] of Object.entries(forms)) {
    const pipeline = await compiled(`${begin}\n  ${body}`);
    const buffers = count === 2 ? [buffer(4 * words), buffer(4 * words)] : [buffer(8 * words)];
    const group = bound(pipeline, ...buffers);
    const groups = Math.ceil(words / unit / 256);
    const run = async (n) => {
      const encoder = device.createCommandEncoder();
      const into = encoder.beginComputePass();
      into.setPipeline(pipeline);
      into.setBindGroup(0, group);
      for (let i = 0; i < n; i++) into.dispatchWorkgroups(Math.min(groups, 32768), Math.ceil(groups / 32768));
      into.end();
      const start = performance.now();
      queue.submit([encoder.finish()]);
      await done();
      return performance.now() - start;
    };
    const n = software ? 2 : 20;
    const ms = (await least(() => run(2 * n), Number)) - (await least(() => run(n), Number));
    found[`${name}GBs`] = (8 * words * n) / ms / 1e6;
    for (const each of buffers) each.destroy();
  }
  return found;
}

/** GFLOP/s of loops that count in steps of one to a constant, in other steps, and to a bound from memory. */
async function loops() {
  const turns = software ? 256 : 16384;
  const forms = {
    unitStep: `for (var i = 0u; i < ${turns}u; i++) { s = fma(s, vec4(a), vec4(b)); t = fma(t, vec4(b), vec4(a)); }`,
    otherStep: `for (var i = 0u; i < ${4 * turns}u; i += 4u) { s = fma(s, vec4(a), vec4(b)); t = fma(t, vec4(b), vec4(a)); }`,
    boundInMemory: "for (var i = 0u; i < n; i++) { s = fma(s, vec4(a), vec4(b)); t = fma(t, vec4(b), vec4(a)); }",
  };
  const found = {};
  for (const [name, loop] of Object.entries(forms)) {
    const pipeline = await compiled(`@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(256) fn main(@builtin(global_invocation_id) at: vec3<u32>) {
  let a = x[0]; let b = x[1]; let n = bitcast<u32>(x[2]);
  var s = vec4<f32>(f32(at.x)); var t = s;
  ${loop}
  x[4u + at.x] = dot(s, t);
}`);
    const groups = software ? 4 : 2048;
    const memory = buffer(4 * (4 + 256 * groups));
    queue.writeBuffer(memory, 0, new Float32Array([0.5, 0.25]));
    queue.writeBuffer(memory, 8, new Uint32Array([turns]));
    const ms = await least(
      () => pass([[pipeline, bound(pipeline, memory)]], groups),
      (t) => t.whole,
    );
    found[`${name}GFLOPs`] = (16 * turns * 256 * groups) / ms / 1e6;
  }
  return found;
}

async function compileTimes() {
  const code = (i) => `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) at: vec3<u32>) {
  var s = ${i}f; ${Array.from({ length: 60 }, (_, k) => `s = s * x[at.x + ${k}u] + tanh(s);`).join(" ")} x[at.x] = s; }`;
  const unique = Math.floor(1e6 * Math.random());
  let start = performance.now();
  await compiled(code(unique));
  const one = performance.now() - start;
  start = performance.now();
  await Promise.all(Array.from({ length: 8 }, (_, i) => compiled(code(unique + 1 + i))));
  return { oneMs: one, eightAtOnceMs: performance.now() - start };
}

/** Which form of the experimental matrices of subgroups this Dawn takes, where the device has them. */
async function matrices() {
  if (!device.features.has("chromium-experimental-subgroup-matrix")) return { missing: "the device has none" };
  const begin = `enable f16; enable chromium_experimental_subgroup_matrix;
@group(0) @binding(0) var<storage, read_write> x: array<f16, 1024>;
@group(0) @binding(1) var<storage, read_write> y: array<f32, 1024>;
@compute @workgroup_size(32) fn main() {`;
  const forms = {
    layoutParameter: "let a = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(&x, 0u, 16u); }",
    layoutArgument: "let a = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>>(&x, 0u, false, 16u); }",
  };
  const found = {};
  for (const [name, body] of Object.entries(forms)) {
    device.pushErrorScope("validation");
    const { messages } = await device.createShaderModule({ code: `${begin}\n  ${body}` }).getCompilationInfo();
    await device.popErrorScope();
    found[name] = messages.find(({ type }) => type === "error")?.message ?? "compiles";
  }
  return found;
}

async function views() {
  device.pushErrorScope("validation");
  const code = `@group(0) @binding(0) var<storage, read_write> a: buffer;
@compute @workgroup_size(1) fn main() { let x = bufferView<array<vec4<f32>>>(&a, 16u); x[0] = vec4<f32>(1); }`;
  const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
  await device.popErrorScope();
  return { bufferView: messages.find(({ type }) => type === "error")?.message ?? "compiles" };
}

/** Cores that are busy while nothing is asked of the device. */
async function idle() {
  const before = process.cpuUsage();
  const start = performance.now();
  await new Promise((done) => setTimeout(done, 1000));
  const { user, system } = process.cpuUsage(before);
  return { cores: (user + system) / 1000 / (performance.now() - start) };
}

/** GFLOP/s of a product by 16 × 16 invocations with 8 × 8 sums each, with and without tiles in workgroup memory. */
async function productForms() {
  const size = software ? 256 : 4096;
  const rows = [0, 1, 2, 3, 4, 5, 6, 7];
  const each = (text) => rows.map(text).join("\n");
  const begin = (more) => `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
${more}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x / ${size / 128}u * 128u; let column = group.x % ${size / 128}u * 128u;
  let i = lane / 16u; let j = lane % 16u;
  ${each((r) => `var s${r} = vec4<f32>(); var t${r} = vec4<f32>();`)}`;
  const a = (r, k) => `x[(row + i * 8u + ${r}u) * ${size}u + ${k}]`;
  const b = (k, c) =>
    `vec4<f32>(${[0, 1, 2, 3].map((l) => `x[${size * size}u + (${k}) * ${size}u + column + j * 8u + ${c + l}u]`)})`;
  const end = `${each((r) => [0, 1, 2, 3].map((l) => `x[${2 * size * size}u + (row + i * 8u + ${r}u) * ${size}u + column + j * 8u + ${l}u] = s${r}[${l}u]; x[${2 * size * size}u + (row + i * 8u + ${r}u) * ${size}u + column + j * 8u + ${4 + l}u] = t${r}[${l}u];`).join(" "))}
}`;
  const forms = {
    registers: `${begin("")}
  for (var k = 0u; k < ${size}u; k++) {
    let u = ${b("k", 0)}; let v = ${b("k", 4)};
    ${each((r) => `{ let a = ${a(r, "k")}; s${r} += a * u; t${r} += a * v; }`)}
  }
  ${end}`,
    workgroupMemory: `${begin("var<workgroup> left: array<f32, 1152>; var<workgroup> right: array<vec4<f32>, 256>;")}
  for (var turn = 0u; turn < ${size / 8}u; turn++) {
    workgroupBarrier();
    for (var l = 0u; l < 4u; l++) { let at = lane * 4u + l; left[at / 8u + at % 8u * 144u] = x[(row + at / 8u) * ${size}u + turn * 8u + at % 8u]; }
    { let at = ${size * size}u + (turn * 8u + lane / 32u) * ${size}u + column + lane % 32u * 4u; right[lane] = vec4<f32>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]); }
    workgroupBarrier();
    for (var k = 0u; k < 8u; k++) {
      let u = right[k * 32u + j * 2u]; let v = right[k * 32u + j * 2u + 1u];
      ${each((r) => `{ let a = left[k * 144u + i * 8u + ${r}u]; s${r} += a * u; t${r} += a * v; }`)}
    }
  }
  ${end}`,
  };
  const memory = buffer(12 * size * size);
  const found = { size };
  for (const [name, code] of Object.entries(forms)) {
    const pipeline = await compiled(code);
    const call = [[pipeline, bound(pipeline, memory)]];
    const ms = await least(
      () => pass(call, (size / 128) ** 2),
      (t) => t.whole,
    );
    found[`${name}GFLOPs`] = (2 * size ** 3) / ms / 1e6;
  }
  memory.destroy();
  return found;
}

const questions = { dispatches, submits, readBack, bindings, loops, productForms, compileTimes, matrices, views, idle };
const answers = {
  flags: process.argv.slice(2),
  adapter: { vendor: info.vendor, architecture: info.architecture, device: info.device, description: info.description, software }, // prettier-ignore
  features: [...adapter.features].sort(),
  limits,
  subgroups: { least: info.subgroupMinSize, most: info.subgroupMaxSize, matrixConfigs: info.subgroupMatrixConfigs },
};
for (const [name, ask] of process.argv.includes("--about") ? [] : Object.entries(questions)) {
  const before = errors.length;
  try {
    answers[name] = await ask();
  } catch (error) {
    answers[name] = { failed: String(error) };
  }
  if (errors.length > before) answers[name] = { failed: errors[before] };
}
device.destroy();
process.stdout.write(
  `${JSON.stringify(answers, (key, value) => (typeof value === "bigint" ? Number(value) : value))}\n`,
);
process.exit(0);
