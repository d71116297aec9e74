/**
 * What a start runs, it runs a few times: V8 optimizing it on threads beside takes more processor time than running it
 * as it is, and on few cores more time too. So code must be hotter at first; after some seconds what still runs is worth it.
 */
import { setFlagsFromString } from "node:v8";

/** By major version of V8, since each names other counts: the count at first and the engine's own. A version that is not here stays as it is. */
const counts: Readonly<Record<string, readonly (readonly [flag: string, first: number, usual: number])[]>> = {
  // Node 20: bytes of bytecode run
  11: [["interrupt-budget", 1_000_000, 67_584]],
  // Node 24: calls
  13: [
    ["invocation-count-for-maglev", 5_000, 400],
    ["invocation-count-for-turbofan", 50_000, 3_000],
  ],
};

const START_MS = 3_000;

export function optimizeLater(): void {
  const known = counts[process.versions.v8.split(".")[0] ?? ""] ?? [];
  if (known.length === 0) return;
  for (const [flag, first] of known) setFlagsFromString(`--${flag}=${first}`);
  setTimeout(() => {
    for (const [flag, , usual] of known) setFlagsFromString(`--${flag}=${usual}`);
  }, START_MS).unref();
}
