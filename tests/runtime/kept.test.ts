/** What is kept from one command to the next never shows but in time: any other input, and any broken file, is made anew. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { CpuOptions } from "../../gpu/cpu.ts";
import { evaluate, make, scalar } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { compile, programText } from "../../lang/index.ts";
import type { CompileOptions, Facts, Host, Program } from "../../lang/index.ts";
import { compileKept, nodesIn } from "../../lang/kept.ts";
import type { Store } from "../../lang/store.ts";
import { diskStore } from "../../runtime/cli/disk-store.ts";
import { createSession } from "../../runtime/index.ts";
import { nodeHost } from "../../runtime/node.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { prelude } from "../../stdlib/index.ts";

// Node 20 knows relaxed SIMD only by a flag, to be set before the first module
setFlagsFromString("--experimental-wasm-relaxed-simd");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dlx-kept-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
let folders = 0;
const newFolder = () => join(folder, `${folders++}`);

/** A store on the disk, read back through another one; counts what was found and what was put. */
function counted(at: string, build = "build"): Store & { found: number; put_: number; flush(): void } {
  const store = diskStore(at, build);
  const counts = {
    found: 0,
    put_: 0,
    flush: store.flush,
    get(key: string) {
      const value = store.get(key);
      if (value !== undefined) counts.found++;
      return value;
    },
    put(key: string, value: unknown) {
      counts.put_++;
      store.put(key, value);
    },
  };
  return counts;
}

describe("on the disk", () => {
  const value = { list: [1, 2], words: new Float32Array([1.5, NaN]), deep: { text: "ä" } };

  test("another process finds what was put", () => {
    const at = newFolder();
    const store = diskStore(at, "1");
    store.put("a", value);
    expect(store.get("a")).toBeUndefined();
    store.flush();
    expect(diskStore(at, "1").get("a")).toEqual(value);
  });

  test("another key or another build finds nothing", () => {
    const at = newFolder();
    const store = diskStore(at, "1");
    store.put("a", value);
    store.flush();
    expect(diskStore(at, "1").get("b")).toBeUndefined();
    expect(diskStore(at, "2").get("a")).toBeUndefined();
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ["empty", () => Buffer.alloc(0)],
    ["cut", (bytes) => bytes.subarray(0, bytes.length - 1)],
    ["with one other bit", (bytes) => bytes.map((byte, i) => (i === bytes.length - 20 ? byte ^ 1 : byte)) as Buffer],
    ["of another program", () => Buffer.from("not one of ours, but longer than a digest has to be")],
  ])("a file that is %s is none, and is written again", (_, spoil) => {
    const at = newFolder();
    const store = diskStore(at, "1");
    store.put("a", value);
    store.flush();
    const [name = ""] = readdirSync(at);
    writeFileSync(join(at, name), spoil(readFileSync(join(at, name))));
    expect(store.get("a")).toBeUndefined();
    store.put("a", value);
    store.flush();
    expect(store.get("a")).toEqual(value);
  });

  test("a folder that cannot be written keeps nothing, without a word", () => {
    const at = newFolder();
    writeFileSync(at, "a file stands here");
    const store = diskStore(at, "1");
    store.put("a", value);
    store.flush();
    expect(store.get("a")).toBeUndefined();
  });

  test("a value that is no data is not kept, without a word", () => {
    const store = diskStore(newFolder(), "1");
    store.put("a", () => 1);
    store.flush();
    expect(store.get("a")).toBeUndefined();
  });

  test("too many bytes: what was longest not asked for goes", () => {
    const at = newFolder();
    mkdirSync(at);
    const one = new Uint8Array(1000);
    const store = diskStore(at, "1", 2500);
    for (const key of ["a", "b"]) {
      store.put(key, one);
      store.flush();
    }
    for (const name of readdirSync(at)) utimesSync(join(at, name), 1000, 1000);
    expect(store.get("a")).toEqual(one);
    store.put("c", one);
    store.flush();
    expect(["a", "b", "c"].map((key) => store.get(key) !== undefined)).toEqual([true, false, true]);
    expect(readdirSync(at).reduce((sum, name) => sum + statSync(join(at, name)).size, 0)).toBeLessThan(2500);
  });

  test("a graph deeper than the stack is kept", () => {
    let node: Node = make("input", [], { source: "scalar", name: "step", dtype: "f32", shape: [] });
    for (let i = 0; i < 50_000; i++) node = make("add", [node, scalar(1)]);
    const store = diskStore(newFolder(), "1");
    store.put("deep", { nodes: nodesIn({ node }), node });
    store.flush();
    const kept = store.get("deep") as { nodes: readonly Node[]; node: Node };
    expect(kept.nodes).toHaveLength(100_001);
    expect(kept.nodes.at(-1)).toBe(kept.node);
  });
});

const SCRIPT = `import twice from "./parts.dlx"
input width = 4
let rows = csv("rows.csv")
let net = [Linear(width), tanh, Linear(2)]
train (x, y) in batches(rows, 8) for 2 epochs {
  let loss = mean(twice(net(x)) ^ 2) + 0 * mean(f32(y))
  minimize loss over net with Adam(1e-2)
}
test "twice" { assert twice(2) == 4 }`;

/** Changes of what the check is given; none gives the program of the others. */
const given = {
  script: { file: "main.dlx", text: SCRIPT },
  options: { inputs: {}, seed: 1, tests: false } as CompileOptions,
  part: "fn twice(x) = 2 * x",
  facts: { rows: 16, fields: { x: { dtype: "f32", shape: [3] }, y: { dtype: "i32", shape: [], classes: 2 } } } as Facts,
};
type Given = typeof given;

const hostOf = ({ part, facts }: Given): Host => ({
  prelude,
  facts: async () => facts,
  readModule: async (path) => ({ file: path, text: part }),
});

describe("a checked program", () => {
  const others: Record<string, Partial<Given>> = {
    text: { script: { ...given.script, text: SCRIPT.replace("tanh", "relu") } },
    comment: { script: { ...given.script, text: `# a line more\n${SCRIPT}` } },
    file: { script: { ...given.script, file: "other.dlx" } },
    input: { options: { ...given.options, inputs: { width: 5 } } },
    seed: { options: { ...given.options, seed: 2 } },
    tests: { options: { ...given.options, tests: true } },
    import: { part: "fn twice(x) = x + x" },
    "rows of data": { facts: { ...given.facts, rows: 24 } },
    "shape of data": { facts: { ...given.facts, fields: { ...given.facts.fields, x: { dtype: "f32", shape: [5] } } } },
  };

  test("is found again, with its messages and sources", async () => {
    const at = newFolder();
    const cold = counted(at);
    const first = await compileKept(given.script, hostOf(given), given.options, cold);
    expect([first.diagnostics.filter((d) => d.severity === "error"), cold.found, cold.put_]).toEqual([[], 0, 1]);
    cold.flush();
    const warm = counted(at);
    const again = await compileKept(given.script, hostOf(given), given.options, warm);
    expect([warm.found, warm.put_]).toEqual([1, 0]);
    expect(again.program).toEqual(copyWithout(first.program, again.program));
    expect(programText(again.program!)).toBe(programText(first.program!));
    expect(again.diagnostics).toEqual(first.diagnostics);
    expect(again.sources).toEqual(first.sources);
  });

  test.each(Object.entries(others))("is checked again with another %s", async (_, change) => {
    const at = newFolder();
    const cold = counted(at);
    await compileKept(given.script, hostOf(given), given.options, cold);
    cold.flush();
    const other = { ...given, ...change };
    const warm = counted(at);
    const now = await compileKept(other.script, hostOf(other), other.options, warm);
    const fresh = await compile(other.script, hostOf(other), other.options);
    expect(warm.put_).toBe(1);
    expect(programText(now.program!)).toBe(programText(fresh.program!));
    expect(now.diagnostics).toEqual(fresh.diagnostics);
  });

  test("with mistakes is not kept", async () => {
    const store = counted(newFolder());
    const wrong = { ...given, script: { ...given.script, text: `${SCRIPT}\nprint nothing_of_this_name` } };
    const { program } = await compileKept(wrong.script, hostOf(wrong), wrong.options, store);
    expect([program, store.put_]).toEqual([undefined, 0]);
  });
});

/** Ids of nodes are names of a process. */
function copyWithout(program: Program | undefined, like: Program | undefined): Program | undefined {
  const [nodes, ids] = [nodesIn(program), nodesIn(like).map(({ id }) => id)];
  expect(nodes).toHaveLength(ids.length);
  nodes.forEach((node, i) => Object.assign(node, { id: ids[i] }));
  return program;
}

const TRAIN = `seed 3
input width = 8
let f = [Linear(width), LayerNorm(), gelu, Dropout(0.2), Linear(3)]
let rnn = LSTM(5)
let x = reshape(f32(range(60)) / 60, [4, 5, 3])
train for 6 steps {
  let (h, (hidden, cell)) = rnn(f(x))
  let loss = mean(h ^ 2) + mean(cell ^ 2)
  minimize loss over (f, rnn) with clip_norm(1) |> Adam(1e-2)
}`;

/** The bits of all slots after the training. */
async function trained(store: Store | undefined, options: CpuOptions = {}, text = TRAIN, inputs = {}) {
  const host = { prelude, facts: async () => undefined, readModule: async () => undefined };
  const script = { file: "train.dlx", text };
  const made = store ? compileKept(script, host, { inputs }, store) : compile(script, host, { inputs });
  const { program, diagnostics } = await made;
  if (!program) throw new Error(diagnostics[0]?.title);
  const device = new CpuDevice({ ...options, ...(store ? { store } : {}) });
  const session = createSession({ program, device, host: nodeHost({ scriptFolder: "/nowhere" }), math: evaluate });
  session.play();
  expect((await session.done).status).toBe("done");
  const state: Record<string, number[]> = {};
  for (const path of Object.keys(program.slots)) {
    const values = await session.read(path);
    state[path] = [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
  }
  await device.dispose();
  return state;
}

describe("a prepared segment", () => {
  const threaded = { threads: 2, startWorker: startNodeWorker, grain: 1 };
  const others: Record<string, readonly [CpuOptions, string?, Record<string, number>?]> = {
    rule: [{ disable: ["rows"] }],
    "multiply-add": [{ relaxed: false }],
    memory: [{ shared: false }],
    "number of threads": [threaded],
    script: [{}, TRAIN.replace("gelu", "tanh")],
    seed: [{}, TRAIN.replace("seed 3", "seed 4")],
    size: [{}, TRAIN, { width: 9 }],
  };

  test.each<[string, CpuOptions]>([
    ["one thread", {}],
    ["two threads", threaded],
  ])("is found again and gives the same bits, %s", async (_, options) => {
    const at = newFolder();
    const cold = counted(at);
    const first = await trained(cold, options);
    cold.flush();
    const warm = counted(at);
    expect(await trained(warm, options)).toEqual(first);
    expect([warm.found, warm.put_]).toEqual([cold.put_, 0]);
    expect(await trained(undefined, options)).toEqual(first);
  });

  test.each(Object.entries(others))("is made anew with another %s", async (_, [options, text, inputs]) => {
    const at = newFolder();
    const cold = counted(at);
    await trained(cold);
    cold.flush();
    const warm = counted(at);
    const state = await trained(warm, options, text, inputs);
    expect(warm.put_).toBeGreaterThan(0);
    expect(state).toEqual(await trained(undefined, options, text, inputs));
  });
});
