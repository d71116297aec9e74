/** One look at a probe: the view that fits where the run stands, its segment on the device, and its parts with numbers. */
import type { Numbers } from "../gpu/device.ts";
import type { DType } from "../lang/graph/node.ts";
import type { Probe, ProbePart, ProbeTensor, ProbeView } from "../lang/probe.ts";
import type { Segment } from "../lang/program.ts";
import { sampleInputs, scalars, scopeOf, type Context } from "./context.ts";
import { inputsBelow, refOf } from "./inputs.ts";
import type { Fed } from "./present.ts";
import type { ProbedPart, ProbeState } from "./probes.ts";
import { onHeldData, ROWS } from "./resident.ts";
import { elements, typeText } from "./state.ts";
import { statsOf } from "./stats.ts";
import type { Values } from "./windows.ts";

type None = Extract<ProbeState, { kind: "none" }>;
const waiting = (why: string): None => ({ kind: "none", reason: "waiting", why });
const gone = (why: string): None => ({ kind: "none", reason: "gone", why });

interface Chosen {
  readonly view: ProbeView;
  readonly fed?: Fed;
}

export async function look(
  context: Context,
  probe: Probe,
  limit: number,
  uses: (segment: Segment) => void,
  rows?: Fed["given"],
): Promise<{ readonly state: ProbeState; readonly fixed: boolean }> {
  const given = rows && { place: 0, scalars: scalars(context), given: rows };
  const chosen = choose(context, probe, given);
  if ("kind" in chosen) return { state: chosen, fixed: false };
  const { view, fed } = chosen;
  const missing = missingIn(context, view, fed);
  if (missing) return { state: missing, fixed: false };
  let fetched: Readonly<Record<string, Numbers>> = {};
  if (view.segment.outputs.length > 0) {
    uses(view.segment);
    const ran = await run(context, view.segment, fed);
    if (!ran) return { state: waiting("the device does not go on"), fixed: false };
    fetched = ran;
  }
  const parts: ProbedPart[] = [];
  for (const part of view.parts) parts.push(await probed(context, view, part, fetched, limit, fed));
  const { step, epoch } = context.at;
  const { clock, block } = view;
  return { state: { kind: "value", step, epoch, clock, block, parts }, fixed: view.fixed };
}

// ---------------------------------------------------------------- which view

/** Of the views whose place was reached those of a training come first, and of two blocks the one that began later. */
function choose(context: Context, { views }: Probe, given?: Fed): Chosen | None {
  const order = [...context.present.keys()];
  const age = ({ block }: ProbeView): number => (block === undefined ? 0 : order.indexOf(block));
  const recent = views
    .map((view, i) => ({ view, i }))
    .sort((a, b) => (a.view.clock === b.view.clock ? age(b.view) - age(a.view) : 0) || a.i - b.i);
  const reasons: string[] = [];
  let best: Chosen | undefined;
  for (const { view } of recent) {
    // Views of one clock differ in their batches: the one that ran last is shown.
    if (best && (view.clock !== best.view.clock || view.block !== best.view.block || !best.fed)) break;
    if (isKnown(view)) return { view };
    const run = context.pass.nth ?? lastRun(views, view);
    if (view.clock === "top" && view.run !== undefined && view.run !== run) continue;
    const present = view.block === undefined ? undefined : context.present.get(view.block);
    if (view.block !== undefined && !present) {
      reasons.push(`\`${view.block}\` has not begun`);
      continue;
    }
    if (view.after.some((name) => !context.ran.has(name))) {
      reasons.push("its line is not reached yet");
      continue;
    }
    const fed = view.tick === undefined ? undefined : (given ?? present?.fed(view.tick));
    if (view.tick !== undefined && !fed) reasons.push("no batch of its size was seen yet");
    else if (!best?.fed || (fed && fed.place > best.fed.place)) best = { view, fed };
  }
  return best ?? waiting(reasons[0] ?? "its line is not reached yet");
}

/** Behind all passes the last one is shown. */
function lastRun(views: readonly ProbeView[], { clock }: ProbeView): number {
  return Math.max(...views.flatMap((view) => (view.clock === clock && view.run !== undefined ? [view.run] : [])));
}

const isKnown = ({ parts }: ProbeView): boolean => parts.every(({ kind }) => kind !== "tensor" && kind !== "host");

/** A view of a program that was left. */
function missingIn({ program }: Context, { segment, parts }: ProbeView, fed: Fed | undefined): None | undefined {
  const hosts = parts.flatMap((part) => (part.kind === "host" ? [part.node] : []));
  const inputs = inputsBelow([...segment.outputs, ...segment.host].map(({ node }) => node).concat(hosts));
  for (const input of inputs) {
    const { source, name } = refOf(input);
    if (source === "state") {
      const slot = program.slots[name];
      if (!slot || typeText(slot.type) !== typeText(input.type)) return gone(`the program has no \`${name}\` any more`);
    }
    const known = (wanted: string) => program.inputs.some((each) => each.name === wanted);
    if (source === "scalar" && name.startsWith("input:") && !known(name.slice(6)))
      return gone(`the program has no input \`${name.slice(6)}\` any more`);
    if (source !== "batch" || !fed) continue;
    if (fed.given && fed.given[name]?.length !== elements(input.type))
      throw new Error(`expected ${elements(input.type)} numbers of \`${name}\`, got ${fed.given[name]?.length}`);
    if (!fed.given && fed.slice?.rows.length !== input.type.shape[0]) return gone("batches have another size now");
  }
  return undefined;
}

// ---------------------------------------------------------------- numbers

/** Undefined when the device is halted. */
async function run(context: Context, segment: Segment, fed: Fed | undefined) {
  const { data, segments, state, pass } = context;
  await data.openColumns([segment], pass.seed);
  const ready = await segments.ready(segment, fed?.held);
  await state.need(ready.reads);
  const given = fed ? { ...fed.scalars, ...sampleInputs(context) } : scalars(context);
  const { fetched, skipped } = await segments.start(ready, given, fed && batchOf(segment, fed)).result;
  return skipped ? undefined : fetched;
}

/** Fields that the training does not read do not lie on the device. */
function batchOf(segment: Segment, { slice, rows, held, given }: Fed): Readonly<Record<string, Numbers>> {
  if (given) return given;
  const batch: Record<string, Numbers> = {};
  if (!slice || !rows) return batch;
  for (const input of inputsBelow(onHeldData(segment, held).outputs.map(({ node }) => node))) {
    const { source, name } = refOf(input);
    if (source !== "batch") continue;
    batch[name] = name === ROWS ? Int32Array.from(slice.rows) : rows.gather(name, slice.rows);
  }
  return batch;
}

async function probed(
  context: Context,
  view: ProbeView,
  part: ProbePart,
  fetched: Readonly<Record<string, Numbers>>,
  limit: number,
  fed: Fed | undefined,
): Promise<ProbedPart> {
  const { name } = part;
  switch (part.kind) {
    case "text":
      return part;
    case "refused":
      return { kind: "none", name, why: part.why };
    case "numbers":
      return tensor(part, part.values, limit);
    case "tensor":
      return tensor(part, fetched[part.fetch]!, limit);
    case "host": {
      const present = view.block === undefined ? undefined : context.present.get(view.block);
      const now = fed ? { ...fed.scalars, ...sampleInputs(context) } : scalars(context);
      const scope = { ...scopeOf(context), scalars: now, fold: (fold: string) => present?.fold(fold) };
      const found = await context.values.evaluate(part.node, scope);
      return found ? tensor(part, found, limit) : { kind: "none", name, why: "it is not measured yet" };
    }
  }
}

export function tensor(described: ProbeTensor, values: Values, limit: number): ProbedPart {
  const { name, dtype, shape, axes, classes, labels } = described;
  const length = Math.min(limit, values.length);
  const own = dtype === "f32" ? new Float32Array(length) : new Int32Array(length);
  for (let i = 0; i < length; i++) own[i] = values[i]!;
  return { kind: "tensor", name, dtype, shape, axes, classes, labels, values: own, stats: statsOf(values) };
}

/** A data set does not change while its program runs. */
export function lookAtRows(
  context: Context,
  { block, fields, most }: { readonly block: string; readonly fields: readonly string[]; readonly most: number },
): { readonly state: ProbeState; readonly fixed: boolean } {
  const rows = context.present.get(block)?.rows;
  if (!rows) return { state: waiting(`\`${block}\` has not begun`), fixed: false };
  const some = rows.order(1).slice(0, most);
  const parts = fields.map((name) => {
    const values = rows.gather(name, some);
    const shape = [some.length, ...(values.length === some.length ? [] : [values.length / some.length])];
    const dtype = values instanceof Float32Array ? ("f32" as const) : ("i32" as const);
    return tensor({ name, dtype, shape, axes: shape.map(() => undefined) }, values, values.length);
  });
  const { step, epoch } = context.at;
  return { state: { kind: "value", step, epoch, clock: "data", block, parts }, fixed: true };
}

export async function lookAtSlots(context: Context, paths: readonly string[], limit: number): Promise<ProbeState> {
  const parts: ProbedPart[] = [];
  for (const path of paths) {
    const slot = context.program.slots[path];
    if (!slot) {
      parts.push({ kind: "none", name: path, why: "the program has no such slot" });
      continue;
    }
    const { dtype, shape } = slot.type as { dtype: DType; shape: readonly number[] };
    const described = { name: path, dtype, shape, axes: shape.map(() => undefined) };
    const values = await context.state.read(path);
    if (values.length !== elements(slot.type)) throw new Error(`expected ${elements(slot.type)} numbers of ${path}`);
    parts.push(tensor(described, values, limit));
  }
  const { step, epoch } = context.at;
  return { kind: "value", step, epoch, clock: "slots", parts };
}
