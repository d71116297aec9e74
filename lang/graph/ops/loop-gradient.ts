/**
 * Back-propagation through time: the gradient of a loop is a loop that runs the other way. Its body computes the tick
 * again from what the tick began with, and pulls the adjoints of the carries back through it.
 *
 * What a tick began with comes from a copy of the loop that also yields it; the passes merge it with the loop.
 * The gradient of a const is summed over ticks in a carry, but where it is a matrix product its operands are stacked
 * and multiplied once over all ticks. `loop-saved` says what a tick saves; everything else is computed twice.
 */
import { assembleLoop } from "../assemble.ts";
import * as b from "../build.ts";
import { dependents, pullBack } from "../grad.ts";
import type { Node } from "../node.ts";
import { substitute, topological } from "../walk.ts";
import { dotAxes } from "./dot.ts";
import { savedValues } from "./loop-saved.ts";
import { loopParts } from "./loop.ts";
import type { Gradient } from "./row.ts";

/** The carries through which a change of the wanted inputs can travel. */
function activeCarries(carryParams: readonly Node[], nexts: readonly Node[], wanted: readonly Node[]): Set<Node> {
  const active = new Set(carryParams.filter((p) => wanted.includes(p)));
  const order = topological(nexts);
  for (let size = -1; size !== active.size;) {
    size = active.size;
    const reached = dependents(order, [...wanted, ...active]);
    carryParams.forEach((p, i) => {
      if (p.type.dtype === "f32" && reached.has(nexts[i]!)) active.add(p);
    });
  }
  return active;
}

/** Takes products out of a loop: stacks operands per tick and gives the product over all ticks. */
class Hoist {
  /** Nodes that each tick yields, and the nodes that stand for their stacks until the loop is made. */
  readonly yields = new Map<Node, Node>();
  readonly #count: number;
  readonly #scans: ReadonlyMap<Node, Node>;
  readonly #fixed: ReadonlySet<Node>;

  constructor(count: number, scans: ReadonlyMap<Node, Node>, fixed: ReadonlySet<Node>) {
    this.#count = count;
    this.#scans = scans;
    this.#fixed = fixed;
  }

  #stack(node: Node): Node {
    const known = this.#scans.get(node) ?? this.yields.get(node);
    if (known) return known;
    const stack = b.param("stack", { dtype: node.type.dtype, shape: [this.#count, ...node.type.shape] });
    this.yields.set(node, stack);
    return stack;
  }

  /** The sum over ticks of a per-tick value as a value outside of the loop, or undefined when it has to be summed inside. */
  total(node: Node): Node | undefined {
    const [first, second] = node.inputs;
    // Of a sum of rounded numbers the sum is rounded: once, and outside.
    if (node.op === "permute" || node.op === "neg" || node.op === "half") {
      const inner = this.total(first!);
      return inner && b.make(node.op, [inner], node.attrs);
    }
    if (node.op === "sum" && (this.#scans.has(first!) || this.yields.has(first!)))
      return b.sum(this.#stack(first!), [0, ...(node.attrs["axes"] as readonly number[]).map((axis) => axis + 1)]);
    if (node.op !== "dot" || this.#fixed.has(first!) || this.#fixed.has(second!)) return undefined;
    const { batch, contract, freeA, freeB } = dotAxes(first!.type.shape.length, second!.type.shape.length, node.attrs);
    // An inner product is smaller than its operands: cheaper to sum than to stack.
    if (freeA.length === 0 || freeB.length === 0) return undefined;
    const later = (pairs: typeof batch) => pairs.map(([i, j]) => [i + 1, j + 1] as const);
    return b.dot(this.#stack(first!), this.#stack(second!), later(batch), [[0, 0], ...later(contract)]);
  }
}

/** The parts of a sum. */
function terms(node: Node): Node[] {
  const out: Node[] = [];
  const stack = [node];
  for (let top = stack.pop(); top; top = stack.pop()) {
    if (top.op === "add") stack.push(top.inputs[1]!, top.inputs[0]!);
    else out.push(top);
  }
  return out;
}

function substituteSome(nodes: readonly (Node | undefined)[], by: ReadonlyMap<Node, Node>): (Node | undefined)[] {
  const now = substitute(
    nodes.filter((node) => node !== undefined),
    by,
  );
  let at = 0;
  return nodes.map((node) => node && now[at++]);
}

export const loopGradient: Gradient = ({ node, inputs, results, needs }) => {
  const { count, reverse, body, consts, carries } = loopParts(node.attrs);
  const params = body.params.slice(0, -1);
  const constParams = params.slice(0, consts);
  const carryParams = params.slice(consts, consts + carries);
  const scanParams = params.slice(consts + carries);
  const nexts = body.results.slice(0, carries);

  const wanted = params.filter((p, i) => needs[i] && p.type.dtype === "f32");
  const active = activeCarries(carryParams, nexts, wanted);
  const places = carryParams.map((_, i) => i).filter((i) => active.has(carryParams[i]!));

  // One tick backwards: adjoints of the new carries and of the yields, pulled back to the params.
  const carryAdjoints = places.map((i) => b.param(`adjoint${i}`, carryParams[i]!.type));
  const yielded = body.results.flatMap((result, i) => {
    const g = i < carries ? undefined : results[i];
    return g ? [{ result, stack: g, param: b.param(`adjoint${i}`, result.type) }] : [];
  });
  const targets = [...wanted.filter((p) => !active.has(p)), ...active];
  const adjoints = pullBack(
    [...places.map((i) => nexts[i]!), ...yielded.map((y) => y.result)],
    [...carryAdjoints, ...yielded.map((y) => y.param)],
    targets,
  );
  const stacked = new Set(body.results.slice(carries));
  const values = savedValues(
    { results: body.results, carries: carryParams, scans: scanParams, stacked },
    adjoints.filter((g) => g !== undefined),
  );
  const saved = values.map((value, i) => ({ value, param: b.param(`saved${i}`, value.type) }));
  const pulled = substituteSome(adjoints, new Map(saved.map(({ value, param }) => [value, param])));
  const backOf = new Map(targets.map((p, i) => [p, pulled[i]]));

  // What the tick backwards reads: slices of the inputs, adjoints of yields, what was saved.
  const again = b.make(
    "loop",
    inputs,
    { ...node.attrs, body: { params: body.params, results: [...body.results, ...values] } },
    node.span,
    node.origin,
  );
  const scans = [
    ...scanParams.map((param, i) => ({ param, value: inputs[consts + carries + i]! })),
    ...yielded.map(({ param, stack }) => ({ param, value: stack })),
    ...saved.map(({ param }, i) => ({ param, value: b.pick(again, body.results.length + i) })),
  ];

  const hoist = new Hoist(count, new Map(scans.map((s) => [s.param, s.value])), new Set(constParams));
  const constTotals = constParams.map((param) => {
    const back = backOf.get(param);
    if (!back) return undefined;
    const outside: Node[] = [];
    const inside: Node[] = [];
    for (const term of terms(back)) {
      const total = hoist.total(term);
      if (total) outside.push(total);
      else inside.push(term);
    }
    const sum = b.param("sum", param.type);
    return {
      outside,
      inside: inside.length > 0 ? { param: sum, init: b.like(param, 0), next: inside.reduce(b.add, sum) } : undefined,
    };
  });

  const sums = constTotals.flatMap((t) => (t?.inside ? [t.inside] : []));
  const scanBacks = scanParams.map((param) => backOf.get(param));
  const loop = assembleLoop({
    count,
    reverse: !reverse,
    consts: constParams.map((param, i) => ({ param, value: inputs[i]! })),
    carries: [
      ...places.map((i, k) => ({
        param: carryAdjoints[k]!,
        init: results[i] ?? b.like(carryParams[i]!, 0),
        next: backOf.get(carryParams[i]!) ?? b.like(carryParams[i]!, 0),
      })),
      ...sums,
    ],
    scans,
    tick: body.params.at(-1)!,
    yields: [...scanBacks.filter((g) => g !== undefined), ...hoist.yields.keys()],
  });

  let at = 0;
  const scanGradients = scanBacks.map((g) => g && loop.yields[at++]);
  const stacks = new Map([...hoist.yields.values()].map((stack) => [stack, loop.yields[at++]!]));
  let sumAt = places.length;
  const constGradients = constTotals.map((t) => {
    if (!t) return undefined;
    const parts = [...substitute(t.outside, stacks), ...(t.inside ? [loop.carries[sumAt++]!] : [])];
    return parts.reduce(b.add);
  });
  const initGradients = carryParams.map((p) =>
    active.has(p) ? loop.carries[places.indexOf(carryParams.indexOf(p))] : undefined,
  );
  return [...constGradients, ...initGradients, ...scanGradients];
};
