/** A disk in memory against Node's: the same facts, rows and messages, for files that are right and wrong. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { UserError } from "../../lang/diagnostic.ts";
import type { DataArg, SourceRef } from "../../lang/program.ts";
import { readSafetensors, writeSafetensors } from "../../runtime/checkpoint.ts";
import { Damaged } from "../../runtime/data/disk.ts";
import { factsOf as factsOn } from "../../runtime/data/facts.ts";
import { openSource as openOn } from "../../runtime/data/open.ts";
import { gunzip, unzlib } from "../../runtime/data/unpack.ts";
import { memoryDisk } from "../../runtime/disk-memory.ts";
import { factsOf, openSource } from "../../runtime/node.ts";
import { idxSet, images, mistake, source, tempFolder } from "./folder.ts";

const reference = JSON.parse(readFileSync(resolve(import.meta.dirname, "files/reference.json"), "utf8")) as {
  readonly png: Readonly<Record<string, { readonly file: string }>>;
  readonly npz: Readonly<Record<string, string>>;
};
const png = (name: string) => Buffer.from(reference.png[name]!.file, "base64");
const text = (content: string) => new TextEncoder().encode(content);

const folder = tempFolder();
let made = 0;

async function outcome<T>(work: Promise<T>): Promise<T | string> {
  try {
    return await work;
  } catch (thrown) {
    if (thrown instanceof UserError) return JSON.stringify(thrown.diagnostic);
    throw thrown;
  }
}

/** What both disks say of a source over these files: its facts and its rows. */
async function agree(files: Readonly<Record<string, Uint8Array>>, ref: SourceRef): Promise<unknown> {
  const name = `place${made++}`;
  for (const [file, bytes] of Object.entries(files)) folder.write(`${name}/${file}`, bytes);
  const at = `${folder.path}/${name}`;
  const disk = memoryDisk(new Map(Object.entries(files)));
  const [here, there] = [
    { scriptFolder: at, dataFolder: at },
    { disk, scriptFolder: ".", dataFolder: "." },
  ] as const;
  const facts = [await outcome(factsOf(ref, here)), await outcome(factsOn(ref, there))] as const;
  const rows = [await outcome(openSource(ref, here)), await outcome(openOn(ref, there))] as const;
  const placeless = (value: unknown) =>
    JSON.parse(JSON.stringify(value).replaceAll(`${at}/`, "").replaceAll(at, ".")) as unknown;
  expect(placeless(facts[1])).toEqual(placeless(facts[0]));
  if (typeof rows[0] === "string") expect(placeless(rows[1])).toEqual(placeless(rows[0]));
  else expect(rows[1]).toEqual(rows[0]);
  return rows[0];
}

type Case = readonly [files: Readonly<Record<string, Uint8Array>>, name: string, args?: Record<string, DataArg>];
const table = "a,b,kind\n1,2,x\n3,4,y\n";
const badSum = gzipSync(images(12));
badSum.writeUInt32LE(1, badSum.length - 8);
const badBlock = gzipSync(images(12)).fill(0xff, 10, 20);

const right: Readonly<Record<string, Case>> = {
  csv: [{ "t.csv": text(table) }, "csv", { path: "t.csv", target: "kind" }],
  "csv with a mark, CRLF and quotes": [
    { "d/t.csv": text('\ufeff"a ","b,c"\r\n 1 ,"2"\r\n\r\n3,4') },
    "csv",
    { path: "d/t.csv" },
  ],
  idx: [idxSet(false), "mnist"],
  "idx packed": [idxSet(true), "mnist"],
  "idx in a folder": [
    Object.fromEntries(Object.entries(idxSet(true)).map(([name, bytes]) => [`fashion-mnist/${name}`, bytes])),
    "fashion_mnist",
  ],
  images: [
    { "p/dogs/b.png": png("grey"), "p/cats/a.png": png("noise"), "p/notes.txt": text("no") },
    "images",
    { dir: "p" },
  ],
  npz: [{ "a.npz": Buffer.from(Object.values(reference.npz)[0]!, "base64") }, "npz", { path: "a.npz" }],
};

const wrong: Readonly<Record<string, Case>> = {
  "no file": [{ "t.csv": text(table) }, "csv", { path: "T.csv" }],
  "a folder": [{ "d/t.csv": text(table) }, "csv", { path: "d" }],
  "open quotes": [{ "t.csv": text('a,b\n1,"2\n3,4\n') }, "csv", { path: "t.csv" }],
  "quotes within a cell": [{ "t.csv": text('a,b\n1,2\n3,4"5"\n') }, "csv", { path: "t.csv" }],
  "a ragged row": [{ "t.csv": text("a,b\n1,2\n3\n") }, "csv", { path: "t.csv" }],
  "a bad cell": [{ "t.csv": text("a,b\n1,2\n3,\n") }, "csv", { path: "t.csv" }],
  "no set": [{}, "mnist"],
  "a part of a set": [{ "t10k-labels-idx1-ubyte": new Uint8Array(3) }, "mnist"],
  "gzip with a wrong sum": [idxSet(true, { "train-images-idx3-ubyte.gz": badSum }), "mnist"],
  "gzip with a wrong block": [idxSet(true, { "train-images-idx3-ubyte.gz": badBlock }), "mnist"],
  "gzip that was cut": [idxSet(true, { "train-images-idx3-ubyte.gz": badSum.subarray(0, 60) }), "mnist"],
  "idx that was cut": [idxSet(false, { "t10k-images-idx3-ubyte": images(5).subarray(0, 999) }), "mnist"],
  "no image": [{ "p/dogs/b.png": text("bark") }, "images", { dir: "p" }],
  "no images": [{}, "images", { dir: "p" }],
  "no archive": [{ "a.npz": text("PK") }, "npz", { path: "a.npz" }],
};

describe("files in memory are read as those of a disk", () => {
  test.each(Object.entries(right))("%s", async (_name, [files, name, args]) => {
    expect(await agree(files, source(name, args))).toHaveProperty("rows");
  });
  test.each(Object.entries(wrong))("%s", async (_name, [files, name, args]) => {
    expect(await agree(files, source(name, args))).toMatch(/DLX05/);
  });
  test("text", async () => {
    const over = { ...source("chars"), of: source("text", { path: "t.gz" }) };
    expect(await agree({ "t.gz": gzipSync("one two") }, over)).toHaveProperty("rows", 7);
    expect(await agree({ "t.gz": Uint8Array.of(65, 10, 0xff) }, over)).toMatch(/UTF-8/);
  });
});

test("other bytes at a name are another file", async () => {
  const files = new Map([["t.csv", text("a\n1\n")]]);
  const where = { disk: memoryDisk(files), scriptFolder: "." };
  const ref = source("csv", { path: "t.csv" });
  const before = await openOn(ref, where);
  expect(await openOn(ref, where)).toBe(before);
  files.set("t.csv", text("a\n2\n"));
  expect([...(await openOn(ref, where)).columns.x!.data]).toEqual([2]);
});

test("a script's paths stay below the root", async () => {
  const disk = memoryDisk(new Map([["t.csv", text("a\n1\n")]]));
  for (const path of ["./t.csv", "/t.csv", "../../t.csv", "x/../t.csv", "x\\..\\t.csv"])
    expect((await openOn(source("csv", { path }), { disk, scriptFolder: "." })).rows).toBe(1);
});

test("safetensors are written and read back", async () => {
  const files = new Map<string, Uint8Array>();
  const disk = memoryDisk(files);
  const data = Float32Array.of(1, 2);
  const tensors = new Map([["w", { dtype: "f32" as const, shape: [2], data }]]);
  await writeSafetensors(disk, "d/m.safetensors", tensors);
  data.fill(0);
  expect((await readSafetensors(disk, "d/m.safetensors")).get("w")?.data).toEqual(Float32Array.of(1, 2));
  expect((await mistake(writeSafetensors(disk, "d", tensors))).title).toMatch(/`d` cannot be written: it is a folder/);
  files.set("d/cut", files.get("d/m.safetensors")!.subarray(0, 40));
  expect((await mistake(readSafetensors(disk, "d/cut"))).code).toBe("DLX0531");
});

describe("gzip without a host", () => {
  const content = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i * 31) >> 7);
  test("members one behind another, larger than what is handed over at once", () => {
    const members = Buffer.concat([gzipSync(content), gzipSync("end"), gzipSync("")]);
    expect(Buffer.from(gunzip(members)).equals(gunzipSync(members))).toBe(true);
  });
  test("cut anywhere", () => {
    const packed = gzipSync(content.subarray(0, 200));
    for (let length = 0; length < packed.length; length++) {
      const failure = (() => {
        try {
          return gunzip(packed.subarray(0, length));
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(failure).toBeInstanceOf(Damaged);
      expect(failure).toMatchObject({ cut: true, message: "unexpected end of file" });
    }
  });
  test("a wrong bit is found wherever it matters", () => {
    const plain = content.subarray(0, 60);
    for (const packed of [gzipSync(plain), gzipSync("abcabcabcabd".repeat(9))]) {
      let found = 0;
      for (let bit = 80; bit < 8 * packed.length; bit++) {
        const changed = Uint8Array.from(packed);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        try {
          expect(Buffer.from(gunzip(changed)).equals(gunzipSync(packed))).toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Damaged);
          found++;
        }
      }
      // The others are lengths said twice, and bits that fill up bytes.
      expect(found).toBeGreaterThan(8 * packed.length - 80 - 32);
    }
  });
});

test("zlib without a host: the sum is checked", () => {
  const content = Uint8Array.from({ length: 20_000 }, (_, i) => (i * i) >> 5);
  const packed = deflateSync(content);
  expect(unzlib(packed, content.length)).toEqual(content);
  expect(() => unzlib(packed.subarray(0, 900), content.length)).toThrow("unexpected end of file");
  packed[packed.length - 1]! ^= 1;
  expect(() => unzlib(packed, content.length)).toThrow("incorrect data check");
});
