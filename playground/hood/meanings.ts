/** What the counts of a step mean, each in a sentence, and where more is said: a chapter of docs/ladder.md. */
import { bytesText, msText, short } from "./numbers.ts";
import type { Answer, StepCounts } from "./messages.ts";

export interface Meaning {
  readonly name: string;
  readonly value: (step: StepCounts, counts: Answer<"counts">) => string;
  readonly says: string;
  /** A heading. */
  readonly chapter: string;
}

const COST = "What a step costs";
const KERNELS = "3. The kernels";

export const meanings: readonly Meaning[] = [
  {
    name: "Parameters",
    value: ({ fused }) => fused.parameters.toLocaleString("en"),
    says: "Numbers that training changes, of all models that the step reads.",
    chapter: "2. The graph",
  },
  {
    name: "Kernels per step",
    value: ({ fused, unfused }) =>
      `${fused.dispatches.toLocaleString("en")} of ${unfused.dispatches.toLocaleString("en")} operations`,
    says: "How often the device is given something to compute; the fewer, the less it waits and the less goes through memory.",
    chapter: KERNELS,
  },
  {
    name: "Bytes read and written",
    value: ({ fused }) => `${bytesText(fused.bytesRead)} + ${bytesText(fused.bytesWritten)}`,
    says: "What the kernels of a step take from memory and put there, each place once for a kernel.",
    chapter: COST,
  },
  {
    name: "Least possible",
    value: ({ fused }) =>
      `${bytesText(fused.boundBytes)}, here ${((fused.bytesRead + fused.bytesWritten) / fused.boundBytes).toFixed(2)} ×`,
    says: "Inputs read once, params read and written once, and what is kept for the way back written and read once.",
    chapter: COST,
  },
  {
    name: "Operations",
    value: ({ fused }) => short(fused.flops),
    says: "Additions, multiplications and the like on floating-point numbers.",
    chapter: COST,
  },
  {
    name: "Memory",
    value: ({ fused }) => bytesText(fused.peakBytes),
    says: "All that a step has at hand: params, what comes in, and one arena in which results lie whose places are used again.",
    chapter: COST,
  },
  {
    name: "In use at most",
    value: ({ fused }) => bytesText(fused.liveBytes),
    says: "The part of that memory which holds something at the fullest moment; the rest is gaps in the arena.",
    chapter: COST,
  },
  {
    name: "Checked in",
    value: (_, { checked }) => msText(checked),
    says: "From the newest text to a program with all shapes known.",
    chapter: "1. The tree",
  },
  {
    name: "Compiled in",
    value: (_, { prepared }) =>
      prepared.length > 0 ? msText(prepared.reduce((sum, { ms }) => sum + ms, 0)) : "not yet",
    says: "From the graphs of all blocks to code that the device runs, and a plan of its memory.",
    chapter: KERNELS,
  },
];

/** A chapter of a page, its heading first; undefined where there is none. */
export function chapterOf(page: string, heading: string): string | undefined {
  const begin = page.indexOf(`## ${heading}\n`);
  if (begin < 0) return undefined;
  const end = page.indexOf("\n## ", begin + 1);
  return page.slice(begin, end < 0 ? undefined : end).trim();
}
