/** The graph under the hood: what is folded, what is seen of it, and where it is drawn. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { foldingOf, seenAs, seenOf, surrounding, type Folding } from "../../playground/hood/fold.ts";
import { layoutOf, type Rect } from "../../playground/hood/layout.ts";
import { Drawn } from "../../playground/lab/drawn.ts";
import { graphsOf, type GraphSegment } from "../../runtime/inspect/index.ts";
import { compileText } from "../run-script.ts";

const root = join(import.meta.dirname, "../..");
const text = (path: string) => readFileSync(join(root, path), "utf8");
const spirals = compileText(text("playground/first.dlx"));
const gpt = compileText(text("bench/w5.dlx"));
const loops = compileText(text("examples/08-recurrence.dlx"));

async function trainOf(program: typeof spirals): Promise<{ graph: GraphSegment; folding: Folding }> {
  const graph = graphsOf(await program).find(({ name }) => name === "train1")!;
  return { graph, folding: foldingOf(graph, "script.dlx") };
}
const opened = (folding: Folding, ...labels: string[]) =>
  new Set([
    ...folding.roots,
    ...[...folding.items.values()].flatMap(({ id, label }) => (labels.includes(label) ? [id] : [])),
  ]);
const labelsOf = (folding: Folding, open: ReadonlySet<string>, role = "forward") =>
  seenOf(folding, open).boxes.flatMap((box) => (box.role === role ? [box.label] : []));

describe("folding", () => {
  test("roles hold models, optimizers and what is loose; a list of layers is one box with what lies between them", async () => {
    const { folding } = await trainOf(spirals);
    expect(folding.roots).toEqual(["forward", "backward", "update"]);
    const open = opened(folding);
    expect(labelsOf(folding, open)).toEqual(["cross_entropy", "net", "batch label", "batch x"]);
    expect(labelsOf(folding, open, "backward")).toEqual(["cross_entropy", "net"]);
    expect(labelsOf(folding, open, "update")).toEqual(["train1.min1", "input:lr", "h0", "h1"]);
    const inside = [...folding.items.values()].find(({ id }) => id === "forward:net")!;
    expect(inside).toMatchObject({ kind: "run", note: "×3, 17 operations" });
    expect(inside.children.map((id) => folding.items.get(id)!.label).sort()).toEqual([
      "net.0",
      "net.2",
      "net.4",
      "tanh",
      "tanh",
    ]);
  });

  test("each operation is in exactly one box, whatever is open", async () => {
    for (const program of [spirals, loops]) {
      const { folding } = await trainOf(program);
      const open = new Set<string>();
      for (let round = 0; round < 6; round++) {
        const { boxes, frames } = seenOf(folding, open);
        const ids = new Set([...boxes, ...frames].map(({ id }) => id));
        expect(ids.size).toBe(boxes.length + frames.length);
        for (const { id } of folding.items.values()) {
          const shown = seenAs(folding, open, id);
          expect(ids).toContain(shown);
          expect([id, ...surrounding(folding.items, id)]).toContain(shown);
        }
        for (const { id } of boxes) open.add(id);
      }
    }
  });

  test("constants stand in the words of what reads them; what is committed says so", async () => {
    const { graph, folding } = await trainOf(spirals);
    const ops = [...folding.items.values()].filter(({ kind }) => kind === "op" || kind === "input" || kind === "loop");
    expect(ops).toHaveLength(graph.nodes.filter(({ op }) => op !== "const").length);
    expect(ops.some(({ label }) => label === "expand 1")).toBe(true);
    expect(ops.flatMap(({ note }) => /→ commit (net\.\d\.[wb])$/.exec(note)?.[1] ?? []).sort()).toEqual([
      "net.0.b",
      "net.0.w",
      "net.2.b",
      "net.2.w",
      "net.4.b",
      "net.4.w",
    ]);
  });

  test("edges tell what goes along them", async () => {
    const { folding } = await trainOf(spirals);
    const { edges } = seenOf(folding, opened(folding));
    const between = (from: string, to: string) => edges.find((edge) => edge.from === from && edge.to === to)?.label;
    const id = (label: string) => [...folding.items.values()].find((item) => item.label === label)!.id;
    expect(between(id("batch x"), "forward:net")).toBe("40×2");
    expect(between("forward:net", "forward/cross_entropy")).toBe("40×2");
    expect(between("forward:net", "backward:net")).toMatch(/^\d+ tensors$/);
    expect(edges.every(({ from, to }) => from !== to)).toBe(true);
  });

  test("four layers of a transformer are one box, and all that a large optimizer does is shown by and by", async () => {
    const { folding } = await trainOf(gpt);
    const items = [...folding.items.values()];
    expect(items.find(({ id }) => id.endsWith("fresh:block"))!.note).toMatch(/^×4, \d+ operations$/);
    expect(Math.max(...items.map(({ children }) => children.length))).toBeLessThanOrEqual(100);
    expect(items.filter(({ kind }) => kind === "rest").length).toBeGreaterThan(5);
    expect(seenOf(folding, opened(folding)).boxes.length).toBeLessThan(20);
  });

  test("a loop opens to what it repeats", async () => {
    const { folding } = await trainOf(loops);
    const loop = [...folding.items.values()].find(({ kind, role }) => kind === "loop" && role === "forward")!;
    const within = [...folding.items.keys()].filter((id) => surrounding(folding.items, id).includes(loop.id));
    expect(within.length).toBeGreaterThan(5);
    const around = surrounding(folding.items, loop.id);
    const { frames, boxes } = seenOf(folding, new Set([...around, loop.id]));
    expect(frames.map(({ id }) => id)).toContain(loop.id);
    expect(boxes.filter(({ parent }) => parent === loop.id).length).toBe(loop.children.length);
  });
});

describe("layout", () => {
  const apart = (a: Rect, b: Rect) =>
    a.x + a.width <= b.x + 0.01 ||
    b.x + b.width <= a.x + 0.01 ||
    a.y + a.height <= b.y + 0.01 ||
    b.y + b.height <= a.y + 0.01;

  test.each([
    ["nothing but the roles", []],
    ["a model", ["net", "net.2"]],
    ["an optimizer", ["train1.min1", "Adam"]],
  ])("%s open: boxes lie in their frames and do not overlap", async (_, labels) => {
    const { folding } = await trainOf(spirals);
    const seen = seenOf(folding, opened(folding, ...labels));
    const { boxes, frames, lines, width, height } = layoutOf(seen);
    const rects = new Map([...boxes, ...frames].map((rect) => [rect.id, rect]));
    expect(rects.size).toBe(seen.boxes.length + seen.frames.length);
    const parts = [...seen.boxes, ...seen.frames];
    for (const { id, parent } of parts) {
      const rect = rects.get(id)!;
      const outer = parent === undefined ? { id: "", x: 0, y: 0, width, height } : rects.get(parent)!;
      expect(rect.x).toBeGreaterThanOrEqual(outer.x);
      expect(rect.y).toBeGreaterThanOrEqual(outer.y);
      expect(rect.x + rect.width).toBeLessThanOrEqual(outer.x + outer.width + 0.01);
      expect(rect.y + rect.height).toBeLessThanOrEqual(outer.y + outer.height + 0.01);
      for (const other of parts)
        if (other.parent === parent && other.id !== id) expect(apart(rect, rects.get(other.id)!)).toBe(true);
    }
    for (const { points } of lines) {
      expect(points.length).toBeGreaterThanOrEqual(2);
      expect(points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
    }
    expect(lines.filter(({ label }) => label).length).toBeGreaterThan(0);
  });
});

describe("a drawing", () => {
  test("begins with the step of the first train block and knows the lines of every box", async () => {
    const program = await spirals;
    const { segment, segments, drawing } = await new Drawn(program).answer({ what: "graph" });
    expect(segment).toBe("train1");
    expect(segments.map(({ name }) => name)).toEqual(["top1", "train1"]);
    const script = program.sources[0]!.text;
    const said = (label: string, role = "forward") => {
      const box = [...drawing!.boxes, ...drawing!.frames].find((each) => each.label === label && each.role === role)!;
      return box.places.map(({ start, end }) => script.slice(start, end));
    };
    expect(said("net")).toEqual(expect.arrayContaining(["Linear(24)", "tanh", "Linear(2)"]));
    expect(said("cross_entropy").join()).toContain("cross_entropy(net(x), label)");
    expect(said("train1.min1", "update").join()).toContain("Adam(lr)");
  });

  test("what is too much at once is not drawn, and says so", async () => {
    const program = await gpt;
    const folding = foldingOf(
      graphsOf(program).find(({ name }) => name === "train1")!,
      "script.dlx",
    );
    const { drawing, note } = await new Drawn(program).answer({
      what: "graph",
      segment: "train1",
      open: [...folding.items.keys()],
    });
    expect(drawing).toBeUndefined();
    expect(note).toMatch(/^\d+ boxes are more than can be drawn at once/);
  });
});
