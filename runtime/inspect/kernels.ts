/**
 * What a device makes of a program, told without one: the kernels of every segment in the order in which they run, and
 * counts of every step before and after fusion. Batches lie where a run would put them.
 */
import type { DeviceInfo, Stats } from "../../gpu/device.ts";
import { BASE_BINDING, segmentCounts, segmentView, type KernelView, type SegmentView } from "../../gpu/index.ts";
import type { ViewedDevice } from "../../gpu/index.ts";
import { tickSegments, type Program, type Segment, type TickPart } from "../../lang/program.ts";
import type { Span } from "../../lang/source.ts";
import { segmentsOf } from "../actions.ts";
import { distinct, distinctBlocks, type BlockAction } from "../blocks.ts";
import { tableName } from "../data/rows.ts";
import { inputsBelow, namesFrom } from "../inputs.ts";
import { withoutPass } from "../passes.ts";
import { fieldsOf, fit, onHeldData, placesOf, type Held } from "../resident.ts";
import { splitHost } from "../segments.ts";
import { elements } from "../state.ts";
import { headOf, linesOf, ownPlaces } from "./lines.ts";

export interface SegmentKernels extends Omit<SegmentView, "kernels"> {
  readonly name: string;
  /** The train or eval block that it is a part of. */
  readonly block?: string;
  /** Nothing of it runs on the device. */
  readonly byHost: boolean;
  readonly kernels: readonly NamedKernel[];
}

export interface NamedKernel extends KernelView {
  /** `k0`, `k1`, … in its segment. */
  readonly name: string;
  /** Its kind and sizes in a line. */
  readonly title: string;
  /** Of its spans those in the script; the library's where there are none. */
  readonly places: readonly Span[];
  /** `digits.dlx:4,7-9`. */
  readonly lines: string;
}

/** `given`: segments as a running device was given them; the others are as they would be. */
export function kernelsOf(
  program: Program,
  device: ViewedDevice = "webgpu",
  given: ReadonlyMap<Segment, Segment> = new Map(),
): SegmentKernels[] {
  const held = heldBySegment(program);
  const blocks = blockBySegment(program);
  const script = program.sources[0]?.file ?? "";
  const all = segmentsOf(program.body);
  const seen = new Map(all.flatMap((segment) => (given.has(segment) ? [[withoutPass(segment.name), segment]] : [])));
  return distinct(all).map((segment): SegmentKernels => {
    const { name } = segment;
    const block = blocks.get(name);
    const of = block === undefined ? { name } : { name, block };
    const part = given.get(seen.get(name) ?? segment) ?? onDevice(program, segment, held.get(name));
    if (part.outputs.length === 0) return { ...of, byHost: true, kernels: [], calls: [] };
    const { kernels, calls } = segmentView(part, device);
    const named = kernels.map((kernel, i): NamedKernel => ({
      name: `k${i}`,
      title: headOf(kernel.text),
      places: ownPlaces(kernel.spans, script),
      lines: linesOf(kernel.spans, program.sources, script),
      ...kernel,
    }));
    return { ...of, byHost: false, kernels: named, calls };
  });
}

export function viewedDevice({ kind, name }: DeviceInfo): ViewedDevice {
  if (kind === "cpu") return "cpu";
  return name.includes("software") ? "webgpu software" : "webgpu";
}

/** The part of a segment that a device computes. */
export function onDevice({ slots }: Program, segment: Segment, held: Held | undefined): Segment {
  return onHeldData(splitHost(segment, (path) => slots[path]?.host === true).device, held);
}

/** Where the batches of a block lie on a device with the base limits of WebGPU. */
function heldBy({ data, step, short }: BlockAction): Held | undefined {
  if (!data || data.rows < 0) return undefined;
  const fields = fieldsOf([...tickSegments(step), ...tickSegments(short)], data.rows);
  const room = { dataBytes: 4 * BASE_BINDING, fieldBytes: BASE_BINDING };
  return fit([...fields.values()], room) ? placesOf(tableName(data.plan), fields) : undefined;
}

export function heldBySegment(program: Program): Map<string, Held | undefined> {
  return bySegment(program, heldBy);
}

const blockBySegment = (program: Program): Map<string, string> => bySegment(program, ({ name }) => name);

function bySegment<T>(program: Program, valueOf: (block: BlockAction) => T): Map<string, T> {
  return new Map(
    distinctBlocks(program).flatMap((block) => {
      const value = valueOf(block);
      return [...tickSegments(block.step), ...tickSegments(block.short)].map(({ name }): readonly [string, T] => [
        withoutPass(name),
        value,
      ]);
    }),
  );
}

// ---------------------------------------------------------------- counts

export interface Counted extends Stats {
  readonly name: string;
  readonly kind: "train" | "eval";
  /** Which of the block's steps: the full one, that of the last short batch, or what comes on every n-th step besides. */
  readonly step: string;
  readonly parameters: number;
  /** What it runs, by name. */
  readonly segments: readonly string[];
}

const SUMS = ["dispatches", "bytesRead", "bytesWritten", "boundBytes", "flops"] as const;
const MOST = ["peakBytes", "liveBytes"] as const;

/** Every step of every block; `fused: false` counts them as they would be with each operation a kernel. */
export function countsOf(program: Program, device: ViewedDevice = "webgpu", fused = true): Counted[] {
  return distinctBlocks(program).flatMap((block) => countsOfBlock(program, block, device, fused));
}

function countsOfBlock(program: Program, block: BlockAction, device: ViewedDevice, fused: boolean): Counted[] {
  const held = heldBy(block);
  const row = (step: string, parts: readonly TickPart[]): Counted => {
    const sum = { dispatches: 0, bytesRead: 0, bytesWritten: 0, boundBytes: 0, flops: 0, peakBytes: 0, liveBytes: 0 };
    for (const segment of tickSegments(parts)) {
      const part = onDevice(program, segment, held);
      if (part.outputs.length === 0) continue;
      const stats = segmentCounts(part, device, fused);
      for (const key of SUMS) sum[key] += stats[key];
      for (const key of MOST) sum[key] = Math.max(sum[key], stats[key]);
    }
    const nodes = tickSegments(parts).flatMap(({ outputs }) => outputs.map(({ node }) => node));
    const params = namesFrom(inputsBelow(nodes), "state").flatMap((path) => {
      const slot = program.slots[path];
      return slot?.kind === "param" ? [elements(slot.type)] : [];
    });
    const parameters = params.reduce((a, b) => a + b, 0);
    const segments = tickSegments(parts).map(({ name }) => withoutPass(name));
    return { name: block.name, kind: block.kind, step, ...sum, parameters, segments };
  };
  const on = (parts: readonly TickPart[], every?: number) => parts.filter((part) => part.every === every);
  const clocks = [...new Set(block.step.flatMap((part) => (part.every === undefined ? [] : [part.every])))];
  return [
    row("full", on(block.step)),
    ...(block.short ? [row("short", on(block.short))] : []),
    ...clocks.map((n) => row(`every ${n}`, on(block.step, n))),
  ].filter((each) => each.step === "full" || each.dispatches > 0);
}
