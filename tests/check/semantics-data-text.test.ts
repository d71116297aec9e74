/** Scripts that read text: sizes and members of a vocabulary, windows of tokens, lines, printing of tokens; its mistakes. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "../../lang/index.ts";
import { factsOf } from "../../runtime/node.ts";
import { prelude } from "../../stdlib/index.ts";
import { tempFolder } from "../data/folder.ts";
import { numbers, prints, run } from "./semantics.ts";

const files = tempFolder();
files.write("abc.txt", "abcdefghijklmnopqrstuvwxyz".repeat(4));
files.write("en.txt", "a cat\na dog sees a cat\nno\n");
files.write("de.txt", "eine katze\nein hund sieht eine katze\nnein\n");
files.write("rated.txt", "good film\t1\nbad film\t0\ngood\t1\nbad\t0\n");
const options = { folder: files.path };

async function mistakes(text: string): Promise<string[]> {
  const { diagnostics } = await compile(
    { file: "script.dlx", text },
    { prelude, facts: (ref) => factsOf(ref, { scriptFolder: files.path }), readModule: async () => undefined },
  );
  return diagnostics.map((d) => {
    const at = d.labels[0]?.span;
    return `${d.code} ${at ? text.slice(at.start, at.end) : ""}`;
  });
}

describe("a text", () => {
  test("its size is known before the run; encode and decode are inverse", async () => {
    const lines = await prints(
      `let corpus = text("abc.txt") |> chars
      print corpus.size, corpus.rows, corpus.vocab[2], shape(zeros([corpus.size]))
      let ids = corpus.encode("hello")
      print ids
      print corpus.decode(ids), "<{corpus.decode(ids + 1)}>", decode(corpus, corpus.encode("a1"))
      print corpus.decode(corpus.token[0..25])`,
      options,
    );
    expect(lines).toEqual([
      "28 104 a [28]",
      "[9, 6, 13, 13, 16]",
      "hello <ifmmp> a<unk>",
      "abcdefghijklmnopqrstuvwxyz",
    ]);
  });
  test("windows are pairs: y is one token further, and contiguous batches go on", async () => {
    const { prints: lines } = await run(
      `let corpus = text("abc.txt") |> chars
      let w = windows(corpus, 5)
      print w.rows, corpus.decode(w.x[1]), corpus.decode(w.y[1])
      train (x, y) in batches(w, 3, contiguous: true, drop_last: true) for 1 epoch {
        print corpus.decode(x[0]), corpus.decode(y[0]), corpus.decode(x[2])
      }`,
      options,
    );
    expect(lines[0]).toBe("20 fghij ghijk");
    const [x, y, last] = [0, 1, 2].map((i) =>
      lines
        .slice(1)
        .map((line) => line.split(" ")[i]!)
        .join(""),
    );
    expect(x).toBe("abcdefghijklmnopqrstuvwxyzabcd");
    expect(y).toBe("bcdefghijklmnopqrstuvwxyzabcde");
    expect(last).toHaveLength(30);
  });
  test("its parts are stretches: val goes on where train ends", async () => {
    const lines = await prints(
      `let corpus = text("abc.txt") |> chars |> split(val: 0.25)
      print corpus.train.rows, corpus.decode(corpus.val.token), corpus.size
      let w = corpus |> windows(4)
      print w.train.rows, w.val.rows, corpus.decode(w.val.x[0])`,
      options,
    );
    expect(lines).toEqual(["78 abcdefghijklmnopqrstuvwxyz 28", "19 6 abcd"]);
  });
  test("a model reads it: canonical script 5 on a small text learns the alphabet", async () => {
    const { prints: lines } = await run(
      `seed 1
      let corpus = text("abc.txt") |> chars
      let embed = Embedding(corpus.size, 8)
      let rnn = RNN(24)
      let head = Linear(corpus.size)
      train (x, y) in batches(windows(corpus, 6), 4, contiguous: true, drop_last: true) for 30 epochs {
        state h: [B, 24] = 0
        let (z, last) = rnn(embed(x), h)
        h <- stop(last)
        let loss = cross_entropy(head(z), y)
        minimize loss over (embed, rnn, head) with clip_norm(1.0) |> Adam(1e-2)
        metric perplexity = exp(avg(loss))
        every epoch {
          h <- 0
          print perplexity
        }
      }`,
      options,
    );
    const perplexity = lines.map((line) => numbers(line)[0]!);
    expect(perplexity[0]).toBeGreaterThan(15);
    expect(perplexity.at(-1)).toBeLessThan(2);
  });
});

describe("lines", () => {
  test("padded to one length; pairs of languages with vocabularies of their own", async () => {
    const lines = await prints(
      `let en = lines("en.txt", ends: true) |> words |> pad(6)
      let de = lines("de.txt", ends: true) |> words |> pad(7)
      let pairs = zip(en: en, de: de)
      print shape(pairs.en), shape(pairs.de), en.size, de.size
      print en.decode(pairs.en[0]), de.decode(pairs.de[0])
      print sum(i32(pairs.en != 0), over: 1)
      eval e (en, de) in batches(shuffle(pairs), 2) { metric n = total(sum(de != 0)) }
      print e.n`,
      options,
    );
    expect(lines).toEqual(["[3, 6] [3, 7] 9 10", "a cat eine katze", "[4, 6, 3]", "14"]);
  });
  test("with classes; another file by the same vocabulary", async () => {
    const lines = await prints(
      `let reviews = lines("rated.txt", label: true) |> words
      print reviews.rows, shape(reviews.tokens), reviews.label
      let others = lines("en.txt") |> words(like: reviews)
      print others.size - reviews.size, max(others.tokens)
      let net = [Embedding(reviews.size, 4), Pool(), Linear(2)]
      train (tokens, label) in batches(reviews, 4) for 80 epochs { minimize cross_entropy(net(tokens), label) over net with Adam(5e-2) }
      eval all (tokens, label) in batches(reviews, 4) { metric acc = accuracy(net(tokens), label) }
      print all.acc`,
      options,
    );
    expect(lines).toEqual(["4 [4, 2] [1, 0, 1, 0]", "0 1", "1"]);
  });
});

test("where the host cannot tell, nothing is wrong", async () => {
  const scripts = [
    readFileSync(resolve(import.meta.dirname, "../lang/canonical/05.dlx"), "utf8"),
    `let rows = csv("a.csv") |> filter(r => r.x[0] > 0) |> map(r => { ..r, z: 2 * r.x })
     let pairs = zip(a: csv("b.csv"), b: lines("c.txt") |> words |> pad(9))
     let both = concat(csv("a.csv"), images("d"))
     for (fold, part) in kfold(both, 5) { eval e (image) in batches(part.val, 4) { metric m = mean(image) } }
     eval f (x, z) in batches(rows, 4) { metric m = mean(z) }
     eval g (a, b) in batches(windows(pairs, 4), 4, contiguous: true) { metric m = mean(a) }
     eval h (image) in batches(cifar10().test, 4) { metric m = mean(image) }
     let t = text("c.txt") |> bpe(100)
     print t.decode(t.encode("abc")), t.size, rows.rows`,
  ];
  for (const script of scripts) {
    const result = await compile(
      { file: "script.dlx", text: script },
      { prelude, facts: async () => undefined, readModule: async () => undefined },
    );
    expect(result.diagnostics.map(({ title }) => title)).toEqual([]);
    expect(result.program).toBeUndefined();
  }
});

test.each([
  ["a text in batches", 'train (x) in batches(text("abc.txt"), 4) for 1 epoch { print 1 }', 'DLX0562 text("abc.txt")'],
  ["a member of a text", 'print text("abc.txt").size', "DLX0562 size"],
  ["chars of rows", "let c = chars(toy.moons())", "DLX0563 toy.moons()"],
  ["words of words", 'let c = text("abc.txt") |> words |> words', 'DLX0563 text("abc.txt") |> words'],
  ["pad of a text", 'let c = text("abc.txt") |> chars |> pad(4)', 'DLX0564 text("abc.txt") |> chars'],
  ["encode of rows", 'print toy.moons().encode("a")', "DLX0564 encode"],
  ["like of rows", 'let c = text("abc.txt") |> chars(like: toy.moons())', "DLX0564 toy.moons()"],
  ["decode of floats", 'let c = text("abc.txt") |> chars\nprint c.decode(ones([2]))', "DLX0326 ones([2])"],
  ["merges of a fraction", 'let c = text("abc.txt") |> bpe(2.5)', "DLX0318 2.5"],
  ["no number of merges", 'let c = text("abc.txt") |> bpe', "DLX0318 bpe"],
  ["a file that is not there", 'let c = text("abd.txt") |> chars', 'DLX0501 text("abd.txt")'],
  [
    "a window longer than the text",
    'let w = windows(text("abc.txt") |> chars, 104)',
    'DLX0543 windows(text("abc.txt") |> chars, 104)',
  ],
  ["text that is not told from rows", 'let c = concat(text("abc.txt"), toy.moons())', 'DLX0562 text("abc.txt")'],
])("%s", async (_name, script, wanted) => {
  expect(await mistakes(script)).toEqual([wanted]);
});
