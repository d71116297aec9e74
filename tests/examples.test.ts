/** Every example runs as `dlx run` does, and reaches the number that it is there to show. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
/** A copy, because a script saves beside itself. */
const folder = mkdtempSync(join(tmpdir(), "dlx-examples-"));
cpSync(join(root, "examples"), folder, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mnist = resolve(process.env.DLX_SHARED ?? join(root, "../shared/data"), "mnist");
const hasMnist = existsSync(join(mnist, "train-images-idx3-ubyte.gz"));

interface Event {
  readonly event: string;
  readonly name?: string;
  readonly text?: string;
  readonly status?: string;
  readonly path?: string;
  readonly step?: number;
  readonly metrics?: Record<string, number | null>;
}

async function run(name: string, ...args: string[]): Promise<Event[]> {
  const command = [join(root, "bin/dlx.mjs"), "run", join(folder, name), "--json", ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 1 << 26 });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
}

test("digits.dlx: LeNet reaches 98 % on digits it has never seen, and saves its best net", async () => {
  const events = await run("digits.dlx");
  const evals = events.filter((e) => e.event === "eval");
  expect(evals).toHaveLength(6);
  expect(evals.at(-1)).toMatchObject({ name: "test" });
  expect(evals.at(-1)!.metrics!.acc).toBeGreaterThanOrEqual(0.98);
  expect(events.at(-1)).toMatchObject({ event: "end", status: "done", steps: 705 });
  expect(existsSync(join(folder, "digits.safetensors"))).toBe(true);
});

test("three-optimizers.dlx: three runs from one point end near the exact solution", async () => {
  const prints = (await run("three-optimizers.dlx")).filter((e) => e.event === "print").map((e) => e.text!);
  expect(prints).toHaveLength(4);
  for (const text of prints) {
    const [a, b] = text.match(/-?\d+(\.\d+)?/g)!.map(Number);
    expect(a).toBeGreaterThan(2.8);
    expect(a).toBeLessThan(3.2);
    expect(b).toBeGreaterThan(3.8);
    expect(b).toBeLessThan(4.2);
  }
  expect(new Set(prints).size).toBe(4);
});

test.skipIf(!hasMnist).each(["mnist-mlp.dlx", "mnist-lenet.dlx"])(
  `%s: 300 steps on the real files${hasMnist ? "" : " (left out: the MNIST files are not there)"}`,
  async (name) => {
    const events = await run(name, "--data", mnist, "--steps", "300", "--every", "300");
    const [last] = events.filter((e) => e.event === "train").slice(-1);
    expect(last!.step).toBe(300);
    expect(last!.metrics!.acc).toBeGreaterThan(0.85);
    expect(events.at(-1)).toMatchObject({ event: "end", status: "done" });
  },
);
