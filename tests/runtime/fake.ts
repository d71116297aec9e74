/** A tiny graph, device and host for tests of the session: a dozen ops, elementwise or over a whole tensor. */
import type { Device, Feeds, Numbers, Prepared, RunResult } from "../../gpu/device.ts";
import type { Attrs, InputSource, Node, Type } from "../../lang/graph/node.ts";
import type { Action, Batches, HostValue, Output, Part, Program, Segment, Slot, Train } from "../../lang/program.ts";
import { UserError } from "../../lang/diagnostic.ts";
import type { Span } from "../../lang/source.ts";
import type { FileTensor, Host, HostMath, Rows } from "../../runtime/host.ts";
import { createSession, type Session, type SessionOptions } from "../../runtime/session.ts";
import type { RunEvent } from "../../runtime/events.ts";

// ---------------------------------------------------------------- graphs

export const at: Span = { file: "test.dlx", start: 0, end: 4 };
const f32 = (shape: readonly number[] = []): Type => ({ dtype: "f32", shape });
let ids = 0;
function node(op: string, inputs: readonly Node[], attrs: Attrs = {}, type: Type = inputs[0]?.type ?? f32()): Node {
  return { id: ++ids, op, inputs, attrs, type };
}
export const num = (value: number) => node("const", [], { value });
export const input = (source: InputSource, name: string, shape: readonly number[] = []) =>
  node("input", [], { source, name }, f32(shape));
export const state = (name: string, shape?: readonly number[]) => input("state", name, shape);
export const scalar = (name: string) => input("scalar", name);
export const fold = (name: string, shape?: readonly number[]) => input("fold", name, shape);
export const add = (a: Node, b: Node) => node("add", [a, b]);
export const mul = (a: Node, b: Node) => node("mul", [a, b]);
export const div = (a: Node, b: Node) => node("div", [a, b]);
export const lt = (a: Node, b: Node) => node("lt", [a, b], {}, { dtype: "bool", shape: [] });
export const le = (a: Node, b: Node) => node("le", [a, b], {}, { dtype: "bool", shape: [] });
export const mean = (a: Node) => node("mean", [a], {}, f32());

const binary: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
};

export const math: HostMath = (outputs, lookup) => {
  const value = (n: Node): number[] => {
    if (n.op === "const") return [Number(n.attrs.value)];
    if (n.op === "input") return Array.from(lookup(n));
    const [a = [], b = []] = n.inputs.map(value);
    if (n.op === "mean") return [a.reduce((s, x) => s + x, 0) / a.length];
    const f = binary[n.op];
    if (!f) throw new Error(`fake math: expected a known op, got ${n.op}`);
    return a.map((x, i) => f(x, b[b.length === 1 ? 0 : i] ?? NaN));
  };
  return outputs.map(value);
};

// ---------------------------------------------------------------- device

export class FakeDevice implements Device {
  readonly info = { kind: "cpu", name: "fake", threads: 1, features: [], dataBytes: 0, fieldBytes: 0 } as const;
  readonly slots = new Map<string, Float64Array>();
  /** Every run with its scalars and the rows of its batch. */
  readonly log: { name: string; scalars: Feeds["scalars"]; rows?: number[]; skipped: boolean }[] = [];
  /** Runs wait in a queue, as on a device that computes on its own. */
  readonly queued: boolean;
  private halted = false;
  private queue: Promise<unknown> = Promise.resolve();
  private readonly segments = new Map<string, Segment>();

  constructor(queued = false) {
    this.queued = queued;
  }
  createSlot(path: string, type: Type): void {
    this.slots.set(path, new Float64Array(type.shape.reduce((n, s) => n * s, 1)));
  }
  dropSlot(path: string): void {
    this.slots.delete(path);
  }
  writeSlot(path: string, value: number | ArrayLike<number>): void {
    const slot = this.slots.get(path);
    if (!slot) throw new Error(`no slot ${path}`);
    if (typeof value === "number") slot.fill(value);
    else slot.set(value);
  }
  async readSlot(path: string): Promise<Numbers> {
    await this.queue;
    return Float64Array.from(this.slots.get(path) ?? []);
  }
  async prepare(segment: Segment): Promise<Prepared> {
    this.segments.set(segment.name, segment);
    const stats = {
      dispatches: 1,
      bytesRead: 8,
      bytesWritten: 4,
      boundBytes: 12,
      flops: 2,
      peakBytes: 16,
      liveBytes: 16,
    };
    return { name: segment.name, stats, kernels: `kernel ${segment.name}` };
  }
  run(prepared: Prepared, feeds: Feeds): Promise<RunResult> {
    if (!this.queued) return Promise.resolve(this.now(prepared.name, feeds));
    const result = this.queue.then(() => this.now(prepared.name, feeds));
    this.queue = result.then(() => new Promise((resolve) => setImmediate(resolve)));
    return result;
  }
  release(): void {}
  resume(): void {
    this.halted = false;
  }
  async dispose(): Promise<void> {
    await this.queue;
  }

  private now(name: string, feeds: Feeds): RunResult {
    const segment = this.segments.get(name);
    if (!segment) throw new Error(`not prepared: ${name}`);
    const rows = feeds.batch?.x && Array.from(feeds.batch.x);
    this.log.push({ name, scalars: feeds.scalars, rows, skipped: this.halted });
    if (this.halted) return { fetched: {}, halted: false, skipped: true };
    const lookup = (n: Node): ArrayLike<number> => {
      const key = String(n.attrs.name);
      const source = String(n.attrs.source);
      const found =
        source === "state" ? this.slots.get(key)
        : source === "batch" ? feeds.batch?.[key]
        : [feeds.scalars[key] ?? NaN]; // prettier-ignore
      if (!found) throw new Error(`no ${source} ${key}`);
      return found;
    };
    const values = math(
      segment.outputs.map((o) => o.node),
      lookup,
    );
    const fetched: Record<string, Numbers> = {};
    const commits: (() => void)[] = [];
    let halted = false;
    for (const [i, { role }] of segment.outputs.entries()) {
      const value = Float64Array.from(values[i] ?? []);
      if (role.kind === "finite" && !value.every(Number.isFinite))
        return { fetched: {}, halted: false, skipped: false, failed: role };
      if (role.kind === "fetch") fetched[role.name] = value;
      if (role.kind === "commit") commits.push(() => this.writeSlot(role.path, value));
      if (role.kind === "halt") halted = value[0] !== 0;
    }
    for (const commit of commits) commit();
    this.halted = halted;
    return { fetched, halted, skipped: false };
  }
}

// ---------------------------------------------------------------- programs

export const commit = (path: string, n: Node): Output => ({ node: n, role: { kind: "commit", path } });
export const fetch = (name: string, n: Node): Output => ({ node: n, role: { kind: "fetch", name } });
export const halt = (n: Node): Output => ({ node: n, role: { kind: "halt" } });
export const finite = (what: string, n: Node): Output => ({ node: n, role: { kind: "finite", what, span: at } });
export const segment = (name: string, outputs: Output[], host: Segment["host"] = []): Segment => ({
  name,
  outputs,
  host,
});

export const slot = (path: string, more: Partial<Slot> = {}): Slot => ({ path, type: f32(), kind: "state", ...more });
export const shown = (n: Node): HostValue => ({ kind: "node", node: n });
export const print = (...parts: (string | Node | Part)[]): Action => ({
  kind: "print",
  items: [parts.map((p) => (typeof p === "object" && "op" in p ? { value: shown(p) } : p))],
  folds: [],
  span: at,
});
export const when = (cond: Node, ...body: Action[]): Action => ({ kind: "when", cond, body, span: at });
export const stop: Action = { kind: "stop", span: at };

export function train(more: Partial<Train>): Train {
  return {
    kind: "train",
    name: "train1",
    limit: { unit: "steps", count: 3 },
    step: [],
    folds: [],
    report: [],
    watches: [],
    sinks: [],
    reactions: [],
    span: at,
    ...more,
  };
}

/** Rows 0 .. rows - 1 of a field `x` that holds the row number; epoch e begins at row e - 1. */
export function batches(rows: number, size: number, dropLast = false): Batches {
  const plan = { op: "source", source: { name: "count", args: { rows }, span: at } } as const;
  return { plan, size, dropLast, rows, fields: ["x"] };
}

export function program(
  body: readonly Action[],
  more: Partial<Omit<Program, "slots">> & { slots?: Slot[] } = {},
): Program {
  const { slots = [], ...rest } = more;
  const byPath = Object.fromEntries(slots.map((s) => [s.path, s]));
  return { sources: [], seed: 7, inputs: [], instances: {}, plans: {}, body, tests: [], ...rest, slots: byPath };
}

export class FakeHost implements Host {
  readonly files = new Map<string, ReadonlyMap<string, FileTensor>>();
  async open(plan: Batches["plan"]): Promise<Rows> {
    const count = plan.op === "source" ? Number(plan.source.args.rows) : 0;
    const column = () => Float32Array.from({ length: count }, (_, i) => i);
    return {
      count,
      source: { key: "count", rows: count },
      order: (epoch) => Uint32Array.from({ length: count }, (_, i) => (i + epoch - 1) % count),
      gather: (_, rows, out = new Float32Array(rows.length)) => (out.set(rows), out),
      column,
    };
  }
  async load(file: string, span: Span): Promise<ReadonlyMap<string, FileTensor>> {
    const found = this.files.get(file);
    if (found) return found;
    throw new UserError({
      code: "DLX0501",
      severity: "error",
      title: `no ${file}`,
      labels: [{ span, text: "" }],
      notes: [],
    });
  }
  async save(file: string, tensors: ReadonlyMap<string, FileTensor>): Promise<string> {
    this.files.set(file, tensors);
    return file;
  }
}

// ---------------------------------------------------------------- runs

export interface Trial {
  readonly session: Session;
  readonly device: FakeDevice;
  readonly host: FakeHost;
  readonly events: RunEvent[];
  /** Texts of the prints so far. */
  readonly prints: () => string[];
}

export function trial(
  p: Program,
  options: Partial<SessionOptions> & { device?: FakeDevice; host?: FakeHost } = {},
): Trial {
  const device = options.device ?? new FakeDevice();
  const host = options.host ?? new FakeHost();
  const session = createSession({ program: p, math, every: Infinity, ...options, device, host });
  const events: RunEvent[] = [];
  session.events$.subscribe((event) => events.push(event));
  const prints = () => events.flatMap((e) => (e.event === "print" ? [e.text] : []));
  return { session, device, host, events, prints };
}

export async function played(p: Program, options: Parameters<typeof trial>[1] = {}): Promise<Trial> {
  const t = trial(p, options);
  t.session.play();
  await t.session.done;
  return t;
}
