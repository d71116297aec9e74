/**
 * The command line as a process: devices with and without a Vulkan driver, and that it ends by itself, in silence. The
 * software driver of Debian's chromium stands for a driver; where it is not installed, its part is skipped with a line.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const bin = resolve(import.meta.dirname, "../../bin/dlx.mjs");
const DRIVER = { LD_LIBRARY_PATH: "/usr/lib/chromium", VK_ICD_FILENAMES: "/usr/lib/chromium/vk_swiftshader_icd.json" };
/** A loader finds no driver by this name; real ones on this machine are hidden too. */
const NONE = { LD_LIBRARY_PATH: "", VK_ICD_FILENAMES: "/nowhere/driver.json", VK_DRIVER_FILES: "/nowhere/driver.json" };
const driver = existsSync(DRIVER.VK_ICD_FILENAMES);
if (!driver)
  console.warn("skipped: a process with a Vulkan driver (install Debian's chromium for its software driver)");
/** A process that hangs is ended after so many milliseconds, and then it has no exit code. */
const HANG = 60_000;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dlx-process-"));
  writeFileSync(
    join(folder, "line.dlx"),
    `seed 1
let rows = toy.linear(w: [3, 4], n: 40, noise: 0.1)
let f = Linear(1)
train (x, y) in batches(rows, 20) for 3 epochs {
  let loss = mse(squeeze(f(x), -1), y)
  minimize loss over f with SGD(1e-3)
  every epoch { print "epoch {epoch}: {loss:.3f}" }
}
print "the end"
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function dlx(line: string, env: Readonly<Record<string, string>>) {
  return new Promise<{ code: number | null; out: string; err: string }>((done) => {
    const options = { cwd: folder, env: { ...process.env, ...env }, timeout: HANG, killSignal: "SIGKILL" as const };
    const child = execFile(process.execPath, [bin, ...line.split(" ")], options, (_, out, err) =>
      done({ code: child.exitCode, out, err }),
    );
  });
}

describe("without a Vulkan driver", () => {
  it("auto takes the cpu and says why", async () => {
    const { code, out, err } = await dlx("run line.dlx", NONE);
    expect(err).toBe("device: cpu, as there is no graphics processor (dlx devices says more)\n");
    expect(code).toBe(0);
    expect(out).toContain("line.dlx  on cpu (WebAssembly");
    expect(out).toContain("\nthe end\n");
  });
  it("webgpu is refused with the reason", async () => {
    const { code, out, err } = await dlx("run line.dlx --device webgpu", NONE);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/^dlx: webgpu is not available: .+; see dlx devices\n$/);
  });
  it("dlx devices", async () => {
    const { code, out, err } = await dlx("devices", NONE);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^cpu {8}cpu \(WebAssembly.*\n.*simd.*\nreference {2}reference \(float64 interpreter\)\n/);
    expect(out).toMatch(/\nwebgpu {5}not available: .+\nauto takes cpu\n$/);
    const json = JSON.parse((await dlx("devices --json", NONE)).out) as { devices: unknown[]; auto: string };
    expect(json.auto).toBe("cpu");
    expect(json.devices).toMatchObject([
      { kind: "cpu" },
      { kind: "reference" },
      { kind: "webgpu", missing: expect.any(String) },
    ]);
  });
});

describe.skipIf(!driver)("with a software driver", () => {
  it("auto does not take it, and says so", async () => {
    const { code, out, err } = await dlx("run line.dlx", DRIVER);
    expect(err).toMatch(/^device: cpu, as the graphics adapter .+ is software \(dlx devices says more\)\n$/);
    expect(code).toBe(0);
    expect(out).toContain("  on cpu ");
  });
  it("a run on webgpu ends by itself, and nothing is on standard error", async () => {
    const { code, out, err } = await dlx("run line.dlx --device webgpu", DRIVER);
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toMatch(/^line\.dlx {2}on webgpu \(.+, software\)/);
    expect(out).toMatch(/\nthe end\ndone after 6 steps in 0:\d\d\n$/);
  });
  it("the same for dlx test", async () => {
    writeFileSync(join(folder, "t.dlx"), 'let x = ones([3])\ntest "sum" { assert sum(2 * x) == 6 }\n');
    expect(await dlx("test t.dlx --device webgpu", DRIVER)).toEqual({
      code: 0,
      out: "ok      sum\n1 test, all ok\n",
      err: "",
    });
  });
  it("a failed run on webgpu ends too", async () => {
    writeFileSync(
      join(folder, "nan.dlx"),
      `let f = Linear(1)
let x = ones([4, 2])
train for 3 steps { minimize mean(f(x)^2) over f with SGD(1e30) }
`,
    );
    const { code, err } = await dlx("run nan.dlx --device webgpu", DRIVER);
    expect(code).toBe(3);
    expect(err).toContain("DLX0701");
  });
  it("dlx devices names it as software", async () => {
    const { code, out, err } = await dlx("devices", DRIVER);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/\nwebgpu {5}.+, software\n/);
    expect(out).toMatch(/\nauto takes cpu\n$/);
  });
});

describe("dlx graph --wgsl", () => {
  it("shows the shaders of every segment, without a driver", async () => {
    const { code, out, err } = await dlx("graph line.dlx --wgsl", NONE);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^top1:\n/);
    expect(out).toMatch(/\ntrain1:\n/);
    expect(out).toMatch(/@compute @workgroup_size\(\d+/);
    const json = JSON.parse((await dlx("graph line.dlx --wgsl --json", NONE)).out) as {
      segments: { name: string; wgsl: string }[];
    };
    expect(json.segments.map(({ name }) => name)).toContain("train1");
    for (const { wgsl } of json.segments) expect(wgsl).toMatch(/@compute|computed by the host/);
  });
});

it("the pages of dlx explain are in the bundle", async () => {
  const { code, out, err } = await dlx("explain 201", NONE);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/^DLX0201: .+\n/);
});

describe("a wrong file name", () => {
  it("a script that is not there is told with its neighbour", async () => {
    const { code, err } = await dlx("run lime.dlx --device cpu", NONE);
    expect(code).toBe(1);
    expect(err).toBe(
      "error[DLX0705]: cannot read the script lime.dlx\n  = note: there is no such file; did you mean line.dlx?\n",
    );
    expect((await dlx("run line --device cpu", NONE)).err).toContain("did you mean line.dlx?");
  });
});
