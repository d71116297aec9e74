/**
 * Kernels that share a dispatch are branches of one module: the number of the workgroup tells which. Names in a branch
 * are its own; workgroup memory (`shared`, by name) serves all.
 */
import type { GroupKernel } from "../kernel.ts";
import { piecesBranch, productBranch, withParams } from "./dot.ts";
import { inPieces } from "./product-plan.ts";
import { rowsBranch, rowsSize } from "./rows.ts";
import type { Schedule } from "./schedule.ts";
import { Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

export interface Branch {
  /** Workgroups that it takes. */
  readonly groups: number;
  /** `group` is the number of the workgroup among those of this branch. */
  write(group: string): void;
}

export function branched(
  w: Writer,
  size: number,
  branches: readonly Branch[],
  shared: ReadonlyMap<string, string> = new Map(),
): Shader {
  let groups = 0;
  w.line("let group = groups.x + groups.y * all_groups.x;");
  for (const branch of branches) {
    if (branch.groups === 0) continue;
    const first = groups;
    groups += branch.groups;
    w.line(`${first === 0 ? "" : "else "}if (group < ${groups}u) {`);
    branch.write(first === 0 ? "group" : `(group - ${first}u)`);
    w.line("}");
  }
  return { ...w.module(size, [...shared.values()]), groups };
}

/** One dispatch for all members, and one that adds the pieces of those products that were cut along the depth. */
export function groupShaders(
  { params, members }: GroupKernel,
  banks: readonly number[],
  schedule: Schedule,
): readonly Shader[] {
  const rows = members.flatMap(({ kernel }) => (kernel.kind === "rows" ? [kernel] : []));
  const size = rowsSize(rows, schedule);
  const shared = new Map<string, string>();
  const w = new Writer(params, banks, schedule);
  const first = members.map(({ kernel, params: own }) =>
    kernel.kind === "rows"
      ? rowsBranch(w, kernel, (p) => own[p] ?? p, size, shared)
      : productBranch(w, withParams(kernel, own), size),
  );
  const shader = branched(w, size, first, shared);
  const cut = members.flatMap(({ kernel, params: own }) =>
    kernel.kind === "dot" && inPieces(kernel, schedule) ? [withParams(kernel, own)] : [],
  );
  if (cut.length === 0) return [shader];
  const adding = new Writer(params, banks, schedule);
  return [shader, branched(adding, 64, cut.map((kernel) => piecesBranch(adding, kernel, 64)))]; // prettier-ignore
}
