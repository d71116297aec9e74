/**
 * A piece of the fuzz: the mutants from one index up to another. `at` is told before each, so that whoever waits knows
 * which one never ended. A failure is shrunk here and sent.
 */
import { parentPort, workerData } from "node:worker_threads";
import { corpus } from "./corpus.ts";
import { runBoth } from "./devices.ts";
import { judge, type Failure } from "./judge.ts";
import { mutator } from "./mutate.ts";
import { random } from "./random.ts";
import { shrink } from "./shrink.ts";

export interface Piece {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Of the programs that check, one in so many is run. */
  readonly runs: number;
  /** The index of the present mutant. */
  readonly at: SharedArrayBuffer;
}

export interface Counts {
  mutants: number;
  parsed: number;
  checked: number;
  ran: number;
}

/** Seconds of the processor: the rule for every text. */
const SLOW = 1;

const { seed, from, to, runs, at } = workerData as Piece;
const now = new Int32Array(at);
const { mutant } = mutator(corpus());
const counts: Counts = { mutants: 0, parsed: 0, checked: 0, ran: 0 };
const seen = new Set<string>();

async function failureOf(text: string, run: boolean): Promise<Failure | undefined> {
  const { failure, program } = await judge(text);
  if (failure || !program || !run) return failure;
  const ran = await runBoth(program);
  return ran === "too large" ? undefined : ran.failure;
}

/** The least of three, as others use the processor too. */
async function secondsOf(text: string): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const before = process.cpuUsage();
    await judge(text);
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

for (let index = from; index < to; index++) {
  Atomics.store(now, 0, index);
  const text = mutant(random(seed, index));
  const before = process.cpuUsage();
  const { failure, parses, program } = await judge(text);
  const { user, system } = process.cpuUsage(before);
  counts.mutants++;
  if (parses) counts.parsed++;
  if (program) counts.checked++;
  if (failure) await tell(index, failure, text, false);
  if ((user + system) / 1e6 > SLOW && (await secondsOf(text)) > SLOW) {
    const small = await shrink(text, async (part) => (await secondsOf(part)) > SLOW);
    parentPort?.postMessage({ index, kind: "slow", message: `${await secondsOf(small)} s`, text: small });
  }
  if (!program || counts.checked % runs !== 0) continue;
  const ran = await runBoth(program);
  if (ran === "too large") continue;
  counts.ran++;
  if (ran.failure) await tell(index, ran.failure, text, true);
}
parentPort?.postMessage({ counts });
