/** Runs a script text on a device, as `dlx run` does, and gives its events and its state. */
import type { Device, Numbers } from "../gpu/device.ts";
import { evaluate } from "../lang/graph/index.ts";
import { compile, renderDiagnostic } from "../lang/index.ts";
import type { Compiled, CompileOptions, Program } from "../lang/index.ts";
import { factsOf, nodeHost } from "../runtime/node.ts";
import { createSession } from "../runtime/index.ts";
import type { RunEvent } from "../runtime/index.ts";
import { prelude } from "../stdlib/index.ts";

export interface RunOptions extends CompileOptions {
  readonly steps?: number;
  readonly every?: number;
  readonly folder?: string;
  readonly dataFolder?: string;
}

export interface Ran {
  readonly program: Program;
  readonly events: readonly RunEvent[];
  /** Every slot at the end, by path. */
  readonly state: Readonly<Record<string, Numbers>>;
  readonly prints: readonly string[];
}

export async function compileText(text: string, options: RunOptions = {}): Promise<Program> {
  return (await compileAll(text, options)).program;
}

/** With what else the compiler gives. */
export async function compileAll(text: string, options: RunOptions = {}): Promise<Compiled & { program: Program }> {
  const where = { scriptFolder: options.folder ?? "/nowhere", dataFolder: options.dataFolder };
  const result = await compile(
    { file: "script.dlx", text },
    { prelude, facts: (ref) => factsOf(ref, where), readModule: async () => undefined },
    options,
  );
  const { program } = result;
  if (!program) throw new Error(result.diagnostics.map((d) => renderDiagnostic(d, [...result.sources])).join("\n"));
  return { ...result, program };
}

export async function runText(text: string, device: Device, options: RunOptions = {}): Promise<Ran> {
  const program = await compileText(text, options);
  const where = { scriptFolder: options.folder ?? "/nowhere", dataFolder: options.dataFolder };
  const session = createSession({
    program,
    device,
    host: nodeHost(where),
    math: evaluate,
    maxSteps: options.steps,
    every: options.every ?? 1,
  });
  const events: RunEvent[] = [];
  session.events$.subscribe((e) => events.push(e));
  session.play();
  await session.done;
  const state: Record<string, Numbers> = {};
  for (const path of Object.keys(program.slots)) state[path] = await device.readSlot(path);
  const prints = events.flatMap((e) => (e.event === "print" ? [e.text] : []));
  return { program, events, state, prints };
}
