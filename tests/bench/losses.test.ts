/**
 * The scripts of the comparison do the same work as the programs that they are compared with: from the same weights and
 * the same batch, the losses of steps 1, 2 and 4 are those that PyTorch gave.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { workloads, writeStart } from "../../bench/workloads.mjs";
import { openDevice } from "../../gpu/index.ts";
import { parseSets } from "../../runtime/cli/args.ts";
import { runText } from "../run-script.ts";

const folder = mkdtempSync(join(tmpdir(), "dlx-losses-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function lossesOf(script: string, sets: readonly string[]): Promise<readonly unknown[]> {
  const device = await openDevice("cpu");
  try {
    const { events } = await runText(readFileSync(script, "utf8"), device, {
      inputs: parseSets(["given=true", ...sets]),
      folder: dirname(script),
      steps: 4,
    });
    const steps = events.flatMap((event) => (event.event === "train" ? [event.metrics.last_loss] : []));
    return [steps[0], steps[1], steps[3]];
  } finally {
    await device.dispose();
  }
}

describe("losses of steps 1, 2 and 4", () => {
  for (const [name, { title, sets = [], losses }] of Object.entries(workloads)) {
    test(`${name}: ${title}`, async () => {
      const found = await lossesOf(writeStart(name, folder), sets);
      expect(losses).toHaveLength(3);
      losses.forEach((loss, i) => {
        expect(found[i]).toBeTypeOf("number");
        expect(Math.abs(Number(found[i]) - loss), `${found.join(" ")}`).toBeLessThanOrEqual(1e-4);
      });
    });
  }
  test("clip_norm(1) moves W5 away from the peers, which train without", async () => {
    const [first, , fourth] = await lossesOf(writeStart("w5", folder), ["clip=true"]);
    expect(Number(first)).toBeCloseTo(4.30048, 4);
    expect(Math.abs(Number(fourth) - 4.05075)).toBeGreaterThan(1e-3);
  });
});
