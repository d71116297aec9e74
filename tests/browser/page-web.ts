/** What a page has of the runtime: a device, and a host over files in memory. The test calls these. */
import { evaluate } from "../../lang/graph/index.ts";
import { compile } from "../../lang/index.ts";
import { createSession } from "../../runtime/index.ts";
import { webWorkers } from "../../runtime/threads-web.ts";
import { webHost } from "../../runtime/web.ts";
import { openWebDevice, type WebDeviceOptions } from "../../runtime/web-device.ts";
import { prelude } from "../../stdlib/index.ts";

export interface Asked {
  readonly text: string;
  readonly prefer: WebDeviceOptions["prefer"];
  readonly threads?: number;
  /** By name, in base64. */
  readonly files?: Readonly<Record<string, string>>;
  readonly steps?: number;
  /** Threads from a file, as a page must whose policy knows no `blob:`. */
  readonly threadFile?: string;
}
export interface Told {
  readonly name?: string;
  readonly reason?: string;
  readonly events: readonly unknown[];
  /** What is wrong with the script. */
  readonly messages: readonly string[];
  /** By name, in base64. */
  readonly saved: Readonly<Record<string, string>>;
}

async function train({ text, prefer, threads, files = {}, steps, threadFile }: Asked): Promise<Told> {
  const bytes = (base64: string) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const held = new Map(Object.entries(files).map(([name, base64]) => [name, bytes(base64)]));
  const saved: Record<string, string> = {};
  const host = webHost({
    files: held,
    saved: (file, bytes) => void (saved[file] = btoa(String.fromCharCode(...bytes))),
  });
  const compiled = await compile({ file: "script.dlx", text }, { ...host, prelude });
  const found = compiled.diagnostics.filter(({ severity }) => severity !== "note");
  const messages = found.map(({ code, title, notes, help }) => [code, title, ...notes, help].join(" | "));
  const { program } = compiled;
  if (!program) return { events: [], messages, saved };
  const startWorker = threadFile === undefined ? undefined : webWorkers(() => new Worker(threadFile));
  const { device, reason } = await openWebDevice({ prefer, threads, startWorker });
  const session = createSession({ program, device, host, math: evaluate, every: 1, maxSteps: steps });
  const events: unknown[] = [];
  session.events$.subscribe((event) => events.push(event));
  session.play();
  await session.done;
  await session.dispose();
  await device.dispose();
  return { name: device.info.name, reason, events, messages, saved };
}

Reflect.set(globalThis, "train", train);
