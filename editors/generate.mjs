/** Writes the grammars of highlighters from the token table: node editors/generate.mjs */
import { build } from "esbuild";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";

const here = import.meta.dirname;
const { outputFiles } = await build({
  entryPoints: [join(here, "grammars.ts")],
  bundle: true,
  platform: "node",
  format: "esm",
  write: false,
  logLevel: "silent",
});
const { files } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`
);
for (const [path, text] of Object.entries(files())) {
  const filepath = join(here, path);
  writeFileSync(filepath, await format(text, { ...(await resolveConfig(filepath)), filepath }));
  console.log(`editors/${path}`);
}
