/** `dlx run`: compile, open a device, play to the end with the sink that fits where the output goes. */
import { didYouMean } from "../../lang/suggest.ts";
import type { Program } from "../../lang/program.ts";
import { renderDiagnostic } from "../../lang/render.ts";
import type { Inputs, RunEvent } from "../events.ts";
import { createSession, type Session } from "../session.ts";
import { jsonSink } from "../sinks/json.ts";
import { plainSink, quietSink } from "../sinks/plain.ts";
import type { Out, Sink } from "../sinks/sink.ts";
import { terminalSink } from "../sinks/terminal.ts";
import { parseSets, UsageError, type Args } from "./args.ts";
import { DONE, FAILED, INTERRUPTED, WRONG_PROGRAM, WRONG_USAGE, type Io } from "./io.ts";
import { kinds, type Compiled, type DeviceKind, type Toolchain } from "./toolchain.ts";

const WRONG_INPUT = "DLX0319";

export async function run(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const kind = deviceKind(args.text("device"));
  const inputs = parseSets(args.list("set"));
  const seed = args.count("seed", 0);
  const maxSteps = args.count("steps", 0);
  const every = args.count("every", 1);
  const threads = args.count("threads", 1);
  const data = args.text("data");
  const compiled = await tools.compile(args.file, { inputs, seed, data });
  const { program } = compiled;
  if (!tell(compiled, io, args.has("json")) || !program) return exitCode(compiled);
  checkInputs(inputs, program);

  const say = args.has("json") || args.has("quiet") ? undefined : (line: string) => io.stderr(`${line}\n`);
  const device = await tools.openDevice(kind, threads, say);
  const host = await tools.host(args.file, data);
  const session = createSession({ program, device, host, math: tools.math, inputs, maxSteps, every });
  const out: Out = {
    stdout: (text) => io.stdout(text),
    stderr: (text) => io.stderr(text),
    message: (diagnostic) => renderDiagnostic(diagnostic, compiled.sources, { color: io.color }),
    script: args.file,
  };
  const sink = sinkFor(args, io, session, out);
  let interrupts = 0;
  const quiet = io.onInterrupt(() => {
    if (++interrupts === 1) return session.stop();
    sink.close();
    io.exit(INTERRUPTED);
  });
  try {
    session.play();
    const { status } = await session.done;
    return status === "done" ? DONE : status === "stopped" ? INTERRUPTED : FAILED;
  } finally {
    quiet();
    sink.close();
    await device.dispose();
  }
}

function sinkFor(args: Args, io: Io, session: Session, out: Out): Sink {
  if (args.has("json")) return jsonSink(session, out);
  if (args.has("quiet")) return quietSink(session, out);
  return io.isTTY
    ? terminalSink(session, out, () => ({ columns: io.columns(), rows: io.rows() }))
    : plainSink(session, out);
}

/** Shows what the compiler found; false when the program has errors. */
export function tell({ diagnostics, program, sources }: Compiled, io: Io, json: boolean): boolean {
  const wrong = program === undefined || diagnostics.some(({ severity }) => severity === "error");
  const line = (event: RunEvent) => io.stdout(`${JSON.stringify(event)}\n`);
  for (const diagnostic of diagnostics) {
    if (json) line({ event: diagnostic.severity === "error" ? "error" : "warning", diagnostic });
    else io.stderr(`${renderDiagnostic(diagnostic, sources, { color: io.color })}\n`);
  }
  if (wrong && json) line({ event: "end", status: "failed", steps: 0, seconds: 0 });
  return !wrong;
}

/** A value outside of an input's range is wrong use of `--set`, not a mistake of the program. */
export function exitCode({ diagnostics }: Compiled): number {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  return errors.length > 0 && errors.every(({ code }) => code === WRONG_INPUT) ? WRONG_USAGE : WRONG_PROGRAM;
}

export function deviceKind(text: string | undefined): DeviceKind {
  const kind = kinds.find((each) => each === (text ?? "auto"));
  if (kind) return kind;
  // The short form of webgpu is nearer to cpu by its letters.
  const near = text === "gpu" ? "webgpu" : didYouMean(text ?? "", kinds);
  const guess = near === undefined ? "" : `did you mean ${near}? `;
  throw new UsageError(`there is no device ${text}; ${guess}write one of ${kinds.join(", ")}`);
}

export function checkInputs(given: Inputs, { inputs }: Program): void {
  const names = inputs.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const near = didYouMean(name, names);
    const known = names.length > 0 ? `it has ${names.join(", ")}` : "it has none";
    throw new UsageError(`the script has no input ${name}; ${near === undefined ? known : `did you mean ${near}?`}`);
  }
}
