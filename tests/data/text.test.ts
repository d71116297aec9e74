/** Text as numbers: vocabularies, encoding and decoding, lines with classes; byte-pair encoding against its plain form. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encoder, learnTokens, type Learning, written } from "../../lang/check/tokenizers.ts";
import type { Facts, SourceRef } from "../../lang/program.ts";
import { factsOf, openSource } from "../../runtime/node.ts";
import { mistake, source, tempFolder, words } from "./folder.ts";

const folder = tempFolder();
const where = { scriptFolder: folder.path };
const how = (kind: Learning["kind"], more: Partial<Learning> = {}): Learning => ({
  kind,
  lower: false,
  merges: 30,
  least: 1,
  ends: false,
  ...more,
});
const over = (kind: string, of: SourceRef, args: SourceRef["args"] = {}, like?: SourceRef): SourceRef => ({
  ...source(kind, { length: 0, lower: false, ...(kind === "bpe" ? { n: 30 } : {}), ...args }),
  of,
  like,
});

describe("tokenizers", () => {
  test("what was cut and written again is the text, for any text", () => {
    for (const kind of ["chars", "bpe"] as const) {
      fc.assert(
        fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
          const tokens = learnTokens([text, text], how(kind));
          const { classes, glue } = written(tokens);
          expect(
            encoder(tokens)(text)
              .map((id) => classes[id])
              .join(glue),
          ).toBe(text);
        }),
        { numRuns: 200 },
      );
    }
  });
  test("chars are code points in their order, behind padding and what is not known", () => {
    const tokens = learnTokens(["bä😀ab"], how("chars"));
    expect(tokens.vocab).toEqual(["<pad>", "<unk>", "a", "b", "ä", "😀"]);
    expect(encoder(tokens)("abc😀")).toEqual([2, 3, 1, 5]);
  });
  test("words: the frequent first, signs apart, rare ones unknown, small letters", () => {
    const text = "The cat, the dog. The CAT!";
    expect(learnTokens([text], how("words")).vocab.slice(2)).toEqual([
      "The",
      "!",
      ",",
      ".",
      "CAT",
      "cat",
      "dog",
      "the",
    ]);
    const tokens = learnTokens([text], how("words", { lower: true, least: 2 }));
    expect(tokens.vocab).toEqual(["<pad>", "<unk>", "the", "cat"]);
    expect(encoder(tokens)("A cat: THE cat")).toEqual([1, 3, 1, 2, 3]);
  });
  test("byte-pair encoding is that of the plain form: merges and tokens", () => {
    const at = (name: string) => readFileSync(resolve(import.meta.dirname, "bpe", name), "utf8");
    const wanted = JSON.parse(at("reference.json")) as { merges: string[][]; tokens: string[] };
    const text = at("verse.txt");
    const tokens = learnTokens([text], how("bpe", { merges: 120 }));
    expect(wanted.merges.length).toBeGreaterThan(60);
    expect(tokens.merges).toEqual(wanted.merges);
    expect(encoder(tokens)(text).map((id) => tokens.vocab[id])).toEqual(wanted.tokens);
  });
});

describe("text and lines", () => {
  folder.write("verse.txt", "to be\nor not\r\nto be\n");
  folder.write("packed.txt.gz", gzipSync("zip"));
  folder.write("rated.txt", "good\u0085 film\t1\n\nbad\t0\ngood\t1\n");
  test("a text is a row for each token", async () => {
    const ref = over("chars", source("text", { path: "verse.txt" }));
    const facts = (await factsOf(ref, where)) as Facts;
    expect(facts.rows).toBe(20);
    expect(facts.fields.token).toEqual({ dtype: "i32", shape: [], classes: facts.tokens!.vocab.length });
    const table = await openSource(ref, where);
    const read = [...table.columns.token!.data].map((id) => facts.tokens!.vocab[id]).join("");
    expect(read).toBe("to be\nor not\r\nto be\n");
    const packed = (await factsOf(over("chars", source("text", { path: "packed.txt.gz" })), where)) as Facts;
    expect(packed.tokens?.vocab.slice(2)).toEqual(["i", "p", "z"]);
  });
  test("lines are as long as the longest, or cut to a length; both ends may be marked", async () => {
    const lines = source("lines", { path: "verse.txt", label: false, ends: false });
    const rows = async (ref: SourceRef) => {
      const { columns, rows: count } = await openSource(ref, where);
      const { data, shape } = columns.tokens!;
      return Array.from({ length: count }, (_, r) => [...data.slice(r * shape[0]!, (r + 1) * shape[0]!)]);
    };
    expect(await rows(over("words", lines))).toEqual([
      [3, 2],
      [5, 4],
      [3, 2],
    ]);
    expect(await rows(over("words", lines, { length: 1 }))).toEqual([[3], [5], [3]]);
    const ends = { ...lines, args: { ...lines.args, ends: true } };
    expect(await rows(over("words", ends, { length: 5 }))).toEqual([
      [2, 5, 4, 3, 0],
      [2, 7, 6, 3, 0],
      [2, 5, 4, 3, 0],
    ]);
  });
  test("labels behind the last tab; other signs of Unicode do not end a line", async () => {
    const ref = over("words", source("lines", { path: "rated.txt", label: true, ends: false }));
    const facts = (await factsOf(ref, where)) as Facts;
    expect(facts.fields.label).toEqual({ dtype: "i32", shape: [], classes: 2 });
    const { columns, rows } = await openSource(ref, where);
    expect(rows).toBe(3);
    expect(columns.label).toMatchObject({ data: Int32Array.of(1, 0, 1), names: ["0", "1"] });
  });
  test("the vocabulary of another text", async () => {
    const known = over("words", source("text", { path: "verse.txt" }));
    const ref = over("words", source("lines", { path: "rated.txt", label: true, ends: false }), {}, known);
    expect((await openSource(ref, where)).columns.tokens?.data).toEqual(Int32Array.of(1, 1, 1, 1, 0, 0, 1, 0, 0));
  });
  test("mistakes", async () => {
    folder.write("empty.txt", "");
    folder.write("latin.txt", Buffer.from([97, 10, 0xe9, 10]));
    folder.write("bare.txt", "good\n");
    const said = async (ref: SourceRef) => words(await mistake(openSource(ref, where)));
    const text = (path: string) => over("chars", source("text", { path }));
    expect(await said(text("empty.txt"))).toMatch(/`empty.txt` holds no text/);
    expect(await said(text("latin.txt"))).toMatch(/`latin.txt`, line 2: this is not UTF-8/);
    expect(await said(text("vers.txt"))).toMatch(/there is no file `vers.txt`[^]*did you mean `verse.txt`/);
    const lines = (path: string) => over("chars", source("lines", { path, label: true, ends: false }));
    expect(await said(lines("bare.txt"))).toMatch(/`bare.txt`, line 1: there is no label/);
    expect(await said(text("."))).toMatch(/it is a folder/);
  });
});

const shared = resolve(process.env.DLX_SHARED ?? "../shared", "data");
const present = existsSync(shared);
if (!present) console.log(`skipped: the real texts are not in ${shared} (set DLX_SHARED)`);

describe.skipIf(!present)("the real texts", () => {
  const there = { scriptFolder: shared };
  const facts = async (ref: SourceRef) => (await factsOf(ref, there)) as Facts;
  test("tiny Shakespeare, sentences with classes, a packed translation", async () => {
    const chars = await facts(over("chars", source("text", { path: "text/tinyshakespeare.txt" })));
    expect([chars.rows, chars.tokens?.vocab.length]).toEqual([1115394, 67]);
    const films = source("lines", { path: "sentiment/imdb_labelled.txt", label: true, ends: false });
    const rated = await facts(over("words", films, { lower: true }));
    expect([rated.rows, rated.fields.label?.classes]).toEqual([1000, 2]);
    const german = await facts(
      over("words", source("lines", { path: "translation/train.de.gz", label: false, ends: true })),
    );
    expect(german.rows).toBe(29000);
    const bpe = await facts(over("bpe", source("text", { path: "text/tinyshakespeare.txt" }), { n: 500 }));
    expect(bpe.tokens?.vocab.length).toBe(565 + 2);
    expect(bpe.rows).toBeLessThan(600_000);
  });
});
