/**
 * A program that checks also runs: two steps of each block on `cpu` and on `reference`, from the same seed, with the
 * same events, metrics and state, or the same message to the user. What would cost too much is not run.
 */
import { CpuDevice } from "../../gpu/cpu.ts";
import type { Device, Numbers, Prepared } from "../../gpu/device.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { evaluate, make, remake, rewrite, topological } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import type { Action, Program, Segment, SourceRef, TickPart } from "../../lang/program.ts";
import type { Host } from "../../runtime/host.ts";
import { createSession, type RunEvent } from "../../runtime/index.ts";
import { nodeHost } from "../../runtime/node.ts";
import { isAbsent, kindOf, type Failure } from "./judge.ts";

const STEPS = 2;
/** Numbers that the interpreter computes in a few seconds. */
const AFFORDABLE = 4e6;
/** Rows of a set that is drawn, or of an epoch. */
const MOST_ROWS = 300_000;
const TOLERANCE = 1e-3;
const NOISE = 2 ** -24;

/** Saves nothing, and finds no file. */
const host: Host = { ...nodeHost({ scriptFolder: "/nowhere" }), save: async (file) => file };

export type Ran = { readonly failure?: Failure } | "too large";

export async function runBoth(program: Program): Promise<Ran> {
  const sources = sourcesIn(program.plans);
  if (sources.some(({ name }) => isAbsent(name)) || Math.max(...sources.map(rowsDrawn)) > MOST_ROWS) return "too large";
  const slots = Object.values(program.slots).reduce((sum, { type }) => sum + elements(type.shape), 0);
  if (!(slots < AFFORDABLE && costOfAll(program.body) < AFFORDABLE)) return "too large";
  const [cpu, reference] = [await runOn(new CpuDevice(), program), await runOn(new ReferenceDevice(), program)];
  const thrown = cpu.thrown ?? reference.thrown;
  if (thrown !== undefined) {
    const where = cpu.thrown === undefined ? "reference" : "cpu";
    return { failure: { kind: `run on ${where} throws ${kindOf(thrown)}`, message: textOf(thrown) } };
  }
  const difference = compare(cpu, reference);
  if (difference === undefined) return {};
  // What the noise of 32 bits changes too (the inverse of what has none) is no number that a device could be held to.
  if (compare(await runOn(new NoisyReference(), program), reference) !== undefined) return {};
  return { failure: { kind: "cpu against reference", message: difference } };
}

const textOf = (thrown: unknown): string =>
  thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);

// ---------------------------------------------------------------- what it costs

const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const costs = new WeakMap<Node, number>();
function costOf(node: Node): number {
  const known = costs.get(node);
  if (known !== undefined) return known;
  const { op, attrs, inputs, type } = node;
  const body = attrs["body"] as { readonly results: readonly Node[] } | undefined;
  let cost = elements(type.shape);
  for (const { type: input } of inputs) cost += elements(input.shape);
  if (op === "dot") cost += Math.sqrt(inputs.reduce((product, input) => product * elements(input.type.shape), cost));
  if (body !== undefined) cost += Math.max(1, Number(attrs["count"])) * costOfNodes(body.results);
  costs.set(node, cost);
  return cost;
}
const costOfNodes = (nodes: readonly Node[]): number => topological(nodes).reduce((sum, node) => sum + costOf(node), 0);

function costOfTick(parts: readonly TickPart[]): number {
  return parts.reduce((sum, part) => {
    if ("segment" in part) return sum + costOfNodes(part.segment.outputs.map(({ node }) => node));
    return sum + 10 * costOfTick(part.step);
  }, 0);
}

function costOfAll(actions: readonly Action[]): number {
  return actions.reduce((sum, action): number => {
    if ("data" in action && (action.data?.rows ?? 0) > MOST_ROWS) return Infinity;
    switch (action.kind) {
      case "compute":
        return sum + costOfNodes(action.segment.outputs.map(({ node }) => node));
      case "train":
        return sum + STEPS * (costOfTick(action.step) + costOfAll(action.sinks) + costOfReactions(action));
      case "eval":
        return sum + Math.ceil((action.data?.rows ?? 1) / (action.data?.size ?? 1)) * costOfTick(action.step);
      case "run":
      case "when":
        return sum + costOfAll(action.body);
      default:
        return sum;
    }
  }, 0);
}
const costOfReactions = ({ reactions }: Extract<Action, { kind: "train" }>): number =>
  reactions.reduce((sum, { body }) => sum + costOfAll(body), 0);

// ---------------------------------------------------------------- running

interface Outcome {
  readonly events: readonly RunEvent[];
  readonly state: Readonly<Record<string, Numbers>>;
  readonly thrown?: unknown;
}

async function runOn(device: Device, program: Program): Promise<Outcome> {
  const events: RunEvent[] = [];
  const state: Record<string, Numbers> = {};
  try {
    const session = createSession({ program, device, host, math: evaluate, maxSteps: STEPS, every: 1, now: () => 0 });
    session.events$.subscribe((event) => events.push(event));
    session.play();
    await session.done;
    for (const path of Object.keys(program.slots)) state[path] = await device.readSlot(path);
    return { events, state };
  } catch (thrown) {
    return { events, state, thrown };
  } finally {
    await device.dispose();
  }
}

/** The reference, with each number changed as if it were rounded to 32 bits. */
class NoisyReference extends ReferenceDevice {
  override prepare(segment: Segment): Promise<Prepared> {
    const nodes = rewrite(
      segment.outputs.map(({ node }) => node),
      (node, inputs) => {
        const { op, type } = node;
        const same = remake(node, inputs);
        if (type.dtype !== "f32" || op === "const" || op === "loop") return same;
        const values = Float64Array.from({ length: elements(type.shape) }, (_, i) => 1 + NOISE * Math.cos(i + 1));
        return make("mul", [same, make("const", [], { values: [...values], shape: type.shape, dtype: "f32" })], {});
      },
    );
    return super.prepare({ ...segment, outputs: segment.outputs.map((output, i) => ({ ...output, node: nodes[i]! })) });
  }
}

// ---------------------------------------------------------------- comparing

/** The first difference in words. */
function compare(cpu: Outcome, reference: Outcome): string | undefined {
  const [a, b] = [mistakesOf(cpu.events), mistakesOf(reference.events)];
  // A float of 32 bits has a smallest and a largest number, so a NaN may come on one device only; what led there is not compared.
  if (a !== b) return overflows(a, b) ? undefined : `messages ${a} against ${b}`;
  if (a !== "") return undefined;
  const [left, right] = [metricsOf(cpu.events), metricsOf(reference.events)];
  if (left.length !== right.length) return `${left.length} events against ${right.length}`;
  for (const [i, [name, values]] of left.entries()) {
    const [other, expected] = right[i]!;
    if (name !== other) return `event ${i} is ${name} against ${other}`;
    const wrong = apart(values, expected);
    if (wrong !== undefined) return `${name}: ${wrong}`;
  }
  for (const [path, values] of Object.entries(cpu.state)) {
    const wrong = apart(values, reference.state[path]!);
    if (wrong !== undefined) return `state ${path}: ${wrong}`;
  }
  return undefined;
}

const overflows = (a: string, b: string): boolean => [a, b].includes("") && /^DLX0701/.test(a + b);

const mistakesOf = (events: readonly RunEvent[]): string =>
  events
    .flatMap((e) => (e.event === "error" ? [`${e.diagnostic.code} ${e.diagnostic.labels[0]?.span.start}`] : []))
    .join();

function metricsOf(events: readonly RunEvent[]): [string, number[]][] {
  return events.flatMap((e): [string, number[]][] => {
    if (!("metrics" in e)) return e.event === "start" ? [] : [[e.event, []]];
    return Object.entries(e.metrics).map(([name, value]) => [
      `${e.event} ${name}`,
      [value].flat(9).map((v) => v ?? 0) as number[],
    ]);
  });
}

function apart(got: ArrayLike<number>, expected: ArrayLike<number>): string | undefined {
  if (got.length !== expected.length) return `${got.length} numbers against ${expected.length}`;
  let scale = 1;
  for (let i = 0; i < expected.length; i++)
    if (Number.isFinite(expected[i]!)) scale = Math.max(scale, Math.abs(expected[i]!));
  for (let i = 0; i < got.length; i++) {
    const [x, y] = [got[i]!, expected[i]!];
    if (Object.is(x, y) || Math.abs(x - y) <= TOLERANCE * scale) continue;
    // Beyond what 32 bits hold.
    if (Math.abs(y) > 1e30 || (Number.isNaN(x) && Number.isNaN(y)) || scale > 1e30) continue;
    return `${x} against ${y} at ${i} of ${got.length}`;
  }
  return undefined;
}

// ---------------------------------------------------------------- what it reads

function sourcesIn(value: unknown): SourceRef[] {
  if (value === null || typeof value !== "object") return [];
  const own = "name" in value && "args" in value ? [value as SourceRef] : [];
  return [...own, ...Object.values(value).flatMap(sourcesIn)];
}

const rowsDrawn = ({ args }: SourceRef): number => Math.max(0, ...Object.values(args).filter(isNumber));
const isNumber = (arg: unknown): arg is number => typeof arg === "number";
