/**
 * What a run leaves behind: commits go to their slots' next values; fetched values, halts and checks for finite numbers
 * lie together in one region that is read back whole. A value with several roles lies there once.
 */
import type { Node } from "../lang/graph/node.ts";
import type { Segment } from "../lang/program.ts";
import type { Span } from "../lang/source.ts";
import { countOfInfinite } from "./finite.ts";
import type { Wanted } from "./lower.ts";
import { sizeOf } from "./space.ts";

export interface Check {
  readonly at: number;
  /** The word is a count of bad elements, not the value itself. */
  readonly counted: boolean;
  readonly what: string;
  readonly span?: Span;
}

export interface Outputs {
  readonly wanted: readonly Wanted[];
  /** Words read back. */
  readonly words: number;
  /** By the path of a pretended slot: its word in the region. */
  readonly places: ReadonlyMap<string, number>;
  /** By output of the segment: its word in the region; undefined for commits. */
  readonly at: readonly (number | undefined)[];
  readonly checks: readonly Check[];
  readonly halts: readonly number[];
}

export function outputsOf({ outputs }: Segment, optimized: readonly Node[]): Outputs {
  const commits: Wanted[] = [];
  const reads: Wanted[] = [];
  const places = new Map<string, number>();
  const known = new Map<Node, number>();
  const checks: Check[] = [];
  const halts: number[] = [];
  let words = 0;
  const place = (value: Node): number => {
    let at = known.get(value);
    if (at === undefined) {
      at = words;
      known.set(value, at);
      const path = `read ${at} ${reads.length}`;
      places.set(path, at);
      reads.push({ node: value, place: { kind: "stage", path } });
      words += sizeOf(value.type.shape);
    }
    return at;
  };
  const at = outputs.map(({ role }, i): number | undefined => {
    const value = optimized[i] as Node;
    if (role.kind === "commit") {
      commits.push({ node: value, place: { kind: "stage", path: role.path } });
      return undefined;
    }
    if (role.kind !== "finite") {
      const own = place(value);
      if (role.kind === "halt") halts.push(own);
      return own;
    }
    const size = sizeOf(value.type.shape);
    if (size === 0) return undefined;
    const counted = size > 1;
    const own = place(counted ? countOfInfinite(value) : value);
    checks.push({ at: own, counted, what: role.what, ...(role.span ? { span: role.span } : {}) });
    return own;
  });
  return { wanted: [...commits, ...reads], words, places, at, checks, halts };
}
