/** Every bad input meets one message with its place and a way out, the right exit code, and loses nothing. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../../runtime/node.ts";
import { DONE, FAILED, INTERRUPTED, WRONG_PROGRAM, WRONG_USAGE } from "../../runtime/cli/io.ts";
import type { FileTensor } from "../../runtime/host.ts";
import { idx, idxSet, images, labels } from "../data/folder.ts";
import { ended, said, workplace } from "./cli.ts";

const place = workplace();
afterAll(place.remove);

const table = (
  file: string,
  target = "y",
  batches = "batches(rows, 2)",
) => `let rows = csv("${file}", target: "${target}")
let f = Linear(1)
train (x, y) in ${batches} for 2 epochs {
  minimize mse(squeeze(f(x), -1), y) over f with SGD(1e-3)
}
`;
const sized = `let data = mnist()
eval all (image, label) in batches(data.train, 5) { metric m = mean(image) }
`;
const saving = (file: string) => `let f = Linear(2)
let x = normal([3, 4])
print shape(f(x))
save f to "${file}"
`;
const loading = (file: string) => `let f = Linear(2) |> load("${file}")
let x = normal([3, 4])
print shape(f(x))
`;
const inputs = `input lr = 1e-2 in 1e-4 .. 1 log
print lr
`;

interface Case {
  readonly script: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly args?: readonly string[];
  readonly code: number;
}
const csvCase = (text: string, code: number, target?: string): Case => ({
  script: table("t.csv", target),
  files: { "t.csv": text },
  code,
});
const idxCase = (changed: Record<string, Uint8Array>, code: number, packed = false): Case => ({
  script: sized,
  files: idxSet(packed, changed),
  args: ["--data", "."],
  code,
});

/** A safetensors file with this header. */
function foreign(header: unknown, bytes = 0): Buffer {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(bytes)]);
}
const entry = (shape: number[], from: number, to: number, dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [from, to],
});
const nan = foreign({ w: entry([4, 2], 0, 32), b: entry([2], 32, 40) }, 40);
nan.writeFloatLE(NaN, nan.length - 40 + 4 * 5);

const whole = gzipSync(images(12));
const cases: Record<string, Case> = {
  "a file that is not there": {
    script: table("price.csv"),
    files: { "prices.csv": "a,y\n1,2\n" },
    code: WRONG_PROGRAM,
  },
  "a data set that is not there": { script: sized, args: ["--data", "."], code: WRONG_PROGRAM },
  "a file that is not IDX": idxCase({ "train-images-idx3-ubyte": Buffer.from("hello there") }, WRONG_PROGRAM),
  "images and labels that changed names": idxCase({ "train-images-idx3-ubyte": labels(12) }, WRONG_PROGRAM),
  "a truncated gzip": idxCase(
    { "train-images-idx3-ubyte.gz": whole.subarray(0, whole.length - 20) },
    WRONG_PROGRAM,
    true,
  ),
  "a label outside of the classes": idxCase(
    { "train-labels-idx1-ubyte": idx(0x801, [12], Uint8Array.of(1, 2, 3, 10, 5, 6, 7, 8, 9, 0, 1, 2)) },
    FAILED,
  ),
  "a missing column": csvCase("price,size\n1,2\n", WRONG_PROGRAM, "pirce"),
  "text in a column": csvCase("a,b,y\n1,x,3\n4,5,6\n", WRONG_PROGRAM),
  "text in a column of numbers": csvCase("a,b,y\n1,2,3\n4,oops,6\n", FAILED),
  "an empty cell": csvCase("a,b,y\n1,2,3\n4,,6\n", FAILED),
  "NaN in a cell": csvCase("a,b,y\n1,2,3\n4,nan,6\n", FAILED),
  "a number that 32 bits cannot hold": csvCase("a,b,y\n1,2,3\n4,1e39,6\n", FAILED),
  "ragged rows": csvCase("a,b,y\n1,2,3\n4,5\n", WRONG_PROGRAM),
  "quotes that do not end": csvCase('a,b,y\n1,"2,3\n4,5,6\n', WRONG_PROGRAM),
  "a table without rows": csvCase("a,b,y\n", WRONG_PROGRAM),
  "an empty file": csvCase("", WRONG_PROGRAM),
  "a batch larger than the data": {
    script: table("t.csv", "y", "batches(rows, 4, drop_last: true)"),
    files: { "t.csv": "a,y\n1,2\n3,4\n5,6\n" },
    code: WRONG_PROGRAM,
  },
  "an unknown --set": { script: inputs, args: ["--set", "rl=1"], code: WRONG_USAGE },
  "a value outside of the range": { script: inputs, args: ["--set", "lr=3"], code: WRONG_USAGE },
  "a value that is no number": { script: inputs, args: ["--set", "lr=fast"], code: WRONG_USAGE },
  "an unknown device": { script: inputs, args: ["--device", "gpu"], code: WRONG_USAGE },
  "a path through a file": { script: saving("t.csv/net.safetensors"), files: { "t.csv": "" }, code: FAILED },
  "a folder that is not there": { script: saving("nets/net.safetensors"), code: FAILED },
  "a folder in the place of the file": { script: saving("nets"), files: { "nets/a": "" }, code: FAILED },
  "a device in the place of the file": { script: saving("/dev/full"), code: FAILED },
  "weights that are not there": { script: loading("nte.safetensors"), files: { "net.safetensors": "" }, code: FAILED },
  "weights that are something else": {
    script: loading("net"),
    files: { net: "PK\x03\x04 and much more" },
    code: FAILED,
  },
  "weights that were cut": {
    script: loading("net"),
    files: { net: foreign({ w: entry([4, 2], 0, 32), b: entry([2], 32, 40) }, 30) },
    code: FAILED,
  },
  "weights that overlap": {
    script: loading("net"),
    files: { net: foreign({ w: entry([4, 2], 0, 32), b: entry([2], 28, 36) }, 36) },
    code: FAILED,
  },
  "weights of an unknown kind": {
    script: loading("net"),
    files: { net: foreign({ w: entry([4, 2], 0, 8, "F8_E4M3") }, 8) },
    code: FAILED,
  },
  "weights of another model": {
    script: loading("net"),
    files: { net: foreign({ w: entry([4, 3], 0, 48), bias: entry([2], 48, 56), b: entry([2], 56, 64, "I32") }, 64) },
    code: FAILED,
  },
  "weights that are NaN": { script: loading("net"), files: { net: nan }, code: FAILED },
};

describe("one message, its place and a way out", () => {
  it.concurrent.for(Object.entries(cases))("%s", async ([, { script, files, args = [], code }], { expect }) => {
    const folder = workplace();
    for (const [file, content] of Object.entries(files ?? {})) folder.write(file, content);
    folder.write("script.dlx", script);
    const before = readdirSync(folder.path).sort();
    const found = await folder.run(["run", "script.dlx", "--device", "cpu", ...args]);
    const text = found.err.replaceAll(folder.path, "FOLDER");
    expect(readdirSync(folder.path).sort()).toEqual(before);
    folder.remove();
    expect(text).toMatchSnapshot();
    expect(found.code).toBe(code);
    expect(text.match(/^(error\[|dlx: )/gm)).toHaveLength(1);
    expect(text).not.toMatch(/\n\s+at |mistake in dlx/);
    if (!text.startsWith("dlx: ")) expect(text).toMatch(/\n {2}= help: /);
    if (args.length === 0) expect(text).toContain("script.dlx:");
  });
});

it("a byte order mark, and quotes around commas and line ends, are no mistake", async () => {
  place.write("t.csv", '\uFEFF"a, in metres",b,kind\n"1",2,"one, two"\n4,"5","two\nlines"\n');
  place.write("ok.dlx", 'let rows = csv("t.csv", target: "kind", columns: ["a, in metres"])\nprint rows.x, rows.y\n');
  expect(await place.run(["run", "ok.dlx", "--device", "cpu", "--json"])).toMatchObject({
    code: DONE,
    err: "",
    out: expect.stringContaining('"event":"print"') as string,
  });
});

// ---------------------------------------------------------------- files stay whole

/** All numbers of the only param are equal after every step, so a mixture of two saves would show. */
const flat = `model Flat()(x: [B, 1]) -> [B] {
  param w: [1500, 1500] ~ zeros
  squeeze(x, -1) * mean(w)
}
let f = Flat()
let rows = toy.linear(w: [1], n: 10, noise: 0)
train (x, y) in batches(rows, 10) for 100000 epochs {
  minimize mean(f(0 * x + 1)) over f with SGD(2250000)
  every 1 steps { save f to "net.safetensors" }
}
`;
const temporary = () => readdirSync(place.path).filter((name) => name.endsWith(".tmp"));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a file that is saved again", () => {
  it("stays whole when the process is killed in the middle, and what is left beside it goes", async () => {
    place.write("flat.dlx", flat);
    const seen = new Set<number>();
    for (let round = 0; round < 5; round++) {
      const child = place.start(["run", "flat.dlx", "--device", "cpu", "--threads", "1"]);
      const end = ended(child);
      await said(child, "saved");
      const old = temporary().filter((name) => !name.includes(`.${child.pid}.`));
      while (child.exitCode === null && !temporary().some((name) => !old.includes(name))) await pause(1);
      child.kill("SIGKILL");
      expect((await end).code).toBe(null);
      const w = (await readSafetensors(join(place.path, "net.safetensors"))).get("w");
      expect(w?.shape).toEqual([1500, 1500]);
      seen.add(w?.data[0] ?? NaN);
      expect(w?.data.every((x) => x === w.data[0])).toBe(true);
    }
    expect(seen.has(NaN)).toBe(false);
    const last = await place.run(["run", "flat.dlx", "--device", "cpu", "--threads", "1", "--steps", "1"]);
    expect(last).toMatchObject({ code: DONE, err: "" });
    expect(temporary()).toEqual([]);
  });
  it("stays whole when there is no room for the new one", async () => {
    const small = new Map<string, FileTensor>([["w", { dtype: "f32", shape: [1], data: Float32Array.of(7) }]]);
    await writeSafetensors(join(place.path, "net.safetensors"), small);
    const before = readFileSync(join(place.path, "net.safetensors"));
    place.write("flat.dlx", flat);
    // As a full disk does, a limit on the size of files lets a write begin and then fail.
    const found = await place.run(["run", "flat.dlx", "--device", "cpu", "--threads", "1"], "ulimit -f 2000");
    expect(found.code).toBe(FAILED);
    expect(found.err).toMatchInlineSnapshot(`
      "error[DLX0533]: \`net.safetensors\` cannot be written: the file would be larger
          than this system allows
       --> flat.dlx:9:19
        |
      9 |   every 1 steps { save f to "net.safetensors" }
        |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^ saved here
        |
        = help: name a file in a folder that exists and may be written, with room for
                it
      "
    `);
    expect(readFileSync(join(place.path, "net.safetensors")).equals(before)).toBe(true);
    expect(temporary()).toEqual([]);
  });
});

describe("a full disk", () => {
  const disk = join(place.path, "disk");
  mkdirSync(disk);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]).status === 0;
  if (!mounted) console.warn("left out: a disk that is full, as this process may not mount one");
  afterAll(() => void (mounted && spawnSync("umount", [disk])));

  it.skipIf(!mounted)("is named, and the old file stays", async () => {
    const old = new Map<string, FileTensor>([["w", { dtype: "f32", shape: [1], data: Float32Array.of(7) }]]);
    await writeSafetensors(join(disk, "net.safetensors"), old);
    place.write("full.dlx", 'let f = Linear(600)\nprint shape(f(ones([1, 600])))\nsave f to "disk/net.safetensors"\n');
    const found = await place.run(["run", "full.dlx", "--device", "cpu"]);
    expect(found.code).toBe(FAILED);
    expect(found.err).toMatchInlineSnapshot(`
      "error[DLX0533]: \`disk/net.safetensors\` cannot be written: the disk is full
       --> full.dlx:3:1
        |
      3 | save f to "disk/net.safetensors"
        | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ saved here
        |
        = help: name a file in a folder that exists and may be written, with room for
                it
      "
    `);
    expect(await readSafetensors(join(disk, "net.safetensors"))).toEqual(old);
    expect(readdirSync(disk)).toEqual(["net.safetensors"]);
  });
});

// ---------------------------------------------------------------- control-C

describe("control-C in the middle of work that takes minutes", () => {
  const slow = `let rows = toy.linear(w: [3, 4], n: 60000, noise: 0.1)
let f = [Linear(2048), tanh, Linear(2048), tanh, Linear(2048), tanh, Linear(1)]
print shape(f(ones([1, 2])))
save f to "slow.safetensors"
train (x, y) in batches(rows, 30000) for 100 epochs {
  minimize mse(squeeze(f(x), -1), y) over f with SGD(1e-3)
  every 1 steps { save f to "slow.safetensors" }
}
`;
  const drawn = `print "begin"
let rows = toy.linear(w: [3, 4], n: 200000000, noise: 0.1)
eval all (x, y) in batches(rows, 200000) { metric m = mean(x) }
`;
  it.each([
    ["a step on one thread", slow, ["--threads", "1"]],
    ["a step on two threads", slow, ["--threads", "2"]],
    ["drawing a data set", drawn, []],
  ])("%s", async (_, script, args) => {
    const folder = workplace();
    folder.write("slow.dlx", script);
    const child = folder.start(["run", "slow.dlx", "--device", "cpu", ...args]);
    const end = ended(child);
    const word = script === slow ? "saved" : "begin";
    await said(child, word);
    await pause(1500);
    const files = readdirSync(folder.path).sort();
    const before = files.includes("slow.safetensors") && readFileSync(join(folder.path, "slow.safetensors"));
    child.kill("SIGINT");
    const { code, out, err } = await end;
    expect({ code, err }).toEqual({ code: INTERRUPTED, err: "" });
    expect(out).not.toContain("done");
    expect(readdirSync(folder.path).sort()).toEqual(files);
    if (before) expect(readFileSync(join(folder.path, "slow.safetensors")).equals(before)).toBe(true);
    folder.remove();
  });
});
