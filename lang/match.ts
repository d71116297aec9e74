/**
 * Which slots of an edited program are slots of the one before it. An instance is recognized by the place where it was
 * written, followed through the edit, so a layer put before others takes nothing from them; where its place is new, by
 * its path. Optimizer slots go with the params that they belong to.
 */
import { oldPlaces } from "./diff.ts";
import type { Made, Program } from "./program.ts";

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
  const places = new Map<string, ReadonlyMap<number, number>>();
  const texts = new Map(before.sources.map(({ file, text }) => [file, text]));
  const oldPlace = ({ span }: Made): number | undefined => {
    let map = places.get(span.file);
    if (!map) {
      const now = after.sources.find(({ file }) => file === span.file)?.text;
      map = oldPlaces(texts.get(span.file) ?? "", now ?? "");
      places.set(span.file, map);
    }
    return map.get(span.start);
  };
  const found = new Map<string, string>();
  const taken = new Set<string>();
  const parent = (path: string, all: Program["instances"]): string => {
    for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1))
      if (path.slice(0, dot) in all) return path.slice(0, dot);
    return "";
  };
  /** Siblings that were written at one place, in order: the passes of a `for`, the uses of one model. */
  const siblings = new Map<string, string[]>();
  for (const [path, made] of Object.entries(before.instances)) {
    const key = `${parent(path, before.instances)}|${made.span.file}|${made.span.start}|${made.model}`;
    siblings.set(key, [...(siblings.get(key) ?? []), path]);
  }
  const entries = Object.entries(after.instances).sort(([a], [b]) => a.length - b.length);
  const take = (path: string, old: string | undefined): void => {
    if (old === undefined || taken.has(old)) return;
    taken.add(old);
    found.set(path, old);
  };
  for (const [path, made] of entries) {
    const up = parent(path, after.instances);
    const oldUp = up === "" ? "" : found.get(up);
    const place = oldPlace(made);
    if (oldUp === undefined || place === undefined) continue;
    const candidates = siblings.get(`${oldUp}|${made.span.file}|${place}|${made.model}`) ?? [];
    const same = oldUp + path.slice(up.length);
    take(path, candidates.includes(same) ? same : candidates.find((old) => !taken.has(old)));
  }
  for (const [path, { model }] of entries) {
    if (found.has(path)) continue;
    const up = parent(path, after.instances);
    const oldUp = up === "" ? "" : found.get(up);
    if (oldUp === undefined) continue;
    const old = oldUp + path.slice(up.length);
    if (before.instances[old]?.model === model) take(path, old);
  }
  return found;
}
