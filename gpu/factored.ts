/**
 * Sums that differ by constant factors become one (rule `factor`): the sum of -x s / d is -s / d times that of x, where s
 * and d are the same at all places that are summed. So the adjoint of a normalization and the gradients of its scale and
 * shift need the same two sums. Only sums that meet by this are changed, and sums of deviations from their own mean,
 * which are nothing: every normalization adds one to its adjoint.
 */
import { build as g, constant, topological } from "../lang/graph/index.ts";
import { make } from "../lang/graph/index.ts";
import { remake } from "../lang/graph/walk.ts";
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

function productOf(sum: Node): Product | undefined {
  let scale = 1;
  const over: Factor[] = [];
  const along: Factor[] = [];
  const open: Factor[] = [{ node: sum.inputs[0]!, power: 1 }];
  for (let at = open.pop(); at; at = open.pop()) {
    const { node, power } = at;
    const [a, b] = node.inputs;
    const value = constant(node);
    if (value !== undefined) scale *= value ** power;
    else if (node.op === "neg") {
      scale = -scale;
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

/** Whether what is summed is x - sum(x) / n, over n places. */
function isDeviation(sum: Node, { along }: Product): boolean {
  const [only, more] = along;
  if (!only || more || only.power < 0 || only.node.op !== "sub") return false;
  const [x, spread] = only.node.inputs as readonly [Node, Node];
  if (!isSameAlong(spread, axesOf(sum))) return false;
  const mean = spread.inputs[0]!;
  const [total, n] = mean.inputs;
  const by = n && constant(n);
  if (total?.op !== "sum" || total.inputs[0] !== x || axesOf(total).join() !== axesOf(sum).join()) return false;
  const count = sizeOf(x.type.shape) / sizeOf(sum.type.shape);
  // by a power of two is multiplied
  return (mean.op === "div" && by === count) || (mean.op === "mul" && by === 1 / count);
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

export function factored(outputs: readonly Node[]): readonly Node[] {
  const order = topological(outputs);
  const places = new Map(order.map((node, place) => [node, place]));
  const place = ({ node }: Factor) => places.get(node)!;
  const products = new Map<Node, { readonly product: Product; readonly key: string }>();
  const meeting = new Map<string, number>();
  for (const node of order) {
    if (node.op !== "sum" || node.type.dtype !== "f32") continue;
    const product = productOf(node);
    if (!product) continue;
    const along = [...product.along].sort((p, q) => place(p) - place(q) || p.power - q.power);
    const key = `${axesOf(node).join()}|${along.map((factor) => `${place(factor)}^${factor.power}`).join()}`;
    products.set(node, { product: { ...product, along }, key });
    meeting.set(key, (meeting.get(key) ?? 0) + 1);
  }

  const mapped = new Map<Node, Node>();
  const now = (node: Node): Node => mapped.get(node)!;
  const sums = new Map<string, Node>();
  const common = (sum: Node, { along }: Product, key: string): Node => {
    const known = sums.get(key);
    if (known) return known;
    const of = (power: Factor["power"]) => along.filter((f) => f.power === power).map(({ node }) => now(node));
    const [top, below] = [of(1), of(-1)].map((nodes) => nodes.reduce<Node | undefined>((a, b) => (a ? g.mul(a, b) : b), undefined)); // prettier-ignore
    const summand = below ? g.div(top ?? g.like(below, 1), below) : top!;
    const made = make("sum", [summand], sum.attrs, sum.span, sum.origin);
    sums.set(key, made);
    return made;
  };
  /** A factor of the summands where it lies on the sum. */
  const shown = (factor: Node, sum: Node): Node => {
    const kept = factor.type.shape.map((_, axis) => axis).filter((axis) => !axesOf(sum).includes(axis));
    return g.expand(now(factor.inputs[0]!), sum.type.shape, axesOf(factor).map((axis) => kept.indexOf(axis))); // prettier-ignore
  };
  for (const node of order) {
    const { product, key } = products.get(node) ?? {};
    if (!product || key === undefined) mapped.set(node, withoutZeros(node, node.inputs.map(now)));
    else if (isDeviation(node, product)) mapped.set(node, g.like(node, 0));
    else if (meeting.get(key)! < 2) mapped.set(node, remake(node, node.inputs.map(now)));
    else {
      const made = product.over.reduce(
        (at, { node: factor, power }) => (power === 1 ? g.mul : g.div)(at, shown(factor, node)),
        common(node, product, key),
      );
      mapped.set(node, product.scale === 1 ? made : g.scale(made, product.scale));
    }
  }
  return outputs.map(now);
}
