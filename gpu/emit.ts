/**
 * Nodes → SSA values of one kernel. `emit(node, index)` gives the value of one element; views only rewrite the index,
 * so a chain of maps and views becomes one expression with loads at its leaves.
 * What is a leaf (a buffer), a running reduction of this kernel, or inlined, the caller decides.
 */
import { list } from "../lang/graph/attrs.ts";
import type { Node } from "../lang/graph/node.ts";
import {
  addIndex,
  constantIndex,
  divIndex,
  flatIndex,
  modIndex,
  rangeOf,
  scaleIndex,
  shiftIndex,
  valueIndex,
} from "./index-expr.ts";
import type { Atom, Index } from "./index-expr.ts";
import { binaryOps, unaryOps } from "./kernel.ts";
import type { Access, BinaryOp, UnaryOp } from "./kernel.ts";
import { Values } from "./values.ts";
import { isView, viewIndex } from "./views.ts";

export interface EmitContext {
  /** The node is in memory: the number of its parameter. */
  param(node: Node): number | undefined;
  /** The node is a reduction of this kernel, asked for at `index`. */
  reduction(node: Node, index: readonly Index[]): number | undefined;
}

const whole = (node: Node, key: string) => node.attrs[key] as number;

const unaryNames: ReadonlySet<string> = new Set(unaryOps);
const binaryNames: ReadonlySet<string> = new Set(binaryOps);

function input(node: Node, i: number): Node {
  const at = node.inputs[i];
  if (!at) throw new Error(`expected ${node.op} to have input ${i}, got ${node.inputs.length} inputs`);
  return at;
}

/** Windows that do not overlap: each element lies in at most one. */
export function foldIsView(node: Node): boolean {
  const size = list(node, "size");
  const stride = list(node, "stride");
  const dilation = list(node, "dilation");
  return size.every((n, i) => n === 1 || (dilation[i] === 1 && n <= (stride[i] ?? 0)));
}

export class Emitter {
  readonly values = new Values();
  private readonly context: EmitContext;
  private readonly memo = new Map<Node, Map<string, number>>();

  constructor(context: EmitContext) {
    this.context = context;
  }

  /** The value of an index expression as i32. */
  value(index: Index): number {
    const v = this.values;
    let sum: number | undefined;
    for (const { atom, coef } of index.terms) {
      const scaled = v.binary("mul", this.atom(atom), v.constant(coef, "i32"));
      sum = sum === undefined ? scaled : v.binary("add", sum, scaled);
    }
    if (sum === undefined) return v.constant(index.base, "i32");
    return v.binary("add", sum, v.constant(index.base, "i32"));
  }

  private atom(atom: Atom): number {
    const v = this.values;
    if (atom.kind === "axis") return v.add({ op: "axis", dtype: "i32", axis: atom.axis, args: [] });
    if (atom.kind === "value") return atom.value;
    return v.binary(atom.kind, this.value(atom.of), v.constant(atom.by, "i32"));
  }

  access(param: number, flat: Index): Access {
    const terms: [number, number][] = [];
    const dynamic: [number, number][] = [];
    for (const { atom, coef } of flat.terms) {
      if (atom.kind === "axis") terms.push([atom.axis, coef]);
      else dynamic.push([this.atom(atom), coef]);
    }
    terms.sort((a, b) => a[0] - b[0]);
    const [lo, hi] = rangeOf(flat);
    return { param, base: flat.base, terms, dynamic, lo, hi };
  }

  emit(node: Node, index: readonly Index[]): number {
    const key = index.map((i) => i.key).join();
    const known = this.memo.get(node)?.get(key);
    if (known !== undefined) return known;
    const value = this.leaf(node, index) ?? this.inline(node, index);
    let byIndex = this.memo.get(node);
    if (!byIndex) this.memo.set(node, (byIndex = new Map()));
    byIndex.set(key, value);
    return value;
  }

  private leaf(node: Node, index: readonly Index[]): number | undefined {
    const reduced = this.context.reduction(node, index);
    if (reduced !== undefined) return reduced;
    const param = this.context.param(node);
    if (param === undefined) return undefined;
    const access = this.access(param, flatIndex(index, node.type.shape));
    return this.values.add({ op: "load", dtype: node.type.dtype, access, args: [] });
  }

  /** lo <= index < hi, leaving out what the range already tells. */
  private within(index: Index, lo: number, hi: number): number {
    const v = this.values;
    const [from, to] = rangeOf(index);
    const above = from >= lo ? v.constant(1, "bool") : v.binary("le", v.constant(lo, "i32"), this.value(index));
    const below = to < hi ? v.constant(1, "bool") : v.binary("lt", this.value(index), v.constant(hi, "i32"));
    return v.binary("and", above, below);
  }

  /** The element by the node's own meaning, whether or not it is in memory. */
  inline(node: Node, index: readonly Index[]): number {
    const v = this.values;
    const { op } = node;
    if (isView(node)) return this.emit(input(node, 0), viewIndex(node, index));
    switch (op) {
      case "const": {
        if (typeof node.attrs["value"] !== "number") throw new Error("expected a table of constants to be in memory");
        return v.constant(node.attrs["value"], node.type.dtype);
      }
      case "iota":
        return this.value(index[whole(node, "axis")] ?? constantIndex(0));
      case "random":
        return this.random(node, index);
      case "cast":
        return v.unary("cast", this.emit(input(node, 0), index), node.type.dtype);
      case "select": {
        const [cond, a, b] = [0, 1, 2].map((i) => this.emit(input(node, i), index)) as [number, number, number];
        return v.select(cond, a, b);
      }
      case "pad":
        return this.pad(node, index);
      case "concat":
        return this.concat(node, index);
      case "fold":
        if (!foldIsView(node)) throw new Error("expected an overlapping fold to be a reduction");
        return this.emitFoldView(node, index);
      case "gather":
        return this.gather(node, index);
      default:
        if (unaryNames.has(op)) return v.unary(op as UnaryOp, this.emit(input(node, 0), index));
        if (binaryNames.has(op)) {
          const a = this.emit(input(node, 0), index);
          return v.binary(op as BinaryOp, a, this.emit(input(node, 1), index));
        }
        throw new Error(`expected an op that maps elements, got ${op}`);
    }
  }

  private pad(node: Node, index: readonly Index[]): number {
    const v = this.values;
    const x = input(node, 0);
    const lo = list(node, "lo");
    let inside = v.constant(1, "bool");
    const inner = index.map((ix, i) => {
      const shifted = shiftIndex(ix, -(lo[i] ?? 0));
      inside = v.binary("and", inside, this.within(shifted, 0, x.type.shape[i] ?? 1));
      return shifted;
    });
    return v.select(inside, this.emit(x, inner), v.constant(whole(node, "value"), node.type.dtype));
  }

  private concat(node: Node, index: readonly Index[]): number {
    const v = this.values;
    const axis = whole(node, "axis");
    const place = index[axis] ?? constantIndex(0);
    const [lo, hi] = rangeOf(place);
    let end = node.type.shape[axis] ?? 0;
    let result: number | undefined;
    for (let i = node.inputs.length - 1; i >= 0; i--) {
      const piece = input(node, i);
      const size = piece.type.shape[axis] ?? 0;
      const start = end - size;
      if (size > 0 && hi >= start && lo < end) {
        const here = this.emit(piece, index.with(axis, shiftIndex(place, -start)));
        result =
          result === undefined
            ? here
            : v.select(v.binary("lt", this.value(place), v.constant(end, "i32")), here, result);
      }
      end = start;
    }
    if (result === undefined) throw new Error("expected concat to have elements, got none");
    return result;
  }

  /** Place of an element in the window axes: (window number, place within) = divmod by the stride. */
  private emitFoldView(node: Node, index: readonly Index[]): number {
    const v = this.values;
    const x = input(node, 0);
    const axes = list(node, "axes");
    const size = list(node, "size");
    const stride = list(node, "stride");
    const inner = [...index];
    let inside = v.constant(1, "bool");
    axes.forEach((axis, i) => {
      const at = index[axis] ?? constantIndex(0);
      const by = stride[i] ?? 1;
      const window = divIndex(at, by);
      const within = modIndex(at, by);
      inside = v.binary("and", inside, this.within(window, 0, x.type.shape[axis] ?? 1));
      inside = v.binary("and", inside, this.within(within, 0, size[i] ?? 1));
      inner[axis] = window;
      inner.push(within);
    });
    return v.select(inside, this.emit(x, inner), v.constant(0, node.type.dtype));
  }

  /** One summand of an overlapping fold: `window` are the inner axes. */
  foldTerm(node: Node, index: readonly Index[], window: readonly Index[]): number {
    const v = this.values;
    const x = input(node, 0);
    const inner = [...index, ...window];
    let inside = v.constant(1, "bool");
    list(node, "axes").forEach((axis, i) => {
      const by = list(node, "stride")[i] ?? 1;
      const w = scaleIndex(window[i] ?? constantIndex(0), list(node, "dilation")[i] ?? 1);
      const start = addIndex(index[axis] ?? constantIndex(0), w, -1);
      const count = x.type.shape[axis] ?? 1;
      inside = v.binary("and", inside, this.within(start, 0, (count - 1) * by + 1));
      if (by === 1) inner[axis] = start;
      else {
        const remainder = this.value(modIndex(start, by));
        inside = v.binary("and", inside, v.binary("eq", remainder, v.constant(0, "i32")));
        inner[axis] = divIndex(start, by);
      }
    });
    return v.select(inside, this.emit(x, inner), v.constant(0, node.type.dtype));
  }

  private gather(node: Node, index: readonly Index[]): number {
    const v = this.values;
    const x = input(node, 0);
    const ids = input(node, 1);
    const axis = whole(node, "axis");
    const paired = node.attrs["paired"] === true;
    const rank = ids.type.shape.length - (paired ? axis : 0);
    const last = (x.type.shape[axis] ?? 1) - 1;
    const id = this.emit(ids, index.slice(paired ? 0 : axis, axis + rank));
    const clamped = v.binary("min", v.binary("max", id, v.constant(0, "i32")), v.constant(last, "i32"));
    const fixed = v.number(clamped);
    const row = fixed === undefined ? valueIndex(clamped, 0, last) : constantIndex(fixed);
    return this.emit(x, [...index.slice(0, axis), row, ...index.slice(axis + rank)]);
  }

  /** The counter hash of lang/graph/ops/random.ts, word by word. */
  private random(node: Node, index: readonly Index[]): number {
    const v = this.values;
    const u = (n: number) => v.constant(n, "u32");
    const mix = (x0: number): number => {
      let x = v.binary("xor", x0, v.binary("shr", x0, u(16)));
      x = v.binary("mul", x, u(0x7feb352d));
      x = v.binary("xor", x, v.binary("shr", x, u(15)));
      x = v.binary("mul", x, u(0x846ca68b));
      return v.binary("xor", x, v.binary("shr", x, u(16)));
    };
    const site = u(whole(node, "site"));
    let h1 = mix(v.binary("xor", site, u(0x9e3779b9)));
    let h2 = mix(v.binary("add", site, u(0x85ebca6b)));
    for (const input of node.inputs) {
      const key = this.emit(input, []);
      h1 = mix(v.binary("add", v.binary("xor", h1, key), u(0x9e3779b9)));
      h2 = mix(v.binary("xor", v.binary("add", h2, key), u(0xc2b2ae35)));
    }
    const element = v.unary("cast", this.value(flatIndex(index, node.type.shape)), "u32");
    const word = mix(v.binary("add", mix(v.binary("xor", element, h1)), h2));
    const top = v.unary("cast", v.unary("cast", v.binary("shr", word, u(8)), "i32"), "f32");
    return v.binary("mul", top, v.constant(2 ** -24, "f32"));
  }
}
