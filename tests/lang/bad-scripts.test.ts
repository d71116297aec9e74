/**
 * Scripts that nobody writes by hand, or only once: too long, too deep, too large, going in circles, or no text at all.
 * Each ends with its own exit code and few messages, which are the user's and not ours, and none goes on for ever.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { inFolder } from "../cli/in-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "dlx-bad-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Milliseconds: a check takes a second or two; only what never ends takes longer. */
const GUARD = 60_000;
const WRONG = 1;
const FINE = 0;
const FAILED = 3;

interface Case {
  readonly script: string | Uint8Array;
  /** The codes of the first messages; nothing for a script that is fine. */
  readonly says: readonly string[];
  readonly code?: number;
  /** `check` if absent. */
  readonly verb?: string;
  /** Words of the first message. */
  readonly words?: RegExp;
}

const times = (n: number, of: (i: number) => string, between = ""): string =>
  Array.from({ length: n }, (_, i) => of(i)).join(between);
const around = (open: string, close: string, n: number): string =>
  `let x = ${open.repeat(n)}1${close.repeat(n)}\nprint 1\n`;
/** Functions without any recursion. */
const chain = (n: number, call = (f: string): string => `${f}(x)`): string =>
  `fn f0(x) = x + 1\n${times(n, (i) => `fn f${i + 1}(x) = ${call(`f${i}`)}\n`)}print f${n}(1)\n`;

const DEEP = { says: ["DLX0115"], words: /nested too deeply/ };
const ENDLESS = { says: ["DLX0323"], words: /calls itself without an end/ };
const CIRCLE = { says: ["DLX0308"], words: /import each other in a circle/ };
const UNREADABLE = { says: ["DLX0705"], words: /cannot read the script/ };

// prettier-ignore
const cases: Readonly<Record<string, Case>> = {
  // ---- not a script
  "10 MB": { script: times(150_000, () => "let x = 1 # one of very many lines that are all the same ...\n"), ...UNREADABLE, words: /MB/ },
  "10 MB without a line end": { script: `print "${"a".repeat(10_000_000)}"`, ...UNREADABLE, words: /MB/ },
  "bytes that are not UTF-8": { script: Uint8Array.of(0x70, 0x72, 0x69, 0x6e, 0x74, 0x20, 0x22, 0xff, 0xe9, 0x22), ...UNREADABLE, words: /UTF-8/ },
  "a file of UTF-16": { script: Buffer.from("\ufeffprint 1\n", "utf16le"), ...UNREADABLE, words: /UTF-8/ },
  "every byte there is": { script: Uint8Array.from({ length: 10_000 }, (_, i) => i % 256), ...UNREADABLE },
  "a byte order mark is white space": { script: "\ufeffprint 1\n", says: [] },
  "a replacement character": { script: "print 1 \ufffd\n", says: ["DLX0104"] },
  "zeros": { script: "\0".repeat(1000), says: ["DLX0104"] },
  "nothing": { script: "", says: [] },
  "a million line ends": { script: "\n".repeat(1_000_000), says: [] },
  "a comment of a million characters": { script: `#${"#".repeat(1_000_000)}`, says: [] },
  "a text that is never closed": { script: 'print "'.repeat(5000), says: ["DLX0107"] },
  "20 000 commas": { script: `print ${",".repeat(20_000)}\n`, says: ["DLX0101"] },
  "20 000 dots": { script: `print ${".".repeat(20_000)}\n`, says: ["DLX0104"] },
  "20 000 pipes": { script: `print 1 ${"|> ".repeat(20_000)}\n`, says: ["DLX0101"] },

  // ---- deep
  "5 000 nested ( )": { script: around("(", ")", 5000), ...DEEP },
  "5 000 nested [ ]": { script: around("[", "]", 5000), ...DEEP },
  "5 000 nested { }": { script: around("{", "}", 5000), ...DEEP },
  "5 000 open (": { script: `let x = ${"(".repeat(5000)}\nprint 1\n`, says: ["DLX0102"] },
  "5 000 open {": { script: `let x = ${"{".repeat(5000)}\nprint 1\n`, says: ["DLX0102"] },
  "5 000 stray )": { script: `let x = 1${")".repeat(5000)}\nprint 1\n`, says: ["DLX0102"] },
  "5 000 minus signs": { script: `print ${"-".repeat(5000)}1\n`, ...DEEP },
  "5 000 not": { script: `print ${"not ".repeat(5000)}true\n`, ...DEEP },
  "5 000 powers": { script: `print ${"1^".repeat(5000)}1\n`, ...DEEP },
  "5 000 choices": { script: `print ${"true ? 1 : ".repeat(5000)}1\n`, ...DEEP },
  "5 000 functions of functions": { script: `let f = ${"x => ".repeat(5000)}1\n`, ...DEEP },
  "5 000 indices": { script: `let x = [1]\nprint x${"[0]".repeat(5000)}\n`, ...DEEP },
  "5 000 members": { script: `let x = { a: 1 }\nprint x${".a".repeat(5000)}\n`, ...DEEP },
  "5 000 calls in a row": { script: `let f = x => x\nprint f${"(1)".repeat(5000)}\n`, ...DEEP },
  "5 000 stages of a pipe": { script: `print 1.0${" |> relu".repeat(5000)}\n`, ...DEEP },
  "50 000 terms": { script: `print ${times(50_000, () => "1", " + ")}\n`, ...DEEP },
  "2 000 blocks": { script: `${"if true { ".repeat(2000)}print 1${" }".repeat(2000)}\n`, ...DEEP },
  "3 000 nested calls": { script: `print ${"exp(".repeat(3000)}1.0${")".repeat(3000)}\n`, ...DEEP },
  "600 terms": { script: `let x = normal([2])\nprint x${" + x".repeat(600)}\n`, says: [] },
  "60 nested brackets": { script: around("(", ")", 60), says: [] },
  "60 nested blocks": { script: `${"if true { ".repeat(60)}print 1${" }".repeat(60)}\n`, says: [] },
  "20 000 values in a chain": { script: `let x0 = normal([2])\n${times(20_000, (i) => `let x${i + 1} = x${i} + 1\n`)}print x20000\n`, says: ["DLX0115"] },
  "5 000 records in records": { script: `let r0 = { a: 1 }\n${times(5000, (i) => `let r${i + 1} = { a: r${i} }\n`)}print r5000\n`, says: ["DLX0115"] },
  "200 models in models": { script: `model M0()(x) { x |> Linear(2) }\n${times(200, (i) => `model M${i + 1}()(x) { x |> M${i}() }\n`)}let m = M200()\nprint m(normal([2, 2]))\n`, says: [] },
  "3 000 functions, each called by the next": { script: chain(3000), says: ["DLX0115"], words: /call one another too deeply/ },
  "100 functions, each called by the next": { script: chain(100), says: [] },
  "functions that call the one before twice, 20 times": { script: chain(20, (f) => `${f}(x) + ${f}(x)`), says: ["DLX0344"], words: /every call is written out/ },
  "a list of twice itself, 40 times": { script: `let r0 = [1, 1]\n${times(40, (i) => `let r${i + 1} = [r${i}, r${i}]\n`)}print r40\n`, says: ["DLX0326"] },
  "a text of twice itself, 40 times": { script: `let r0 = "ab"\n${times(40, (i) => `let r${i + 1} = "{r${i}}{r${i}}"\n`)}print r40\n`, says: ["DLX0326"] },

  // ---- long
  "100 000 statements": { script: times(100_000, (i) => `let x${i} = ${i}\n`), says: [] },
  "100 000 unknown names": { script: times(100_000, (i) => `let x${i} = y${i}\n`), says: ["DLX0301"] },
  "20 000 statements that cannot be read": { script: "let = 1\n".repeat(20_000), says: ["DLX0101"] },
  "a list of 100 000 numbers": { script: `let x = [${times(100_000, String, ", ")}]\nprint x[3]\n`, says: [] },
  "a very long line with a mistake": { script: `let x = [${"1, ".repeat(100_000)}zz]\n`, says: ["DLX0301"] },
  "a name of 500 000 letters, misspelled": { script: `let ${"a".repeat(500_000)} = 1\nprint ${"a".repeat(499_999)}b\n`, says: ["DLX0301"] },
  "10 000 values in a text": { script: `let a = 1\nprint "${"{a} ".repeat(10_000)}"\n`, says: [] },
  "5 000 parameters": { script: `fn f(${times(5000, (i) => `a${i}`, ", ")}) = a0\nprint f(${times(5000, () => "1", ", ")})\n`, says: [] },

  // ---- in circles, and out of order
  "a file that imports itself": { script: 'import f from "./script.dlx"\nprint 1\n', ...CIRCLE },
  "a file that imports what it defines": { script: 'import f from "./script.dlx"\nfn f(x) = x\nprint f(1)\n', ...CIRCLE },
  "a name used before its definition": { script: "print y\nlet y = 1\n", says: ["DLX0327"], words: /before its definition/ },
  "two definitions of one name": { script: "let y = 1\nlet y = 2\nprint y\n", says: ["DLX0302"], words: /defined twice/ },
  "a state without a first value": { script: "train for 2 steps {\n  state s\n  s <- s + 1\n}\n", says: ["DLX0303"] },
  "an axis of two sizes": { script: "fn f(a: [N], b: [N]) = a + b\nprint f(normal([2]), normal([3]))\n", says: ["DLX0212"] },
  "a function of itself": { script: "fn f(x) = f(x) + 1\nprint f(1)\n", ...ENDLESS },
  "two functions of each other": { script: "fn f(x) = g(x)\nfn g(x) = f(x)\nprint f(1)\n", ...ENDLESS },
  "a function that grows away from its end": { script: "fn f(x) = x > 0 ? f(x + 1) : 0\nprint f(1)\n", ...ENDLESS },
  "a model of itself": { script: "model M()(x) { x |> M() }\nlet m = M()\nprint m(normal([2, 2]))\n", ...ENDLESS },
  "a function given to itself": { script: "let f = x => x(x)\nprint f(f)\n", ...ENDLESS },
  "Fibonacci, 40": { script: "fn f(n) = n < 2 ? 1 : f(n - 1) + f(n - 2)\nprint f(40)\n", ...ENDLESS },

  // ---- too many passes, too large
  "a `for` of ten million passes": { script: "for i in 1..10_000_000 { print i }\n", says: ["DLX0344"] },
  "a carried `for` of a million passes": { script: "let y = for i in 1..1_000_000 with v = normal([2]) { v <- v + 1 }\nprint y\n", says: ["DLX0344"] },
  "a list of ten thousand million passes": { script: "let x = [i for i in 1..10_000_000_000]\nprint 1\n", says: ["DLX0344"] },
  "three loops of 1 000 passes": { script: "for a in 1..1000 { for b in 1..1000 { for c in 1..1000 { let d = a } } }\n", says: ["DLX0344"] },
  "an `iterate` of ten million rounds": { script: "print iterate 10_000_000 with v = 1.0 { v <- v + 1 }\n", says: ["DLX0344"] },
  "10^10 numbers in a print": { script: "let x = zeros([100_000, 100_000])\nprint x[0, 0]\n", verb: "run", says: ["DLX0708"], code: FAILED },
  "floats as sizes": { script: "print normal([1e9, 1e9])\n", says: ["DLX0210"], words: /whole number/ },
  "10^18 numbers": { script: "print normal([1_000_000_000, 1_000_000_000])\n", says: ["DLX0210"], words: /cannot have 1000000000 x 1000000000/ },
  "10^15 numbers": { script: "print normal([1_000_000, 1_000_000_000])\n", verb: "run", says: ["DLX0708"], code: FAILED },
  "10^15 params": { script: "let m = Linear(1_000_000_000)\nprint m(normal([2, 1_000_000]))\n", verb: "run", says: ["DLX0708"], code: FAILED },
  "a size beyond all numbers": { script: "print 1e400\nprint normal([99999999999999999999999])\n", says: ["DLX0210"] },
};

describe("scripts that nobody writes", () => {
  test.each(Object.entries(cases))(
    "%s",
    { timeout: GUARD },
    async (_name, { script, says, words, verb = "check", code = says.length > 0 ? WRONG : FINE }) => {
      // A check holds the thread; between two of them the test runner has to hear its own messages.
      await new Promise((done) => setImmediate(done));
      writeFileSync(join(folder, "script.dlx"), script);
      const outcome = await inFolder(folder, `dlx ${verb} script.dlx`);
      const codes = [...outcome.err.matchAll(/^(?:error|warning)\[(DLX\d{4})\]/gm)].map((m) => m[1]);
      expect(outcome.err).not.toMatch(/mistake in dlx|^ +at /m);
      expect([codes.slice(0, says.length), outcome.code]).toEqual([says, code]);
      expect(codes.length).toBeLessThanOrEqual(says.length === 0 ? 0 : 100);
      if (words) expect(outcome.err.split("\n").slice(0, 3).join("\n")).toMatch(words);
    },
  );
});

test("what is no text is not formatted", async () => {
  const bytes = Buffer.from([0x70, 0x72, 0x69, 0x6e, 0x74, 0x20, 0x20, 0x22, 0xff, 0x22]);
  writeFileSync(join(folder, "script.dlx"), bytes);
  const outcome = await inFolder(folder, "dlx fmt script.dlx");
  expect([outcome.code, outcome.err.includes("UTF-8")]).toEqual([WRONG, true]);
  expect(readFileSync(join(folder, "script.dlx"))).toEqual(bytes);
});
