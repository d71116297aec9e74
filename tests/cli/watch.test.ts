/** `dlx run --watch` as a process: saving swaps, a mistake is told and the last good program trains on. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const dlx = new URL("../../bin/dlx.mjs", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "dlx-watch-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "a.dlx");

const script = (steps: number, rate: string, layers = "Linear(4)") => `seed 1
let rows = toy.linear(w: [3, 4], n: 64, noise: 0.1)
let f = [${layers}, Linear(1)]
train (x, y) in batches(shuffle(rows), 16) for ${steps} epochs {
  let loss = mse(squeeze(f(x), -1), y)
  minimize loss over f with SGD(${rate})
}
`;

function start(...args: string[]) {
  const child = spawn(process.execPath, [dlx, "run", file, "--watch", "--device", "cpu", ...args]);
  let text = "";
  const add = (chunk: Buffer) => void (text += chunk.toString());
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  const ended = new Promise<number | null>((done) => child.on("close", done));
  /** Waits until all that was written since the last call holds the text, and gives it. */
  const until = async (wanted: string) => {
    for (let i = 0; i < 600 && !text.includes(wanted); i++) await new Promise((done) => setTimeout(done, 50));
    const seen = text;
    text = "";
    expect(seen).toContain(wanted);
    return seen;
  };
  return { child, ended, until };
}

test("each save is swapped in; a script with a mistake leaves the last good one training", async () => {
  writeFileSync(file, script(10_000_000, "1e-4"));
  const { child, ended, until } = start();
  await until("a.dlx");
  await until("train1");
  writeFileSync(file, `# a note\n${script(10_000_000, "1e-4")}`);
  await until("the program is the same, nothing changed");
  writeFileSync(file, script(10_000_000, "1e-4", "Linear(4), tanh, Linear(8)"));
  expect(await until("swapped, kept")).toMatch(
    /step \d+: swapped, kept \d+, new f\.2\.w f\.2\.b f\.3\.w, dropped f\.1\.w\n/,
  );
  writeFileSync(file, script(10_000_000, "1e-4", "Linear(4), tanh, Linear(6)"));
  expect(await until("swapped, kept")).toMatch(/step \d+: swapped, kept \d+, begun anew f\.2\.w f\.2\.b f\.3\.w\n/);
  writeFileSync(file, script(10_000_000, "1e-4", "Linear(4), tanh, Linear(8)"));
  await until("swapped, kept");
  writeFileSync(file, script(10_000_000, "1e-4", "Linear(4), tahn"));
  const wrong = await until("trains on");
  expect(wrong).toContain("did you mean `tanh`?");
  expect(wrong).not.toContain("done");
  writeFileSync(file, script(10_000_000, "2e-4", "Linear(4), tanh, Linear(8)"));
  expect(await until("swapped, kept")).toMatch(/kept 6\n/);
  // Node puts its handler away and back around the making of kernels; a signal in that instant ends the process
  await until("train1");
  child.kill("SIGINT");
  expect(await ended).toBe(130);
}, 60_000);

test("after its end the script is run again when it is saved", async () => {
  writeFileSync(file, script(1, "1e-4"));
  const { child, ended, until } = start();
  await until("to be saved");
  writeFileSync(file, script(2, "1e-4"));
  expect(await until("to be saved")).toContain("done after 8 steps");
  child.kill("SIGINT");
  expect(await ended).toBe(130);
}, 60_000);
