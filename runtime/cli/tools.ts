/** The real phases behind the verbs: `lang`, `gpu`, the standard library, the disk. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Device } from "../../gpu/device.ts";
import { openDevice, Trust, trusting } from "../../gpu/index.ts";
import { noScript } from "../../lang/errors/running.ts";
import { evaluate } from "../../lang/graph/interpret.ts";
import { compile, didYouMean } from "../../lang/index.ts";
import { compileKept } from "../../lang/kept.ts";
import { prelude } from "../../stdlib/index.ts";
import { openDawn, probe, rest, type AdapterFacts } from "../dawn.ts";
import { nodeDisk } from "../disk.ts";
import { factsOf, nodeHost, type DataWhere } from "../node.ts";
import { textStore } from "./text-store.ts";
import { defaultThreads, startNodeWorker } from "../threads.ts";
import { UsageError } from "./args.ts";
import { readSource } from "./source.ts";
import type { CompileOptions, Compiled, DeviceKind, OpenOptions, Toolchain } from "./toolchain.ts";

export const tools: Omit<Toolchain, "version"> = {
  compile: compileFile,
  openDevice: open,
  host: async (file, data) => nodeHost(whereOf(file, data)),
  math: (outputs, lookup) => evaluate(outputs, lookup),
};

const digest = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");

async function open(
  kind: DeviceKind,
  threads = defaultThreads(),
  tell?: (line: string) => void,
  options?: OpenOptions,
): Promise<Device> {
  const { profile, relaxed, store, tune, kernels } = options ?? {};
  const webgpu = async (adapter: AdapterFacts) => {
    const tuning = { store: textStore("products.json"), force: tune };
    const opened = async (unchecked = false) =>
      openDevice("webgpu", { gpu: await openDawn(unchecked), rest, profile, tune: tuning });
    if (kernels === undefined) return opened();
    const compiler = digest(await readFile(fileURLToPath(import.meta.url)));
    const program = async () => [adapter.name, kernels, compiler, digest((await tuning.store.load()) ?? "")].join(" ");
    const trust = new Trust(textStore("trusted.json"), program);
    const known = await trust.has();
    tell?.(
      known ? "webgpu: without checks, as these kernels have passed them" : "webgpu: with checks, this first time",
    );
    return trusting(await opened(known), trust);
  };
  const cpu = () => openDevice("cpu", { profile, relaxed, store, threads, startWorker: startNodeWorker });
  if (kind === "cpu") return cpu();
  if (kind === "reference") return openDevice(kind);
  // in a child process first: a driver may crash, hang or print
  const { adapter, reason } = await probe();
  if (kind === "webgpu") {
    if (!adapter) throw new UsageError(`webgpu is not available: ${reason}; see dlx devices`);
    return webgpu(adapter);
  }
  if (adapter && !adapter.software) {
    tell?.(`device: webgpu, ${adapter.name}`);
    return webgpu(adapter);
  }
  const why = adapter ? `the graphics adapter ${adapter.name} is software` : "there is no graphics processor";
  tell?.(`device: cpu, as ${why} (dlx devices says more)`);
  return cpu();
}

async function compileFile(file: string, { inputs, seed, data, tests, store }: CompileOptions): Promise<Compiled> {
  const script = await readSource(file);
  if ("reason" in script) {
    const near = await nearestScript(file);
    const reason = near === undefined ? script.reason : `${script.reason}; did you mean ${near}?`;
    return { diagnostics: [noScript(file, reason)], sources: [] };
  }
  const where = whereOf(file, data);
  const host = {
    facts: (ref: Parameters<typeof factsOf>[0]) => factsOf(ref, where),
    readModule: async (path: string) => {
      const source = await readSource(path);
      return "reason" in source ? undefined : source;
    },
    prelude,
  };
  const options = { inputs, seed, tests };
  return store ? compileKept(script, host, options, store) : compile(script, host, options);
}

function whereOf(file: string, data: string | undefined): DataWhere {
  return { scriptFolder: dirname(file), dataFolder: data, env: process.env.DLX_DATA };
}

/** A script of nearly that name in the same folder. */
async function nearestScript(file: string): Promise<string | undefined> {
  const folder = dirname(file);
  const scripts = (await nodeDisk.list(folder)).filter((name) => name.endsWith(".dlx"));
  const asked = basename(file);
  const near = scripts.find((name) => name === `${asked}.dlx`) ?? didYouMean(asked, scripts);
  return near === undefined || near === asked ? undefined : join(folder, near);
}
