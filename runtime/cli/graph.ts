/** `dlx graph`: the ladder from syntax tree to graph to kernels to counts. */
import { segmentKernels, segmentWgsl } from "../../gpu/index.ts";
import type { Segment } from "../../lang/program.ts";
import { renderDiagnostic } from "../../lang/render.ts";
import { segmentsOf } from "../actions.ts";
import { distinct } from "../blocks.ts";
import { countsOf, treeOf, treeText, type Counted, type ViewedDevice } from "../inspect/index.ts";
import { heldBySegment, onDevice } from "../inspect/kernels.ts";
import { parseSets, UsageError, type Args } from "./args.ts";
import { graphText } from "./dump.ts";
import { DONE, WRONG_PROGRAM, type Io } from "./io.ts";
import { checkInputs } from "./run.ts";
import type { Toolchain } from "./toolchain.ts";

const rungs = ["ast", "graph", "kernels", "wgsl", "stats"] as const;
const counted: readonly ViewedDevice[] = ["webgpu", "cpu"];

export async function graph(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const asked = rungs.filter((rung) => args.has(rung));
  if (asked.length > 1) throw new UsageError(`write one of ${rungs.map((rung) => `--${rung}`).join(", ")}`);
  const rung = asked[0] ?? "graph";
  const device = counted.find((kind) => kind === (args.text("device") ?? "webgpu"));
  if (!device) throw new UsageError(`--device for counts is one of ${counted.join(", ")}`);
  const inputs = parseSets(args.list("set"));
  const { program, file, diagnostics, sources } = await tools.compile(args.file, { inputs, data: args.text("data") });
  for (const diagnostic of diagnostics) {
    if (diagnostic.severity !== "note") io.stderr(`${renderDiagnostic(diagnostic, sources, { color: io.color })}\n`);
  }
  // A script with mistakes still has a tree.
  const wrong = program === undefined || diagnostics.some(({ severity }) => severity === "error");
  const show = (value: unknown, text: () => string) =>
    io.stdout(`${args.has("json") ? JSON.stringify(value) : text()}\n`);
  if (rung === "ast") {
    if (file) show(file, () => treeText(treeOf(file)));
    return wrong ? WRONG_PROGRAM : DONE;
  }
  if (wrong) return WRONG_PROGRAM;
  checkInputs(inputs, program);
  const segments = distinct(segmentsOf(program.body));
  if (rung === "graph") {
    show({ segments: segments.map((each) => ({ name: each.name, graph: graphText(each) })) }, () =>
      segments.map(titled(graphText)).join("\n\n"),
    );
    return DONE;
  }
  if (rung === "stats") {
    const programs = countsOf(program, device);
    show({ programs }, () => statsText(programs));
    return DONE;
  }
  const write = rung === "wgsl" ? segmentWgsl : segmentKernels;
  const held = heldBySegment(program);
  const list = segments.map((each) => {
    const part = onDevice(program, each, held.get(each.name));
    return { name: each.name, [rung]: part.outputs.length > 0 ? write(part) : "computed by the host" };
  });
  show({ segments: list }, () => list.map((each) => `${each.name}:\n${each[rung]}`).join("\n\n"));
  return DONE;
}

function titled(text: (segment: Segment) => string) {
  return (segment: Segment) => `${segment.name}:\n${text(segment)}`;
}

function statsText(programs: readonly Counted[]): string {
  const columns = [
    "name",
    "kind",
    "step",
    "dispatches",
    "bytesRead",
    "bytesWritten",
    "boundBytes",
    "flops",
    "peakBytes",
    "liveBytes",
    "parameters",
  ] as const;
  const rows = [columns.map(String), ...programs.map((each) => columns.map((column) => String(each[column])))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const pad = (text: string, i: number) => (i < 3 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0));
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}
