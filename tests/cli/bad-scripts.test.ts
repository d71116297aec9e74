/**
 * Bad scripts as a person meets them: the process ends by itself with one message, which names the mistake. Each runs
 * with the stack and the memory of a real process; many more, without one, are in tests/lang/bad-scripts.test.ts.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const bin = resolve(import.meta.dirname, "../../bin/dlx.mjs");
const folder = mkdtempSync(join(tmpdir(), "dlx-bad-process-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
/** A process that hangs is ended after so many milliseconds, and then it has no exit code. */
const HANG = 60_000;
const WRONG = 1;

const times = (n: number, of: (i: number) => string): string => Array.from({ length: n }, (_, i) => of(i)).join("");

// prettier-ignore
const cases: Readonly<Record<string, readonly [script: string | Uint8Array, code: string, words: RegExp]>> = {
  "a file of 10 MB": [times(170_000, () => "let x = 1 # one of very many lines that are all the same ...\n"), "DLX0705", /MB/],
  "a file that is not UTF-8": [Uint8Array.of(0x70, 0x72, 0x69, 0x6e, 0x74, 0x20, 0x22, 0xff, 0xe9, 0x22), "DLX0705", /UTF-8/],
  "5 000 nested brackets": [`let x = ${"(".repeat(5000)}1${")".repeat(5000)}\nprint 1\n`, "DLX0115", /nested too deeply/],
  "5 000 nested brackets of three kinds": [`let x = ${"([{".repeat(1700)}1${"}])".repeat(1700)}\nprint 1\n`, "DLX0115", /nested too deeply/],
  "an import of itself": ['import f from "./script.dlx"\nprint 1\n', "DLX0308", /circle/],
  "a name used before its definition": ["print y\nlet y = 1\n", "DLX0327", /before its definition/],
  "two definitions of one name": ["let y = 1\nlet y = 2\nprint y\n", "DLX0302", /defined twice/],
  "a state without init": ["train for 2 steps {\n  state s\n  s <- s + 1\n}\n", "DLX0303", /state/],
  "a `for` of more than a million passes": ["for i in 1..1_000_001 { print i }\n", "DLX0344", /1000001/],
  "a carried `for` of more than a million passes": ["let y = for i in 1..1_000_001 with v = 0 { v <- v + 1 }\nprint y\n", "DLX0344", /1000001/],
  "an `iterate` of more than a million rounds": ["print iterate 1_000_001 with v = 1.0 { v <- v + 1 }\n", "DLX0344", /1000001/],
  "an axis used with two sizes": ["fn f(a: [N], b: [N]) = a + b\nprint f(normal([2]), normal([3]))\n", "DLX0212", /N/],
  "a recursion that no constant ends": ["fn f(n) = n * f(n - 1)\nprint f(5)\n", "DLX0323", /calls itself without an end/],
  "two functions of each other without an end": ["fn f(x) = g(relu(x))\nfn g(x) = [1, (f(x) + 1) * 2][0]\nprint f(1)\n", "DLX0323", /`[fg]` calls itself without an end/],
  "3 000 functions, each called by the next": [`fn f0(x) = x + 1\n${times(3000, (i) => `fn f${i + 1}(x) = f${i}(x)\n`)}print f3000(1)\n`, "DLX0115", /call one another too deeply/],
};

describe("a bad script in a process of its own", () => {
  it.each(Object.entries(cases))("%s", { timeout: 2 * HANG }, async (_name, [script, code, words]) => {
    writeFileSync(join(folder, "script.dlx"), script);
    const options = { cwd: folder, timeout: HANG, killSignal: "SIGKILL" as const };
    const ended = await new Promise<{ code: number | null; out: string; err: string }>((done) => {
      const child = execFile(process.execPath, [bin, "check", "script.dlx"], options, (_, out, err) =>
        done({ code: child.exitCode, out, err }),
      );
    });
    const codes = [...ended.err.matchAll(/^(?:error|warning)\[(DLX\d{4})\]/gm)].map((m) => m[1]);
    expect([ended.code, codes, ended.out]).toEqual([WRONG, [code], ""]);
    expect(ended.err).toMatch(words);
  });
});
