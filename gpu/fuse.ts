/**
 * Fusion: which nodes get a place in memory (roots) and which roots share a kernel. Everything between roots is
 * inlined into its readers. Rules look at structure and cost only; each has a name and can be switched off:
 * the rules of `merge`, and here
 *   parts    pieces of a concatenation are stored one by one (off: each place chooses)
 *   inline   maps with several readers or an amplifying reader are recomputed when cheap (off: every map is a root)
 */
import { ByNode, consumersIn, topological } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import type { Twins } from "./again.ts";
import type { Alike } from "./alike.ts";
import { foldIsView } from "./emit.ts";
import type { Built } from "./cluster.ts";
import { Merger } from "./merge.ts";
import type { MergeLimits } from "./merge.ts";
import { partsOf, piecesOf } from "./parts.ts";
import { dotIsRows, isReduction, sizeOf } from "./space.ts";
import type { Unit } from "./unit.ts";
import { baseOf, isView } from "./views.ts";

export interface Fused {
  /** In the order of execution. */
  readonly units: readonly Unit[];
  inMemory(node: Node): boolean;
}

const COSTLY: Readonly<Record<string, number>> = {
  half: 4,
  exp: 8,
  log: 8,
  log1p: 8,
  tanh: 8,
  erf: 8,
  sin: 12,
  cos: 12,
  pow: 16,
  random: 30,
  div: 2,
  mod: 3,
  sqrt: 2,
  gather: 3,
  pad: 2,
  concat: 2,
  fold: 3,
};
/** Above this a value is stored rather than computed again. */
const RECOMPUTE = 8;
/** Between the two, a value that several kernels need is computed again from what it is made of, if that is one tensor. */
const STORE = 24;
/** Repeated more often than this, a value counts as computed once. */
const SPREAD = 8;
/** A tensor with more readers than this is not asked what they are. */
const MANY = 64;
/** Of more tensors of its own size than this, a value with several readers is stored. */
const WIDE = 8;
/** Above this an expression is cut, whoever reads it. */
const CUT = 240;

/** Already in memory before any kernel runs, or written by a kernel of another kind. */
export const isLeaf = (node: Node): boolean =>
  node.op === "input" || (node.op === "const" && node.attrs["values"] !== undefined) || node.op === "pick";

const OPAQUE: ReadonlySet<string> = new Set(["cumsum", "scatter", "argsort", "solve", "cholesky", "eigh", "loop"]);
/** A node whose kernel is its own. */
export const isOpaque = (node: Node): boolean => OPAQUE.has(node.op) || (node.op === "dot" && !dotIsRows(node));

const isProduct = (node: Node): boolean => node.op === "dot" && isOpaque(node);

/** By node: the units that need it. */
type UnitsOf = Pick<ByNode<ReadonlySet<Unit>>, "get">;

/** One set as it is where there is but one. */
function union<T>(sets: readonly ReadonlySet<T>[]): ReadonlySet<T> {
  const first = sets[0] ?? new Set<T>();
  if (sets.every((set) => set === first)) return first;
  const all = new Set(first);
  for (const set of sets) if (set !== first) for (const each of set) all.add(each);
  return all;
}

/** Tensors in memory that a value is computed from, and what is on the way. */
interface Made {
  readonly inner: ReadonlySet<Node>;
  readonly leaves: ReadonlySet<Node>;
}

class Roots {
  readonly order: readonly Node[];
  private readonly stored: ByNode<true>;
  private readonly consumers: ByNode<Node[]>;
  private readonly costs: ByNode<number>;
  private readonly made: ByNode<Made>;

  constructor(outputs: readonly Node[], separable: (dot: Node, side: 0 | 1) => boolean, disable: ReadonlySet<string>) {
    const inline = !disable.has("inline");
    this.order = topological(outputs);
    this.consumers = consumersIn(this.order);
    this.stored = new ByNode(this.order);
    this.costs = new ByNode(this.order);
    this.made = new ByNode(this.order);
    for (const node of outputs) this.add(node);
    for (const node of this.order) {
      if (isReduction(node) || isOpaque(node)) this.add(node);
      if (node.op === "dot" && isOpaque(node)) {
        ([0, 1] as const).forEach((side) => {
          const operand = node.inputs[side] as Node;
          this.add(separable(node, side) ? baseOf(operand, (n) => this.inMemory(n)) : operand);
        });
      } else if (isOpaque(node)) node.inputs.forEach((input) => this.add(input));
      if (node.op === "half" && !disable.has("rounded")) this.rounded(node);
      if (!inline && !isView(node) && node.op !== "const" && node.op !== "iota") this.add(node);
    }
    if (inline) for (const node of this.order) this.amplified(node);
  }

  inMemory(node: Node): boolean {
    return this.has(node) || isLeaf(node);
  }

  has(node: Node): boolean {
    return this.stored.get(node) === true;
  }

  add(node: Node): void {
    if (!isLeaf(node) && node.op !== "loop") this.stored.set(node, true);
  }

  /** Of a sum that only its rounding reads, the rounding is kept: it may take half of the memory. */
  private rounded(node: Node): void {
    const of = node.inputs[0] as Node;
    if (this.has(of) && this.consumers.get(of)?.length === 1) this.add(node);
  }

  /** Work to compute one element again, down to memory. */
  cost(node: Node): number {
    const known = this.costs.get(node);
    if (known !== undefined) return known;
    let cost = isView(node) || node.op === "const" ? 0 : (COSTLY[node.op] ?? 1);
    for (const input of node.inputs) if (!this.inMemory(input)) cost += this.cost(input);
    // what is the same for many elements is computed once for them
    if (node.op === "expand")
      cost *= Math.min(1, (SPREAD * sizeOf(node.inputs[0]!.type.shape)) / sizeOf(node.type.shape));
    this.costs.set(node, cost);
    return cost;
  }

  /** A reader that asks for each element of a costly value several times. */
  private amplified(node: Node): void {
    if (this.inMemory(node) || node.op === "const" || isView(node)) return;
    const cost = this.cost(node);
    const size = sizeOf(node.type.shape);
    const repeated = size > 1 && (this.consumers.get(node) ?? []).some((c) => this.repeats(node, c, size));
    if (cost > CUT || (cost >= RECOMPUTE && repeated) || (size === 1 && this.isDear(node)) || this.isWide(node)) {
      this.add(node);
    }
  }

  /** A sum of so many tensors, as a residual stream is after some layers, that its readers had better read it. */
  private isWide(node: Node): boolean {
    const several = (this.consumers.get(node)?.length ?? 0) > 1;
    return several && this.cost(node) > WIDE && this.madeOf(node).leaves.size > WIDE;
  }

  /** Too much to compute again for each of its readers, even within a kernel, whose stages walk the elements in turn. */
  private isDear(node: Node): boolean {
    if (this.cost(node) <= STORE) return false;
    const readers = (of: Node): number =>
      (this.consumers.get(of) ?? []).reduce((n, c) => n + (isView(c) ? readers(c) : 1), 0);
    return sizeOf(node.type.shape) === 1
      ? readers(node) > SPREAD
      : readers(node) > 1 && this.madeOf(node).leaves.size > 1;
  }

  private repeats(node: Node, reader: Node, size: number): boolean {
    if (this.inMemory(reader) && !isReduction(reader)) return false;
    if (reader.op === "dot") return true;
    if (reader.op === "fold" && !foldIsView(reader)) return true;
    const bigger = sizeOf(reader.type.shape) >= 2 * size;
    if (reader.op === "expand" && bigger) {
      // repeated along trailing axes only: computed once per row, outside of the inner loop
      return !(reader.attrs["axes"] as readonly number[]).every((axis, i) => axis === i);
    }
    if ((reader.op === "gather" || reader.op === "windows") && bigger) return reader.inputs[0] === node;
    if (!isView(reader)) return false;
    return (this.consumers.get(reader) ?? []).some((c) => this.repeats(reader, c, size));
  }

  /** Costly values that several kernels would compute become roots. Gives the roots that change by this; none at the end. */
  shared(unitOf: ByNode<Unit>): Set<Node> {
    const units = this.unitsOf(unitOf);
    const wanted = this.order.filter((node) => {
      if (this.inMemory(node) || isView(node) || node.op === "const" || node.op === "iota") return false;
      return this.worthStoring(node, units) && (units.get(node)!.size < 2 || !this.isPassedOn(node, units));
    });
    // from the leaves up: what is made of a value that is stored now is cheap
    const found = wanted.filter((node) => {
      if (!this.worthStoring(node, units)) return false;
      this.add(node);
      for (const reader of this.readersOf([node])) {
        this.costs.delete(reader);
        this.made.delete(reader);
      }
      return true;
    });
    return this.readersOf(found);
  }

  /** Whether a reader of the value, which may be stored instead, is needed by as many units. */
  private isPassedOn(node: Node, units: UnitsOf): boolean {
    const { size } = units.get(node)!;
    return this.consumers.get(node)!.some((reader) => {
      if (this.inMemory(reader) || isView(reader) || units.get(reader)!.size !== size) return false;
      return !this.isEpilogue(node, reader, units);
    });
  }

  private unitsOf(unitOf: ByNode<Unit>): UnitsOf {
    const units = new ByNode<ReadonlySet<Unit>>(this.order);
    for (let i = this.order.length - 1; i >= 0; i--) {
      const node = this.order[i]!;
      const unit = unitOf.get(node);
      const readers = this.consumers.get(node) ?? [];
      if (this.inMemory(node)) units.set(node, new Set(unit ? [unit] : []));
      else units.set(node, union(readers.map((reader) => units.get(reader)!)));
    }
    return units;
  }

  /** Where several kernels need the value: stored, one reads what it is made of and writes it, the others read it. */
  private worthStoring(node: Node, unitsOf: UnitsOf): boolean {
    const units = unitsOf.get(node)!.size;
    if (units < 2) return this.isDear(node);
    const cost = this.cost(node);
    if (cost > STORE) return true;
    const { leaves } = this.madeOf(node);
    const stored = leaves.size + units - (this.replaces(node, unitsOf) ? 1 : 0);
    return leaves.size > 1 && (cost >= RECOMPUTE || leaves.size * units > stored);
  }

  /** Whether it may be stored instead of a product that only it is made of, and its readers need nothing else of it. */
  private replaces(node: Node, unitsOf: UnitsOf): boolean {
    const { inner, leaves } = this.madeOf(node);
    if ([...leaves].some((leaf) => this.consumers.get(leaf)!.length > MANY)) return false;
    const units = unitsOf.get(node)!;
    const others = (leaf: Node) => this.consumers.get(leaf)!.filter((reader) => !inner.has(reader));
    return (
      [...leaves].some((leaf) => isProduct(leaf) && others(leaf).length === 0) &&
      [...leaves].flatMap(others).every((reader) => [...unitsOf.get(reader)!].every((unit) => !units.has(unit)))
    );
  }

  /** Whether a product can give this, but not its reader, which needs sums over this too. */
  private isEpilogue(node: Node, reader: Node, unitsOf: UnitsOf): boolean {
    if (!this.replaces(node, unitsOf)) return false;
    const behind = (from: readonly Node[]): Set<Node> => {
      const found = new Set(from);
      for (const at of found) if (!this.inMemory(at)) for (const input of at.inputs) found.add(input);
      return found;
    };
    const sums = [...behind(reader.inputs)].filter(isReduction);
    return behind(sums.flatMap(({ inputs }) => inputs)).has(node);
  }

  /** Tensors in memory, about as large as the node, that it is computed from, and what is on the way. */
  private madeOf(node: Node): Made {
    const known = this.made.get(node);
    if (known) return known;
    const least = sizeOf(node.type.shape) / 2;
    const inner = new Set<Node>([node]);
    const leaves = new Set<Node>();
    for (const at of inner) {
      for (const input of at.inputs) {
        if (sizeOf(input.type.shape) >= least) (this.inMemory(input) ? leaves : inner).add(input);
      }
    }
    const made = { inner, leaves };
    this.made.set(node, made);
    return made;
  }

  /** The nodes themselves, and what reads them without another node in memory between. */
  private readersOf(nodes: readonly Node[]): Set<Node> {
    const reached = new Set(nodes);
    const open = [...nodes];
    for (let node = open.pop(); node; node = open.pop()) {
      for (const reader of this.consumers.get(node) ?? []) {
        if (reached.has(reader)) continue;
        reached.add(reader);
        if (!this.inMemory(reader)) open.push(reader);
      }
    }
    return reached;
  }
}

/** `separable` tells whether an operand of a tiled product is an affine view that splits into its roles. */
export function fuse(
  outputs: readonly Node[],
  separable: (dot: Node, side: 0 | 1) => boolean,
  limits: MergeLimits,
  alike: Alike,
  twins: Twins = new Map(),
): Fused {
  const roots = new Roots(outputs, separable, limits.disable);
  const inMemory = (node: Node) => roots.inMemory(node);
  const analysed = new ByNode<Built>(roots.order);
  for (let round = 0; ; round++) {
    const merger = new Merger(limits, roots.order, inMemory, alike, analysed, twins);
    for (const node of roots.order) {
      if (isOpaque(node) || node.op === "pick") {
        const reads = node.op === "dot" ? node.inputs.map((n) => baseOf(n, inMemory)) : node.inputs;
        merger.addOpaque(node, reads);
      } else if (roots.has(node)) {
        const whole = !limits.disable.has("parts");
        const pieces = whole && !limits.disable.has("epilogue") ? piecesOf(node, isProduct) : undefined;
        const parts = whole ? partsOf(node) : undefined;
        if (pieces) merger.addPieces(node, pieces);
        else if (parts) merger.addParts(node, parts);
        else merger.addRoot(node);
      }
    }
    merger.run();
    const changed = round >= 3 || limits.disable.has("inline") ? new Set<Node>() : roots.shared(merger.unitOf);
    if (changed.size === 0) return { units: merger.ordered(), inMemory };
    for (const node of changed) analysed.delete(node);
  }
}
