/** A segment as shaders run it: fused by what they can do, and what is of half precision kept in 16 bits. */
import { withHalves } from "./halves.ts";
import { lower } from "./lower.ts";
import type { Wanted } from "./lower.ts";
import type { Lowered } from "./program.ts";
import { lowerOptions, pairsOf } from "./wgsl/index.ts";
import type { Schedule } from "./wgsl/index.ts";

/** `disable` names rules to leave out: those of fusion, and `halves`. */
export function lowerForShaders(wanted: readonly Wanted[], disable: ReadonlySet<string>, schedule: Schedule): Lowered {
  const lowered = lower(wanted, lowerOptions(disable, schedule));
  return disable.has("halves") ? lowered : withHalves(lowered, pairsOf(schedule));
}
