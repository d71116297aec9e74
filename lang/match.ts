/**
 * Which slots of an edited program are slots of the one before it. Instances with a name go by their names; layers of a
 * list are aligned as a diff aligns lines (first those written alike, then of what is left those of one model), so a
 * layer put before others takes nothing from them. Optimizer slots go with the params that they belong to.
 */
import type { Program } from "./program.ts";

/** New path → old path, for slots of equal type. */
export function matchSlots(before: Program, after: Program): ReadonlyMap<string, string> {
  const instances = matchInstances(before, after);
  const params = new Map<string, string>();
  const own = (path: string): string => {
    for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
      const made = path.slice(0, dot);
      if (!(made in after.instances)) continue;
      const old = instances.get(made);
      // An instance that is new has no old slots, whatever stood at its path.
      return old === undefined ? "" : old + path.slice(dot);
    }
    return path;
  };
  for (const { kind, path } of Object.values(after.slots)) if (kind === "param") params.set(path, own(path));
  /** `train1.min1.Adam.m.net.conv1.w`: the end is the path of a param. */
  const ofParam = (path: string): string => {
    for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
      const old = params.get(path.slice(dot + 1));
      if (old !== undefined) return old === "" ? "" : path.slice(0, dot + 1) + old;
    }
    return path;
  };
  const found = new Map<string, string>();
  const taken = new Set<string>();
  for (const { kind, path, type } of Object.values(after.slots)) {
    if (kind === "value") continue;
    const old = kind === "slot" ? ofParam(path) : own(path);
    const slot = before.slots[old];
    if (!slot || slot.kind !== kind || taken.has(old)) continue;
    if (slot.type.dtype !== type.dtype || slot.type.shape.join() !== type.shape.join()) continue;
    taken.add(old);
    found.set(path, old);
  }
  return found;
}

/** New path of an instance → old path. */
export function matchInstances(before: Program, after: Program): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const [old, now] = [familyOf(before), familyOf(after)];
  const match = (parent: string, oldParent: string): void => {
    const left = { old: old.get(oldParent) ?? [], now: now.get(parent) ?? [] };
    const take = (pairs: readonly (readonly [Child, Child])[]): void => {
      for (const [a, b] of pairs) found.set(b.path, a.path);
      const taken = new Set(pairs.flat());
      left.old = left.old.filter((child) => !taken.has(child));
      left.now = left.now.filter((child) => !taken.has(child));
    };
    const children = left.now;
    take(named(left.old, left.now));
    for (const list of new Set(left.now.map((child) => child.list))) {
      if (list === undefined) continue;
      const within = (all: readonly Child[]) => all.filter((child) => child.list === list);
      take(common(within(left.old), within(left.now), (a, b) => a.text === b.text));
      take(between(within(old.get(oldParent) ?? []), within(children), found));
    }
    take(common(left.old, left.now, (a, b) => a.text === b.text));
    for (const { path } of children) {
      const same = found.get(path);
      if (same !== undefined) match(path, same);
    }
  };
  match("", "");
  return found;
}

/** An instance below another, or at top level. */
interface Child {
  readonly path: string;
  readonly model: string;
  /** Its path below its parent. */
  readonly key: string;
  /** Of a layer of a list, a pass, or one without a name: what it is counted in. */
  readonly list: string | undefined;
  /** As the script writes it. */
  readonly text: string;
}

/** Children by the path of their parent, in the order of the script. */
function familyOf({ instances, sources }: Program): ReadonlyMap<string, readonly Child[]> {
  const texts = new Map(sources.map(({ file, text }) => [file, text]));
  const families = new Map<string, { child: Child; at: number }[]>();
  for (const [path, { model, named, span }] of Object.entries(instances)) {
    let parent = "";
    for (let dot = path.lastIndexOf("."); dot > 0 && parent === ""; dot = path.lastIndexOf(".", dot - 1))
      if (path.slice(0, dot) in instances) parent = path.slice(0, dot);
    const key = parent === "" ? path : path.slice(parent.length + 1);
    const list = named ? undefined : key.replace(/\d+$/, "");
    const text = (texts.get(span.file) ?? "").slice(span.start, span.end).replaceAll(/\s+/g, " ");
    const child = { path, model, key, list, text };
    families.set(parent, [...(families.get(parent) ?? []), { child, at: span.start }]);
  }
  const inOrder = (family: readonly { child: Child; at: number }[]) =>
    [...family].sort((a, b) => a.at - b.at).map(({ child }) => child);
  return new Map([...families].map(([parent, family]) => [parent, inOrder(family)]));
}

/** A name says which one is meant, wherever it stands. */
function named(old: readonly Child[], now: readonly Child[]): (readonly [Child, Child])[] {
  return now.flatMap((b) => {
    const a = old.find(({ key, model, list }) => list === undefined && key === b.key && model === b.model);
    return a ? [[a, b] as const] : [];
  });
}

/** Of what lies between two that are matched, layers of one model in their order: their settings were changed. */
function between(
  old: readonly Child[],
  now: readonly Child[],
  found: ReadonlyMap<string, string>,
): (readonly [Child, Child])[] {
  const pairs: (readonly [Child, Child])[] = [];
  const taken = new Set(found.values());
  let from = 0;
  for (let i = 0; i <= now.length;) {
    let end = i;
    while (end < now.length && !found.has(now[end]!.path)) end++;
    const next = now[end];
    const until = next ? old.findIndex(({ path }) => path === found.get(next.path)) : old.length;
    const gap = old.slice(from, Math.max(from, until)).filter(({ path }) => !taken.has(path));
    pairs.push(...common(gap, now.slice(i, end), (a, b) => a.model === b.model));
    from = Math.max(from, until + 1);
    i = end + 1;
  }
  return pairs;
}

/** A longest common subsequence. */
function common(
  old: readonly Child[],
  now: readonly Child[],
  same: (a: Child, b: Child) => boolean,
): (readonly [Child, Child])[] {
  const length = old.map(() => new Uint32Array(now.length + 1));
  length.push(new Uint32Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      length[i]![j] = same(old[i]!, now[j]!)
        ? length[i + 1]![j + 1]! + 1
        : Math.max(length[i + 1]![j]!, length[i]![j + 1]!);
    }
  }
  const pairs: (readonly [Child, Child])[] = [];
  for (let i = 0, j = 0; i < old.length && j < now.length;) {
    if (same(old[i]!, now[j]!)) pairs.push([old[i++]!, now[j++]!]);
    else if (length[i + 1]![j]! >= length[i]![j + 1]!) i++;
    else j++;
  }
  return pairs;
}
