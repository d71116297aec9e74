/** What a file is, told before a script names it; the line that is proposed reads it. */
import { gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { compile } from "../../lang/index.ts";
import { webHost } from "../../runtime/index.ts";
import { prelude } from "../../stdlib/index.ts";
import { idxFile as idx } from "../playground/idx.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
async function told(name: string, content: Uint8Array | string, others: Record<string, Uint8Array> = {}) {
  const files = new Map(Object.entries({ ...others, [name]: typeof content === "string" ? bytes(content) : content }));
  const host = webHost({ files });
  const about = await host.about(name);
  if (about.kind === "data" && about.line !== undefined) {
    const { diagnostics } = await compile({ file: "a.dlx", text: `${about.line}\n` }, { ...host, prelude });
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  }
  return about;
}

describe("a table", () => {
  test("its columns, and the last word column as the target", async () => {
    const rows = Array.from({ length: 12 }, (_, i) => `${i},${i / 2},${"abc"[i % 3]}`).join("\n");
    expect(await told("iris.csv", `long,wide,kind\n${rows}\n`)).toEqual({
      kind: "data",
      rows: 12,
      fields: [
        { name: "long", type: "numbers" },
        { name: "wide", type: "numbers" },
        { name: "kind", type: "words, 3 classes" },
      ],
      line: 'let data = csv("iris.csv", target: "kind")',
    });
  });

  test("names, words and gaps are left out of the line", async () => {
    const about = await told("h.csv", 'name,rooms,area,price\nAnna,1,,3\n"B, C",2,5,4\nDora,3,6,9\nEmil,4,1,2\n');
    expect(about.fields.map(({ type }) => type)).toEqual([
      "words, 4 classes",
      "numbers",
      "numbers, 1 empty",
      "numbers",
    ]);
    expect(about.line).toBe('let data = csv("h.csv", target: "price", columns: ["rooms"])');
  });

  test("without names, of one column, of no numbers", async () => {
    expect((await told("a.csv", "1,2\n3,4\n")).line).toBe('let data = csv("a.csv", target: "c2")');
    expect((await told("b.csv", "t\n1\n2\n")).line).toBe('let data = csv("b.csv")');
    expect(await told("c.csv", "t\na\nb\n")).toMatchObject({
      wrong: { title: expect.stringContaining("no column of numbers") },
    });
  });

  test.each([
    ["a word among numbers", "a,b\n1,2\n3,x\n", '`t.csv`, line 3, column `b`: "x" is not a number'],
    ["a short row", "a,b\n1,2\n3\n", "`t.csv`, line 3: the row has 1 cell, but there are 2 columns"],
    ["an open quote", 'a,b\n1,2\n"3,4\n', "the quotes do not match"],
    ["names only", "a,b\n", "`t.csv` has no rows"],
    ["nothing", "", "`t.csv` has no rows"],
    ["a number too large", "a,b\n1,2\n1e99,3\n", "line 3, column `a`"],
  ])("%s: one message with its place", async (_, text, words) => {
    const { wrong, line } = await told("t.csv", text);
    expect(wrong?.title).toContain(words);
    expect(line).toBeUndefined();
  });
});

describe("IDX", () => {
  const images = idx([6, 4, 3], (i) => i % 256);
  const labels = idx([6], (i) => i % 3);

  test("images alone, labels alone, both in either order, packed or not", async () => {
    expect(await told("train-images-idx3-ubyte", images)).toMatchObject({
      rows: 6,
      fields: [{ name: "image", type: "f32[4, 3]" }],
      line: 'let data = idx("train-images-idx3-ubyte")',
    });
    const alone = await told("train-labels-idx1-ubyte", labels);
    expect([alone.rows, alone.line]).toEqual([6, undefined]);
    const both = {
      rows: 6,
      fields: [
        { name: "image", type: "f32[4, 3]" },
        { name: "label", type: "3 classes" },
      ],
      line: 'let data = idx("train-images-idx3-ubyte.gz", labels: "train-labels-idx1-ubyte.gz")',
    };
    const packed = { "train-images-idx3-ubyte.gz": gzipSync(images), "train-labels-idx1-ubyte.gz": gzipSync(labels) };
    for (const [name, content] of Object.entries(packed)) expect(await told(name, content, packed)).toMatchObject(both);
  });

  test("by its content, whatever its name", async () => {
    expect((await told("letters.idx", images)).line).toBe('let data = idx("letters.idx")');
  });

  test("all four files are a set", async () => {
    const set = {
      "train-images-idx3-ubyte": images,
      "train-labels-idx1-ubyte": labels,
      "t10k-images-idx3-ubyte": images,
      "t10k-labels-idx1-ubyte": labels,
    };
    expect((await told("t10k-images-idx3-ubyte", images, set)).note).toContain("`mnist()`");
  });

  test.each([
    ["cut", images.slice(0, 40), {}, "ends too early; its header promises 88 bytes, it holds 40"],
    ["damaged", gzipSync(images).map((byte, i) => (i === 40 ? byte ^ 255 : byte)), {}, "`train-images-idx3-ubyte`"],
    [
      "of other labels",
      images,
      { "train-labels-idx1-ubyte": idx([5], () => 1) },
      "holds 6 images, but `train-labels-idx1-ubyte` holds 5 labels",
    ],
    ["no IDX at all", bytes("hello, world"), {}, "is not an IDX file of images"],
  ])("%s: one message", async (_, content, others, words) => {
    const { wrong, line } = await told("train-images-idx3-ubyte", content, others);
    expect(wrong?.title).toContain(words);
    expect(line).toBeUndefined();
  });
});

test("a text, a file of params, and what is none of these", async () => {
  expect(await told("book.txt", "to be\nor not\n")).toMatchObject({
    rows: 2,
    line: 'let data = text("book.txt") |> chars',
  });
  const files = new Map<string, Uint8Array>();
  const host = webHost({ files });
  await host.save("n.safetensors", new Map([["0.w", { dtype: "f32", shape: [2], data: Float32Array.of(1, 2) }]]));
  expect(await host.about("n.safetensors")).toMatchObject({
    kind: "params",
    fields: [{ name: "0.w", type: "f32[2]" }],
    line: '|> load("n.safetensors")',
  });
  expect((await told("cut.safetensors", files.get("n.safetensors")!.slice(0, 30))).wrong?.title).toMatch(/safetensors/);
  expect(await told("song.mp3", "ID3")).toMatchObject({
    kind: "unknown",
    wrong: { title: "`song.mp3` is of no kind that dlx reads" },
  });
});
