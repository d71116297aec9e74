import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readMetadata, readSafetensors, writeSafetensors } from "../../runtime/node.ts";
import type { FileTensor } from "../../runtime/host.ts";
import { mistake, span, tempFolder, words } from "./folder.ts";

const folder = tempFolder();
const at = (name: string) => join(folder.path, name);

const tensors = new Map<string, FileTensor>([
  ["conv.w", { dtype: "f32", shape: [2, 3], data: Float32Array.of(1, -2.5, 3e-8, NaN, Infinity, 6) }],
  ["steps", { dtype: "i32", shape: [], data: Int32Array.of(-7) }],
  ["mask", { dtype: "bool", shape: [3], data: Int32Array.of(1, 0, 1) }],
  ["key", { dtype: "u32", shape: [1], data: Uint32Array.of(4_000_000_000) }],
  ["none", { dtype: "f32", shape: [0, 4], data: new Float32Array(0) }],
]);

/** A file with this header and so many bytes after it. */
function foreign(name: string, header: unknown, bytes: number | Uint8Array = 0): string {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(at(name), Buffer.concat([length, json, typeof bytes === "number" ? Buffer.alloc(bytes) : bytes]));
  return at(name);
}

describe("safetensors", () => {
  test("what is written is read back", async () => {
    await writeSafetensors(at("all.safetensors"), tensors, { format: "dlx", step: "12" });
    expect(await readSafetensors(at("all.safetensors"))).toEqual(tensors);
    expect(await readMetadata(at("all.safetensors"))).toEqual({ format: "dlx", step: "12" });
  });

  test("the bytes are those of the format", async () => {
    await writeSafetensors(
      at("one.safetensors"),
      new Map([["a", { dtype: "f32", shape: [2], data: Float32Array.of(1, 2) }]]),
    );
    const bytes = readFileSync(at("one.safetensors"));
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(
      bytes
        .subarray(8, 8 + length)
        .toString()
        .trimEnd(),
    ).toBe('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
    expect([bytes.readFloatLE(8 + length), bytes.readFloatLE(12 + length), bytes.length]).toEqual([1, 2, 16 + length]);
  });

  test("a view into a larger array writes its own part", async () => {
    const data = Float32Array.of(0, 1, 2, 3).subarray(1, 3);
    await writeSafetensors(at("view.safetensors"), new Map([["v", { dtype: "f32", shape: [2], data }]]));
    expect((await readSafetensors(at("view.safetensors"))).get("v")?.data).toEqual(Float32Array.of(1, 2));
  });

  test("half precisions, doubles and long whole numbers are read", async () => {
    const bytes = Buffer.alloc(2 + 2 + 8 + 8 + 2);
    bytes.writeUInt16LE(0xc100, 0); // f16: -2.5
    bytes.writeUInt16LE(0x3fc0, 2); // bf16: 1.5
    bytes.writeDoubleLE(0.25, 4);
    bytes.writeBigInt64LE(-9n, 12);
    bytes.writeUInt16LE(0x0001, 20); // f16: the least
    const entry = (dtype: string, start: number, end: number) => ({ dtype, shape: [], data_offsets: [start, end] });
    const header = {
      h: entry("F16", 0, 2),
      b: entry("BF16", 2, 4),
      d: entry("F64", 4, 12),
      n: entry("I64", 12, 20),
      l: entry("F16", 20, 22),
    };
    const read = await readSafetensors(foreign("kinds.safetensors", header, bytes));
    expect([...read.values()].map((t) => t.data[0])).toEqual([-2.5, 1.5, 0.25, -9, 2 ** -24]);
  });

  test("an old file stays whole when writing fails, and nothing is left behind", async () => {
    mkdirSync(at("sub/target.safetensors"), { recursive: true });
    const found = await mistake(writeSafetensors(at("sub/target.safetensors"), tensors, {}, span));
    expect(found.code).toBe("DLX0533");
    expect(found.labels[0]?.span).toEqual(span);
    expect(readdirSync(at("sub"))).toEqual(["target.safetensors"]);
    expect(words(await mistake(writeSafetensors(at("nowhere/x.safetensors"), tensors)))).toMatch(
      /there is no such folder/,
    );
    const wrong = new Map<string, FileTensor>([["a", { dtype: "f32", shape: [3], data: new Float32Array(2) }]]);
    await expect(writeSafetensors(at("wrong.safetensors"), wrong)).rejects.toThrow(
      "a: expected 3 numbers for [3], got 2",
    );
    expect(readdirSync(folder.path).filter((name) => name.includes("tmp"))).toEqual([]);
  });

  test("writing replaces", async () => {
    const small = new Map<string, FileTensor>([["a", { dtype: "f32", shape: [], data: Float32Array.of(5) }]]);
    await writeSafetensors(at("twice.safetensors"), tensors);
    await writeSafetensors(at("twice.safetensors"), small);
    expect(await readSafetensors(at("twice.safetensors"))).toEqual(small);
  });
});

describe("what is in the place of a file", () => {
  const one = new Map<string, FileTensor>([["a", { dtype: "f32", shape: [], data: Float32Array.of(5) }]]);

  test("a link is followed and stays", async () => {
    mkdirSync(at("far"));
    writeFileSync(at("far/there.safetensors"), "old");
    symlinkSync(at("far/there.safetensors"), at("link.safetensors"));
    await writeSafetensors(at("link.safetensors"), one);
    expect(lstatSync(at("link.safetensors")).isSymbolicLink()).toBe(true);
    expect(await readSafetensors(at("far/there.safetensors"))).toEqual(one);
    expect(readdirSync(at("far"))).toEqual(["there.safetensors"]);
  });

  test("what a killed process left beside it goes, what a living one writes stays", async () => {
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    const names = [`.mine.${dead}.0.tmp`, `.mine.${process.ppid}.0.tmp`, `.other.${dead}.0.tmp`, `.mine.x.tmp`];
    mkdirSync(at("left"));
    for (const name of names) writeFileSync(at(`left/${name}`), "half");
    await writeSafetensors(at("left/mine"), one);
    expect(readdirSync(at("left")).sort()).toEqual([...names.slice(1), "mine"].sort());
  });
});

describe("Python", () => {
  const python = ["python3", "/usr/bin/python3"].find((p) => spawnSync(p, ["-c", "import numpy"]).status === 0);
  if (!python) console.warn("left out: files are not read and written with NumPy, as there is none");
  const run = (code: string, ...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(python ?? "", ["-c", code, ...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };
  const read = `import json, sys, numpy as np
kinds = {"F32": "<f4", "I32": "<i4", "U32": "<u4", "BOOL": "?"}
raw = open(sys.argv[1], "rb").read()
n = int.from_bytes(raw[:8], "little")
head = json.loads(raw[8:8 + n])
for name, t in head.items():
    if name == "__metadata__": continue
    a, b = t["data_offsets"]
    x = np.frombuffer(raw[8 + n + a:8 + n + b], kinds[t["dtype"]]).reshape(t["shape"])
    print(name, x.dtype, x.shape, x.tolist())
`;
  const write = `import json, sys, numpy as np
arrays = {"f": (np.arange(6, dtype="<f4").reshape(2, 3) / 4, "F32"), "d": (np.array([0.5, -1e-3]), "F64"),
  "h": (np.array([1.5, -65504], "<f2"), "F16"), "l": (np.array(-7, "<i8"), "I64"), "m": (np.array([True, False]), "BOOL")}
head, body = {}, b""
for name, (x, kind) in arrays.items():
    bytes_ = x.tobytes()
    head[name] = {"dtype": kind, "shape": list(x.shape), "data_offsets": [len(body), len(body) + len(bytes_)]}
    body += bytes_
text = json.dumps(head).encode()
open(sys.argv[1], "wb").write(len(text).to_bytes(8, "little") + text + body)
`;
  test.skipIf(!python)("NumPy reads what dlx writes", async () => {
    await writeSafetensors(at("numpy.safetensors"), tensors, { format: "dlx" });
    expect(run(read, at("numpy.safetensors"))).toBe(
      [
        "conv.w float32 (2, 3) [[1.0, -2.5, 2.999999892949745e-08], [nan, inf, 6.0]]",
        "steps int32 () -7",
        "mask bool (3,) [True, False, True]",
        "key uint32 (1,) [4000000000]",
        "none float32 (0, 4) []",
        "",
      ].join("\n"),
    );
  });
  test.skipIf(!python)("dlx reads what NumPy writes", async () => {
    run(write, at("from-numpy.safetensors"));
    expect(await readSafetensors(at("from-numpy.safetensors"))).toEqual(
      new Map<string, FileTensor>([
        ["f", { dtype: "f32", shape: [2, 3], data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25) }],
        ["d", { dtype: "f32", shape: [2], data: Float32Array.of(0.5, -1e-3) }],
        ["h", { dtype: "f32", shape: [2], data: Float32Array.of(1.5, -65504) }],
        ["l", { dtype: "i32", shape: [], data: Int32Array.of(-7) }],
        ["m", { dtype: "bool", shape: [2], data: Int32Array.of(1, 0) }],
      ]),
    );
  });
  const has = python !== undefined && spawnSync(python, ["-c", "import safetensors.numpy"]).status === 0;
  test.skipIf(!has)("the package safetensors reads what dlx writes", async () => {
    await writeSafetensors(at("package.safetensors"), tensors);
    const code = "import sys, safetensors.numpy as s\nprint(sorted(s.load_file(sys.argv[1])))";
    expect(run(code, at("package.safetensors")).trim()).toBe("['conv.w', 'key', 'mask', 'none', 'steps']");
  });
});

describe("files that are no safetensors", () => {
  const said = async (file: string) => {
    const found = await mistake(readSafetensors(file, span));
    return `${found.code} ${words(found)}`;
  };

  test("missing", async () => {
    writeFileSync(at("net.safetensors"), "");
    expect(await said(at("nets.safetensors"))).toMatch(/^DLX0501 .*did you mean `net.safetensors`/s);
  });

  test("cut anywhere", async () => {
    await writeSafetensors(at("cut.safetensors"), tensors);
    const size = readFileSync(at("cut.safetensors")).length;
    for (const length of [size - 1, 200, 20]) {
      truncateSync(at("cut.safetensors"), length);
      expect(await said(at("cut.safetensors"))).toMatch(
        /^DLX0531 .*ends too early\nits header promises \d+ bytes, it holds \d+/,
      );
    }
    truncateSync(at("cut.safetensors"), 5);
    expect(await said(at("cut.safetensors"))).toMatch(/^DLX0530 .*it has only 5 bytes/);
  });

  test("foreign", async () => {
    writeFileSync(at("zip"), "PK\x03\x04 and much more that a PyTorch file holds");
    expect(await said(at("zip"))).toMatch(/^DLX0530 .*does not begin with the length of a header/);
    expect(await said(foreign("text", "hello there"))).toMatch(/its header is not JSON/);
    expect(await said(foreign("broken", '{"a":'))).toMatch(/its header is not JSON/);
    expect(await said(foreign("odd", { a: { dtype: "F32", shape: [-1], data_offsets: [0, 4] } }, 4))).toMatch(
      /nothing clear about `a`/,
    );
    expect(await said(foreign("size", { a: { dtype: "F32", shape: [3], data_offsets: [0, 4] } }, 4))).toMatch(
      /has 4 bytes, but \[3\] in F32 takes 12/,
    );
    expect(await said(foreign("f8", { a: { dtype: "F8_E4M3", shape: [1], data_offsets: [0, 1] } }, 1))).toMatch(
      /^DLX0532 `a` in `.*f8` has the dtype F8_E4M3, which dlx does not read/,
    );
    const spot = (start: number, end: number) => ({
      dtype: "F32",
      shape: [(end - start) / 4],
      data_offsets: [start, end],
    });
    expect(await said(foreign("overlap", { a: spot(0, 8), b: spot(4, 12) }, 12))).toMatch(/`a` and `b` overlap/);
    expect(await said(foreign("hole", { a: spot(0, 8), b: spot(12, 16) }, 16))).toMatch(
      /4 bytes before `b` belong to no tensor/,
    );
    expect(await said(foreign("tail", { a: spot(0, 8) }, 12))).toMatch(/4 bytes follow its last tensor/);
    const long = Buffer.alloc(8);
    long.writeBigInt64LE(2n ** 40n);
    expect(await said(foreign("long", { a: { dtype: "I64", shape: [], data_offsets: [0, 8] } }, long))).toMatch(
      /beyond 32 bits/,
    );
  });
});
