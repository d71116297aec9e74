import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { factsOf, openSource } from "../../runtime/node.ts";
import { idx, idxSet, images, labels, mistake, source, span, tempFolder, words } from "./folder.ts";

const folder = tempFolder();
let made = 0;

/** Writes a set into a new folder and returns where to look for it. */
function place(files: Record<string, Uint8Array>, sub = "") {
  const name = `set${made++}`;
  for (const [file, bytes] of Object.entries(files)) folder.write(`${name}/${sub}${file}`, bytes);
  return { scriptFolder: folder.path, dataFolder: `${folder.path}/${name}` };
}

async function problem(files: Record<string, Uint8Array>): Promise<string> {
  const facts = await factsOf(source("mnist"), place(files));
  if (!("code" in facts)) throw new Error(`expected a diagnostic, got ${JSON.stringify(facts)}`);
  expect(facts.labels[0]?.span).toEqual(span);
  return `${facts.code} ${words(facts)}`;
}

const expected = {
  fields: { image: { dtype: "f32", shape: [28, 28] }, label: { dtype: "i32", shape: [], classes: 10 } },
  rows: 17,
  parts: { train: 12, test: 5 },
};

describe("facts of IDX sets come from headers", () => {
  test("plain and gzipped", async () => {
    expect(await factsOf(source("mnist"), place(idxSet(false)))).toEqual(expected);
    expect(await factsOf(source("mnist"), place(idxSet(true)))).toEqual(expected);
  });

  test("in a subfolder, with a dot, by $DLX_DATA and by dir", async () => {
    expect(await factsOf(source("fashion_mnist"), place(idxSet(true), "fashion-mnist/"))).toEqual(expected);
    const dotted = Object.fromEntries(
      Object.entries(idxSet(false)).map(([name, b]) => [name.replace("-idx", ".idx"), b]),
    );
    const where = place(dotted);
    expect(await factsOf(source("mnist"), where)).toEqual(expected);
    expect(await factsOf(source("mnist"), { scriptFolder: "/", env: where.dataFolder })).toEqual(expected);
    const dir = where.dataFolder.slice(folder.path.length + 1);
    expect(await factsOf(source("mnist", { dir }), { scriptFolder: folder.path })).toEqual(expected);
  });

  test("a name with .gz that is not packed is read as it is", async () => {
    const files = idxSet(false);
    const renamed = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${name}.gz`, bytes]));
    expect(await factsOf(source("mnist"), place(renamed))).toEqual(expected);
  });
});

describe("what is wrong with a set", () => {
  test("no folder, no file", async () => {
    const none = await factsOf(source("mnist"), { scriptFolder: folder.path });
    expect("code" in none && words(none)).toMatch(
      /needs the file `train-images-idx3-ubyte`.*\nno folder was named.*\n.*--data DIR.*digits\(\)/s,
    );
    const { "t10k-labels-idx1-ubyte.gz": _, ...three } = idxSet(true);
    expect(await problem(three)).toMatch(/^DLX0502 `mnist` needs the file `t10k-labels-idx1-ubyte`/);
  });

  test("wrong magic", async () => {
    expect(await problem(idxSet(false, { "train-images-idx3-ubyte": Buffer.from("<html>not here</html>") }))).toMatch(
      /^DLX0510 `train-images-idx3-ubyte` is not an IDX file of images\nit begins with 0x3c68746d, but IDX images begin with 0x00000803/,
    );
    expect(await problem(idxSet(false, { "train-images-idx3-ubyte": labels(12) }))).toMatch(
      /seem to have changed names/,
    );
  });

  test("truncated, plain and packed, early and late", async () => {
    expect(await problem(idxSet(false, { "t10k-images-idx3-ubyte": images(5).subarray(0, 1000) }))).toMatch(
      /^DLX0511 `t10k-images-idx3-ubyte` ends too early\nits header promises 3936 bytes, it holds 1000/,
    );
    const noise = idx(
      0x803,
      [5, 28, 28],
      Uint8Array.from({ length: 5 * 784 }, (_, i) => (i * i * 31) >> 3),
    );
    const whole = gzipSync(noise);
    for (const length of [2, 12, 40, whole.length - 1]) {
      const cut = whole.subarray(0, length);
      expect(await problem(idxSet(true, { "t10k-images-idx3-ubyte.gz": cut }))).toMatch(
        /^DLX0511 `t10k-images-idx3-ubyte.gz` ends/,
      );
    }
    expect(await problem(idxSet(false, { "train-labels-idx1-ubyte": new Uint8Array(0) }))).toMatch(/^DLX0511/);
  });

  test("damaged gzip, in facts and in rows", async () => {
    const bytes = gzipSync(images(12));
    bytes.fill(0xff, 10, 20);
    expect(await problem(idxSet(true, { "train-images-idx3-ubyte.gz": bytes }))).toMatch(/^DLX0512 .*gzip says: /s);
    // The sizes are right, but the check sum is not.
    const wrong = gzipSync(images(12));
    wrong.writeUInt32LE(1, wrong.length - 8);
    const late = await mistake(
      openSource(source("mnist", {}, "train"), place(idxSet(true, { "train-images-idx3-ubyte.gz": wrong }))),
    );
    expect(late.code).toBe("DLX0512");
  });

  test("images and labels of different sets, and labels out of range", async () => {
    expect(await problem(idxSet(false, { "train-labels-idx1-ubyte": labels(11) }))).toMatch(
      /^DLX0513 .*12 images.*11 labels/,
    );
    const where = place(idxSet(false, { "train-labels-idx1-ubyte": idx(0x801, [12], new Uint8Array(12).fill(17)) }));
    expect((await mistake(openSource(source("mnist", {}, "train"), where))).title).toMatch(/has label 17 in row 1/);
  });
});

describe("rows", () => {
  test("images stay bytes with a scale; parts and their union", async () => {
    const where = place(idxSet(true));
    const train = await openSource(source("mnist", {}, "train"), where);
    expect(train.rows).toBe(12);
    expect(train.columns.image).toMatchObject({ shape: [28, 28], scale: 1 / 255 });
    expect(train.columns.image?.data).toBeInstanceOf(Uint8Array);
    expect(train.columns.image?.data[784 * 3]).toBe(21);
    expect([...(train.columns.label?.data ?? [])]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    expect(await openSource(source("mnist", {}, "train"), where)).toBe(train);
    const all = await openSource(source("mnist"), where);
    expect(all.rows).toBe(17);
    expect([...(all.columns.label?.data.slice(12) ?? [])]).toEqual([0, 1, 2, 3, 4]);
  });

  test("a file that changes is read again", async () => {
    const where = place(idxSet(false));
    expect((await openSource(source("mnist", {}, "test"), where)).rows).toBe(5);
    const name = where.dataFolder.slice(folder.path.length + 1);
    folder.write(`${name}/t10k-images-idx3-ubyte`, images(6));
    folder.write(`${name}/t10k-labels-idx1-ubyte`, labels(6));
    expect((await openSource(source("mnist", {}, "test"), where)).rows).toBe(6);
  });
});

const shared = resolve(process.env.DLX_SHARED ?? "../shared", "data");
const present = existsSync(shared);
if (!present) console.log(`skipped: the real sets are not in ${shared} (set DLX_SHARED)`);

describe.skipIf(!present)("the real sets", () => {
  test.each(["mnist", "fashion_mnist"])("%s", async (name) => {
    const where = { scriptFolder: "/", dataFolder: shared };
    expect(await factsOf(source(name), where)).toEqual({
      ...expected,
      rows: 70_000,
      parts: { train: 60_000, test: 10_000 },
    });
    const test = await openSource(source(name, {}, "test"), where);
    expect(test.rows).toBe(10_000);
    expect([...(test.columns.label?.data.slice(0, 5) ?? [])]).toEqual(
      name === "mnist" ? [7, 2, 1, 0, 4] : [9, 2, 1, 1, 6],
    );
  });
});

describe("idx reads any pair of files", () => {
  const where = (changed: Record<string, Uint8Array> = {}) => {
    const { dataFolder } = place(idxSet(true, changed));
    return { scriptFolder: dataFolder };
  };
  const pair = { path: "train-images-idx3-ubyte.gz", labels: "train-labels-idx1-ubyte.gz" };

  test("images alone, and with labels of as many classes as there are", async () => {
    const at = where();
    const image = { dtype: "f32", shape: [28, 28] };
    expect(await factsOf(source("idx", { path: pair.path }), at)).toEqual({ fields: { image }, rows: 12 });
    const label = { dtype: "i32", shape: [], classes: 10 };
    expect(await factsOf(source("idx", pair), at)).toEqual({ fields: { image, label }, rows: 12 });
    const { rows, columns } = await openSource(source("idx", pair), at);
    expect(rows).toBe(12);
    expect(columns.image).toMatchObject({ shape: [28, 28], scale: 1 / 255 });
    expect(Array.from({ length: 12 }, (_, r) => columns.image!.data[r * 784])).toEqual(
      Array.from({ length: 12 }, (_, r) => r * 7),
    );
    expect([...columns.label!.data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
  });

  test("labels of other images, and files that have changed names, are told", async () => {
    const other = await factsOf(source("idx", { ...pair, labels: "t10k-labels-idx1-ubyte.gz" }), where());
    expect("title" in other && other.title).toContain(
      "holds 12 images, but `t10k-labels-idx1-ubyte.gz` holds 5 labels",
    );
    const changed = await factsOf(source("idx", { path: pair.labels }), where());
    expect("help" in changed && changed.help).toContain("changed names");
    const cut = where({ "train-labels-idx1-ubyte.gz": gzipSync(labels(12)).subarray(0, 20) });
    expect("code" in (await factsOf(source("idx", pair), cut))).toBe(true);
  });
});
