/**
 * A graph folded: what computes, goes back and updates; in it models and functions by their calls; in these repeated layers;
 * in these operations. Of the tree that this makes, the boxes that are to be seen are those whose surroundings are all open,
 * and an edge of the graph goes between the boxes that its ends lie in.
 */
import type { GraphNode, GraphPart } from "../../runtime/inspect/index.ts";
import type { Span } from "../../lang/source.ts";
import type { Range } from "../state/place.svelte.ts";
import { restsIn, runsIn } from "./runs.ts";

export type Role = GraphNode["role"];

export interface Item {
  readonly id: string;
  readonly kind: "role" | "group" | "run" | "rest" | "loop" | "op" | "input";
  readonly label: string;
  /** Of an operation its type, of what is folded how much it holds. */
  readonly note: string;
  readonly role: Role;
  readonly place?: Range;
  parent?: string;
  readonly children: string[];
}

export interface Wire {
  /** Operations. */
  readonly from: string;
  readonly to: string;
  readonly shape: string;
}

export interface Folding {
  readonly items: ReadonlyMap<string, Item>;
  /** Those that lie in no other. */
  readonly roots: readonly string[];
  readonly wires: readonly Wire[];
}

export const ROLES: readonly Role[] = ["forward", "backward", "update"];

/** `40×24`; of a scalar its kind. */
export const shapeText = ({ shape, dtype }: Pick<GraphNode, "shape" | "dtype">): string =>
  shape.length > 0 ? shape.join("×") : dtype === "f32" ? "scalar" : dtype;

/** Places are told where they are in the script. */
export function foldingOf(part: GraphPart, script: string): Folding {
  const items = new Map<string, Item>();
  const wires: Wire[] = [];
  const present = new Set(part.nodes.map(({ role }) => role));
  const roles = ROLES.filter((role) => present.has(role));
  for (const role of roles) items.set(role, { id: role, kind: "role", label: role, note: "", role, children: [] });
  addPart(part, script, "", undefined, items, wires);
  runsIn(items, wires, roles);
  restsIn(items);
  const counts = new Map<string, number>();
  for (const { id, kind } of items.values())
    if (kind === "op" || kind === "loop" || kind === "input")
      for (const around of surrounding(items, id)) counts.set(around, (counts.get(around) ?? 0) + 1);
  for (const [id, count] of counts) {
    const item = items.get(id)!;
    const size = `${count.toLocaleString("en")} operation${count === 1 ? "" : "s"}`;
    items.set(id, { ...item, note: item.note ? `${item.note}, ${size}` : size });
  }
  return { items, roots: roles, wires };
}

/** `prefix`: of the ids, so that bodies of loops have their own; `around`: the loop. */
function addPart(
  { nodes, groups, outputs }: GraphPart,
  script: string,
  prefix: string,
  around: Item | undefined,
  items: Map<string, Item>,
  wires: Wire[],
): void {
  const add = (item: Item, parent: string): void => {
    items.set(item.id, { ...item, parent });
    items.get(parent)!.children.push(item.id);
  };
  const placeIn = (span: Span | undefined) =>
    span?.file === script ? { place: { start: span.start, end: span.end } } : {};
  // by their names, so that what is open stays open in the next program
  const groupIds: string[] = [];
  for (const { label, role, span, parent: outer } of groups) {
    const parent = outer === undefined ? (around?.id ?? role) : groupIds[outer]!;
    const path = `${parent}/${label}`;
    let id = path;
    for (let n = 2; items.has(id); n++) id = `${path} ${n}`;
    groupIds.push(id);
    add({ id, kind: "group", label, note: "", role, ...placeIn(span), children: [] }, parent);
  }
  const readers = new Map<number, Set<Role>>();
  for (const { role, inputs } of nodes)
    for (const id of inputs) readers.set(id, (readers.get(id) ?? new Set()).add(role));
  /** What comes in from outside stands with what reads it. */
  const roleOf = ({ id, op, role }: GraphNode): Role => {
    const [only, more] = readers.get(id) ?? [];
    return op === "input" && only && !more ? only : role;
  };
  const goes = new Map<number, string[]>();
  for (const { node, label } of outputs) goes.set(node, [...(goes.get(node) ?? []), label]);
  // A constant stands in the words of what reads it.
  const written = (node: GraphNode): boolean => node.op === "const" && !goes.has(node.id);
  for (const node of nodes) {
    if (written(node)) continue;
    const id = `${prefix}${node.id}`;
    const given = node.inputs.map((input) => nodes[input]!);
    const label = [node.label.replace(/^scalar /, ""), ...given.filter(written).map((input) => input.label)].join(" ");
    const note = [shapeText(node), ...(goes.get(node.id) ?? []).map((to) => `→ ${to}`)].join(" ");
    const { place, body } = node;
    const role = roleOf(node);
    const kind = body ? "loop" : node.op === "input" ? "input" : "op";
    const item: Item = { id, kind, label, note, role, ...placeIn(place), children: [] };
    add(item, node.group === undefined ? (around?.id ?? role) : groupIds[node.group]!);
    for (const input of given)
      if (!written(input)) wires.push({ from: `${prefix}${input.id}`, to: id, shape: shapeText(input) });
    if (body) addPart(body, script, `${id}/`, item, items, wires);
  }
}

/** What lies around an item, the innermost first. */
export function surrounding(items: ReadonlyMap<string, Item>, id: string): string[] {
  const found: string[] = [];
  for (let at = items.get(id)?.parent; at !== undefined; at = items.get(at)?.parent) found.push(at);
  return found;
}

// ---------------------------------------------------------------- what is seen

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** The shape that goes along it, or how many tensors. */
  readonly label: string;
}

export interface Seen {
  /** Closed boxes and operations. */
  readonly boxes: readonly Item[];
  /** Open ones around them, the outermost first. */
  readonly frames: readonly Item[];
  readonly edges: readonly Edge[];
}

/** The box that an item is seen in: itself, or the outermost that is closed around it. */
export function seenAs({ items }: Folding, open: ReadonlySet<string>, id: string): string {
  return surrounding(items, id).findLast((around) => !open.has(around)) ?? id;
}

export function seenOf(folding: Folding, open: ReadonlySet<string>): Seen {
  const { items, roots, wires } = folding;
  const [boxes, frames]: [Item[], Item[]] = [[], []];
  const walk = (id: string): void => {
    const item = items.get(id)!;
    if (!open.has(id) || item.children.length === 0) return void boxes.push(item);
    frames.push(item);
    item.children.forEach(walk);
  };
  roots.forEach(walk);
  const framed = new Set(frames.map(({ id }) => id));
  const edges = new Map<string, { readonly from: string; readonly to: string; readonly shapes: Map<string, string> }>();
  for (const wire of wires) {
    // of an open loop the operation that reads what it is given stands for it
    const [from, to] = [wire.from, wire.to].map((id) => seenAs(folding, open, id)) as [string, string];
    if (from === to || framed.has(from) || framed.has(to)) continue;
    const key = `${from} ${to}`;
    const edge = edges.get(key) ?? { from, to, shapes: new Map<string, string>() };
    edge.shapes.set(wire.from, wire.shape);
    edges.set(key, edge);
  }
  const labelled = [...edges.values()].map(({ from, to, shapes }): Edge => {
    const label = shapes.size === 1 ? [...shapes.values()][0]! : `${shapes.size} tensors`;
    return { from, to, label };
  });
  return { boxes, frames, edges: labelled };
}
