/**
 * Gradients as graphs: one reverse walk that asks each row for the adjoints of its inputs. The result is made of table
 * ops like any graph, so it can be differentiated again. Nothing flows to integers and bools.
 */
import * as b from "./build.ts";
import { rowOf } from "./make.ts";
import type { Node } from "./node.ts";
import { from, gradientOrigin } from "./origin.ts";
import { topological } from "./walk.ts";

/** Nodes of the order through which a change of some x could reach the outputs. */
export function dependents(order: readonly Node[], xs: readonly Node[]): Set<Node> {
  const active = new Set<Node>(xs.filter((x) => x.type.dtype === "f32"));
  for (const node of order) {
    if (typeof rowOf(node.op).gradient !== "function") continue;
    // The own type of a loop means nothing: only its picks have one.
    if (node.op !== "loop" && node.type.dtype !== "f32") continue;
    if (node.inputs.some((input) => active.has(input))) active.add(node);
  }
  return active;
}

/** Sums of adjoints by node; those of a loop by its result. */
class Adjoints {
  readonly #single = new Map<Node, Node>();
  readonly #many = new Map<Node, (Node | undefined)[]>();

  add(node: Node, g: Node): void {
    const before = this.#single.get(node);
    this.#single.set(node, before ? b.add(before, g) : g);
  }
  addResult(loop: Node, index: number, g: Node): void {
    const all = this.#many.get(loop) ?? [];
    all[index] = all[index] ? b.add(all[index], g) : g;
    this.#many.set(loop, all);
  }
  of(node: Node): Node | undefined {
    return this.#single.get(node);
  }
  results(loop: Node): readonly (Node | undefined)[] {
    return this.#many.get(loop) ?? [];
  }
}

/** The vector-Jacobian product: seeds (shaped like ys) pulled back to xs; undefined where no y depends on x. */
export function pullBack(ys: readonly Node[], seeds: readonly Node[], xs: readonly Node[]): (Node | undefined)[] {
  const order = topological(ys);
  const active = dependents(order, xs);
  const adjoints = new Adjoints();
  ys.forEach((y, i) => {
    if (active.has(y)) adjoints.add(y, seeds[i]!);
  });
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    if (!active.has(node)) continue;
    const { gradient } = rowOf(node.op);
    const g = adjoints.of(node);
    const results = adjoints.results(node);
    if (typeof gradient !== "function" || (!g && results.length === 0)) continue;
    const needs = node.inputs.map((input) => active.has(input));
    if (!needs.includes(true)) continue;
    from(gradientOrigin(node.origin), () => {
      const back = gradient({ node, inputs: node.inputs, g: g ?? node, needs, results });
      node.inputs.forEach((input, k) => {
        const part = back[k];
        if (!part || !needs[k]) return;
        if (input.op === "loop") adjoints.addResult(input, node.attrs["index"] as number, part);
        else adjoints.add(input, part);
      });
    });
  }
  return xs.map((x) => adjoints.of(x));
}

const zeros = (x: Node): Node => b.fill(0, { dtype: "f32", shape: x.type.shape });

/** d y / d x for every x, shaped like x: zeros where y does not depend on it. `seed` stands for 1 when y is no scalar. */
export function gradient(y: Node, xs: readonly Node[], seed?: Node): Node[] {
  if (y.type.dtype !== "f32" || (!seed && y.type.shape.length > 0))
    throw new Error(`gradient: expected a f32 scalar, or a seed, got ${y.type.dtype}[${y.type.shape.join(",")}]`);
  return pullBack([y], [seed ?? b.scalar(1)], xs).map((g, i) => g ?? zeros(xs[i]!));
}

/**
 * The Jacobian-vector product of every y: how it moves when xs move along the tangents.
 * Pulled back twice: the pull-back is linear in its seed, so its own pull-back is the push-forward. The first seeds are
 * zeros that nothing reads in the end.
 */
export function forward(ys: readonly Node[], xs: readonly Node[], tangents: readonly Node[]): Node[] {
  const seeds = ys.map(zeros);
  const back = pullBack(ys, seeds, xs);
  const reached = back.flatMap((g, i) => (g ? [{ g, tangent: tangents[i]! }] : []));
  const pushed = pullBack(
    reached.map((r) => r.g),
    reached.map((r) => r.tangent),
    seeds,
  );
  return pushed.map((p, i) => p ?? zeros(ys[i]!));
}
