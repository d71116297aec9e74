/**
 * What is built: dist/dlx.mjs, the command line in one file, and dist/playground, the static page. Each is made in a
 * place of its own and renamed, so two builds at once never leave half a file.
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { libraryTrees } from "./library.mjs";
import { build, dist, root } from "./stamp.mjs";

const rooms = ["lang", "gpu", "runtime", "stdlib", "package.json", "bin"];

async function withPart(name, make) {
  const part = join(dist, `.part-${name}-${process.pid}`);
  try {
    mkdirSync(part, { recursive: true });
    await make(part);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

export const commandLine = {
  name: "dlx",
  from: rooms,
  result: join(dist, "dlx.mjs"),
  make: () =>
    withPart("dlx", async (part) => {
      const esbuild = await import("esbuild");
      await esbuild.build({
        entryPoints: [join(root, "runtime/cli/main.ts")],
        outfile: join(part, "dlx.mjs"),
        bundle: true,
        platform: "node",
        format: "esm",
        target: "node20",
        loader: { ".dlx": "text", ".md": "text" },
        legalComments: "none",
        logLevel: "silent",
        // Bundled CommonJS packages ask for node: modules through require.
        banner: {
          js: 'import { createRequire as dlxRequire } from "node:module"; const require = dlxRequire(import.meta.url);',
        },
        plugins: [
          {
            name: "trees of the standard library",
            setup: (to) =>
              to.onLoad({ filter: /[\\/]stdlib[\\/]trees\.ts$/ }, async () => ({
                contents: `export const trees = ${JSON.stringify(await libraryTrees())};`,
              })),
          },
        ],
      });
      renameSync(join(part, "dlx.mjs"), commandLine.result);
    }),
};

export const site = {
  name: "playground",
  from: ["playground", "examples", "docs/ladder.md", "vite.config.ts", ...rooms],
  result: join(dist, "playground"),
  make: () =>
    withPart("playground", async (part) => {
      const vite = await import("vite");
      const outDir = join(part, "playground");
      const before = process.env.NODE_ENV;
      try {
        // else the page is one for developers where a test or a shell says so
        process.env.NODE_ENV = "production";
        await vite.build({ configFile: join(root, "vite.config.ts"), logLevel: "error", build: { outDir } });
      } finally {
        if (before === undefined) delete process.env.NODE_ENV;
        else process.env.NODE_ENV = before;
      }
      rmSync(site.result, { recursive: true, force: true });
      renameSync(outDir, site.result);
    }),
};

if (process.argv[1] === fileURLToPath(import.meta.url)) for (const target of [commandLine, site]) await build(target);
