/**
 * `dlx bench FILE`: the time of one step of a script's first train block, from one read-back of its metrics to the next,
 * with what came before the first step. On a graphics processor several steps are under way at once and go to the screen
 * together: there the time of a step is that of a frame over its steps.
 */
import { measureRoofline, Profile } from "../../gpu/index.ts";
import { renderDiagnostic } from "../../lang/render.ts";
import type { Metrics } from "../events.ts";
import { createSession } from "../session.ts";
import { parseSets, UsageError, type Args } from "./args.ts";
import { DONE, FAILED, WRONG_PROGRAM, type Io } from "./io.ts";
import { profileRows, profileText, type ProfileRow } from "./profile-table.ts";
import { checkInputs } from "./run.ts";
import { kinds, type Toolchain } from "./toolchain.ts";

/** Steps that are not timed: the engine compiles what it sees often. */
const WARM = 3;
const SECONDS = 2;
/** Fewer say nothing, however long they take. */
const LEAST_STEPS = 5;
/** The steps whose losses other programs tell too. */
const LOSSES = [1, 2, 4];

export interface Timed {
  readonly device: string;
  /** The median, and the least. */
  readonly ms: number;
  readonly least: number;
  readonly steps: number;
  /** From the text to the checked program; from there to the end of the first step. */
  readonly compileMs: number;
  readonly firstMs: number;
  /** Of the processor, from the start of the program to the end of the first step. */
  readonly cpuMs: number;
  readonly memoryMB: number;
  /** The first metric, or null, at steps 1, 2 and 4. */
  readonly losses: readonly (number | null)[];
  readonly kernels?: readonly ProfileRow[];
  /** Why there are none. */
  readonly kernelsMissing?: string;
}

export async function benchScript(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const kind = kinds.find((each) => each === (args.text("device") ?? "auto"));
  if (!kind) throw new UsageError(`there is no device ${args.text("device")}; write one of ${kinds.join(", ")}`);
  const profile = args.has("profile") ? new Profile() : undefined;
  const threads = profile ? 1 : args.count("threads", 1);
  const seconds = args.count("seconds", 1) ?? SECONDS;
  const data = args.text("data");
  const inputs = parseSets(args.list("set"));

  const begin = performance.now();
  const compiled = await tools.compile(args.file, { inputs, data });
  const compileMs = performance.now() - begin;
  for (const d of compiled.diagnostics) io.stderr(`${renderDiagnostic(d, compiled.sources, { color: io.color })}\n`);
  const { program } = compiled;
  if (!program) return WRONG_PROGRAM;
  checkInputs(inputs, program);
  const device = await tools.openDevice(kind, threads, undefined, {
    profile,
    tune: args.has("tune"),
    ...(args.has("plain") ? { relaxed: false } : {}),
  });
  if (profile && device.info.kind === "reference") throw new UsageError("--profile needs --device cpu or webgpu");
  if (profile) profile.roofline = await measureRoofline(device, profile);
  const host = await tools.host(args.file, data);
  const framed = device.info.kind === "webgpu";
  const session = createSession({
    program,
    device,
    host,
    math: tools.math,
    inputs,
    maxSteps: args.count("steps", LEAST_STEPS),
    every: framed ? Number.MAX_SAFE_INTEGER : 1,
  });

  const start = performance.now();
  const times: number[] = [];
  const losses: (number | null)[] = LOSSES.map(() => null);
  let block: string | undefined;
  let firstMs = 0;
  let cpuMs = 0;
  let before = { at: start, step: 0 };
  let measuredFrom = 0;
  const heard = (name: string, step: number, metrics: Metrics) => {
    block ??= name;
    if (name !== block || step <= before.step) return;
    const now = { at: performance.now(), step };
    if (before.step === 0) {
      const { user, system } = process.cpuUsage();
      firstMs = now.at - start;
      cpuMs = (user + system) / 1000;
    } else if (before.step >= WARM) times.push((now.at - before.at) / (step - before.step));
    else if (step >= WARM) {
      profile?.reset();
      measuredFrom = step;
    }
    before = now;
    const [loss] = Object.values(metrics);
    LOSSES.forEach((at, i) => {
      if (at === step) losses[i] = typeof loss === "number" ? loss : null;
    });
    if (times.length >= LEAST_STEPS && now.at - start > 1000 * seconds) session.stop();
  };
  if (framed) session.frames$.subscribe(({ name, step, metrics }) => heard(name, step, metrics));
  else
    session.events$.subscribe((event) => {
      if (event.event === "train" && event.fold === undefined) heard(event.name, event.step, event.metrics);
    });
  session.play();
  const { status } = await session.done;
  await device.dispose();
  if (status === "failed") return FAILED;
  if (times.length === 0) throw new UsageError(`the script has no train block of more than ${WARM} steps to time`);

  const sorted = times.sort((a, b) => a - b);
  const timed: Timed = {
    device: device.info.name,
    ms: sorted[sorted.length >> 1] ?? NaN,
    least: sorted[0] ?? NaN,
    steps: sorted.length,
    compileMs,
    firstMs,
    cpuMs,
    memoryMB: process.resourceUsage().maxRSS / 1024,
    losses,
    ...(profile ? { kernels: profileRows(profile, compiled.sources, args.file) } : {}),
    ...(profile?.missing === undefined ? {} : { kernelsMissing: profile.missing }),
  };
  io.stdout(`${args.has("json") ? JSON.stringify(timed) : timedText(timed, profile, before.step - measuredFrom)}\n`);
  return DONE;
}

function timedText(timed: Timed, profile: Profile | undefined, profiled: number): string {
  const { ms, least, steps, compileMs, firstMs, device, kernels } = timed;
  const line = `${ms.toFixed(3)} ms per step (least ${least.toFixed(3)}, ${steps} steps) on ${device}; checked in ${compileMs.toFixed(0)} ms, first step after ${firstMs.toFixed(0)} ms more`;
  return kernels && profile ? `${line}\n${profileText(profile, kernels, profiled)}` : line;
}
