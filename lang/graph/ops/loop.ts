/**
 * A body graph run `count` times. Inputs: consts (the same every tick), carries (handed from tick to tick), scans (one
 * slice along axis 0 per tick). The body is closed: its only outside values are its params, in the order
 * const0.. carry0.. scan0.. tick. Its results are the new carries, then what each tick yields.
 *
 * `reverse` runs from the last tick to the first; slices, yields and the `tick` param keep their places.
 * A loop has many results; its own type is that of the first and means nothing, and only `pick` may read it.
 */
import type { Attrs, Body, Node, Type } from "../node.ts";
import { loopGradient } from "./loop-gradient.ts";
import type { Env, Op, Value } from "./row.ts";
import { boolAttr, wrong, expectCount, numberAttr, sameShape, sizeOf, typeText } from "./row.ts";

/** The parts of a loop node by name. */
export interface LoopParts {
  readonly count: number;
  readonly reverse: boolean;
  readonly body: Body;
  readonly consts: number;
  readonly carries: number;
  readonly scans: number;
}
export function loopParts(attrs: Attrs): LoopParts {
  const [count, consts, carries, scans] = ["count", "consts", "carries", "scans"].map((k) =>
    numberAttr("loop", attrs, k),
  );
  const body = attrs["body"] as Body | undefined;
  if (!(Array.isArray(body?.params) && Array.isArray(body.results)))
    throw wrong("loop", "a body with params and results", typeof body);
  return {
    count: count!,
    reverse: boolAttr("loop", attrs, "reverse"),
    body,
    consts: consts!,
    carries: carries!,
    scans: scans!,
  };
}

/** What the params of a body are called, in order. */
export function paramNames(consts: number, carries: number, scans: number): string[] {
  const numbered = (kind: string, n: number) => Array.from({ length: n }, (_, i) => `${kind}${i}`);
  return [...numbered("const", consts), ...numbered("carry", carries), ...numbered("scan", scans), "tick"];
}

const fits = (a: Type, c: Type) => a.dtype === c.dtype && sameShape(a.shape, c.shape);
function same(got: Type, expected: Type, what: string): void {
  if (!fits(got, expected)) throw wrong("loop", `${typeText(expected)} for ${what}`, typeText(got));
}

function loopShape(inputs: readonly Type[], attrs: Attrs): Type {
  const { count, body, consts, carries, scans } = loopParts(attrs);
  if (!(Number.isInteger(count) && count >= -1)) throw wrong("loop", "a count", `${count}`);
  expectCount("loop", inputs, consts + carries + scans);
  const names = paramNames(consts, carries, scans);
  const got = body.params.map((p) => `${String(p.attrs["source"])} ${String(p.attrs["name"])}`).join(", ");
  if (got !== names.map((n) => `loop ${n}`).join(", ")) throw wrong("loop", `params ${names.join(", ")}`, got);
  inputs.forEach((t, i) => {
    const param = body.params[i]!.type;
    if (i < consts + carries) return same(param, t, names[i]!);
    same({ dtype: param.dtype, shape: [count, ...param.shape] }, t, names[i]!);
  });
  same(body.params.at(-1)!.type, { dtype: "i32", shape: [] }, "tick");
  if (body.results.length < Math.max(carries, 1))
    throw wrong("loop", `at least ${Math.max(carries, 1)} results`, `${body.results.length}`);
  for (let i = 0; i < carries; i++) same(body.results[i]!.type, inputs[consts + i]!, `the new carry${i}`);
  return resultType(attrs, 0);
}

/** The type of one result of a loop. */
export function resultType(attrs: Attrs, index: number): Type {
  const { count, body, carries } = loopParts(attrs);
  const result = body.results[index];
  if (result === undefined) throw wrong("pick", `an index below ${body.results.length}`, `${index}`);
  return index < carries ? result.type : { dtype: result.type.dtype, shape: [count, ...result.type.shape] };
}

/** Runs all ticks; gives every result. */
export function runLoop(inputs: readonly Value[], attrs: Attrs, env: Env): Value[] {
  const { count, reverse, body, consts, carries } = loopParts(attrs);
  const now = inputs.slice(consts, consts + carries);
  const scans = inputs.slice(consts + carries);
  const stacks = body.results.slice(carries).map((_, i): Value => {
    const type = resultType(attrs, carries + i);
    return { ...type, data: new Float64Array(sizeOf(type.shape)) };
  });
  for (let n = 0; n < count; n++) {
    const tick = reverse ? count - 1 - n : n;
    const bound = new Map<Node, Value>();
    const args = [
      ...inputs.slice(0, consts),
      ...now,
      ...scans.map((s) => sliced(s, tick)),
      { data: Float64Array.of(tick), shape: [], dtype: "i32" } as Value,
    ];
    body.params.forEach((param, i) => bound.set(param, args[i]!));
    const results = env.run(body.results, bound);
    for (let i = 0; i < carries; i++) now[i] = results[i]!;
    stacks.forEach((s, i) => s.data.set(results[carries + i]!.data, tick * results[carries + i]!.data.length));
  }
  return [...now, ...stacks];
}

function sliced(scan: Value, tick: number): Value {
  const shape = scan.shape.slice(1);
  const n = sizeOf(shape);
  return { data: scan.data.subarray(tick * n, (tick + 1) * n), shape, dtype: scan.dtype };
}

export const loops: Record<string, Op> = {
  loop: {
    name: "loop",
    family: "loop",
    signature: "(consts.., carries.., scans..) {count, consts, carries, scans, reverse, body} -> results for pick",
    doc: "Runs a body graph count times with carries; a recurrence, or a map when nothing is carried.",
    shape: loopShape,
    gradient: loopGradient,
    meaning: (inputs, attrs, _, env) => runLoop(inputs, attrs, env)[0]!.data,
    flops: () => 0,
  },
  pick: {
    name: "pick",
    family: "loop",
    signature: "(loop) {index} -> a last carry, or the stacked yields [count, ..]",
    doc: "One result of a loop: the carries come first.",
    shape: (inputs, attrs, nodes) => {
      expectCount("pick", inputs, 1);
      if (nodes[0]!.op !== "loop") throw wrong("pick", "a loop", nodes[0]!.op);
      return resultType(nodes[0]!.attrs, numberAttr("pick", attrs, "index"));
    },
    // The reverse walk files this under the result's index of the loop.
    gradient: ({ g }) => [g],
    meaning: (_, attrs, __, env, node) => env.results(node.inputs[0]!)[attrs["index"] as number]!.data,
    flops: () => 0,
  },
};
