import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** What starts other programs, pages above all, has both cores of a small machine to itself; the rest shares them. */
const ALONE = ["playground", "browser", "cli", "bench"].map((folder) => `tests/${folder}/**/*.test.ts`);

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
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A page on two busy cores answers when it can.
    expect: { poll: { timeout: 30_000 } },
    pool: "forks",
    // What commands keep does not end up in the home folder of whoever tests.
    env: { XDG_CACHE_HOME: join(tmpdir(), "dlx-test-cache") },
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: ["tests/**/*.test.ts"],
          exclude: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "alone", include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
