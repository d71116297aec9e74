/** The static page: `npm run build` writes it to dist/playground, `npx vite` serves it while it is being worked on. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";
import { libraryTrees } from "./bin/library.mjs";
import { ISOLATION, POLICY } from "./runtime/cli/policy.ts";

const root = import.meta.dirname;

/** Scripts and explanations are imported as text, as in the command line's bundle. */
const text: Plugin = {
  name: "dlx-text",
  enforce: "pre",
  load: (id) => (/\.(dlx|md)$/.test(id) ? `export default ${JSON.stringify(readFileSync(id, "utf8"))};` : undefined),
};

/** The standard library is read here, so that no start has to parse it. */
const library: Plugin = {
  name: "dlx-library",
  enforce: "pre",
  load: async (id) =>
    id.endsWith("/stdlib/trees.ts") ? `export const trees = ${JSON.stringify(await libraryTrees())};` : undefined,
};

/** A server that can set headers says the same there. */
const policy: Plugin = {
  name: "dlx-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      injectTo: "head-prepend",
      attrs: {
        "http-equiv": "Content-Security-Policy",
        content: POLICY,
      },
    },
  ],
};

/** The service worker, with the names of all that was built. */
const offline: Plugin = {
  name: "dlx-offline",
  apply: "build",
  generateBundle(_, bundle) {
    const files = [
      "./",
      "./icon.svg",
      ...Object.keys(bundle)
        .filter((file) => file !== "index.html")
        .map((file) => `./${file}`),
    ];
    const name = `dlx-${createHash("sha256").update(files.join()).digest("hex").slice(0, 12)}`;
    const text = readFileSync(join(root, "playground/offline.js"), "utf8");
    const source = text.replace("self.__BUILT__", JSON.stringify({ name, files }));
    this.emitFile({ type: "asset", fileName: "sw.js", source });
  },
};

export default defineConfig({
  root: join(root, "playground"),
  base: "./",
  plugins: [text, library, policy, offline, svelte()],
  worker: { format: "es", plugins: () => [text, library] },
  server: { headers: ISOLATION, fs: { allow: [root] } },
  preview: { headers: ISOLATION },
  build: { outDir: join(root, "dist", "playground"), emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 4000 },
});
