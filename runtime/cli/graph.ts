/** `dlx graph`: the ladder from syntax tree to graph to kernels to counts. */
import type { Device, Stats } from "../../gpu/device.ts";
import { segmentWgsl } from "../../gpu/index.ts";
import type { Program, Segment } from "../../lang/program.ts";
import { renderDiagnostic } from "../../lang/render.ts";
import { segmentsOf } from "../actions.ts";
import { inputsBelow, namesFrom } from "../inputs.ts";
import { elements } from "../state.ts";
import { splitHost } from "../segments.ts";
import { parseSets, UsageError, type Args } from "./args.ts";
import { distinct, distinctBlocks, type BlockAction } from "./blocks.ts";
import { graphText, treeText } from "./dump.ts";
import { DONE, WRONG_PROGRAM, type Io } from "./io.ts";
import { checkInputs } from "./run.ts";
import type { Toolchain } from "./toolchain.ts";

const rungs = ["ast", "graph", "kernels", "wgsl", "stats"] as const;

export async function graph(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const asked = rungs.filter((rung) => args.has(rung));
  if (asked.length > 1) throw new UsageError(`write one of ${rungs.map((rung) => `--${rung}`).join(", ")}`);
  const rung = asked[0] ?? "graph";
  const inputs = parseSets(args.list("set"));
  const { program, file, diagnostics, sources } = await tools.compile(args.file, { inputs, data: args.text("data") });
  for (const diagnostic of diagnostics) io.stderr(`${renderDiagnostic(diagnostic, sources, { color: io.color })}\n`);
  // A script with mistakes still has a tree.
  const wrong = program === undefined || diagnostics.some(({ severity }) => severity === "error");
  const show = (value: unknown, text: () => string) =>
    io.stdout(`${args.has("json") ? JSON.stringify(value) : text()}\n`);
  if (rung === "ast") {
    if (file) show(file, () => treeText(file));
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
  if (rung === "wgsl") {
    const shaders = new Map(segments.map((each) => [each, shadersOf(program, each)]));
    const list = segments.map((each) => ({ name: each.name, wgsl: shaders.get(each) }));
    show({ segments: list }, () => segments.map(titled((each) => shaders.get(each) ?? "")).join("\n\n"));
    return DONE;
  }
  // counts are the same on any machine
  const device = await tools.openDevice("cpu", 1);
  try {
    for (const { path, type } of Object.values(program.slots)) device.createSlot(path, type);
    if (rung === "kernels") {
      const kernels = new Map<Segment, string>();
      for (const segment of segments) kernels.set(segment, await kernelsOf(program, device, segment));
      const list = segments.map((each) => ({ name: each.name, kernels: kernels.get(each) }));
      show({ segments: list }, () => segments.map(titled((each) => kernels.get(each) ?? "")).join("\n\n"));
    } else {
      const programs: Counted[] = [];
      for (const block of distinctBlocks(program)) programs.push(await count(program, device, block));
      show({ programs }, () => statsText(programs));
    }
  } finally {
    await device.dispose();
  }
  return DONE;
}

function titled(text: (segment: Segment) => string) {
  return (segment: Segment) => `${segment.name}:\n${text(segment)}`;
}

function onDevice({ slots }: Program, segment: Segment): Segment {
  return splitHost(segment, (path) => slots[path]?.host === true).device;
}

function shadersOf(program: Program, segment: Segment): string {
  const part = onDevice(program, segment);
  return part.outputs.length > 0 ? segmentWgsl(part) : "computed by the host";
}

async function kernelsOf(program: Program, device: Device, segment: Segment): Promise<string> {
  const part = onDevice(program, segment);
  return part.outputs.length > 0 ? (await device.prepare(part)).kernels : "computed by the host";
}

interface Counted extends Stats {
  readonly name: string;
  readonly kind: "train" | "eval";
  readonly parameters: number;
}

/** One whole step: its every-n segments count in full, so this is the most that one step costs. */
async function count(program: Program, device: Device, block: BlockAction): Promise<Counted> {
  const sum = { dispatches: 0, bytesRead: 0, bytesWritten: 0, flops: 0, peakBytes: 0 };
  for (const { segment } of block.step) {
    const part = onDevice(program, segment);
    if (part.outputs.length === 0) continue;
    const { stats } = await device.prepare(part);
    for (const key of ["dispatches", "bytesRead", "bytesWritten", "flops"] as const) sum[key] += stats[key];
    sum.peakBytes = Math.max(sum.peakBytes, stats.peakBytes);
  }
  const nodes = block.step.flatMap(({ segment }) => segment.outputs.map(({ node }) => node));
  const params = namesFrom(inputsBelow(nodes), "state").flatMap((path) => {
    const slot = program.slots[path];
    return slot?.kind === "param" ? [elements(slot.type)] : [];
  });
  return { name: block.name, kind: block.kind, ...sum, parameters: params.reduce((a, b) => a + b, 0) };
}

function statsText(programs: readonly Counted[]): string {
  const columns = [
    "name",
    "kind",
    "dispatches",
    "bytesRead",
    "bytesWritten",
    "flops",
    "peakBytes",
    "parameters",
  ] as const;
  const rows = [columns.map(String), ...programs.map((each) => columns.map((column) => String(each[column])))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const pad = (text: string, i: number) => (i < 2 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0));
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}
