/** What a screen shows under the hood: trees, graphs, kernels, counts and times, as plain data, on the examples. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { segmentStats, type Device } from "../../gpu/index.ts";
import { evaluate, topological } from "../../lang/graph/index.ts";
import { parse } from "../../lang/index.ts";
import { segmentsOf } from "../../runtime/actions.ts";
import { distinct } from "../../runtime/blocks.ts";
import { createSession } from "../../runtime/index.ts";
import { countsOf, graphsOf, kernelsOf, treeOf, treeText, type Measured } from "../../runtime/inspect/index.ts";
import { heldBySegment, onDevice } from "../../runtime/inspect/kernels.ts";
import { nodeHost } from "../../runtime/node.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { compileText } from "../run-script.ts";

const folder = join(import.meta.dirname, "../../examples");
const text = (name: string) => readFileSync(join(folder, name), "utf8");
/** Those without files. */
const names = readdirSync(folder).filter((name) => name.endsWith(".dlx") && !name.startsWith("mnist"));

test.each(names)("%s: the tree", (name) => {
  const script = text(name);
  const tree = treeOf(parse({ file: name, text: script }).file);
  expect(structuredClone(tree)).toEqual(tree);
  const lines = treeText(tree).split("\n");
  const count = (of: typeof tree): number => of.children.reduce((sum, child) => sum + count(child), 1);
  expect(lines).toHaveLength(count(tree));
  const inside = (of: typeof tree): void => {
    for (const child of of.children) {
      if (of.span && child.span) {
        expect(child.span.start).toBeGreaterThanOrEqual(of.span.start);
        expect(child.span.end).toBeLessThanOrEqual(of.span.end);
      }
      inside(child);
    }
  };
  inside(tree);
});

describe.each(names)("%s", (name) => {
  const program = compileText(text(name));

  test("graphs", async () => {
    const { body } = await program;
    const graphs = graphsOf(await program);
    expect(structuredClone(graphs)).toEqual(graphs);
    const segments = distinct(segmentsOf(body));
    expect(graphs.map((graph) => graph.name)).toEqual(segments.map((segment) => segment.name));
    graphs.forEach((graph, i) => {
      const nodes = topological(segments[i]!.outputs.map(({ node }) => node));
      expect(graph.note).toBeUndefined();
      expect(graph.nodes.map(({ op }) => op)).toEqual(nodes.map(({ op }) => op));
      expect(graph.outputs).toHaveLength(segments[i]!.outputs.length);
      for (const node of graph.nodes) {
        for (const input of node.inputs) expect(input).toBeLessThan(node.id);
        if (node.group !== undefined) expect(graph.groups[node.group]!.role).toBe(node.role);
        if (node.place) expect(node.place.file).toBe("script.dlx");
      }
      for (const { id, parent = -1 } of graph.groups) expect(parent).toBeLessThan(id);
    });
  });

  test("kernels and counts", async () => {
    const whole = await program;
    const held = heldBySegment(whole);
    const segments = distinct(segmentsOf((await program).body));
    for (const device of ["webgpu", "cpu"] as const) {
      const views = kernelsOf(await program, device);
      expect(structuredClone(views)).toEqual(views);
      expect(views.map((view) => view.name)).toEqual(segments.map((segment) => segment.name));
      views.forEach(({ kernels, calls, byHost, name: of }, i) => {
        if (byHost) return expect(kernels).toEqual([]);
        for (const kernel of kernels) {
          if (device === "cpu") {
            expect(kernel.wasm!.bytes).toBeGreaterThan(40);
            expect(kernel.wasm!.text).toMatch(/^func k0 \(param i32 i32/m);
          } else expect(kernel.wgsl.join()).toContain("@compute");
          expect(kernel.title).not.toBe("");
        }
        if (device === "cpu") return;
        const stats = segmentStats(onDevice(whole, segments[i]!, held.get(of)));
        const sum = (key: "bytesRead" | "bytesWritten") => calls.reduce((n, call) => n + call.times * call[key], 0);
        expect([sum("bytesRead"), sum("bytesWritten")]).toEqual([stats.bytesRead, stats.bytesWritten]);
      });
    }
    const [fused, unfused] = [countsOf(await program), countsOf(await program, "webgpu", false)];
    expect(unfused.map(({ name: of, step }) => [of, step])).toEqual(fused.map(({ name: of, step }) => [of, step]));
    fused.forEach((row, i) => {
      expect(unfused[i]!.dispatches).toBeGreaterThan(row.dispatches);
      expect(unfused[i]!.bytesWritten).toBeGreaterThanOrEqual(row.bytesWritten);
    });
  });
});

describe("digits.dlx", () => {
  const program = compileText(text("digits.dlx"));

  test("a graph is folded by instances, functions and optimizers, and has three roles", async () => {
    const train = graphsOf(await program).find(({ groups }) => groups.some(({ kind }) => kind === "optimizer"))!;
    const of = (role: string, kind: string) =>
      train.groups.flatMap((group) => (group.role === role && group.kind === kind ? [group.name] : []));
    const layers = ["net", "net.conv1", "net.conv2", "net.linear1", "net.linear2", "net.linear3"];
    expect(of("forward", "model")).toEqual(expect.arrayContaining(layers));
    expect(of("backward", "model")).toEqual(expect.arrayContaining(layers));
    expect(of("update", "optimizer")).toEqual(expect.arrayContaining([expect.stringMatching(/\.Adam$/)]));
    expect(of("forward", "function")).toEqual(expect.arrayContaining(["relu", "cross_entropy"]));
    const conv = train.groups.find(({ name, role }) => name === "net.conv1" && role === "forward")!;
    expect(conv.label).toBe("conv1");
    expect(train.groups[conv.parent!]!.name).toBe("net");
    const roles = new Set(train.nodes.map(({ role }) => role));
    expect([...roles].sort()).toEqual(["backward", "forward", "update"]);
    // Each relu is a group of its own.
    expect(of("forward", "function").filter((each) => each === "relu")).toHaveLength(4);
    const committed = new Set(train.outputs.filter(({ label }) => label.startsWith("commit net.")).map((o) => o.node));
    for (const id of committed) expect(train.nodes[id]!.role).toBe("update");
  });

  test("a large graph is cut, and says so", async () => {
    const [cut] = graphsOf(await program, 5).filter(({ note }) => note !== undefined);
    expect(cut!.nodes).toHaveLength(5);
    expect(cut!.note).toMatch(/^5 of \d+ nodes are shown/);
  });

  test("kernels name the lines of the script", async () => {
    const train = kernelsOf(await program, "cpu").filter(({ block }) => block === "train1");
    expect(train.length).toBeGreaterThan(0);
    const lines = train.flatMap(({ kernels }) => kernels.map((kernel) => kernel.lines)).join(" ");
    const layers =
      text("digits.dlx")
        .split("\n")
        .findIndex((line) => line.includes("flatten")) + 1;
    expect(lines).toMatch(new RegExp(`script.dlx:[\\d,-]*\\b${layers}\\b`));
  });
});

describe("times of kernels in a running session", () => {
  const script = text("04-mlp.dlx");

  /** Losses, and what was measured between steps 5 and 15. */
  async function train(device: Device, measured: boolean) {
    const host = nodeHost({ scriptFolder: "/nowhere" });
    const session = createSession({
      program: await compileText(script),
      device,
      host,
      math: evaluate,
      every: 1,
      maxSteps: 24,
    });
    const losses: unknown[] = [];
    let profiling: ReturnType<typeof session.measure> | undefined;
    let found: Measured | undefined;
    session.events$.subscribe((event) => {
      if (event.event !== "train" || event.fold) return;
      losses.push(event.metrics);
      if (measured && losses.length === 5) profiling = session.measure();
      if (measured && losses.length === 15) {
        profiling!.stop();
        found = structuredClone(profiling!.read());
      }
    });
    session.play();
    await session.done;
    if (found) expect(profiling!.read()).toEqual(found);
    const known = new Set(session.kernels().flatMap(({ kernels }) => kernels.map((kernel) => kernel.text)));
    await session.dispose();
    await device.dispose();
    return { losses, found, known };
  }

  test.each([1, 2])("on and off on %s threads changes no bit", async (threads) => {
    const open = () => new CpuDevice({ threads, startWorker: startNodeWorker, grain: 100 });
    const plain = await train(open(), false);
    const { losses, found, known } = await train(open(), true);
    expect(losses).toEqual(plain.losses);
    expect(found!.steps).toBe(10);
    expect(found!.rows.length).toBeGreaterThan(0);
    for (const row of found!.rows) {
      expect(known).toContain(row.text);
      expect(row.calls).toBeGreaterThan(0);
      expect(row.ms).toBeGreaterThanOrEqual(row.least);
    }
    expect(Math.max(...found!.rows.map(({ calls }) => calls))).toBeGreaterThanOrEqual(10);
  });

  test("a device without kernels says so", async () => {
    const { found } = await train(new ReferenceDevice(), true);
    expect(found).toMatchObject({ rows: [], missing: expect.stringMatching(/has no kernels/) as unknown });
  });
});
