/**
 * `dlx test`: each test of a script is a small program of its own, so it begins with fresh state and the seed's own
 * random numbers. A line for each; below a failed one what was compared.
 */
import type { Diagnostic } from "../../lang/diagnostic.ts";
import { assertFailed, type ShownSide } from "../../lang/errors/testing.ts";
import type { Program, TestBlock } from "../../lang/program.ts";
import { renderDiagnostic } from "../../lang/render.ts";
import type { RunEvent, Side } from "../events.ts";
import { formatValue } from "../format.ts";
import { createSession, type Session } from "../session.ts";
import { parseSets, UsageError, type Args } from "./args.ts";
import { DONE, INTERRUPTED, TEST_FAILED, type Io } from "./io.ts";
import { checkInputs, deviceKind, exitCode, tell } from "./run.ts";
import type { Toolchain } from "./toolchain.ts";

export async function test(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const kind = deviceKind(args.text("device"));
  const inputs = parseSets(args.list("set"));
  const seed = args.count("seed", 0);
  const data = args.text("data");
  const json = args.has("json");
  const { store } = tools;
  const compiled = await tools.compile(args.file, { inputs, seed, data, tests: true, store });
  const { program, sources } = compiled;
  if (!tell(compiled, io, json) || !program) return exitCode(compiled);
  checkInputs(inputs, program);
  if (program.tests.length === 0)
    throw new UsageError(`${args.file} has no tests; write one: test "name" { assert 1 + 1 == 2 }`);

  const say = json ? undefined : (line: string) => io.stderr(`${line}\n`);
  const device = await tools.openDevice(kind, undefined, say, { store });
  const host = await tools.host(args.file, data);
  let current: Session | undefined;
  let interrupts = 0;
  const quiet = io.onInterrupt(() => {
    if (++interrupts > 1) io.exit(INTERRUPTED);
    current?.stop();
  });
  const counts = { ok: 0, failed: 0 };
  try {
    for (const each of program.tests) {
      const own = { ...program, slots: each.slots, plans: each.plans, body: each.body };
      current = createSession({ program: own, device, host, math: tools.math, inputs });
      const say = json ? () => undefined : (text: string) => io.stdout(`${text}\n`);
      const wrong = await judge(current, each, say);
      if (interrupts > 0) return INTERRUPTED;
      counts[wrong.length === 0 ? "ok" : "failed"]++;
      report(each, wrong, json, io, sources);
    }
  } finally {
    quiet();
    await device.dispose();
  }
  if (json)
    io.stdout(`${JSON.stringify({ event: "end", status: counts.failed > 0 ? "failed" : "done", ...counts })}\n`);
  else io.stdout(`${summary(counts)}\n`);
  return counts.failed > 0 ? TEST_FAILED : DONE;
}

/** Runs one test to its end; what is wrong with it. */
async function judge(session: Session, { name }: TestBlock, say: (text: string) => void): Promise<Diagnostic[]> {
  const wrong: Diagnostic[] = [];
  session.events$.subscribe((event: RunEvent) => {
    if (event.event === "print") say(event.text);
    if (event.event === "error") wrong.push(event.diagnostic);
    if (event.event === "assert" && !event.holds)
      wrong.push(assertFailed(name, event.span, sideTexts(event.sides), farthest(event.sides)));
  });
  session.play();
  await session.done;
  await session.dispose();
  return wrong;
}

function report(
  { name }: TestBlock,
  wrong: readonly Diagnostic[],
  json: boolean,
  io: Io,
  sources: Program["sources"],
): void {
  const ok = wrong.length === 0;
  if (json) {
    io.stdout(`${JSON.stringify({ event: "test", name, ok, diagnostics: wrong })}\n`);
    return;
  }
  io.stdout(`${ok ? "ok    " : "failed"}  ${name}\n`);
  for (const diagnostic of wrong) io.stderr(`${renderDiagnostic(diagnostic, sources, { color: io.color })}\n`);
}

function summary({ ok, failed }: { ok: number; failed: number }): string {
  const all = ok + failed;
  return `${all} ${all === 1 ? "test" : "tests"}, ${failed === 0 ? "all ok" : `${failed} failed`}`;
}

// ---------------------------------------------------------------- what was compared

/** Short, or with all digits of a 4 byte float, or of an 8 byte one, where the short texts of two sides are alike. */
const FORMATS = [undefined, ".9g", ".17g"] as const;

function sideTexts(sides: readonly Side[]): ShownSide[] {
  let texts: string[] = [];
  for (const format of FORMATS) {
    texts = sides.map(({ value }) => formatValue(value, isFloat(value) ? format : undefined));
    if (new Set(texts).size === texts.length) break;
  }
  return sides.map(({ span }, i) => ({ span, text: texts[i] ?? "" }));
}

function isFloat(value: Side["value"]): boolean {
  return value.kind === "tensor" && value.dtype === "f32";
}

/** For two long tensors of one shape: where they are least alike. */
function farthest([a, b, ...more]: readonly Side[]): string[] {
  if (a?.value.kind !== "tensor" || b?.value.kind !== "tensor" || more.length > 0) return [];
  const [x, y] = [a.value, b.value];
  if (x.shape.join() !== y.shape.join() || x.values.length < 2) return [];
  let place = 0;
  let most = 0;
  for (let i = 0; i < x.values.length; i++) {
    const apart = Math.abs((x.values[i] ?? NaN) - (y.values[i] ?? NaN));
    if (Number.isNaN(apart) || apart > most) [place, most] = [i, apart];
    if (Number.isNaN(apart)) break;
  }
  if (most === 0) return [];
  const at: number[] = [];
  let rest = place;
  for (const size of [...x.shape].reverse()) {
    at.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  const one = (t: typeof x): string => formatValue({ ...t, shape: [], values: [t.values[place] ?? NaN] });
  return [`they differ most at [${at.join(", ")}]: ${one(x)} and ${one(y)}`];
}
