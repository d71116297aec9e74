/**
 * Blame: which operation was the first to make a number that is not finite. A run that fails commits nothing, so its
 * segment is computed once more on the host from the same slots, rows and scalars, node by node, each value rounded to
 * 32 bits. A bad value inherits its origin from the first bad operand that reaches it; one that has none is the origin.
 * Bad elements that a `select` does not choose reach nothing. Devices add in other orders, so nothing may be found.
 */
import type { Cause } from "../lang/errors/finite.ts";
import { evaluate, loopParts, rowOf, sizeOf, topological, type Env, type Value } from "../lang/graph/index.ts";
import { runLoop } from "../lang/graph/ops/loop.ts";
import type { Node } from "../lang/graph/node.ts";
import type { Source, Span } from "../lang/source.ts";
import type { Slice } from "./batches.ts";
import type { Failed } from "./block.ts";
import type { Context } from "./context.ts";
import { inputsBelow, refOf } from "./inputs.ts";

export interface Blamed {
  readonly cause: Cause;
  /** Where the script uses it, when it happened inside of the library. */
  readonly user?: Span;
}

/** Undefined when the host finds all finite. */
export async function blame(context: Context, failed: Failed): Promise<Blamed | undefined> {
  const { segment, what, span, slice } = failed;
  for (const { node, role } of segment.outputs) {
    if (role.kind !== "finite" || role.what !== what || !sameSpan(role.span, span)) continue;
    const outside = await valuesOf(context, node, failed);
    const cause = originOf(node, outside, slice, context.program.sources);
    if (cause) return { cause, user: userSpan(node, cause, role.span) };
  }
  return undefined;
}

// ---------------------------------------------------------------- what the segment read

type Numbers = ArrayLike<number>;

async function valuesOf(
  context: Context,
  node: Node,
  { segment, rows, scalars, slice }: Failed,
): Promise<ReadonlyMap<string, Numbers>> {
  const { state, data, program } = context;
  const all: Record<string, number> = { ...scalars };
  for (const { name, node } of segment.host) {
    const [value] = evaluate([node], (input) => {
      const ref = refOf(input);
      return ref.source === "state" ? state.hostValue(ref.name) : (all[ref.name] ?? NaN);
    });
    all[name] = value?.[0] ?? NaN;
  }
  const found = new Map<string, Numbers>();
  for (const input of inputsBelow([node])) {
    const { source, name } = refOf(input);
    const key = `${source} ${name}`;
    if (source === "scalar") found.set(key, [all[name] ?? NaN]);
    else if (source === "state") found.set(key, await state.read(name));
    else if (source === "batch" && rows && slice) found.set(key, rows.gather(name, slice.rows));
    else if (source === "column") {
      const dot = name.lastIndexOf(".");
      const plan = program.plans[name.slice(0, dot)];
      if (!plan) throw new Error(`expected a plan for the column ${name}`);
      found.set(key, (await data.open(plan, context.pass.seed)).column(name.slice(dot + 1)));
    }
  }
  return found;
}

// ---------------------------------------------------------------- the walk

/** Why the first bad element is so, if the node's value is not finite. */
function originOf(
  output: Node,
  outside: ReadonlyMap<string, Numbers>,
  slice: Slice | undefined,
  sources: readonly Source[],
): Cause | undefined {
  /** By value: a loop hands the same objects on from tick to tick. */
  const origins = new WeakMap<Value, Cause>();
  const ticks: number[] = [];

  const leaf = (node: Node, value: Value, at: number): Cause | undefined => {
    const { span } = node;
    const bad = value.data[at] as number;
    if (node.op === "const") {
      const written = Number(node.attrs.value ?? (node.attrs.values as readonly number[] | undefined)?.[at]);
      return Number.isFinite(written) ? { kind: "number", value: written, span } : undefined;
    }
    const { source, name } = refOf(node);
    if (source === "state") return { kind: "state", path: name, value: bad, span };
    if (source === "column") return { kind: "column", field: name.slice(name.lastIndexOf(".") + 1), value: bad, span };
    const width = value.data.length / Math.max(1, slice?.rows.length ?? 1);
    const row = slice?.rows[Math.floor(at / width)];
    return source === "batch" && row !== undefined
      ? { kind: "row", field: name, row: row + 1, value: bad, span }
      : undefined;
  };
  const own = (node: Node, inputs: readonly Value[], value: Value, at: number): Cause | undefined => {
    if (node.op === "const" || node.op === "input") return leaf(node, value, at);
    const aligned = inputs.every((input) => input.data.length === value.data.length);
    const operands = aligned ? inputs.map((input) => input.data[at] as number) : [];
    const result = value.data[at] as number;
    return { kind: "op", ...asWritten(node, operands, sources), result, span: node.span, ticks: [...ticks] };
  };
  const reaches = (node: Node, inputs: readonly Value[], i: number): boolean => {
    if (node.op !== "select" || i === 0) return true;
    const [cond, ...branches] = inputs;
    const chosen = branches[i - 1];
    return chosen?.data.some((x, k) => !Number.isFinite(x) && (cond?.data[k] !== 0) === (i === 1)) ?? false;
  };
  const mark = (node: Node, inputs: readonly Value[], value: Value): void => {
    const at = value.dtype === "f32" ? value.data.findIndex((x) => !Number.isFinite(x)) : -1;
    if (at < 0) return;
    const from = inputs.flatMap((input, i) => (origins.has(input) && reaches(node, inputs, i) ? [input] : []));
    const cause = from[0] ? origins.get(from[0]) : own(node, inputs, value, at);
    if (cause) origins.set(value, cause);
  };

  const run = (outputs: readonly Node[], bound: ReadonlyMap<Node, Value>): Value[] => {
    const order = topological(outputs);
    const uses = new Map<Node, number>();
    for (const node of [...order.flatMap((n) => n.inputs), ...outputs]) uses.set(node, (uses.get(node) ?? 0) + 1);
    const values = new Map<Node, Value>();
    const results = new Map<Node, readonly Value[]>();
    const env: Env = {
      input: (node) => bound.get(node) ?? given(node, outside),
      run,
      results: (loop) => results.get(loop) ?? [],
    };
    for (const node of order) {
      const inputs = node.op === "pick" ? [] : node.inputs.map((input) => values.get(input) as Value);
      const param = bound.get(node);
      if (param) values.set(node, param);
      else if (node.op === "loop") results.set(node, runBody(node, inputs, env));
      else if (node.op === "pick") {
        const picked = env.results(node.inputs[0] as Node)[node.attrs.index as number];
        if (!picked) throw new Error(`expected a result ${String(node.attrs.index)} of a loop`);
        values.set(node, picked);
      } else {
        const data = rowOf(node.op).meaning(inputs, node.attrs, node.type, env, node);
        const value = { ...node.type, data: node.type.dtype === "f32" ? data.map(Math.fround) : data };
        mark(node, inputs, value);
        values.set(node, value);
      }
      for (const input of node.inputs) {
        const left = (uses.get(input) ?? 0) - 1;
        uses.set(input, left);
        if (left > 0) continue;
        values.delete(input);
        results.delete(input);
      }
    }
    return outputs.map((output) => values.get(output) as Value);
  };

  const runBody = (loop: Node, inputs: readonly Value[], env: Env): Value[] => {
    const { body, carries, consts } = loopParts(loop.attrs);
    const first: (Cause | undefined)[] = [];
    const depth = ticks.length;
    const inner: Env = {
      ...env,
      run: (outputs, bound) => {
        // A slice of a scanned tensor is a new value: it inherits from the whole.
        body.params.forEach((param, i) => {
          const value = bound.get(param);
          const origin = inputs[i] && origins.get(inputs[i]);
          const slice = value && i >= consts + carries && !value.data.every(Number.isFinite);
          if (slice && origin) origins.set(value, origin);
        });
        const tick = body.params.at(-1);
        ticks[depth] = ((tick && bound.get(tick)?.data[0]) ?? 0) + 1;
        const values = env.run(outputs, bound);
        ticks.length = depth;
        values.forEach((value, i) => (first[i] ??= origins.get(value)));
        return values;
      },
    };
    const results = runLoop(inputs, loop.attrs, inner);
    results.forEach((value, i) => {
      const origin = first[i];
      if (origin && i >= carries) origins.set(value, origin);
    });
    return results;
  };

  const [value] = run([output], new Map());
  return value && origins.get(value);
}

/** Some powers are simpler operations in the graph. */
function asWritten(node: Node, operands: readonly number[], sources: readonly Source[]) {
  const { op, span, inputs } = node;
  const text = sources.find(({ file }) => file === span?.file)?.text.slice(span?.start, span?.end) ?? "";
  if (op === "mul" && inputs[0] === inputs[1] && text.includes("^"))
    return { op: "pow", operands: [operands[0] ?? NaN, 2] };
  if (op === "sqrt" && !text.includes("sqrt")) return { op: "pow", operands: [operands[0] ?? NaN, 0.5] };
  return { op, operands };
}

function given(node: Node, outside: ReadonlyMap<string, Numbers>): Value {
  const { source, name } = refOf(node);
  const values = outside.get(`${source} ${name}`);
  if (values?.length !== sizeOf(node.type.shape))
    throw new Error(
      `expected ${sizeOf(node.type.shape)} numbers for ${source} ${name}, got ${values?.length ?? "none"}`,
    );
  return { ...node.type, data: Float64Array.from(values) };
}

// ---------------------------------------------------------------- places

const isUser = (span: Span | undefined) => span !== undefined && !span.file.startsWith("stdlib/");

/**
 * Of a cause inside of the library, the nearest place of the script: what reads it on the way to the check, else what
 * it was made from.
 */
function userSpan(output: Node, cause: Cause, checked: Span | undefined): Span | undefined {
  if (isUser(cause.span)) return undefined;
  const order = topological([output]);
  const reached = new Set<Node>();
  for (const node of order) {
    const origin = sameSpan(node.span, cause.span);
    if (!origin && !node.inputs.some((input) => reached.has(input))) continue;
    reached.add(node);
    if (isUser(node.span)) return node.span;
  }
  const below = order.filter((node) => sameSpan(node.span, cause.span)).flatMap((node) => topological(node.inputs));
  const source = below.findLast((node) => isUser(node.span) && node.op !== "input" && node.op !== "const");
  return source?.span ?? checked;
}

function sameSpan(a: Span | undefined, b: Span | undefined): boolean {
  return a?.file === b?.file && a?.start === b?.start && a?.end === b?.end;
}
