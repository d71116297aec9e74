/**
 * Samples of mistakes: their folders by code, and those that no file and no command can bring about. These happen to a
 * running program from outside, so a host or a device that misbehaves stands in; message and program are real.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { FakeDevice } from "../runtime/fake.ts";
import { UserError } from "../../lang/diagnostic.ts";
import { deviceLost } from "../../lang/errors/running.ts";
import { evaluate } from "../../lang/graph/interpret.ts";
import { renderDiagnostic } from "../../lang/index.ts";
import type { Program } from "../../lang/program.ts";
import { tools } from "../../runtime/cli/tools.ts";
import type { Diagnostic } from "../../lang/diagnostic.ts";
import type { Device } from "../../gpu/device.ts";
import type { Host } from "../../runtime/host.ts";
import { createSession, type Session } from "../../runtime/session.ts";

const samples = resolve(import.meta.dirname, "errors");

/** The codes of a sample, in the order of its messages. */
export function codesOf(name: string): string[] {
  const text = readFileSync(join(samples, name, "message.txt"), "utf8");
  return [...text.matchAll(/^(?:error|warning|note)\[(DLX\d{4})\]/gm)].map((m) => m[1]!);
}

/** The sample of a code that holds further files. */
export function folderOf(code: string): string | undefined {
  const own = new Set(["script.dlx", "message.txt", "command.txt"]);
  const name = readdirSync(samples).find(
    (each) =>
      existsSync(join(samples, each, "message.txt")) &&
      codesOf(each)[0] === code &&
      readdirSync(join(samples, each)).some((file) => !own.has(file) && !file.endsWith(".dlx")),
  );
  return name && join(samples, name);
}

interface Around {
  readonly program?: (real: Program) => Program;
  readonly host?: (real: Host) => Host;
  readonly device?: () => Device;
  readonly act?: (session: Session) => void;
}

/** What a run of the script in this folder says, with something around it that is not as it should be. */
async function said(folder: string, { program: change, host, device, act }: Around): Promise<string> {
  const before = process.cwd();
  process.chdir(folder);
  try {
    const { program, sources, diagnostics } = await tools.compile("script.dlx", { inputs: {} });
    if (!program) throw new Error(`expected a script that checks, got ${diagnostics[0]?.title}`);
    const real = await tools.host("script.dlx");
    const opened = device?.() ?? (await tools.openDevice("cpu", 1));
    const session = createSession({
      program: change?.(program) ?? program,
      device: opened,
      host: host?.(real) ?? real,
      math: evaluate,
    });
    const found: Diagnostic[] = [];
    session.events$.subscribe((event) => {
      if ("diagnostic" in event) found.push(event.diagnostic);
    });
    act?.(session);
    session.play();
    await session.done;
    await opened.dispose();
    return found.map((d) => renderDiagnostic(d, sources)).join("\n\n");
  } finally {
    process.chdir(before);
  }
}

/** Data that has another number of rows once it is open. */
function recounted(real: Host, change: (count: number) => number): Host {
  return {
    ...real,
    open: async (plan, seed) => {
      const rows = await real.open(plan, seed);
      return new Proxy(rows, {
        get: (target, key) => (key === "count" ? change(target.count) : Reflect.get(target, key, target)),
      });
    },
  };
}

/** A program whose number of rows nobody knows beforehand. */
function uncounted(program: Program): Program {
  const body = program.body.map((action) =>
    action.kind === "train" && action.data ? { ...action, data: { ...action.data, rows: -1 } } : action,
  );
  return { ...program, body };
}

class LostDevice extends FakeDevice {
  override run(): never {
    throw new UserError(deviceLost("a graphics processor", "the driver was reset"));
  }
}

export const provoked: Readonly<Record<string, (folder: string) => Promise<string>>> = {
  DLX0703: (folder) => said(folder, { program: uncounted, host: (real) => recounted(real, () => 0) }),
  DLX0704: (folder) => said(folder, { act: (session) => session.set("width", 16) }),
  DLX0706: (folder) => said(folder, { host: (real) => recounted(real, (count) => count - 1) }),
  DLX0707: (folder) => said(folder, { device: () => new LostDevice() }),
};

/** What differs from machine to machine. */
export function settled(text: string, folder: string): string {
  return text
    .replaceAll(folder, "<folder>")
    .replaceAll(/the device is .*/g, "the device is <device>")
    .trimEnd();
}
