/**
 * `dlx bench FILE` times the steps of a script's first train block. `dlx bench` alone compares with PyTorch: the
 * scripts of bench/, both peers with one and two threads, in turn, each run a process of its own; the machine's speed
 * drifts, so the fastest run's median counts, and a slow machine is refused.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createSession } from "../session.ts";
import { UsageError, type Args } from "./args.ts";
import { DONE, FAILED, WRONG_PROGRAM, type Io } from "./io.ts";
import { renderDiagnostic } from "../../lang/render.ts";
import { kinds, type Toolchain } from "./toolchain.ts";

const ROUNDS = 3;
const SECONDS = 2;
/** Below this PyTorch's own product says that the machine is in a slow state: a ratio would say nothing. */
const LEAST_GFLOPS = 50;
const WORKLOADS = [
  { name: "w2", title: "MLP 784-256-128-10, Adam, batch 64" },
  { name: "w3", title: "LeNet, Adam, batch 64" },
] as const;
const THREADS = [1, 2] as const;

interface Timed {
  readonly ms: number;
  readonly least: number;
  readonly steps: number;
}

export async function bench(args: Args, io: Io, tools: Toolchain): Promise<number> {
  return args.file === "" ? compare(args, io) : time(args, io, tools);
}

// ---------------------------------------------------------------- one script

async function time(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const kind = kinds.find((each) => each === (args.text("device") ?? "auto"));
  if (!kind) throw new UsageError(`there is no device ${args.text("device")}; write one of ${kinds.join(", ")}`);
  const steps = args.count("steps", 2) ?? 400;
  const data = args.text("data");
  const compiled = await tools.compile(args.file, { inputs: {}, data });
  for (const d of compiled.diagnostics) io.stderr(`${renderDiagnostic(d, compiled.sources, { color: io.color })}\n`);
  if (!compiled.program) return WRONG_PROGRAM;
  const device = await tools.openDevice(kind, args.count("threads", 1));
  const host = await tools.host(args.file, data);
  const session = createSession({ program: compiled.program, device, host, math: tools.math, maxSteps: steps });
  const times: number[] = [];
  let block: string | undefined;
  let before = { at: 0, step: 0 };
  // A frame may stand for several steps; the first ones compile and warm up.
  session.frames$.subscribe((frame) => {
    block ??= frame.name;
    if (frame.name !== block || frame.run !== undefined || frame.step <= before.step) return;
    const now = { at: performance.now(), step: frame.step };
    if (before.step > 3) times.push((now.at - before.at) / (now.step - before.step));
    before = now;
  });
  session.play();
  const { status } = await session.done;
  await device.dispose();
  if (status !== "done") return FAILED;
  if (times.length === 0) throw new UsageError("the script has no train block of more than three steps to time");
  const timed = summary(times);
  io.stdout(
    args.has("json")
      ? `${JSON.stringify(timed)}\n`
      : `${timed.ms.toFixed(3)} ms per step (least ${timed.least.toFixed(3)}, ${timed.steps} steps) on ${device.info.name}\n`,
  );
  return DONE;
}

function summary(times: number[]): Timed {
  const sorted = [...times].sort((a, b) => a - b);
  return { ms: sorted[sorted.length >> 1]!, least: sorted[0]!, steps: sorted.length };
}

// ---------------------------------------------------------------- against PyTorch

function compare(args: Args, io: Io): number {
  const folder = resolve(import.meta.dirname, "..", "bench");
  if (!existsSync(join(folder, "torch_step.py"))) {
    throw new UsageError(`the comparison needs the folder bench/ of the repository; to time a script: dlx bench FILE`);
  }
  const python = ["python3", "/usr/bin/python3"].find((p) => spawnSync(p, ["-c", "import torch"]).status === 0);
  if (!python) {
    throw new UsageError(
      "the comparison needs PyTorch: apt-get install python3-torch libopenblas0-openmp; to time a script: dlx bench FILE",
    );
  }
  const torch = <T>(name: string, threads: number): T =>
    child<T>(python, [join(folder, "torch_step.py"), name, String(threads), String(SECONDS)], {
      OMP_NUM_THREADS: String(threads),
    });
  const calibration = () => torch<{ gflops: number }>("gemm", 1).gflops;
  let gflops = 0;
  for (let i = 0; i < ROUNDS && gflops < LEAST_GFLOPS; i++) gflops = calibration();
  if (gflops < LEAST_GFLOPS) {
    io.stderr(
      `dlx: refused: PyTorch's own 512³ product runs at ${gflops.toFixed(0)} GFLOP/s on one thread, below ${LEAST_GFLOPS}; this machine is busy or slow now, try again later\n`,
    );
    return FAILED;
  }
  const self = process.argv[1] ?? "";
  const rows = WORKLOADS.map(({ name, title }) => {
    const best = new Map<string, number>();
    const keep = (key: string, { ms }: Timed) => best.set(key, Math.min(ms, best.get(key) ?? Infinity));
    for (let round = 0; round < ROUNDS; round++) {
      for (const threads of THREADS) {
        keep(`torch ${threads}`, torch<Timed>(name, threads));
        const own = [self, "bench", join(folder, `${name}.dlx`), "--json", "--threads", String(threads)];
        keep(`dlx ${threads}`, child<Timed>(process.execPath, own, {}));
      }
    }
    return { name, title, ms: Object.fromEntries(best) };
  });
  if (args.has("json")) {
    io.stdout(`${JSON.stringify({ gflops, rows })}\n`);
    return DONE;
  }
  io.stdout(
    `PyTorch's 512³ product on one thread: ${gflops.toFixed(0)} GFLOP/s; ms per step, the fastest of ${ROUNDS} runs' medians\n`,
  );
  for (const { title, ms } of rows) {
    const cell = (key: string) => `${key} ${ms[key]!.toFixed(2)}`;
    const ratio = Math.min(ms["dlx 1"]!, ms["dlx 2"]!) / Math.min(ms["torch 1"]!, ms["torch 2"]!);
    const keys = [...THREADS.map((n) => `dlx ${n}`), ...THREADS.map((n) => `torch ${n}`)];
    io.stdout(`${title}: ${keys.map(cell).join("  ")}  dlx/torch ${ratio.toFixed(2)}\n`);
  }
  return DONE;
}

function child<T>(command: string, argv: readonly string[], env: Record<string, string>): T {
  const { status, stdout, stderr } = spawnSync(command, argv, { encoding: "utf8", env: { ...process.env, ...env } });
  if (status !== 0)
    throw new UsageError(`${command} ${argv.join(" ")} failed: ${stderr.trim().split("\n").at(-1) ?? ""}`);
  return JSON.parse(stdout) as T;
}
