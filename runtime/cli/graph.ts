/** `dlx graph`: the ladder from syntax tree to graph to kernels to counts. */
import type { Stats } from "../../gpu/device.ts";
import { BASE_BINDING, segmentKernels, segmentStats, segmentWgsl } from "../../gpu/index.ts";
import { tickSegments, type Program, type Segment, type TickPart } from "../../lang/program.ts";
import { renderDiagnostic } from "../../lang/render.ts";
import { segmentsOf } from "../actions.ts";
import { inputsBelow, namesFrom } from "../inputs.ts";
import { withoutPass } from "../passes.ts";
import { fieldsOf, fit, onHeldData, placesOf, type Held } from "../resident.ts";
import { elements } from "../state.ts";
import { splitHost } from "../segments.ts";
import { parseSets, UsageError, type Args } from "./args.ts";
import { tableName } from "../data/rows.ts";
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
  for (const diagnostic of diagnostics) {
    if (diagnostic.severity !== "note") io.stderr(`${renderDiagnostic(diagnostic, sources, { color: io.color })}\n`);
  }
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
  if (rung === "stats") {
    const programs = distinctBlocks(program).flatMap((block) => count(program, block));
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

function onDevice({ slots }: Program, segment: Segment, held: Held | undefined): Segment {
  return onHeldData(splitHost(segment, (path) => slots[path]?.host === true).device, held);
}

/** Where the batches of a block lie on a device with the base limits of WebGPU. */
function heldBy({ data, step, short }: BlockAction): Held | undefined {
  if (!data || data.rows < 0) return undefined;
  const fields = fieldsOf([...tickSegments(step), ...tickSegments(short)], data.rows);
  const room = { dataBytes: 4 * BASE_BINDING, fieldBytes: BASE_BINDING };
  return fit([...fields.values()], room) ? placesOf(tableName(data.plan), fields) : undefined;
}

function heldBySegment(program: Program): Map<string, Held | undefined> {
  const blocks = distinctBlocks(program);
  return new Map(
    blocks.flatMap((block) =>
      [...tickSegments(block.step), ...tickSegments(block.short)].map(({ name }) => [withoutPass(name), heldBy(block)]),
    ),
  );
}

interface Counted extends Stats {
  readonly name: string;
  readonly kind: "train" | "eval";
  /** Which of the block's steps: the full one, that of the last short batch, or what comes on every n-th step besides. */
  readonly step: string;
  readonly parameters: number;
}

const SUMS = ["dispatches", "bytesRead", "bytesWritten", "boundBytes", "flops"] as const;
const MOST = ["peakBytes", "liveBytes"] as const;

/** The steps of a block, each by itself. */
function count(program: Program, block: BlockAction): Counted[] {
  const held = heldBy(block);
  const row = (step: string, parts: readonly TickPart[]): Counted => {
    const sum = { dispatches: 0, bytesRead: 0, bytesWritten: 0, boundBytes: 0, flops: 0, peakBytes: 0, liveBytes: 0 };
    for (const segment of tickSegments(parts)) {
      const part = onDevice(program, segment, held);
      if (part.outputs.length === 0) continue;
      const stats = segmentStats(part);
      for (const key of SUMS) sum[key] += stats[key];
      for (const key of MOST) sum[key] = Math.max(sum[key], stats[key]);
    }
    const nodes = tickSegments(parts).flatMap(({ outputs }) => outputs.map(({ node }) => node));
    const params = namesFrom(inputsBelow(nodes), "state").flatMap((path) => {
      const slot = program.slots[path];
      return slot?.kind === "param" ? [elements(slot.type)] : [];
    });
    return { name: block.name, kind: block.kind, step, ...sum, parameters: params.reduce((a, b) => a + b, 0) };
  };
  const clocks = [...new Set(block.step.flatMap((part) => (part.every === undefined ? [] : [part.every])))];
  return [
    row(
      "full",
      block.step.filter((part) => part.every === undefined),
    ),
    ...(block.short
      ? [
          row(
            "short",
            block.short.filter((part) => part.every === undefined),
          ),
        ]
      : []),
    ...clocks.map((n) =>
      row(
        `every ${n}`,
        block.step.filter((part) => part.every === n),
      ),
    ),
  ].filter((each) => each.step === "full" || each.dispatches > 0);
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
