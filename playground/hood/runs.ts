/**
 * Repeated layers as one: calls beside each other that differ in a number alone (`block.0`, `block.1`) are folded together
 * with what lies between them, as the activations of a list of layers.
 */
import { surrounding, type Item, type Wire } from "./fold.ts";

const NUMBERED = /^(.*)\.\d+$/;

/** Puts a `run` between each such row of calls and what they lie in. */
export function runsIn(items: Map<string, Item>, wires: readonly Wire[], roots: readonly string[]): void {
  const next = neighbours(items, wires);
  for (const parent of [...items.values()].filter(({ children }) => children.length > 2)) {
    const stems = new Map<string, string[]>();
    for (const id of parent.children) {
      const { kind, label } = items.get(id)!;
      const stem = kind === "group" ? NUMBERED.exec(label)?.[1] : undefined;
      if (stem !== undefined) stems.set(stem, [...(stems.get(stem) ?? []), id]);
    }
    const taken = new Set<string>();
    for (const [stem, members] of stems) {
      const free = members.filter((id) => !taken.has(id));
      if (free.length < 2) continue;
      const [after, before] = [reach(free, next.after), reach(free, next.before)];
      const between = parent.children.filter(
        (id) => !taken.has(id) && (free.includes(id) || (after.has(id) && before.has(id))),
      );
      const inside = withOwn(between, parent.children, (id) => (taken.has(id) ? undefined : items.get(id)), next);
      if (inside.length === parent.children.length && !roots.includes(parent.id)) continue;
      inside.forEach((id) => taken.add(id));
      fold(items, parent, `${parent.id}:${stem}`, stem, free.length, inside);
    }
  }
}

/** And operations whose results nothing else reads. */
function withOwn(
  inside: readonly string[],
  beside: readonly string[],
  itemOf: (id: string) => Item | undefined,
  { after }: { readonly after: Neighbours },
): string[] {
  const found = new Set(inside);
  // they stand in the order of computing
  for (const id of [...beside].reverse()) {
    const readers = [...(after.get(id) ?? [])];
    if (itemOf(id)?.kind === "op" && readers.length > 0 && readers.every((reader) => found.has(reader))) found.add(id);
  }
  return beside.filter((id) => found.has(id));
}

/** More than this beside each other are shown by and by. */
const MOST_CHILDREN = 100;

/** What is too much to be seen at once: the first, and the rest in a box that opens to the next. */
export function restsIn(items: Map<string, Item>): void {
  for (const item of [...items.values()]) {
    let at = item;
    while (at.children.length > MOST_CHILDREN) {
      const id = `${at.id}+`;
      const children = at.children.splice(MOST_CHILDREN - 1, Infinity, id);
      const rest: Item = { id, kind: "rest", label: "more", note: "", role: at.role, parent: at.id, children };
      items.set(id, rest);
      for (const child of children) items.get(child)!.parent = id;
      at = rest;
    }
  }
}

function fold(
  items: Map<string, Item>,
  parent: Item,
  id: string,
  label: string,
  count: number,
  inside: string[],
): void {
  const first = items.get(inside[0]!)!;
  const { role } = parent.kind === "role" ? parent : first;
  const places = inside.flatMap((child) => items.get(child)!.place ?? []);
  const place = places[0];
  items.set(id, {
    id,
    kind: "run",
    label,
    note: `×${count}`,
    role,
    parent: parent.id,
    ...(place ? { place } : {}),
    children: inside,
  });
  for (const child of inside) items.get(child)!.parent = id;
  const at = parent.children.indexOf(inside[0]!);
  const rest = parent.children.filter((child) => !inside.includes(child));
  parent.children.splice(0, parent.children.length, ...rest.slice(0, at), id, ...rest.slice(at));
}

type Neighbours = ReadonlyMap<string, ReadonlySet<string>>;

/** Which items follow which directly, among those that lie in the same. */
function neighbours(
  items: ReadonlyMap<string, Item>,
  wires: readonly Wire[],
): { after: Neighbours; before: Neighbours } {
  const [after, before] = [new Map<string, Set<string>>(), new Map<string, Set<string>>()];
  const paths = new Map([...items.keys()].map((id) => [id, [id, ...surrounding(items, id)].reverse()]));
  const put = (map: Map<string, Set<string>>, a: string, b: string): void =>
    void (map.get(a) ?? map.set(a, new Set()).get(a)!).add(b);
  for (const { from, to } of wires) {
    const [a, b] = [paths.get(from)!, paths.get(to)!];
    const split = a.findIndex((id, i) => id !== b[i]);
    const [x, y] = [a[split], b[split]];
    if (x === undefined || y === undefined) continue;
    put(after, x, y);
    put(before, y, x);
  }
  return { after, before };
}

function reach(from: readonly string[], next: Neighbours): Set<string> {
  const found = new Set<string>();
  const open = [...from];
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const other of next.get(id) ?? [])
      if (!found.has(other)) {
        found.add(other);
        open.push(other);
      }
  return found;
}
