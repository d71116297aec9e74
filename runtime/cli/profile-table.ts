/**
 * The times of kernels as a table, the same for every device: for each its part of the whole, milliseconds and calls of a
 * step, the quickest call with its arithmetic and memory rates, the bytes it touches, how near it comes to what the device
 * was seen to do at most, the lines it comes from, and its shape.
 */
import { ofRoofline } from "../../gpu/index.ts";
import type { KernelTime, Profile } from "../../gpu/index.ts";
import type { Source } from "../../lang/source.ts";
import { headOf, linesOf } from "../inspect/lines.ts";

export interface ProfileRow extends Omit<KernelTime, "spans"> {
  /** `digits.dlx:4,7-9`; the library's where the script has none. */
  readonly lines: string;
  /** Of what the device does at most in the time, in operations or in bytes, 0 to 1. */
  readonly roofline?: number;
}

export function profileRows(profile: Profile, sources: readonly Source[], script: string): ProfileRow[] {
  return profile.kernels.map((kernel) => {
    const { spans, ...row } = kernel;
    const roofline = ofRoofline(kernel, profile.roofline);
    return { ...row, lines: linesOf(spans, sources, script), ...(roofline === undefined ? {} : { roofline }) };
  });
}

/** Why there is no table, or the table. */
export function profileText(profile: Profile, rows: readonly ProfileRow[], steps: number): string {
  if (profile.missing !== undefined) return `no times of kernels: ${profile.missing}`;
  const total = rows.reduce((sum, { ms }) => sum + ms, 0);
  const rate = (amount: number, { least }: ProfileRow) =>
    amount > 0 && least > 0 ? (amount / least / 1e6).toFixed(1) : "";
  const head = ["part", "ms", "calls", "least", "GFLOP/s", "GB/s", "MB", "roofline", "lines", "kernel"];
  const lines = rows.map((row) => [
    `${((100 * row.ms) / total).toFixed(1)}%`,
    (row.ms / steps).toFixed(3),
    (row.calls / steps).toFixed(row.calls % steps === 0 ? 0 : 2),
    row.least.toFixed(4),
    rate(row.flops, row),
    rate(row.bytes, row),
    (row.bytes / 1e6).toFixed(3),
    row.roofline === undefined ? "" : `${(100 * row.roofline).toFixed(0)}%`,
    row.lines,
    headOf(row.text),
  ]);
  const last = [
    "100%",
    (total / steps).toFixed(3),
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "all kernels; the rest of a step is between them",
  ];
  const all = [head, ...lines, last];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const words = head.indexOf("lines");
  const pad = (cell: string, i: number) => {
    if (i > words) return cell;
    return i === words ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  };
  const { roofline } = profile;
  const note = roofline && [
    `roofline of this device, measured: ${(roofline.flops / 1e6).toFixed(1)} GFLOP/s, ${(roofline.bytes / 1e6).toFixed(1)} GB/s (more than 100% is had of caches)`,
  ];
  return [...all.map((row) => row.map(pad).join("  ")), ...(note ?? [])].join("\n");
}
