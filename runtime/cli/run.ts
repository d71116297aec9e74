/** `dlx run`: compile, open a device, play to the end with the sink that fits where the output goes. */
import { createHash } from "node:crypto";
import { measureRoofline, Profile } from "../../gpu/index.ts";
import { didYouMean } from "../../lang/suggest.ts";
import type { Program } from "../../lang/program.ts";
import { renderDiagnostic } from "../../lang/render.ts";
import { segmentsOf } from "../actions.ts";
import type { EndEvent, Inputs, RunEvent } from "../events.ts";
import { createSession, type Session } from "../session.ts";
import { jsonSink } from "../sinks/json.ts";
import { plainSink, quietSink } from "../sinks/plain.ts";
import type { Out, Sink } from "../sinks/sink.ts";
import { terminalSink } from "../sinks/terminal.ts";
import { parseSets, UsageError, type Args } from "./args.ts";
import { graphText } from "./dump.ts";
import { DONE, FAILED, INTERRUPTED, WRONG_PROGRAM, WRONG_USAGE, type Io } from "./io.ts";
import { profileRows, profileText } from "./profile-table.ts";
import { Saves } from "./watch.ts";
import { kinds, type Compiled, type DeviceKind, type Toolchain } from "./toolchain.ts";

const WRONG_INPUT = "DLX0319";

export async function run(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const kind = deviceKind(args.text("device"));
  if (args.has("fast") && args.has("watch"))
    throw new UsageError("--fast is for kernels that have run before; --watch brings new ones");
  const inputs = parseSets(args.list("set"));
  const seed = args.count("seed", 0);
  const maxSteps = args.count("steps", 0);
  const every = args.count("every", 1);
  const profile = args.has("profile") ? new Profile() : undefined;
  const threads = profile ? 1 : args.count("threads", 1);
  const data = args.text("data");
  const compile = (now: Inputs = inputs) => tools.compile(args.file, { inputs: now, seed, data });
  const first = await compile();
  if (!tell(first, io, args.has("json")) || !first.program) return exitCode(first);
  checkInputs(inputs, first.program);
  let compiled = { ...first, program: first.program };

  const say = args.has("json") || args.has("quiet") ? undefined : (line: string) => io.stderr(`${line}\n`);
  const device = await tools.openDevice(kind, threads, say, {
    profile,
    tune: args.has("tune"),
    kernels: args.has("fast") ? nameOf(first.program) : undefined,
  });
  if (profile) profile.roofline = await measureRoofline(device, profile);
  const host = await tools.host(args.file, data);
  const out: Out = {
    stdout: (text) => io.stdout(text),
    stderr: (text) => io.stderr(text),
    message: (diagnostic) => renderDiagnostic(diagnostic, compiled.sources, { color: io.color }),
    script: args.file,
  };
  const play = (program: Program) => {
    const recompile = async (now: Inputs) => (await compile(now)).program;
    const session = createSession({ program, device, host, math: tools.math, inputs, maxSteps, every, recompile });
    return { session, sink: sinkFor(args, io, session, out) };
  };
  /** Reads the script again; false when it does not check, which it says. */
  const check = async (): Promise<boolean> => {
    const next = await compile();
    const well = tell(next, io, args.has("json"));
    if (!well || !next.program) return false;
    compiled = { ...next, program: next.program };
    saves.watch(next.sources);
    return true;
  };
  let playing = play(compiled.program);
  const saves = new Saves(io);
  let interrupted = false;
  const quiet = io.onInterrupt(() => {
    if (interrupted) {
      playing.sink.close();
      io.exit(INTERRUPTED);
    }
    interrupted = true;
    playing.session.stop();
    saves.stop();
  });
  try {
    playing.session.play();
    if (args.has("watch")) saves.watch(compiled.sources);
    else saves.stop();
    for (;;) {
      let ended: EndEvent | undefined;
      const { done } = playing.session;
      while (!ended) {
        ended = await Promise.race([done, saves.next().then((saved) => (saved ? undefined : done))]);
        if (ended) break;
        if (await check()) await playing.session.swap(compiled.program);
        else say?.("the script has a mistake; the program from before it trains on");
      }
      const { status, steps } = ended;
      if (profile) showProfile(args, io, profile, compiled.sources, steps);
      if (!args.has("watch") || interrupted)
        return status === "done" ? DONE : status === "stopped" ? INTERRUPTED : FAILED;
      await playing.session.dispose();
      say?.(`waiting for ${args.file} to be saved (control-C ends)`);
      do if (!(await saves.next())) return INTERRUPTED;
      while (!(await check()));
      playing.sink.close();
      playing = play(compiled.program);
      playing.session.play();
    }
  } finally {
    quiet();
    saves.stop();
    playing.sink.close();
    await device.dispose();
  }
}

/** By what is computed: the graphs of all segments. */
function nameOf(program: Program): string {
  const hash = createHash("sha256");
  for (const segment of segmentsOf(program.body)) hash.update(graphText(segment));
  return hash.digest("hex");
}

/** After the last line of the run; with --json as a line of its own. */
function showProfile(args: Args, io: Io, profile: Profile, sources: Compiled["sources"], steps: number): void {
  const rows = profileRows(profile, sources, args.file);
  if (args.has("json"))
    io.stdout(`${JSON.stringify({ event: "profile", steps, missing: profile.missing, kernels: rows })}\n`);
  else io.stderr(`${profileText(profile, rows, Math.max(1, steps))}\n`);
  profile.reset();
}

function sinkFor(args: Args, io: Io, session: Session, out: Out): Sink {
  if (args.has("json")) return jsonSink(session, out);
  if (args.has("quiet")) return quietSink(session, out);
  return io.isTTY
    ? terminalSink(session, out, () => ({ columns: io.columns(), rows: io.rows() }))
    : plainSink(session, out);
}

/** Shows what the compiler found, but for notes, which `dlx check` tells; false when the program has errors. */
export function tell({ diagnostics, program, sources }: Compiled, io: Io, json: boolean): boolean {
  const wrong = program === undefined || diagnostics.some(({ severity }) => severity === "error");
  const line = (event: RunEvent) => io.stdout(`${JSON.stringify(event)}\n`);
  for (const diagnostic of diagnostics.filter(({ severity }) => severity !== "note")) {
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
