/**
 * A device that is full, as a message: what needed how much, and the largest batch that fits. The need of a step is
 * taken as linear in the rows of its batch. Two batch sizes that are both prepared (the full and the short one) give
 * the line; with one, what does not grow with the batch is held to be as large as it may be, so the answer is safe.
 */
import { MemoryError } from "../gpu/memory-error.ts";
import type { Diagnostic } from "../lang/diagnostic.ts";
import { memoryFull, type Need } from "../lang/errors/running.ts";
import { topological } from "../lang/graph/index.ts";
import { tickSegments, type Action, type Eval, type Program, type Segment, type Train } from "../lang/program.ts";
import type { Context } from "./context.ts";
import { refOf } from "./inputs.ts";
import { commitsOf } from "./segments.ts";
import { elements, typeText } from "./state.ts";

/** Places of buffers shift a little with their sizes. */
const MARGIN = 0.02;

type Computing = Extract<Action, { kind: "compute" }> | Train | Eval;

/** Undefined when the error is another. */
export async function fullMemory(context: Context, action: Computing, error: unknown): Promise<Diagnostic | undefined> {
  if (!(error instanceof MemoryError)) return undefined;
  const segments = action.kind === "compute" ? [action.segment] : tickSegments(action.step);
  const { need, limit } = error;
  const shared = { need, limit, device: context.device.info.name, largest: largestOf(segments) };
  if (action.kind === "compute") return memoryFull("this", shared, shared.largest?.span);
  const what = action.kind === "train" ? "a step of this block" : "a batch of this block";
  if (!action.data) return memoryFull(what, shared, action.span);
  const batch = { size: action.data.size, fits: await mostRows(context, action, action.data.size, error) };
  return memoryFull(what, { ...shared, batch }, action.span);
}

/** Of the slots, before anything runs. */
export function fullOfSlots(program: Program, device: string, error: unknown): Diagnostic | undefined {
  if (!(error instanceof MemoryError)) return undefined;
  const [largest] = Object.values(program.slots).sort((a, b) => elements(b.type) - elements(a.type));
  if (!largest) return undefined;
  const { type, span, path } = largest;
  const need = Object.values(program.slots).reduce((sum, slot) => sum + 4 * elements(slot.type), 0);
  const { limit } = error;
  const named = { type: `\`${path}\`, ${typeText(type)}`, bytes: 4 * elements(type) };
  return memoryFull(
    "what this program keeps",
    { need: Math.max(need, error.need), limit, device, largest: named },
    span,
  );
}

async function mostRows(
  context: Context,
  block: Train | Eval,
  size: number,
  { need, limit }: MemoryError,
): Promise<number | undefined> {
  const peak = async (list: Train["short"]): Promise<number | undefined> => {
    const peaks: number[] = [];
    for (const segment of tickSegments(list)) {
      try {
        const { segments } = context;
        const { prepared } = await (segments.known(segment) ?? segments.ready(segment));
        peaks.push(prepared?.stats.peakBytes ?? 0);
      } catch (error) {
        // the device was full before this segment was ready
        if (error instanceof MemoryError) return undefined;
        throw error;
      }
    }
    return peaks.length > 0 ? Math.max(...peaks) : undefined;
  };
  const segments = tickSegments(block.step);
  const full = await peak(block.step);
  if (full === undefined) return undefined;
  const short = await peak(block.short);
  const left = (block.data?.rows ?? 0) % size;
  const perRow =
    short !== undefined && left > 0
      ? (full - short) / (size - left)
      : (full - Math.min(full, outside(context, segments))) / size;
  if (perRow <= 0) return undefined;
  const staged = segments.reduce((sum, segment) => sum + bytesOf(context, commitsOf(segment)), 0);
  const over = Math.max(need, full) + staged - limit * (1 - MARGIN);
  return Math.max(0, Math.min(size - 1, Math.floor(size - over / perRow)));
}

/** At most what a segment needs whatever its batch: slots, their next values, gradients, whole columns and constants. */
function outside(context: Context, segments: readonly Segment[]): number {
  let bytes = 0;
  for (const segment of segments) {
    const paths = new Set(commitsOf(segment));
    for (const node of topological(segment.outputs.map((output) => output.node))) {
      if (node.op === "const" || node.op === "iota") bytes += 4 * elements(node.type);
      if (node.op !== "input") continue;
      const { source, name } = refOf(node);
      if (source === "state") paths.add(name);
      if (source === "column") bytes += 4 * elements(node.type);
    }
    const params = [...paths].filter((path) => context.state.slot(path).kind === "param");
    bytes += 2 * bytesOf(context, [...paths]) + bytesOf(context, params);
  }
  return bytes;
}

function bytesOf(context: Context, paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + 4 * elements(context.state.slot(path).type), 0);
}

function largestOf(segments: readonly Segment[]): Need["largest"] {
  const nodes = topological(segments.flatMap(({ outputs }) => outputs.map(({ node }) => node)));
  const computed = nodes.filter(({ op }) => op !== "input" && op !== "expand" && op !== "iota" && op !== "loop");
  const [largest] = computed.sort((a, b) => elements(b.type) - elements(a.type));
  if (!largest) return undefined;
  const user = largest.span?.file.startsWith("stdlib/") ? undefined : largest.span;
  return { type: typeText(largest.type), bytes: 4 * elements(largest.type), span: user };
}
