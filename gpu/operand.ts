/**
 * Operands of tiled products: a view whose address is the sum of a part for the batch, one for its free axes and one for
 * the contracted axes can be read in place. Each part is a stride, or a table of offsets where it is not one stride
 * (the windows of a convolution, permuted or flipped axes).
 */
import type { Node } from "../lang/graph/node.ts";
import { axesOf, axisIndex, evaluateIndex, flatIndex } from "./index-expr.ts";
import type { Index, Term } from "./index-expr.ts";
import type { Run, Runs } from "./kernel.ts";
import { freeAxes } from "./space.ts";
import { isView, throughViews } from "./views.ts";

export type Offsets =
  | { readonly kind: "stride"; readonly stride: number }
  | { readonly kind: "table"; readonly table: Int32Array; readonly runs: Runs };

export interface OperandView {
  readonly base: Node;
  readonly offset: number;
  readonly batch: Offsets;
  readonly free: Offsets;
  readonly contract: Offsets;
}

interface Split {
  readonly base: Node;
  readonly offset: number;
  /** Axes of the operand by role and the terms that belong to them. */
  readonly roles: readonly { readonly axes: readonly number[]; readonly terms: readonly Term[] }[];
  readonly shape: readonly number[];
}

function split(dot: Node, side: 0 | 1, inMemory: (node: Node) => boolean): Split | undefined {
  const operand = dot.inputs[side];
  if (!operand) throw new Error("expected dot to have two inputs");
  const shape = operand.type.shape;
  const fresh = shape.map((n, i) => axisIndex(i, n, false));
  const { base, index } = throughViews(operand, fresh, inMemory);
  const flat: Index = flatIndex(index, base.type.shape);
  const pairs = (key: string) => (dot.attrs[key] as readonly (readonly [number, number])[]).map((pair) => pair[side]);
  const roles = [pairs("batch"), freeAxes(dot, side), pairs("contract")].map((axes) => ({ axes, terms: [] as Term[] }));
  for (const term of flat.terms) {
    const needs = [...axesOf({ base: 0, terms: [term], key: "" })];
    const role = roles.find((r) => needs.every((axis) => r.axes.includes(axis)));
    if (!role) return undefined;
    role.terms.push(term);
  }
  return { base, offset: flat.base, roles, shape };
}

export function isSeparable(dot: Node, side: 0 | 1, inMemory: (node: Node) => boolean): boolean {
  const operand = dot.inputs[side]!;
  return !isView(operand) || inMemory(operand) || split(dot, side, inMemory) !== undefined;
}

/** The step of axes that are walked as one, each a term of its own; undefined where they are not. */
function strideOf(axes: readonly number[], terms: readonly Term[], shape: readonly number[]): number | undefined {
  if (terms.length !== axes.length || axes.some((axis) => shape[axis] === 0)) return undefined;
  let stride: number | undefined;
  let next = 0;
  for (const axis of [...axes].reverse()) {
    const term = terms.find(({ atom }) => atom.kind === "axis" && atom.axis === axis);
    if (!term || (stride !== undefined && term.coef !== next)) return undefined;
    stride ??= term.coef;
    next = term.coef * (shape[axis] ?? 1);
  }
  return stride ?? 0;
}

function offsets(axes: readonly number[], terms: readonly Term[], shape: readonly number[]): Offsets {
  const used = axes.filter((axis) => shape[axis] !== 1);
  const steady = strideOf(used, terms, shape);
  if (steady !== undefined) return { kind: "stride", stride: steady };
  const index: Index = { base: 0, terms, key: "" };
  const count = used.reduce((n, axis) => n * (shape[axis] ?? 1), 1);
  const at = new Map<number, number>(used.map((axis) => [axis, 0]));
  const table = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    table[i] = evaluateIndex(index, (axis) => at.get(axis) ?? 0);
    for (let j = used.length - 1; j >= 0; j--) {
      const axis = used[j] as number;
      const next = (at.get(axis) ?? 0) + 1;
      if (next < (shape[axis] ?? 1)) {
        at.set(axis, next);
        break;
      }
      at.set(axis, 0);
    }
  }
  const stride = count > 1 ? (table[1] ?? 0) - (table[0] ?? 0) : 0;
  const regular = table[0] === 0 && table.every((offset, i) => offset === i * stride);
  return regular ? { kind: "stride", stride } : { kind: "table", table, runs: runsOf(table) };
}

function runsOf(table: Int32Array): Runs {
  const run = runOf(table);
  return run ? [run, ...runsOf(table.filter((_, i) => i % run.length === 0))] : [];
}

/** The longest runs of one stride that all of a table consists of. */
function runOf(table: Int32Array): Run | undefined {
  const at = (i: number) => table[i] ?? 0;
  const stride = at(1) - at(0);
  let longest = 1;
  while (longest < table.length && at(longest) - at(longest - 1) === stride) longest++;
  for (let length = longest; length > 1; length--) {
    if (table.length % length !== 0) continue;
    if (table.every((offset, i) => i % length === 0 || offset - at(i - 1) === stride)) return { length, stride };
  }
  return undefined;
}

export function operandView(dot: Node, side: 0 | 1, inMemory: (node: Node) => boolean): OperandView | undefined {
  const found = split(dot, side, inMemory);
  if (!found) return undefined;
  const [batch, free, contract] = found.roles.map((r) => offsets(r.axes, r.terms, found.shape)) as [
    Offsets,
    Offsets,
    Offsets,
  ];
  return { base: found.base, offset: found.offset, batch, free, contract };
}
