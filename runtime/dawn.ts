/**
 * Opens WebGPU in Node: the npm package `webgpu` (Dawn). It is loaded on demand, as a native module that prints and may
 * crash where there is no driver; so `probe` asks in a child process first whether it works here.
 */
/// <reference types="@webgpu/types" />
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

export interface AdapterFacts {
  readonly name: string;
  readonly software: boolean;
  readonly features: readonly string[];
}

export interface Probe {
  readonly adapter?: AdapterFacts;
  /** Why there is none. */
  readonly reason?: string;
}

interface Dawn {
  create(options: readonly string[]): GPU;
}

/** From the package of the command line, also when this code is bundled. */
const resolved = (): string => createRequire(import.meta.url).resolve("webgpu");

/** Kept for the life of the process: Dawn may not be dropped while a device of it lives. */
const opened = new Map<boolean, GPU>();

/** Else the times of kernels come in steps of 65 µs. */
const EXACT_TIMES = "timestamp_quantization";
/** Checks that kernels that passed them once do not need again; every place that ours read or write is inside. */
const CHECKS_OFF = "skip_validation,disable_robustness,disable_workgroup_init,disable_polyfills_on_integer_div_and_mod";

export async function openDawn(unchecked = false): Promise<GPU> {
  let gpu = opened.get(unchecked);
  if (!gpu) {
    const dawn = (await import(pathToFileURL(resolved()).href)) as Dawn;
    gpu = dawn.create([
      ...(unchecked ? [`enable-dawn-features=${CHECKS_OFF}`] : []),
      `disable-dawn-features=${EXACT_TIMES}`,
    ]);
    opened.set(unchecked, gpu);
  }
  return gpu;
}

/** Milliseconds: little beside a step of a software adapter. */
const REST = 0.5;
const asleep = new Int32Array(new SharedArrayBuffer(4));

/** Dawn looks for results in each turn of the event loop, which so holds a processor until something stops the thread. */
export function rest(): void {
  Atomics.wait(asleep, 0, 0, REST);
}

const SCRIPT = `
const dawn = await import(process.argv[1]);
const gpu = dawn.create([]);
const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
if (adapter) {
  const { description, device, architecture, vendor, isFallbackAdapter } = adapter.info;
  const name = [description, device, architecture, vendor].find((text) => text) ?? "unnamed";
  const words = [name, description, architecture, vendor].join(" ");
  const software = isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/i.test(words);
  process.stdout.write(JSON.stringify({ name, software, features: [...adapter.features].sort() }));
} else process.stdout.write("none");
process.exit(0);
`;

const PATIENCE = 3000;

/** What adapter Dawn would take here. Noise on standard error, a crash or three seconds of silence mean none. */
export async function probe(): Promise<Probe> {
  let path: string;
  try {
    path = pathToFileURL(resolved()).href;
  } catch (error) {
    return {
      reason: `the package webgpu is not installed (${error instanceof Error ? error.message.split("\n")[0] : String(error)})`,
    };
  }
  const child = spawn(process.execPath, ["--input-type=module", "-e", SCRIPT, path], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, PATIENCE);
  const [code, signal] = await new Promise<readonly [number | null, string | null]>((resolve) => {
    child.on("error", () => resolve([1, null]));
    child.on("close", (status, by) => resolve([status, by]));
  });
  clearTimeout(timer);
  const said = text.err.trim().split("\n")[0] ?? "";
  if (late) return { reason: "the driver did not answer within 3 seconds" };
  if (code !== 0) return { reason: `the driver crashed (${signal ?? `exit code ${code}`})${said && `: ${said}`}` };
  if (text.out === "none") return { reason: `there is no adapter${said && `: ${said}`}` };
  if (said !== "") return { reason: `the driver complained: ${said}` };
  return { adapter: JSON.parse(text.out) as AdapterFacts };
}
