/** Every script of the repository that parses, and the blocks of dlx in its pages. */
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

export interface Script {
  readonly file: string;
  readonly text: string;
}

export function scriptsIn(...folders: readonly string[]): Script[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".dlx"))
      .sort()
      .map((name) => ({ file: join(folder, name), text: readFileSync(join(root, folder, name), "utf8") })),
  );
}

export function blocksOf(page: string): Script[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```dlx\n([\s\S]*?)^```/gm)].map((m, i) => ({
    file: `${page} ${i + 1}`,
    text: m[1] ?? "",
  }));
}
