import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** `.dlx` and `.md` files are imported as text, here as in the bundle. */
export default defineConfig({
  plugins: [
    {
      name: "dlx-text",
      enforce: "pre",
      load(id) {
        if (/\.(dlx|md)$/.test(id)) return `export default ${JSON.stringify(readFileSync(id, "utf8"))};`;
        return undefined;
      },
    },
  ],
  test: { include: ["tests/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000, pool: "forks" },
});
