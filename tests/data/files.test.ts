/** NumPy files, PNG images in folders and CIFAR-10: values against what NumPy and Pillow say, and what is wrong with files. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Facts } from "../../lang/program.ts";
import { factsOf, openSource } from "../../runtime/node.ts";
import { decodePng, PngError } from "../../runtime/data/png.ts";
import { mistake, source, tempFolder, words } from "./folder.ts";

interface Sample {
  readonly file: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
const reference = JSON.parse(readFileSync(resolve(import.meta.dirname, "files/reference.json"), "utf8")) as {
  readonly png: Readonly<Record<string, Sample>>;
  readonly npy: Readonly<Record<string, Sample>>;
  readonly npz: Readonly<Record<string, string>>;
  readonly wrong: Readonly<Record<string, string>>;
};
const bytes = (text: string) => Buffer.from(text, "base64");
const folder = tempFolder();
const where = { scriptFolder: folder.path };
const said = async (name: string, args: Parameters<typeof source>[1]) =>
  words(await mistake(openSource(source(name, args), where)));

describe("PNG", () => {
  test.each(Object.entries(reference.png))("%s as Pillow reads it", (_name, { file, shape, values }) => {
    const { width, height, channels, data } = decodePng(bytes(file));
    expect(channels === 1 ? [height, width] : [channels, height, width]).toEqual(shape);
    expect([...data]).toEqual(values);
  });
  test("all five filters are among them", () => {
    const file = bytes(reference.png.colour!.file);
    expect(decodePng(file).data.length).toBe(3 * 9 * 14);
    // 16 bits, interlaced, cut, no image: each is refused with a reason.
    const changed = (at: number, to: number) => {
      const copy = Buffer.from(file);
      copy[at] = to;
      return copy;
    };
    for (const [wrong, reason] of [
      [changed(24, 16), /16 bits/],
      [changed(28, 1), /interlaced/],
      [changed(1, 0), /no PNG/],
      [file.subarray(0, 80), /too early|unpacked/],
    ] as const) {
      expect(() => decodePng(wrong)).toThrow(PngError);
      expect(() => decodePng(wrong)).toThrow(reason);
    }
  });
  test("a class for each folder, in the order of names", async () => {
    const { grey, noise, colour } = reference.png as Readonly<Record<"grey" | "noise" | "colour", Sample>>;
    folder.write("photos/dogs/b.png", bytes(grey.file));
    folder.write("photos/dogs/a.png", bytes(noise.file));
    folder.write("photos/cats/z.PNG", bytes(noise.file));
    folder.write("photos/notes.txt", "no image");
    const ref = source("images", { dir: "photos" });
    const facts = (await factsOf(ref, where)) as Facts;
    expect(facts).toEqual({
      fields: { image: { dtype: "f32", shape: [9, 14] }, label: { dtype: "i32", shape: [], classes: 2 } },
      rows: 3,
    });
    const { columns } = await openSource(ref, where);
    expect(columns.label).toMatchObject({ data: Int32Array.of(0, 1, 1), names: ["cats", "dogs"] });
    expect([...columns.image!.data]).toEqual([...noise.values, ...noise.values, ...grey.values]);
    expect(columns.image!.scale).toBe(1 / 255);
    folder.write("mixed/a/1.png", bytes(grey.file));
    folder.write("mixed/b/2.png", bytes(colour.file));
    expect(await said("images", { dir: "mixed" })).toMatch(/different sizes[^]*`b\/2.png` is \[3, 9, 14\]/);
    expect(await said("images", { dir: "nowhere" })).toMatch(/`nowhere` has no folders with PNG images/);
    folder.write("damaged/a/1.png", "text");
    expect(await said("images", { dir: "damaged" })).toMatch(/`a\/1.png` cannot be read: it is no PNG/);
  });
});

describe("NumPy", () => {
  test.each(Object.entries(reference.npy))("%s", async (name, { file, shape, values }) => {
    folder.write(`${name}.npy`, bytes(file));
    const ref = source("npy", { path: `${name}.npy` });
    const { rows, columns } = await openSource(ref, where);
    expect([rows, ...columns.x!.shape]).toEqual(shape);
    expect([...columns.x!.data]).toEqual(values.map(Math.fround));
    const whole = ["longs", "shorts", "bools"].includes(name);
    expect(((await factsOf(ref, where)) as Facts).fields.x?.dtype).toBe(whole ? "i32" : "f32");
  });
  test.each(Object.entries(reference.npz))("an archive, %s", async (name, file) => {
    folder.write(`${name}.npz`, bytes(file));
    const { rows, columns } = await openSource(source("npz", { path: `${name}.npz` }), where);
    expect(rows).toBe(3);
    expect([...columns.x!.data]).toEqual(reference.npy.floats!.values);
    expect(columns.label!.data).toEqual(Int32Array.of(0, 2, 1));
  });
  test("what is not read says why", async () => {
    for (const [name, reason] of [
      ["columns", /column by column/],
      ["complex", /its dtype is <c16/],
      ["long", /1099511627776, which is beyond 32 bits/],
      ["number", /one number, without rows/],
      ["big", /its dtype is >f8/],
    ] as const) {
      folder.write(`${name}-wrong.npy`, bytes(reference.wrong[name]!));
      expect(await said("npy", { path: `${name}-wrong.npy` })).toMatch(reason);
    }
    folder.write("cut.npy", bytes(reference.npy.floats!.file).subarray(0, 140));
    expect(await said("npy", { path: "cut.npy" })).toMatch(/ends too early: 140 bytes of 152/);
    folder.write("text.npz", "text");
    expect(await said("npz", { path: "text.npz" })).toMatch(/`text.npz` cannot be read as `.npz`/);
    expect(await said("npy", { path: "none.npy" })).toMatch(/there is no file `none.npy`/);
  });
});

describe("CIFAR-10", () => {
  const records = (labels: readonly number[]) =>
    Buffer.concat(labels.map((label) => Buffer.concat([Buffer.of(label), Buffer.alloc(3072, label + 1)])));
  test("several train files, packed or not", async () => {
    folder.write("c/data_batch_1.bin", records([3, 1]));
    folder.write("c/data_batch_2.bin.gz", gzipSync(records([9])));
    folder.write("c/test_batch.bin", records([0]));
    const ref = source("cifar10", { dir: "c" });
    const facts = (await factsOf(ref, where)) as Facts;
    expect(facts.parts).toEqual({ train: 3, test: 1 });
    expect(facts.fields.image).toEqual({ dtype: "f32", shape: [3, 32, 32] });
    const { columns } = await openSource({ ...ref, part: "train" }, where);
    expect(columns.label!.data).toEqual(Int32Array.of(3, 1, 9));
    expect(columns.image!.data[2 * 3072 + 5]).toBe(10);
    expect((await openSource(ref, where)).rows).toBe(4);
  });
  test("mistakes", async () => {
    folder.write("d/data_batch_1.bin", records([1]));
    expect(await said("cifar10", { dir: "d" })).toMatch(/needs the file `test_batch.bin`[^]*the binary files/);
    folder.write("d/test_batch.bin", records([1]).subarray(1));
    expect(await said("cifar10", { dir: "d" })).toMatch(/`test_batch.bin` does not hold whole records[^]*3073 bytes/);
    folder.write("d/test_batch.bin", records([10]));
    expect(await said("cifar10", { dir: "d" })).toMatch(/label 10 in row 1/);
  });
});

const shared = resolve(process.env.DLX_SHARED ?? "../shared", "data");
const present = existsSync(shared);
if (!present) console.log(`skipped: the real CIFAR-10 files are not in ${shared} (set DLX_SHARED)`);

test.skipIf(!present)("the real CIFAR-10 rows", async () => {
  const ref = { ...source("cifar10"), part: "test" } as const;
  const there = { scriptFolder: "/", dataFolder: shared };
  expect(((await factsOf(ref, there)) as Facts).parts).toEqual({ train: 10000, test: 1000 });
  const { columns } = await openSource(ref, there);
  expect([...columns.label!.data.slice(0, 10)]).toEqual([3, 8, 8, 0, 6, 6, 1, 6, 3, 1]);
});
