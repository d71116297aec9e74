/**
 * What a start runs, it runs a few times: V8 optimizing it on threads beside takes more processor time than running it
 * as it is, and on few cores more time too. So code must be hotter at first; after some seconds what still runs is worth it.
 */
import { setFlagsFromString } from "node:v8";
import type { Device } from "../../gpu/device.ts";

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

/** The start is over after so many runs of a device, or milliseconds. */
const START = { runs: 30, ms: 10_000 };

const known = counts[process.versions.v8.split(".")[0] ?? ""] ?? [];

export function optimizeLater(): void {
  if (known.length === 0) return;
  for (const [flag, first] of known) setFlagsFromString(`--${flag}=${first}`);
  setTimeout(optimizeAsUsual, START.ms).unref();
}

function optimizeAsUsual(): void {
  for (const [flag, , usual] of known) setFlagsFromString(`--${flag}=${usual}`);
}

/** The device; its steps are soon optimized. */
export function endsStart(device: Device): Device {
  let runs = 0;
  const counted: Device = {
    ...device,
    run(prepared, feeds) {
      if (++runs === START.runs) {
        optimizeAsUsual();
        counted.run = device.run;
      }
      return device.run(prepared, feeds);
    },
  };
  return counted;
}
