/** The standard library read ahead of time: file → its syntax tree as JSON, so that no start has to parse it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./stamp.mjs";

export async function libraryTrees() {
  const esbuild = await import("esbuild");
  const folder = mkdtempSync(join(tmpdir(), "dlx-library-"));
  try {
    const outfile = join(folder, "parse.mjs");
    const contents = 'export { parsePrelude } from "./lang/index.ts"; export { prelude } from "./stdlib/index.ts";';
    await esbuild.build({
      stdin: { contents, resolveDir: root, loader: "ts" },
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      loader: { ".dlx": "text", ".md": "text" },
      logLevel: "silent",
    });
    const { parsePrelude, prelude } = await import(pathToFileURL(outfile).href);
    return Object.fromEntries(parsePrelude(prelude).map(({ source, file }) => [source.file, JSON.stringify(file)]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
