/**
 * Scores the other way round (part of rule `chain`): where units of a chain are rows of scores, a product over the
 * queries would need all units. It gets its operand from a copy with keys outermost: in products the operands change
 * places, maps are maps of what is turned, and all else is looked at through a view.
 */
import type { Attrs, Node } from "../lang/graph/node.ts";
import { build as g, axesOfDot, constant, fill, make, rowOf } from "../lang/graph/index.ts";

type Pair = readonly [number, number];

const pairsOf = (attrs: Attrs, key: string) => attrs[key] as readonly Pair[];
const same = (a: readonly number[], b: readonly number[]) => a.join() === b.join();
const sorted = (axes: readonly number[]) => [...axes].sort((a, b) => a - b);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Where a product's result has its batches, rows and columns. */
interface Roles {
  readonly batch: readonly number[];
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}
function rolesOf(product: Node): Roles {
  const { batch, freeA } = axesOfDot(product);
  const [first, second] = [batch.length, batch.length + freeA.length];
  return { batch: range(0, first), rows: range(first, second), columns: range(second, product.type.shape.length) };
}

/** Whether a product sums over just these axes of an operand, batch by batch. */
function sumsOver(product: Node, side: 0 | 1, axes: readonly number[], { batch }: Roles): boolean {
  const own = (key: string) => sorted(pairsOf(product.attrs, key).map((pair) => pair[side]));
  return same(own("contract"), axes) && same(own("batch"), batch);
}

/** Whether each element is made of those at its own place. */
function isMapOf(node: Node, shape: readonly number[]): boolean {
  if (node.op !== "stop" && rowOf(node.op).family !== "elementwise") return false;
  return [node, ...node.inputs].every(({ type }) => same(type.shape, shape));
}

export class Turned {
  /** By node: the same with keys outermost. */
  readonly copies = new Map<Node, Node>();
  private readonly shape: readonly number[];
  private readonly roles: Roles;
  private readonly perm: readonly number[];
  /** And maps of them. */
  private readonly scores = new Set<Node>();

  constructor(first: Node) {
    this.shape = first.type.shape;
    this.roles = rolesOf(first);
    const { batch, rows, columns } = this.roles;
    this.perm = [...batch, ...columns, ...rows];
  }

  /** Whether a reader of some of these tensors needs several rows of them at once. */
  mixesRows(node: Node, of: ReadonlySet<Node>): boolean {
    const { columns } = this.roles;
    if (node.op === "dot")
      return node.inputs.some((input, side) => of.has(input) && !sumsOver(node, side as 0 | 1, columns, this.roles));
    if (node.op === "sum" || node.op === "amax")
      return (node.attrs["axes"] as readonly number[]).some((axis) => !columns.includes(axis));
    return !isMapOf(node, this.shape);
  }

  /** Tells of scores, or of a map of them; `replaced` finds maps of what it was told. */
  add(node: Node): void {
    this.scores.add(node);
  }

  /** What takes the place of a node: a product of scores has them as its left operand, turned if it sums over their rows. */
  replaced(node: Node): Node {
    const side = node.inputs.findIndex((input) => this.scores.has(input));
    if (side >= 0 && isMapOf(node, this.shape)) this.scores.add(node);
    if (node.op !== "dot" || (side !== 0 && side !== 1)) return node;
    const { rows, columns } = this.roles;
    const overRows = sumsOver(node, side, rows, this.roles);
    if (!overRows && (side === 0 || !sumsOver(node, side, columns, this.roles))) return node;
    const [own, other] = [node.inputs[side]!, node.inputs[1 - side]!];
    const place = (axis: number) => (overRows ? this.perm.indexOf(axis) : axis);
    const pairs = (key: string) => pairsOf(node.attrs, key).map((pair): Pair => [place(pair[side]), pair[1 - side]!]);
    const [batch, contract] = [pairs("batch"), pairs("contract")];
    const product = make("dot", [overRows ? this.turned(own) : own, other], { batch, contract }, node.span);
    if (side === 0) return product;
    const [from, free] = [batch.length, batch.length + (overRows ? columns : rows).length];
    // where they were the right operand, their own axes come last
    return g.permute(product, [...range(0, from), ...range(free, product.type.shape.length), ...range(from, free)]);
  }

  private turned(node: Node): Node {
    let copy = this.copies.get(node);
    if (!copy) this.copies.set(node, (copy = this.copyOf(node)));
    return copy;
  }

  private copyOf(node: Node): Node {
    if (isMapOf(node, this.shape)) return make(node.op, node.inputs.map((input) => this.turned(input)), node.attrs, node.span); // prettier-ignore
    const value = constant(node);
    const shape = this.perm.map((axis) => this.shape[axis]!);
    if (value !== undefined) return fill(value, { ...node.type, shape });
    if (node.op === "iota" && same(node.type.shape, this.shape))
      return make("iota", [], { shape, axis: this.perm.indexOf(node.attrs["axis"] as number) }, node.span);
    // drawn anew: shared, the numbers would be kept
    if (node.op === "random") return g.permute(make(node.op, node.inputs, node.attrs, node.span), this.perm);
    if (node.op !== "dot" || !same(node.type.shape, this.shape)) return g.permute(node, this.perm);
    const { batch, rows } = rolesOf(node);
    if (batch.length !== this.roles.batch.length || rows.length !== this.roles.rows.length)
      return g.permute(node, this.perm);
    const turn = (key: string) => pairsOf(node.attrs, key).map(([a, b]): Pair => [b, a]);
    const [a, b] = node.inputs as readonly [Node, Node];
    return make("dot", [b, a], { batch: turn("batch"), contract: turn("contract") }, node.span);
  }
}
