/** The graphs of a program as drawings: folded, laid out, with the places of the script that each box stands for. */
import { tickSegments, type Program } from "../../lang/program.ts";
import { distinctBlocks } from "../../runtime/blocks.ts";
import { withoutPass } from "../../runtime/passes.ts";
import { graphsOf, type GraphSegment } from "../../runtime/inspect/index.ts";
import { foldingOf, seenOf, surrounding, type Folding, type Item } from "../hood/fold.ts";
import type { Answer, Box, Inspect } from "../hood/messages.ts";
import type { Rect } from "../hood/layout.ts";
import type { Range } from "../state/place.svelte.ts";

/** Boxes that are drawn at one time. */
const MOST_BOXES = 400;

export const textOf = ({ sources }: Program): string => sources[0]?.text ?? "";

export class Drawn {
  readonly program: Program;
  readonly graphs: readonly GraphSegment[];
  private readonly foldings = new Map<GraphSegment, Folded>();

  constructor(program: Program) {
    this.program = program;
    this.graphs = graphsOf(program);
  }

  async answer(ask: Extract<Inspect, { what: "graph" }>): Promise<Answer<"graph">> {
    // it is large, and few look under the hood
    const { layoutOf } = await import("../hood/layout.ts");
    const graph = this.graphs.find(({ name }) => name === ask.segment) ?? this.first;
    const segments = this.graphs.map(({ name, nodes }) => ({ name, nodes: nodes.length }));
    const told = { what: "graph" as const, text: textOf(this.program), segments };
    if (!graph) return { ...told, segment: "", open: [], note: "this program computes nothing on a device" };
    const { folding, places } = this.foldingOf(graph);
    const open = ask.open ?? folding.roots;
    const seen = seenOf(folding, new Set(open));
    const said = { ...told, segment: graph.name, open };
    if (seen.boxes.length > MOST_BOXES)
      return {
        ...said,
        note: `${seen.boxes.length} boxes are more than can be drawn at once; close one of those that are open`,
      };
    const { width, height, boxes, frames, lines } = layoutOf(seen);
    const boxOf = (rect: Rect): Box => {
      const { kind, label, note, role, place, children } = folding.items.get(rect.id)!;
      const own = places.get(rect.id) ?? [];
      return { ...rect, kind, label, note, role, folds: children.length > 0, place: place ?? own[0], places: own };
    };
    const drawing = { width, height, boxes: boxes.map(boxOf), frames: frames.map(boxOf), lines };
    return { ...said, drawing, ...(graph.note === undefined ? {} : { note: graph.note }) };
  }

  /** That of the first train block, where there is one. */
  private get first(): GraphSegment | undefined {
    const block = distinctBlocks(this.program).find(({ kind }) => kind === "train");
    const names = new Set(tickSegments(block?.step).map(({ name }) => withoutPass(name)));
    return this.graphs.find(({ name }) => names.has(name)) ?? this.graphs[0];
  }

  private foldingOf(graph: GraphSegment): Folded {
    const known = this.foldings.get(graph);
    if (known) return known;
    const folding = foldingOf(graph, this.program.sources[0]?.file ?? "");
    const made = { folding, places: placesIn(folding) };
    this.foldings.set(graph, made);
    return made;
  }
}

interface Folded {
  readonly folding: Folding;
  /** Of each item, and all that lies in it. */
  readonly places: ReadonlyMap<string, readonly Range[]>;
}

function placesIn({ items }: Folding): Map<string, readonly Range[]> {
  const found = new Map<string, Map<string, Range>>();
  const put = (id: string, { start, end }: Range): void => {
    const own = found.get(id) ?? new Map<string, Range>();
    found.set(id, own.set(`${start} ${end}`, { start, end }));
  };
  for (const { id, place, kind } of items.values() as Iterable<Item>)
    if (place && (kind === "op" || kind === "loop" || kind === "input"))
      for (const each of [id, ...surrounding(items, id)]) put(each, place);
  return new Map([...found].map(([id, own]) => [id, [...own.values()]]));
}
