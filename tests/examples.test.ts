/** Every example runs as `dlx run` does, and reaches the number that it is there to show. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { capturesOf, parted, readPage, writeCaptures, type Capture } from "./captures.ts";

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

// ---------------------------------------------------------------- the series of eight

/** The bounds hold for several seeds, not for the one of the script alone. */
const runs = new Map<string, Promise<Event[]>>();
const once = (name: string) => runs.get(name) ?? runs.set(name, run(name)).get(name)!;
const prints = async (name: string) => (await once(name)).filter((e) => e.event === "print").map((e) => e.text!);
const numbers = (text: string) => (text.match(/[-+]?\d+(\.\d+)?/g) ?? []).map(Number);

test("01-line.dlx: the slope and the height that made the points, and an error that is the noise", async () => {
  const [text] = await prints("01-line.dlx");
  const [slope, height, error] = numbers(text!);
  expect(Math.abs(slope! - 3)).toBeLessThan(0.1);
  expect(Math.abs(height! + 2)).toBeLessThan(0.1);
  expect(error).toBeGreaterThan(0.9);
  expect(error).toBeLessThan(1.15);
});

test("02-logistic.dlx: is it a 5? Far better than always no", async () => {
  const [text] = await prints("02-logistic.dlx");
  const [digit, right, never] = numbers(text!);
  expect([digit, never]).toEqual([5, 90]);
  expect(right).toBeGreaterThan(96.5);
});

test("03-softmax.dlx: ln 10 before the first step, above 90 % after the last", async () => {
  const events = await once("03-softmax.dlx");
  const [before, test] = events.filter((e) => e.event === "eval");
  expect(before!.metrics!.loss).toBeCloseTo(Math.log(10), 4);
  expect(test!.metrics!.acc).toBeGreaterThan(0.9);
});

test("04-mlp.dlx: a hidden layer reaches 98 %", async () => {
  const evals = (await once("04-mlp.dlx")).filter((e) => e.event === "eval");
  expect(evals.map((e) => e.name)).toEqual(["val", "val", "val", "val", "val", "test"]);
  expect(evals.at(-1)!.metrics!.acc).toBeGreaterThan(0.978);
});

test("05-xor.dlx: the line guesses, the product and the hidden layer know", async () => {
  const [line, product, hidden] = (await prints("05-xor.dlx")).map((text) => numbers(text)[0]!);
  expect(line).toBeLessThan(65);
  expect(product).toBeGreaterThan(95);
  expect(hidden).toBeGreaterThan(95);
});

test("06-lenet.dlx: the classic LeNet-5 reaches 99 %", async () => {
  const test = (await once("06-lenet.dlx")).findLast((e) => e.event === "eval");
  expect(test!.metrics!.acc).toBeGreaterThan(0.985);
});

test("07-three-optimizers.dlx: three runs from one point end near the exact solution", async () => {
  const texts = await prints("07-three-optimizers.dlx");
  expect(texts).toHaveLength(4);
  for (const text of texts) {
    const [a, b] = numbers(text);
    expect(a).toBeGreaterThan(2.8);
    expect(a).toBeLessThan(3.2);
    expect(b).toBeGreaterThan(3.8);
    expect(b).toBeLessThan(4.2);
  }
  expect(new Set(texts).size).toBe(4);
});

test("08-recurrence.dlx: what 12 bits taught holds for 100; 3 bits teach no such thing", async () => {
  const accuracy = (events: Event[]) => events.findLast((e) => e.event === "eval")!.metrics!.acc;
  expect(accuracy(await once("08-recurrence.dlx"))).toBeGreaterThan(0.99);
  expect(accuracy(await run("08-recurrence.dlx", "--set", "length=3"))).toBeLessThan(0.8);
});

// ---------------------------------------------------------------- the page that shows them

const page = "examples/README.md";
const captures = capturesOf(readPage(page));

test("examples/README.md shows the whole series, in order", () => {
  const series = readdirSync(join(root, "examples")).filter((name) => /^\d\d-.*\.dlx$/.test(name));
  const shown = captures.flatMap(({ info }) => (info.startsWith("shows=") ? [info] : []));
  expect(shown).toEqual(series.sort().map((name) => `shows=examples/${name}`));
});

/** What the block should hold, from the runs that the tests above made. */
async function remade({ info, text }: Capture): Promise<string> {
  if (info.startsWith("shows=")) return readPage(info.slice("shows=".length));
  const [, command, name] = /^(\$ dlx run examples\/(\S+) --quiet)$/m.exec(text) ?? [];
  if (command === undefined || name === undefined) throw new Error(`expected a quiet run of an example, got ${text}`);
  return [command, ...(await prints(name)), ""].join("\n");
}

test("examples/README.md shows the scripts as they are and what they print (UPDATE=1 writes it anew)", async () => {
  const made = new Map<Capture, string>();
  for (const capture of captures) made.set(capture, await remade(capture));
  if (process.env.UPDATE) return writeCaptures(page, made);
  for (const [{ line, text, language }, fresh] of made) {
    if (language === "dlx") {
      expect(`line ${line}\n${text}`).toBe(`line ${line}\n${fresh}`);
      continue;
    }
    // Another processor may round otherwise, and the last digits go their own way from there.
    const [then, now] = [parted(text), parted(fresh)];
    expect(now.words).toBe(then.words);
    now.numbers.forEach((x, i) => {
      expect(Math.abs(x - then.numbers[i]!), `line ${line}: ${x}`).toBeLessThan(0.02 + 0.02 * Math.abs(x));
    });
  }
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
