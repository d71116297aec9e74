/**
 * Numbers of half precision on Mesa's software driver, which has `shader-f16` where Debian's chromium has not: another
 * compiler of the same shaders. The driver is that of the system, or the one whose description DLX_LAVAPIPE names.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const FOLDER = "/usr/share/vulkan/icd.d";
const LOADERS = "/usr/lib/chromium";
const root = join(import.meta.dirname, "../..");

function description(): string | undefined {
  const given = process.env["DLX_LAVAPIPE"];
  if (given !== undefined) return existsSync(given) ? given : undefined;
  const found = existsSync(FOLDER) ? readdirSync(FOLDER).find((name) => name.startsWith("lvp_icd")) : undefined;
  return found && join(FOLDER, found);
}

const driver = description();
if (!driver) console.warn("skipped: no lavapipe (Debian's mesa-vulkan-drivers; DLX_LAVAPIPE names its lvp_icd.json)");

it.skipIf(!driver)(
  "stores and reads all of them as they are",
  () => {
    const env = { ...process.env, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: LOADERS };
    const args = [
      "vitest",
      "run",
      "--maxWorkers=1",
      "tests/webgpu/halves.test.ts",
      "tests/webgpu/f16.test.ts",
      "tests/torch/mixed.test.ts",
    ];
    const { status, stdout } = spawnSync("npx", args, { cwd: root, env, encoding: "utf8" });
    expect(status, stdout).toBe(0);
    // nothing may be left out
    expect(stdout).not.toMatch(/skipped/);
  },
  600_000,
);
