/**
 * What a loop saves for its way back: of all values that a tick backwards could begin with, those that cost least, to
 * write and read them again against computing others once more. A cheapest cut between what a tick begins with and what
 * its way back reads; products are never computed twice.
 */
import { MinCut, UNCUT } from "../min-cut.ts";
import type { Node, Type } from "../node.ts";
import { topological } from "../walk.ts";
import { sizeOf as sizeOfShape } from "./row.ts";

/** Costs of an element, in quarters of a read or a write. */
const MOVE = 4;
const MAP = 1;
const FUNCTION = 16;
const COSTS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    ["exp", "log", "log1p", "tanh", "erf", "sin", "cos", "pow", "random", "cumsum", "scatter", "argsort"].map((op) => [
      op,
      FUNCTION,
    ]),
  ),
  ...Object.fromEntries(["sqrt", "div"].map((op) => [op, MOVE])),
  ...Object.fromEntries(["reshape", "permute", "expand", "slice", "flip", "stop"].map((op) => [op, 0])),
};

const PRODUCTS: ReadonlySet<string> = new Set(["dot", "solve", "cholesky", "eigh"]);

/** An axis that is not known yet counts as one: most values of a tick have it. */
const sizeOf = ({ shape }: Type): number => sizeOfShape(shape.map(Math.abs));

/** To compute a node again from its inputs. */
function again(node: Node): number {
  if (PRODUCTS.has(node.op)) return UNCUT;
  const reads = node.inputs.reduce((n, { type }) => Math.max(n, sizeOf(type)), sizeOf(node.type));
  if (node.op === "loop") return FUNCTION * reads * (node.attrs["count"] as number);
  const cost = COSTS[node.op];
  return cost === undefined ? MAP * reads : cost * sizeOf(node.type);
}

export interface Tick {
  readonly results: readonly Node[];
  readonly carries: readonly Node[];
  readonly scans: readonly Node[];
  /** Values that are stacked anyway. */
  readonly stacked: ReadonlySet<Node>;
}

/** The values of a tick to save, in order; scans that `back` reads are at hand and not among them. */
export function savedValues({ results, carries, scans, stacked }: Tick, back: readonly Node[]): Node[] {
  const starts = new Set([...carries, ...scans]);
  const nodes = new Set(starts);
  for (const node of topological(results)) if (node.inputs.some((input) => nodes.has(input))) nodes.add(node);

  const cut = new MinCut();
  const places = new Map([...nodes].map((node) => [node, { before: cut.node(), after: cut.node() }]));
  for (const [node, { before, after }] of places) {
    const size = sizeOf(node.type);
    const read = stacked.has(node) || scans.includes(node);
    const may = starts.has(node) || PRODUCTS.has(node.op) || (node.type.dtype === "f32" && node.op !== "loop");
    cut.edge(before, after, may ? (read ? 1 : 2) * MOVE * size : UNCUT);
    cut.edge(cut.source, before, starts.has(node) ? UNCUT : again(node));
    for (const input of node.inputs) if (nodes.has(input)) cut.edge(places.get(input)!.after, before, UNCUT);
  }
  const need = (node: Node) => void (nodes.has(node) && cut.edge(places.get(node)!.after, cut.sink, UNCUT));
  back.forEach(need);
  for (const node of topological(back)) if (!nodes.has(node)) node.inputs.forEach(need);
  const side = cut.sinkSide();
  return [...nodes].filter((node) => {
    const place = places.get(node)!;
    return !scans.includes(node) && side.has(place.after) && !side.has(place.before);
  });
}
