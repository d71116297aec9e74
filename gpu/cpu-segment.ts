/**
 * A segment as the cpu device sees it: before, as wanted nodes and where each ends up; after, prepared.
 */
import { optimize, text } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import type { Segment } from "../lang/program.ts";
import type { Action } from "./cpu-tape.ts";
import type { Prepared, Stats } from "./device.ts";
import { countOfInfinite } from "./finite.ts";
import { loweredText } from "./kernel-text.ts";
import { lower, type Wanted } from "./lower.ts";
import type { Plan } from "./plan.ts";
import { prepacked } from "./prepacked.ts";
import type { Profile } from "./profile.ts";
import type { Lowered } from "./program.ts";
import { sizeOf } from "./space.ts";
import { statsOf } from "./stats.ts";
import { withoutSubnormals } from "./subnormal.ts";
import { dotScratch } from "./wasm/blocks.ts";
import { inSlices, outerLoops, scratchElements } from "./wasm/chain.ts";

export class CpuPrepared implements Prepared {
  readonly name: string;
  readonly segment: Segment;
  readonly lowered: Lowered;
  readonly plan: Plan;
  private counted: Stats | undefined;
  readonly actions: readonly Action[];
  /** Address of every buffer during a run. */
  readonly addresses: Uint32Array;
  /** Its number for the workers; -1 when no wave of it is shared with them. */
  readonly tape: number;
  /** As it runs for a profile. */
  timed: { readonly profile: Profile; readonly alone: CpuPrepared } | undefined;
  constructor(
    segment: Segment,
    lowered: Lowered,
    plan: Plan,
    actions: readonly Action[],
    addresses: Uint32Array,
    tape: number,
  ) {
    this.name = segment.name;
    this.segment = segment;
    this.lowered = lowered;
    this.plan = plan;
    this.actions = actions;
    this.addresses = addresses;
    this.tape = tape;
  }
  get stats(): Stats {
    return (this.counted ??= statsOf(this.lowered, this.plan));
  }
  get kernels(): string {
    return loweredText(this.lowered);
  }
}

function checkClosed(segment: Segment): void {
  for (const output of segment.outputs) {
    if (output.node.type.shape.includes(-1)) {
      throw new Error(
        `expected a closed shape for an output of ${segment.name}, got [${output.node.type.shape.join()}]`,
      );
    }
  }
}

/** Commits are staged; of a tensor that must be finite only the count of what is not comes back. */
function wantedOf(segment: Segment): Wanted[] {
  checkClosed(segment);
  const small = optimize(segment.outputs.map((o) => o.node));
  const optimized = withoutSubnormals(small, (i) => segment.outputs[i]?.role.kind === "commit");
  return segment.outputs.map((output, i): Wanted => {
    const value = optimized[i] as Node;
    if (output.role.kind === "commit") return { node: value, place: { kind: "stage", path: output.role.path } };
    const many = output.role.kind === "finite" && sizeOf(value.type.shape) > 1;
    return { node: many ? countOfInfinite(value) : value };
  });
}

/**
 * Elements that a chain of kernels may keep in a thread's scratch: the scores of 2048 queries and as many keys, which
 * backward are there up to four times. Such windows fill more than a core's cache, so with them a chain saves memory, not time.
 * Larger scores are cut into blocks of rows.
 */
const ROOM = 2 ** 24;
const chainsIn = (room: number) => ({
  room,
  inScratch: true,
  byRows: false,
  outer: outerLoops,
  beside: scratchElements,
  inMemory: inSlices(room),
});

/** Kernels and tape for one thread, without the rules in `disable`: those of fusion, and `prepack`. */
export function loweredForCpu(segment: Segment, disable: ReadonlySet<string> = new Set(), room = ROOM): Lowered {
  const chains = chainsIn(room);
  const fused = lower(wantedOf(segment), { disable, maxParams: 64, minGrid: 8, dotScratch, chains, triangles: true });
  return disable.has("prepack") ? fused : prepacked(fused);
}

/** Segments of one text are lowered to the same kernels and tape. */
export function textOf(segment: Segment): string {
  const roles = segment.outputs.map(({ role }) => (role.kind === "commit" ? `commit ${role.path}` : role.kind));
  return `${text(segment.outputs.map(({ node }) => node))}\n${roles.join("\n")}`;
}
