/**
 * Names inside of a top-level `for`: the checker makes those of each pass unique by a prefix (`run2.val`, `run2.f.w`).
 * People see them without it, beside the number of the pass.
 */
export function withoutPass(name: string): string {
  return name.replace(/^run\d+\./, "");
}
