/** Parts of what stands under the hood that need no page: rows of the tree, places in an edited text, tables, views. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { atCalls } from "../../playground/hood/called.ts";
import { tableOf, withoutCode } from "../../playground/hood/kernel-table.ts";
import { chapterOf, meanings } from "../../playground/hood/meanings.ts";
import { bytesText, msText, percent, short } from "../../playground/hood/numbers.ts";
import { byLine, lineAt, meet, moved, wholeLines } from "../../playground/hood/places.ts";
import { move, rowAt, rowsOf } from "../../playground/hood/tree-rows.ts";
import { beside, fitted, showing, zoomed } from "../../playground/hood/view.ts";
import { parse } from "../../lang/index.ts";
import { countsOf, graphsOf, kernelsOf, treeOf, type Measured } from "../../runtime/inspect/index.ts";
import { compileText } from "../run-script.ts";

const root = join(import.meta.dirname, "../..");
const script = readFileSync(join(root, "playground/first.dlx"), "utf8");
const part = (text: string) => ({ start: script.indexOf(text), end: script.indexOf(text) + text.length });

describe("rows of the tree", () => {
  const tree = treeOf(parse({ file: "a.dlx", text: script }).file);
  const rows = rowsOf(tree, new Set());
  const said = (id: string) => rows.find((row) => row.id === id)!;

  test("statements and their parts are open at first, what is deeper is not", () => {
    expect(rows[0]).toMatchObject({ id: "file", level: 1, open: true });
    expect(said("file/body[2]")).toMatchObject({ level: 2, open: true, node: { kind: "let" } });
    expect(said("file/body[2]/value")).toMatchObject({ level: 3, open: false });
    expect(said("file/body[0]/value")).toMatchObject({ open: undefined, node: { label: "4" } });
    const wide = rowsOf(tree, new Set(["file/body[2]/value", "file/body[4]"]));
    expect(wide.some(({ id }) => id.startsWith("file/body[2]/value/"))).toBe(true);
    expect(wide.some(({ id }) => id.startsWith("file/body[4]/"))).toBe(false);
  });

  test("the innermost that is seen holds a place", () => {
    expect(rowAt(rows, part("spirals(n"))!.id).toBe("file/body[2]/value");
    const folded = rowsOf(tree, new Set(["file/body[2]"]));
    expect(rowAt(folded, part("spirals(n"))!.id).toBe("file/body[2]");
    expect(rowAt(rows, { start: 0, end: 0 })).toBeUndefined();
  });

  test("keys", () => {
    const at = said("file/body[2]/value");
    expect(move(rows, at, "ArrowRight")).toEqual({ turn: at });
    expect(move(rows, at, "ArrowLeft")).toEqual({ to: said("file/body[2]") });
    expect(move(rows, said("file/body[2]"), "ArrowRight")).toEqual({ to: said("file/body[2]/pattern") });
    expect(move(rows, rows[1]!, "Home")).toEqual({ to: rows[0] });
    expect(move(rows, rows[1]!, "End")).toEqual({ to: rows.at(-1) });
    expect(move(rows, rows[0]!, "ArrowUp")).toBeUndefined();
    expect(move(rows, rows[0]!, "x")).toBeUndefined();
  });
});

describe("places", () => {
  test("stay before an edit, move behind it, and are gone within", () => {
    const after = script.replace("let net", "# more\nlet net");
    expect(moved(part("seed 4"), script, after)).toEqual(part("seed 4"));
    const loss = moved(part("plot loss"), script, after)!;
    expect(after.slice(loss.start, loss.end)).toBe("plot loss");
    expect(moved(part("plot loss"), script, script)).toEqual(part("plot loss"));
    expect(moved(part("noise: 0.1"), script, script.replace("noise: 0.1", "sound: 3"))).toBeUndefined();
  });

  test("lines", () => {
    expect(lineAt("a\nb\nc", 0)).toBe(1);
    expect(lineAt("a\nb\nc", 4)).toBe(3);
    expect(wholeLines("ab\ncd\nef", { start: 4, end: 4 })).toEqual({ start: 3, end: 5 });
    expect(wholeLines("ab\ncd", { start: 1, end: 4 })).toEqual({ start: 0, end: 5 });
    expect(
      byLine("a b\nc", [
        { start: 4, end: 5 },
        { start: 2, end: 3 },
        { start: 0, end: 1 },
      ]),
    ).toEqual([
      { line: 1, place: { start: 0, end: 1 } },
      { line: 2, place: { start: 4, end: 5 } },
    ]);
    expect(meet({ start: 0, end: 3 }, { start: 3, end: 4 })).toBe(true);
    expect(meet({ start: 0, end: 3 }, { start: 4, end: 5 })).toBe(false);
  });
});

describe("the table of kernels", () => {
  const program = compileText(script);

  test.each([
    ["first.dlx", "cpu"],
    ["first.dlx", "webgpu"],
    ["08-recurrence.dlx", "cpu"],
    ["08-recurrence.dlx", "webgpu"],
  ] as const)("%s: sums to the counts of the step on %s", async (name, device) => {
    const own = name === "first.dlx" ? script : readFileSync(join(root, "examples", name), "utf8");
    const known = await compileText(own);
    const [step] = countsOf(known, device);
    const rows = tableOf(kernelsOf(known, device).map(withoutCode), step!, "script.dlx", undefined);
    const sum = (of: "runs" | "bytes" | "share") => rows.reduce((all, row) => all + row[of], 0);
    expect(step!.segments).toEqual(["train1"]);
    const named = rows.reduce((all, row) => all + (row.name === "" ? 0 : row.runs), 0);
    expect(device === "cpu" ? named : sum("runs")).toBe(step!.dispatches);
    expect(sum("bytes")).toBe(step!.bytesRead + step!.bytesWritten);
    expect(sum("share")).toBeCloseTo(1);
    expect(rows.every(({ ms }) => ms === undefined)).toBe(true);
    const lines = rows.flatMap(({ places }) => places.map(({ start }) => lineAt(own, start)));
    expect(lines.length).toBeGreaterThan(2);
  });

  test("times are of one step, and shares then of the time", async () => {
    const kernels = kernelsOf(await program, "cpu").map(withoutCode);
    const train = kernels.find(({ name }) => name === "train1")!;
    const timed = train.kernels.map(({ text, flops, spans }, i) => ({
      text,
      flops,
      spans,
      bytes: 0,
      calls: 10,
      ms: 10 * (i + 1),
      least: 1,
    }));
    const measured: Measured = { steps: 5, rows: timed };
    const rows = tableOf(kernels, countsOf(await program, "cpu")[0]!, "script.dlx", measured);
    expect(rows.map(({ ms }) => ms)).toEqual(rows.map(({ runs }, i) => (i + 1) * runs));
    const all = rows.reduce((sum, { ms }) => sum + ms!, 0);
    expect(rows[1]!.share).toBeCloseTo(rows[1]!.ms! / all);
  });
});

test("a kernel of the library has the lines of the script that call it", async () => {
  const program = await compileText(script);
  const rows = kernelsOf(program, "cpu").map(withoutCode);
  const graphs = graphsOf(program);
  const placed = atCalls(rows, graphs, "script.dlx").find(({ name }) => name === "train1")!;
  const own = rows.find(({ name }) => name === "train1")!;
  placed.kernels.forEach((kernel, i) => {
    const before = own.kernels[i]!;
    expect(kernel.places.length).toBeGreaterThan(0);
    expect(new Set(kernel.places.map(({ file }) => file))).toEqual(new Set(["script.dlx"]));
    if (before.places.some(({ file }) => file === "script.dlx")) expect(kernel).toBe(before);
    else expect(kernel.through).toBe(before.lines);
  });
  const through = (file: string) => {
    const kernels = placed.kernels.filter((kernel) => kernel.through?.startsWith(file));
    return new Set(kernels.flatMap(({ places }) => places.map(({ start }) => lineAt(script, start))));
  };
  expect(through("layers.dlx")).toEqual(new Set([5]));
  expect(through("optimizers.dlx")).toEqual(new Set([9]));
});

test("counts in words", () => {
  expect([0, 17, 999, 1000, 66336, 249_900, 3.1e6, 1.2484e9].map(short)).toEqual([
    "0",
    "17",
    "999",
    "1 k",
    "66.3 k",
    "250 k",
    "3.1 M",
    "1.25 G",
  ]);
  expect([0, 17, 66336].map(bytesText)).toEqual(["0 B", "17 B", "66.3 kB"]);
  expect([0.00057, 0.034, 0.12, 1.234, 12.34, 250.4].map(msText)).toEqual([
    "0.57 µs",
    "34 µs",
    "0.12 ms",
    "1.2 ms",
    "12 ms",
    "250 ms",
  ]);
  expect([0, 0.051, 0.5, 1].map(percent)).toEqual(["0.0 %", "5.1 %", "50 %", "100 %"]);
});

test("every count has a chapter in the docs", () => {
  const page = readFileSync(join(root, "docs/ladder.md"), "utf8");
  for (const { chapter } of meanings) expect(chapterOf(page, chapter)).toMatch(new RegExp(`^## ${chapter}\n\n\\S`));
  expect(chapterOf(page, "What a step costs")).toContain("boundBytes");
  expect(chapterOf(page, "What a step costs")).not.toContain("## 5");
  expect(chapterOf(page, "nothing")).toBeUndefined();
});

describe("the view of a drawing", () => {
  const window = { width: 600, height: 400 };

  test("zooming keeps what is under the pointer, within bounds", () => {
    const at = { x: 100, y: 50 };
    const view = { x: 10, y: 20, scale: 0.5 };
    const next = zoomed(view, 2, at);
    expect(next.scale).toBe(1);
    expect((at.x - next.x) / next.scale).toBeCloseTo((at.x - view.x) / view.scale);
    expect((at.y - next.y) / next.scale).toBeCloseTo((at.y - view.y) / view.scale);
    expect(zoomed(view, 1e9, at).scale).toBe(3);
    expect(zoomed(view, 1e-9, at).scale).toBe(0.05);
  });

  test("all is seen after fitting, in the middle and not enlarged", () => {
    expect(fitted({ width: 300, height: 200 }, window)).toEqual({ scale: 1, x: 150, y: 100 });
    expect(fitted({ width: 1200, height: 200 }, window)).toEqual({ scale: 0.5, x: 0, y: 150 });
    expect(fitted({ width: 300, height: 4000 }, window, 0.5)).toEqual({ scale: 0.5, x: 225, y: 0 });
  });

  test("a box is brought into the window by as little as is needed", () => {
    const view = { x: 0, y: 0, scale: 1 };
    expect(showing(view, { x: 100, y: 100, width: 50, height: 20 }, window)).toEqual(view);
    expect(showing(view, { x: 700, y: -30, width: 50, height: 20 }, window)).toEqual({ x: -162, y: 42, scale: 1 });
  });

  test("arrow keys find the box on that side", () => {
    const [a, b, c] = [
      [0, 0],
      [0, 100],
      [200, 110],
    ].map(([x, y]) => ({ x: x!, y: y!, width: 50, height: 20 }));
    const boxes = [a!, b!, c!];
    expect(beside(boxes, a!, { x: 0, y: 1 })).toBe(b);
    expect(beside(boxes, b!, { x: 1, y: 0 })).toBe(c);
    expect(beside(boxes, a!, { x: 0, y: -1 })).toBeUndefined();
  });
});
