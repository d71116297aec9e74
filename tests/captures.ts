/**
 * Pages that show real output. A `console` block holds commands (`$ dlx …`, any pipe behind it) and what they print; a
 * `dlx` block with `file=NAME` makes the file that the commands use, one with `shows=PATH` is a copy of that file.
 * All are made anew and compared; with UPDATE=1 the page is written instead.
 */
import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const root = resolve(import.meta.dirname, "..");

export interface Capture {
  /** The page line of its first fence, from 1. */
  readonly line: number;
  readonly language: "dlx" | "console";
  readonly info: string;
  readonly text: string;
  /** Where `text` lies in the page. */
  readonly start: number;
}

export function capturesOf(text: string): Capture[] {
  return [...text.matchAll(/^```(dlx|console)(?: (\S+))?\n([\s\S]*?)^```$/gm)].flatMap((m) => {
    const [fence = "", language = "", info = "", body = ""] = m;
    if (language === "dlx" && info === "") return [];
    const start = m.index + fence.indexOf("\n") + 1;
    const line = text.slice(0, m.index).split("\n").length;
    return [{ line, language: language as Capture["language"], info, text: body, start }];
  });
}

export function readPage(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** A folder with the examples, the files that the page makes, and `dlx` on the path. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), "dlx-captures-"));

  constructor(captures: readonly Capture[]) {
    cpSync(join(root, "examples"), join(this.folder, "examples"), { recursive: true });
    mkdirSync(join(this.folder, "bin"));
    const dlx = join(this.folder, "bin/dlx");
    writeFileSync(dlx, `#!/bin/sh\nexec "${process.execPath}" "${join(root, "bin/dlx.mjs")}" "$@"\n`);
    chmodSync(dlx, 0o755);
    for (const { language, info, text } of captures)
      if (language === "dlx" && info.startsWith("file=")) writeFileSync(join(this.folder, info.slice(5)), text);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What the block should hold today. */
  async remake({ language, text }: Capture): Promise<string> {
    if (language === "dlx") return text;
    let made = "";
    for (const command of text.split("\n").filter((line) => line.startsWith("$ "))) {
      const { stdout } = await promisify(execFile)("/bin/sh", ["-c", command.slice(2)], {
        cwd: this.folder,
        env: { ...process.env, PATH: `${join(this.folder, "bin")}:${process.env.PATH}` },
        maxBuffer: 1 << 24,
      });
      made += `${command}\n${stdout}`;
    }
    return made;
  }
}

export function writeCaptures(page: string, made: ReadonlyMap<Capture, string>): void {
  let text = readPage(page);
  for (const [{ start, text: old }, fresh] of [...made].sort(([a], [b]) => b.start - a.start))
    text = text.slice(0, start) + fresh + text.slice(start + old.length);
  writeFileSync(join(root, page), text);
}

const NUMBER = /[-+]?\d+(?:\.\d+)?(?:e[-+]\d+)?/g;

/** The text with its numbers taken out, and the numbers: runs on two processors may round differently. */
export function parted(text: string): { words: string; numbers: number[] } {
  return { words: text.replace(NUMBER, "#"), numbers: (text.match(NUMBER) ?? []).map(Number) };
}
