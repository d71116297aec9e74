/**
 * A piece of the fuzz: the mutants from one index up to another. `at` is told before each, so that whoever waits knows
 * which one never ended. A failure is shrunk here and sent.
 */
import { parentPort, workerData } from "node:worker_threads";
import { corpus } from "./corpus.ts";
import { runBoth } from "./devices.ts";
import { judge, type Failure, type Verdict } from "./judge.ts";
import { mutator } from "./mutate.ts";
import { random } from "./random.ts";
import { shrink } from "./shrink.ts";

export interface Piece {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Of the programs that check, one in so many is run. */
  readonly runs: number;
  /** The index of the present mutant, and how many texts were judged. */
  readonly at: SharedArrayBuffer;
  /** The text of the first mutant, and nothing else. */
  readonly only?: "text";
}

export interface Counts {
  mutants: number;
  parsed: number;
  checked: number;
  ran: number;
}

/** Seconds of the processor: the rule for every text. */
const SLOW = 1;

const { seed, from, to, runs, at, only } = workerData as Piece;
const { mutant } = mutator(corpus());
const counts: Counts = { mutants: 0, parsed: 0, checked: 0, ran: 0 };
const seen = new Set<string>();

const now = new Int32Array(at);
const judged = (text: string): Promise<Verdict> => {
  Atomics.add(now, 1, 1);
  return judge(text);
};

async function failureOf(text: string, run: boolean): Promise<Failure | undefined> {
  const { failure, program } = await judged(text);
  if (failure || !program || !run) return failure;
  const ran = await runBoth(program);
  return ran === "too large" ? undefined : ran.failure;
}

/** The least of some times, as the first is that of a cold engine. */
async function secondsOf(text: string, times = 3): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < times; i++) {
    const before = process.cpuUsage();
    await judged(text);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1e6);
  }
  return least;
}

async function tell(index: number, { kind, message }: Failure, text: string, run: boolean): Promise<void> {
  if (seen.has(kind)) return parentPort?.postMessage({ index, kind, again: true });
  seen.add(kind);
  const small = await shrink(text, async (part) => (await failureOf(part, run))?.kind === kind);
  parentPort?.postMessage({ index, kind, message: message.slice(0, 1500), text: small });
}

async function piece(): Promise<void> {
  for (let index = from; index < to; index++) {
    Atomics.store(now, 0, index);
    const text = mutant(random(seed, index));
    const before = performance.now();
    const { failure, parses, program } = await judged(text);
    const wall = (performance.now() - before) / 1000;
    counts.mutants++;
    if (parses) counts.parsed++;
    if (program) counts.checked++;
    if (failure) await tell(index, failure, text, false);
    // The processor is asked only where the clock on the wall does not answer.
    if (wall > SLOW && (await secondsOf(text)) > SLOW) {
      const small = await shrink(text, async (part) => (await secondsOf(part, 1)) > SLOW);
      parentPort?.postMessage({ index, kind: "slow", message: `${await secondsOf(small)} s`, text: small });
    }
    if (!program || counts.checked % runs !== 0) continue;
    const ran = await runBoth(program);
    if (ran === "too large") continue;
    counts.ran++;
    if (ran.failure) await tell(index, ran.failure, text, true);
  }
  parentPort?.postMessage({ counts });
}

if (only === "text") parentPort?.postMessage({ text: mutant(random(seed, from)) });
else await piece();
