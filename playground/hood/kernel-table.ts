/** What the kernels of a step do, a row for each: how often it runs, what it computes and moves, and its part of the step's time. */
import type { Counted, Measured, SegmentKernels } from "../../runtime/inspect/index.ts";
import type { Range } from "../state/place.svelte.ts";
import type { KernelRow, KernelRows } from "./messages.ts";

export interface TableRow {
  readonly segment: string;
  /** `k3`; empty where it is no kernel. */
  readonly name: string;
  readonly title: string;
  readonly places: readonly Range[];
  /** In words: those of the library, where there are none in the script, or through which its lines come here. */
  readonly lines: string;
  /** How often the device is given it in one step. */
  readonly runs: number;
  readonly flops: number;
  readonly bytes: number;
  /** Milliseconds of a step, where they were measured. */
  readonly ms?: number;
  /** Of the step's time, else of its bytes: 0 to 1. */
  readonly share: number;
}

export const withoutCode = ({ kernels, ...segment }: SegmentKernels): KernelRows => ({
  ...segment,
  kernels: kernels.map(({ wgsl, wasm: _, ...kernel }) => ({ ...kernel, dispatches: Math.max(1, wgsl.length) })),
});

type Row = Omit<TableRow, "share">;

/** What belongs to no kernel: copies between the ticks of loops, and on webgpu the end of each run. */
const ASIDE = /^(copy|commit) of /;

/** Of one step, as it is counted. */
export function tableOf(
  segments: readonly KernelRows[],
  step: Pick<Counted, "segments" | "dispatches">,
  script: string,
  measured: Measured | undefined,
): TableRow[] {
  const times = new Map(measured?.rows.map((row) => [row.text, row.ms / row.calls]));
  const own = segments.filter(({ name }) => step.segments.includes(name));
  const rows = own.flatMap(({ name, kernels, calls }) =>
    kernels.map((kernel, i) => rowOf(name, kernel, script, countOf(calls, i), times)),
  );
  const copies = countOf(
    own.flatMap(({ calls }) => calls),
    undefined,
  );
  const runs = Math.max(copies.calls, step.dispatches - rows.reduce((sum, row) => sum + row.runs, 0));
  if (runs > 0) {
    const all = measured?.rows.filter(({ text }) => ASIDE.test(text)).reduce((sum, row) => sum + row.ms, 0);
    const ms = measured && all ? { ms: all / measured.steps } : {};
    const title = "copies and commits";
    rows.push({ segment: "", name: "", title, places: [], lines: "", runs, flops: 0, bytes: copies.bytes, ...ms });
  }
  const timed = rows.some(({ ms }) => ms !== undefined);
  const weightOf = ({ ms, bytes }: Row): number => (timed ? (ms ?? 0) : bytes);
  const all = rows.reduce((sum, row) => sum + weightOf(row), 0);
  return rows.map((row) => ({ ...row, share: all > 0 ? weightOf(row) / all : 0 }));
}

interface Count {
  readonly calls: number;
  readonly bytes: number;
}

/** Of one kernel, or of copies. */
function countOf(calls: KernelRows["calls"], kernel: number | undefined): Count {
  const own = calls.filter((call) => call.kernel === kernel);
  return {
    calls: own.reduce((sum, { times }) => sum + times, 0),
    bytes: own.reduce((sum, { times, bytesRead, bytesWritten }) => sum + times * (bytesRead + bytesWritten), 0),
  };
}

function rowOf(
  segment: string,
  { name, title, places, lines, through, text, flops, dispatches }: KernelRow,
  script: string,
  { calls, bytes }: Count,
  times: ReadonlyMap<string, number>,
): Row {
  const each = times.get(text);
  const own = places.filter(({ file }) => file === script);
  const ms = each === undefined ? {} : { ms: each * calls };
  return {
    segment,
    name,
    title,
    places: own,
    lines: own.length === 0 ? lines : (through ?? ""),
    runs: calls * dispatches,
    flops: flops * calls,
    bytes,
    ...ms,
  };
}
