/**
 * Where boxes and edges of a graph go: each open frame is laid out by itself, from top to bottom by dagre, and is a box of that
 * size in the frame around it. Parts of a frame that nothing joins stand in rows. An edge into a frame goes as the edge
 * between the frames does, and from there straight on.
 */
import { graphlib, layout } from "@dagrejs/dagre";
import type { Item, Seen } from "./fold.ts";

export interface Rect {
  readonly id: string;
  /** Of the corner. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Line {
  readonly points: readonly Point[];
  /** It ends at a box: further on there is none. */
  readonly tip: boolean;
  readonly label?: { readonly text: string } & Point;
}
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Rect[];
  /** The outermost first. */
  readonly frames: readonly Rect[];
  readonly lines: readonly Line[];
}

/** Widths of a sign in the type of a box, and in that of notes and edges. */
const [SIGN, SMALL_SIGN] = [7.4, 6.1];
const [GAP, TITLE, EDGE] = [14, 24, 10];
/** Width by height of what stands in rows. */
const ASPECT = 1.5;

interface Size {
  readonly width: number;
  readonly height: number;
}
/** A frame by itself: from its own corner. */
interface Inner extends Size {
  readonly at: ReadonlyMap<string, Point>;
  readonly trunks: ReadonlyMap<string, Trunk>;
}
/** What goes between two boxes of a frame. */
interface Trunk {
  readonly from: string;
  readonly to: string;
  readonly labels: string[];
  points: readonly Point[];
  label: Point;
}

const keyOf = (from: string, to: string): string => `${from} ${to}`;

export function layoutOf({ boxes, frames, edges }: Seen): Layout {
  const sizes = new Map<string, Size>(boxes.map((box) => [box.id, sizeOf(box)]));
  const open = new Map(frames.map((frame) => [frame.id, frame]));
  const parents = new Map(
    [...frames, ...boxes].map(({ id, parent }) => [id, parent !== undefined && open.has(parent) ? parent : ""]),
  );
  const path = (id: string): string[] => (id === "" ? [""] : [...path(parents.get(id) ?? ""), id]);
  const trunks = new Map<string, Map<string, Trunk>>();
  const routes = edges.map(({ from, to, label }) => {
    const [a, b] = [path(from), path(to)];
    const split = a.findIndex((id, i) => id !== b[i]);
    const [frame, first, last] = [a[split - 1]!, a[split]!, b[split]!];
    const own = trunks.get(frame) ?? trunks.set(frame, new Map<string, Trunk>()).get(frame)!;
    const key = keyOf(first, last);
    const trunk = own.get(key) ?? { from: first, to: last, labels: [], points: [], label: { x: 0, y: 0 } };
    own.set(key, trunk);
    trunk.labels.push(label);
    return { from, to, frame, trunk };
  });

  const inner = new Map<string, Inner>();
  for (const id of [...frames.map((frame) => frame.id).reverse(), ""]) {
    const children = [...parents].flatMap(([child, parent]) => (parent === id ? [child] : []));
    const own = innerOf(children, sizes, trunks.get(id) ?? new Map<string, Trunk>());
    inner.set(id, own);
    const title = open.get(id);
    const least = title ? SIGN * title.label.length + SMALL_SIGN * title.note.length + 44 : 0;
    sizes.set(id, { width: Math.max(own.width, least) + 2 * GAP, height: own.height + TITLE + 2 * GAP });
  }

  const corners = new Map<string, Point>([["", { x: 0, y: -TITLE }]]);
  /** Where what lies in a frame begins. */
  const origin = (id: string): Point => {
    const { x, y } = corners.get(id)!;
    return { x: x + GAP, y: y + GAP + TITLE };
  };
  for (const { id } of [...frames, ...boxes]) {
    const parent = parents.get(id)!;
    corners.set(id, moved(inner.get(parent)!.at.get(id)!, origin(parent)));
  }
  const rectOf = ({ id }: { readonly id: string }): Rect => ({ id, ...corners.get(id)!, ...sizes.get(id)! });
  const rects = new Map(boxes.map((box) => [box.id, rectOf(box)]));
  const lines = new Map<string, Line>();
  const put = (key: string, line: Line): void => void (lines.has(key) || lines.set(key, line));
  for (const { from, to, frame, trunk } of routes) {
    const by = origin(frame);
    const points = trunk.points.map((point) => moved(point, by));
    const key = keyOf(trunk.from, trunk.to);
    const label = { text: wordsOf(trunk), ...moved(trunk.label, by) };
    put(key, { points, tip: trunk.to === to, label });
    if (trunk.from !== from) put(`${from} ${key}`, { points: [bottomOf(rects.get(from)!), points[0]!], tip: false });
    if (trunk.to !== to) put(`${key} ${to}`, { points: [points.at(-1)!, topOf(rects.get(to)!)], tip: true });
  }
  const { width, height } = sizes.get("")!;
  return {
    width,
    height: height - TITLE,
    boxes: [...rects.values()],
    frames: frames.map(rectOf),
    lines: [...lines.values()],
  };
}

function sizeOf({ label, note }: Item): Size {
  const width = Math.max(40, SIGN * label.length, SMALL_SIGN * note.length) + 20;
  return { width, height: note ? 40 : 26 };
}

const moved = (point: Point, by: Point): Point => ({ x: point.x + by.x, y: point.y + by.y });
const topOf = ({ x, y, width }: Rect): Point => ({ x: x + width / 2, y });
const bottomOf = ({ x, y, width, height }: Rect): Point => ({ x: x + width / 2, y: y + height });

function wordsOf({ labels }: Trunk): string {
  return new Set(labels).size === 1 ? labels[0]! : `${labels.length} edges`;
}

/** The boxes of a frame, joined ones together, in rows. */
function innerOf(
  children: readonly string[],
  sizes: ReadonlyMap<string, Size>,
  trunks: ReadonlyMap<string, Trunk>,
): Inner {
  const parts = partsOf(children, trunks).map((part) => partLayout(part, sizes));
  const area = parts.reduce((sum, { width, height }) => sum + (width + GAP) * (height + GAP), 0);
  const most = Math.max(Math.sqrt(ASPECT * area), ...parts.map(({ width }) => width));
  const at = new Map<string, Point>();
  let [x, y, row, wide] = [0, 0, 0, 0];
  for (const { width, height, corners, own } of parts) {
    if (x > 0 && x + width > most) [x, y, row] = [0, y + row + GAP, 0];
    for (const [id, corner] of corners) at.set(id, moved(corner, { x, y }));
    for (const trunk of own) {
      trunk.points = trunk.points.map((point) => moved(point, { x, y }));
      trunk.label = moved(trunk.label, { x, y });
    }
    x += width + GAP;
    row = Math.max(row, height);
    wide = Math.max(wide, x - GAP);
  }
  return { width: wide, height: y + row, at, trunks };
}

interface Part {
  readonly children: string[];
  readonly own: Trunk[];
}

/** What hangs together, in the order of its first member. */
function partsOf(children: readonly string[], trunks: ReadonlyMap<string, Trunk>): Part[] {
  const root = new Map(children.map((id) => [id, id]));
  const find = (id: string): string => {
    let at = id;
    while (root.get(at) !== at) at = root.get(at)!;
    root.set(id, at);
    return at;
  };
  for (const { from, to } of trunks.values()) root.set(find(from), find(to));
  const parts = new Map<string, Part>();
  for (const id of children) {
    const part = parts.get(find(id)) ?? { children: [], own: [] };
    part.children.push(id);
    parts.set(find(id), part);
  }
  for (const trunk of trunks.values()) parts.get(find(trunk.from))!.own.push(trunk);
  return [...parts.values()];
}

function partLayout({ children, own }: Part, sizes: ReadonlyMap<string, Size>) {
  const [only] = children;
  if (children.length === 1 && only !== undefined)
    return { ...sizes.get(only)!, corners: new Map([[only, { x: 0, y: 0 }]]), own };
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "TB", nodesep: GAP, edgesep: EDGE, ranksep: 16 });
  for (const id of children) graph.setNode(id, { ...sizes.get(id)! });
  for (const trunk of own)
    graph.setEdge(trunk.from, trunk.to, { width: SMALL_SIGN * wordsOf(trunk).length, height: 12, labelpos: "c" });
  layout(graph);
  for (const trunk of own) {
    const { points, x, y } = graph.edge(trunk.from, trunk.to) as unknown as Point & {
      readonly points: readonly Point[];
    };
    Object.assign(trunk, { points, label: { x, y } });
  }
  const { width = 0, height = 0 } = graph.graph() as Partial<Size>;
  const corners = new Map(
    children.map((id) => {
      const { x, y } = graph.node(id) as unknown as Point;
      const size = sizes.get(id)!;
      return [id, { x: x - size.width / 2, y: y - size.height / 2 }] as const;
    }),
  );
  return { width, height, corners, own };
}
