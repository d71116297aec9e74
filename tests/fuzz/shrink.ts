/** A smaller text that still fails: lines, then tokens, are left out in ever smaller pieces until none can go. */
import { tokensOf } from "./mutate.ts";

/** Trials are what costs time. */
const MOST = 600;

export async function shrink(text: string, fails: (text: string) => Promise<boolean>): Promise<string> {
  let trials = 0;
  const without = async (pieces: readonly string[]): Promise<string[]> => {
    let kept = [...pieces];
    for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < kept.length && trials < MOST;) {
        const rest = [...kept.slice(0, at), ...kept.slice(at + size)];
        trials++;
        if (await fails(rest.join(""))) kept = rest;
        else at += size;
      }
    }
    return kept;
  };
  const lines = await without(text.split(/(?<=\n)/));
  const tokens = await without(tokensOf(lines.join("")));
  return (await without(tokens)).join("");
}
