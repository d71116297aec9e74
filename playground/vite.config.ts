/** The static page: `npm run build` writes it to dist/playground, `npx vite playground` serves it while it is being worked on. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const root = join(import.meta.dirname, "..");

/** Scripts and explanations are imported as text, as in the command line's bundle. */
const text: Plugin = {
  name: "dlx-text",
  enforce: "pre",
  load: (id) => (/\.(dlx|md)$/.test(id) ? `export default ${JSON.stringify(readFileSync(id, "utf8"))};` : undefined),
};

/** Shared memory, and with it threads, is only given to pages that are isolated. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [text, svelte()],
  worker: { format: "es", plugins: () => [text] },
  server: { headers, fs: { allow: [root] } },
  preview: { headers },
  build: { outDir: join(root, "dist", "playground"), emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 4000 },
});
