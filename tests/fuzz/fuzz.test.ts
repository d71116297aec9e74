/**
 * A short run of the fuzz: mutants of all scripts of the repository are read, checked and formatted without a throw,
 * and those that check run on two devices; so does every script that a longer run (npm run fuzz) ever failed on.
 */
import { expect, test } from "vitest";
import { corpus, failuresFound } from "./corpus.ts";
import { runBoth } from "./devices.ts";
import { judge, type Failure } from "./judge.ts";
import { mutator } from "./mutate.ts";
import { random } from "./random.ts";
import { shrink } from "./shrink.ts";

const SEED = 1;
const MUTANTS = 400;
/** Programs that run on both devices, each of which is interpreted once. */
const RUNS = 30;

async function failureOf(text: string): Promise<Failure | undefined> {
  const { failure, program } = await judge(text);
  if (failure || !program) return failure;
  const ran = await runBoth(program);
  return ran === "too large" ? undefined : ran.failure;
}

test.each(failuresFound().map(({ file, text }) => [file, text] as const))("%s", async (_file, text) => {
  expect(await failureOf(text)).toBeUndefined();
});

test(`${MUTANTS} mutants of scripts (seed ${SEED})`, async () => {
  const scripts = mutator(corpus());
  const counts = { parsed: 0, checked: 0, ran: 0 };
  for (let index = 0; index < MUTANTS; index++) {
    const text = scripts.mutant(random(SEED, index));
    const { failure, parses, program } = await judge(text);
    let found = failure;
    if (parses) counts.parsed++;
    if (program) counts.checked++;
    if (program && counts.ran < RUNS && counts.checked % 2 === 0) {
      const ran = await runBoth(program);
      if (ran !== "too large") {
        counts.ran++;
        found ??= ran.failure;
      }
    }
    if (!found) continue;
    const { kind } = found;
    const small = await shrink(text, async (part) => (await failureOf(part))?.kind === kind);
    expect.fail(`mutant ${index}: ${kind}\n${found.message}\n--- script\n${small}`);
  }
  // A change of the mutations that leaves nothing to run would go unseen.
  expect(counts.parsed).toBeGreaterThan(MUTANTS / 3);
  expect(counts.checked).toBeGreaterThan(MUTANTS / 10);
  expect(counts.ran).toBeGreaterThan(RUNS / 2);
});
