/**
 * Sums that differ by constant factors become one (rule `factor`): the sum of -x s / d is -s / d times that of x, where s
 * and d are the same at all places that are summed. So the adjoint of a normalization and the gradients of its scale and
 * shift need the same two sums. And deviations from their own mean, which every normalization adds to its adjoint, sum to
 * nothing. Sums that neither meet another nor hold deviations stay as they are written.
 */
import { after, build as g, ByNode, constant, make, remake, topological } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import { sizeOf } from "./space.ts";

interface Factor {
  readonly node: Node;
  /** -1 divides. */
  readonly power: 1 | -1;
}
/** Summands as scale · Π over · Π along: `over` are expands that are the same at every place of the sum. */
interface Product {
  readonly scale: number;
  readonly over: readonly Factor[];
  readonly along: readonly Factor[];
}

/** More factors than this stay as they are written. */
const FACTORS = 16;

const axesOf = (node: Node): readonly number[] => node.attrs["axes"] as readonly number[];

const isSameAlong = (node: Node, axes: readonly number[]): boolean =>
  node.op === "expand" && axes.every((axis) => !axesOf(node).includes(axis));

function productOf(term: Node, times: number, sum: Node): Product | undefined {
  let scale = times;
  const over: Factor[] = [];
  const along: Factor[] = [];
  const open: Factor[] = [{ node: term, power: 1 }];
  for (let at = open.pop(); at; at = open.pop()) {
    const { node, power } = at;
    const [a, b] = node.inputs;
    const value = constant(node);
    if (value !== undefined) scale *= value ** power;
    else if (node.op === "neg") {
      scale = -scale;
      open.push({ node: a!, power });
    } else if (node.op === "add" && a === b) {
      scale *= 2 ** power;
      open.push({ node: a!, power });
    } else if (node.op === "mul") open.push({ node: a!, power }, { node: b!, power });
    else if (node.op === "div") open.push({ node: a!, power }, { node: b!, power: power === 1 ? -1 : 1 });
    else (isSameAlong(node, axesOf(sum)) ? over : along).push(at);
    if (open.length + over.length + along.length > FACTORS) return undefined;
  }
  // what f32 holds without loss of range
  const tame = Math.abs(scale) < 1e30 && Math.abs(scale) > 1e-30;
  return tame && along.length > 0 ? { scale, over, along } : undefined;
}

/** x - sum(x) / n, over the n places of this sum. */
function isDeviation(node: Node, sum: Node): boolean {
  if (node.op !== "sub") return false;
  const [x, spread] = node.inputs as readonly [Node, Node];
  if (!isSameAlong(spread, axesOf(sum))) return false;
  const mean = spread.inputs[0]!;
  const [total, n] = mean.inputs;
  const by = n && constant(n);
  if (total?.op !== "sum" || total.inputs[0] !== x || axesOf(total).join() !== axesOf(sum).join()) return false;
  const count = sizeOf(x.type.shape) / sizeOf(sum.type.shape);
  // by a power of two is multiplied
  return (mean.op === "div" && by === count) || (mean.op === "mul" && by === 1 / count);
}

interface Term {
  readonly node: Node;
  readonly scale: number;
  readonly product: Product | undefined;
}

/** What is added up at each place: how many terms, and those that do not sum to nothing. */
function termsOf(sum: Node): { readonly all: number; readonly left: readonly Term[] } {
  const terms: Term[] = [];
  const open: Omit<Term, "product">[] = [{ node: sum.inputs[0]!, scale: 1 }];
  for (let at = open.pop(); at; at = open.pop()) {
    const { node, scale } = at;
    const [a, b] = node.inputs;
    const room = terms.length + open.length < FACTORS;
    const by = b && constant(b);
    if (node.op === "neg") open.push({ node: a!, scale: -scale });
    else if (node.op === "mul" && by !== undefined) open.push({ node: a!, scale: scale * by });
    else if (node.op === "add" && a !== b && room) open.push({ node: b!, scale }, { node: a!, scale });
    else if (node.op === "sub" && room && !isDeviation(node, sum)) {
      open.push({ node: b!, scale: -scale }, { node: a!, scale });
    } else terms.push({ node, scale, product: productOf(node, scale, sum) });
  }
  const isNothing = ({ product }: Term): boolean => {
    const [only, more] = product?.along ?? [];
    return only !== undefined && !more && only.power === 1 && isDeviation(only.node, sum);
  };
  return { all: terms.length, left: terms.filter((term) => !isNothing(term)) };
}

/** The node with these inputs, without what is zero since a sum of deviations is. */
function withoutZeros(node: Node, inputs: readonly Node[]): Node {
  const [a, b] = inputs;
  const zero = inputs.map((input, i) => input !== node.inputs[i] && constant(input) === 0);
  if (node.op === "add" && (zero[0] || zero[1])) return zero[1] ? a! : b!;
  if (node.op === "sub" && zero[1]) return a!;
  const known = b === undefined || (constant(b) ?? 0) !== 0;
  return zero[0] && known && ["neg", "mul", "div"].includes(node.op) ? g.like(node, 0) : remake(node, inputs);
}

/** A sum as it is made again: of what is left of it, which is one product where that may meet others. */
interface Plan {
  readonly left: readonly Term[];
  readonly product: (Product & { readonly key: string }) | undefined;
}

function planned(order: readonly Node[]): ReadonlyMap<Node, Plan> {
  const places = new ByNode(order);
  const place = ({ node }: Factor) => places.placeOf(node)!;
  const plans = new Map<Node, Plan & { readonly fewer: boolean }>();
  const meeting = new Map<string, number>();
  for (const sum of order) {
    if (sum.op !== "sum" || sum.type.dtype !== "f32") continue;
    const { all, left } = termsOf(sum);
    const [only, more] = left;
    const found = more ? undefined : only?.product;
    const along = [...(found?.along ?? [])].sort((p, q) => place(p) - place(q) || p.power - q.power);
    const key = `${axesOf(sum).join()}|${along.map((factor) => `${place(factor)}^${factor.power}`).join()}`;
    if (found) meeting.set(key, (meeting.get(key) ?? 0) + 1);
    plans.set(sum, { left, product: found && { ...found, along, key }, fewer: left.length < all });
  }
  return new Map([...plans].filter(([, { fewer, product }]) => fewer || (product && meeting.get(product.key)! > 1)));
}

export function factored(outputs: readonly Node[]): readonly Node[] {
  const order = topological(outputs);
  const plans = planned(order);
  if (plans.size === 0) return outputs;
  const changed = new ByNode<Node>(order);
  const now = (node: Node): Node => changed.get(node) ?? node;
  const over = (summand: Node, sum: Node) => make("sum", [summand], sum.attrs, sum.span, sum.origin);
  const sums = new Map<string, Node>();
  const common = (sum: Node, { along, key }: NonNullable<Plan["product"]>): Node => {
    const known = sums.get(key);
    if (known) return known;
    const of = (power: Factor["power"]) =>
      along
        .filter((factor) => factor.power === power)
        .map(({ node }) => now(node))
        .reduce<Node | undefined>((a, b) => (a ? g.mul(a, b) : b), undefined);
    const [top, below] = [of(1), of(-1)];
    const made = over(below ? g.div(top ?? g.like(below, 1), below) : top!, sum);
    sums.set(key, made);
    return made;
  };
  /** A factor of the summands where it lies on the sum. */
  const shown = (factor: Node, sum: Node): Node => {
    const kept = factor.type.shape.map((_, axis) => axis).filter((axis) => !axesOf(sum).includes(axis));
    const axes = axesOf(factor).map((axis) => kept.indexOf(axis));
    return g.expand(now(factor.inputs[0]!), sum.type.shape, axes);
  };
  const again = (sum: Node, { left, product }: Plan): Node => {
    if (product) {
      const made = product.over.reduce(
        (at, { node, power }) => (power === 1 ? g.mul : g.div)(at, shown(node, sum)),
        common(sum, product),
      );
      return product.scale === 1 ? made : g.scale(made, product.scale);
    }
    const rest = left.reduce<Node | undefined>((at, { node, scale }) => {
      const term = scale === 1 ? now(node) : g.scale(now(node), scale);
      return at ? g.add(at, term) : term;
    }, undefined);
    return rest ? over(rest, sum) : g.like(sum, 0);
  };
  for (const node of order) {
    const plan = plans.get(node);
    const inputs = after(node.inputs, changed);
    if (plan) changed.set(node, again(node, plan));
    else if (inputs !== node.inputs) changed.set(node, withoutZeros(node, inputs));
  }
  return after(outputs, changed);
}
