/** `dlx bench`: what it reports of a script, and the comparison with itself alone, which needs nothing installed. */
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { workplace } from "../runtime/cli.ts";

const root = resolve(import.meta.dirname, "../..");
const place = workplace();
afterAll(() => place.remove());

const script = join(root, "bench/w1.dlx");

describe("dlx bench FILE", () => {
  test("tells the median of many steps, what came before them, and the losses", async () => {
    const { code, out, err } = await place.run(["bench", script, "--device", "cpu", "--seconds", "60", "--json"]);
    expect(err).toBe("");
    expect(code).toBe(0);
    const timed = JSON.parse(out) as Record<string, number> & { losses: number[] };
    expect(timed.steps).toBe(397);
    for (const key of ["ms", "least", "compileMs", "firstMs", "cpuMs", "memoryMB"])
      expect(timed[key], key).toBeGreaterThan(0);
    expect(timed.least).toBeLessThanOrEqual(timed.ms!);
    expect(timed.losses).toHaveLength(3);
    expect(timed.losses[2]).toBeLessThan(timed.losses[0]!);
  });
  test("--profile counts the calls of each kernel, and their time is within that of the steps", async () => {
    const { code, out } = await place.run(["bench", script, "--device", "cpu", "--profile", "--json"]);
    expect(code).toBe(0);
    const { kernels, steps } = JSON.parse(out) as {
      steps: number;
      kernels: { text: string; calls: number; ms: number; least: number }[];
    };
    expect(kernels.length).toBeGreaterThan(0);
    for (const { text, calls, ms, least } of kernels) {
      expect(calls % steps, text).toBe(0);
      expect(least * calls).toBeLessThanOrEqual(ms);
    }
    const byTime = kernels.map(({ ms }) => ms);
    expect(byTime).toEqual([...byTime].sort((a, b) => b - a));
  });
  test("dlx run --profile tells the same table at the end, with the lines of the script", async () => {
    const line = ["run", script, "--device", "cpu", "--profile", "--steps", "20"];
    const { code, out, err } = await place.run(line);
    expect(code).toBe(0);
    expect(out).not.toContain("GFLOP/s");
    expect(err).toMatch(/part +ms +calls +least +GFLOP\/s +GB\/s +MB +roofline +lines +kernel\n/);
    expect(err).toContain("100%");
    const json = await place.run([...line, "--json"]);
    const last = JSON.parse(json.out.trim().split("\n").at(-1) ?? "") as {
      event: string;
      steps: number;
      kernels: { calls: number; bytes: number; lines: string }[];
    };
    expect(last).toMatchObject({ event: "profile", steps: 20 });
    expect(last.kernels.every(({ calls, bytes }) => calls > 0 && bytes > 0)).toBe(true);
    expect(last.kernels.some(({ lines }) => lines.startsWith("w1.dlx:"))).toBe(true);
  });
  test("a training that fails says why", async () => {
    const { code, err } = await place.run([
      "bench",
      join(root, "bench/w2.dlx"),
      "--device",
      "cpu",
      "--set",
      "width=65536",
    ]);
    expect(code).toBe(3);
    expect(err).toContain("error[DLX0708]: what this program keeps needs");
    expect(err).toContain("4 GiB");
  });
  test("--steps and --set reach the script; an unknown input is refused", async () => {
    const five = await place.run(["bench", script, "--device", "cpu", "--set", "steps=9", "--json"]);
    expect((JSON.parse(five.out) as { steps: number }).steps).toBe(6);
    const wrong = await place.run(["bench", script, "--set", "stepz=9"]);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("stepz");
  });
});

describe("dlx bench", () => {
  test("runs the programs in turn and says that the losses were right", async () => {
    const line = ["bench", "--only", "w1", "--peers", "dlx", "--rounds", "1", "--seconds", "1"];
    const { code, out, err } = await place.run([...line, "--json"]);
    expect(err).toBe("round 1 of 1: gemm done\nround 1 of 1: w1 done\n");
    expect(code).toBe(0);
    const { results, notes, whole } = JSON.parse(out) as {
      results: Record<string, { ms: number }>;
      notes: string[];
      whole: boolean;
    };
    expect({ notes, whole }).toEqual({ notes: [], whole: true });
    // with and without relaxed SIMD, on one thread and on two, the product and the workload
    expect(Object.keys(results)).toHaveLength(8);
  });
  test("--products tells the rates of products of all kinds", async () => {
    const line = ["bench", "--products", "--peers", "dlx", "--rounds", "1", "--seconds", "1"];
    const { code, out, err } = await place.run([...line, "--json"]);
    expect(err).toBe("round 1 of 1 done\n");
    expect(code).toBe(0);
    const { results, notes } = JSON.parse(out) as { results: Record<string, number>; notes: string[] };
    expect(notes).toEqual([]);
    // with and without relaxed SIMD, on one thread and on two, four products
    expect(Object.keys(results)).toHaveLength(16);
    for (const [key, rate] of Object.entries(results)) expect(rate, key).toBeGreaterThan(0);
  });
  test("knows its workloads and peers", async () => {
    const wrong = await place.run(["bench", "--only", "w9"]);
    expect(wrong).toMatchObject({ code: 2, out: "" });
    expect(wrong.err).toContain("--only knows w1, w2, w3, w4, w5, w6, w6b; got w9");
    expect((await place.run(["bench", "--peers", "torch,abacus"])).err).toContain("got abacus");
    const beside = await place.run(["bench", "--device", "webgpu", "--peers", "torch"]);
    expect(beside.err).toContain("--peers knows dlx, tfjs-webgpu, jax-webgpu; got torch");
    expect((await place.run(["bench", "--device", "abacus"])).err).toContain("cpu and webgpu; got abacus");
  });
});
