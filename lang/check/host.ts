/**
 * What the host may know of a running program. A sink's expression is split in two: what depends on metrics is
 * computed by the host from folds; what depends only on the device is kept in a slot and read back.
 */
import { UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import { make, withInputs } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Fold, HostValue } from "../program.ts";
import type { Span } from "../source.ts";
import { typeText } from "./axes.ts";
import type { BlockBuild, Build, Checker, Env } from "./state.ts";
import { lookup, stateInput } from "./state.ts";
import { writtenAs } from "./tokens.ts";
import type { Value } from "./values.ts";

export const HOST_SOURCES = new Set(["fold", "metric", "watch"]);
/** Host expressions are small: scalars of the clock and what the host was given. */
const UPLOADED = new Set(["seed", "tick"]);

function sourceOf(node: Node): string | undefined {
  return node.op === "input" ? String(node.attrs.source) : undefined;
}

/** Leaves that only the host has are below this node. */
export function dependsOnHost(node: Node, seen = new Map<Node, boolean>()): boolean {
  const known = seen.get(node);
  if (known !== undefined) return known;
  const source = sourceOf(node);
  const result = (source !== undefined && HOST_SOURCES.has(source)) || node.inputs.some((i) => dependsOnHost(i, seen));
  seen.set(node, result);
  return result;
}

/** Constants, clock scalars and inputs only: needs no device. */
function isFree(node: Node, seen = new Map<Node, boolean>()): boolean {
  const known = seen.get(node);
  if (known !== undefined) return known;
  let result: boolean;
  if (node.op === "const" || node.op === "iota") result = true;
  else if (node.op === "input") result = node.attrs.source === "scalar" && !UPLOADED.has(String(node.attrs.name));
  else if (node.op === "random" || node.op === "loop") result = false;
  else result = node.inputs.length > 0 && node.inputs.every((i) => isFree(i, seen));
  seen.set(node, result);
  return result;
}

/** A fold over the reader's clock of something a tick computes. */
export function foldOf(
  c: Checker,
  block: BlockBuild,
  node: Node,
  how: Fold["how"],
  weight?: Node,
  shape: readonly number[] = node.type.shape,
): Node {
  const key = `${node.id}:${how}:${weight?.id ?? ""}`;
  const name = block.foldOf.get(key) ?? `f${++block.fetches}`;
  if (!block.foldOf.has(key)) {
    block.foldOf.set(key, name);
    const owner = c.ownerOf(node);
    const build = owner?.block === block ? owner : c.build;
    // Two folds of one value read it back once.
    const fetch = (n: Node, as: string): string => {
      const known = block.fetched.get(n);
      if (known !== undefined) return known;
      block.fetched.set(n, as);
      build.segment.outputs.push({ node: n, role: { kind: "fetch", name: as } });
      return as;
    };
    const fold: Fold = {
      name,
      how,
      fetch: fetch(node, name),
      weight: weight ? fetch(weight, `${name}.weight`) : undefined,
    };
    if (!block.folds.has(name)) block.folds.set(name, fold);
  }
  const dtype = node.type.dtype === "f32" || how === "avg" ? "f32" : node.type.dtype;
  return make("input", [], { source: "fold", name, dtype, shape }, node.span);
}

/** Rewrites an expression to what the host can evaluate. */
export function hostNode(c: Checker, env: Env, node: Node, span: Span): Node {
  const seen = new Map<Node, Node>();
  const block = env.frame.block;
  const needsTick = (n: Node): boolean => {
    const owner = c.ownerOf(n);
    return block !== undefined && owner?.kind === "tick" && owner.block === block;
  };
  // A tensor of constants may have the size of the batch, which the last batch changes.
  const sized = new Map<Node, boolean>();
  const isSized = (n: Node): boolean => {
    const known = sized.get(n);
    if (known !== undefined) return known;
    const result = needsTick(n) && (n.type.shape.length > 0 || n.inputs.some(isSized));
    sized.set(n, result);
    return result;
  };
  const isWhole = (n: Node): boolean => isFree(n) && !isSized(n);
  const below = new Map<Node, boolean>();
  const touchesTick = (n: Node): boolean => {
    const known = below.get(n);
    if (known !== undefined) return known;
    const result = (needsTick(n) && !isWhole(n) && sourceOf(n) === undefined) || n.inputs.some(touchesTick);
    below.set(n, result);
    return result;
  };
  /** A sink in the body sees the version of its line; what a reaction reads is committed. */
  const stateOfTick = (n: Node): Node => {
    const moved = c.ownerOf(n)!.dirty.has(String(n.attrs.name));
    if (block!.kind !== "train" || (env.frame.kind === "reaction" && !moved)) return n;
    return ofTick(n);
  };
  const stateNow = (n: Node): Node => {
    const owner = c.ownerOf(n);
    if (owner === undefined || owner === c.build || !c.movedSince(String(n.attrs.name), owner, c.build)) return n;
    return keptBy(c, owner, n);
  };
  const ofTick = (n: Node): Node => {
    if (n.type.shape.length > 0 && env.frame.kind === "reaction") {
      throw new UserError(names.fasterClock("this tensor", span));
    }
    // A sink in the body of an `eval` is shown after the pass, so its scalars are those of the pass.
    const here = env.frame.kind === "block" && (block!.kind === "train" || n.type.shape.length > 0);
    return foldOf(c, block!, n, here ? "last" : "avg");
  };
  /** A tensor that was folded or collected has no size of a batch, and so have the constants beside it none. */
  const passes = new Map<Node, boolean>();
  const ofPass = (n: Node): boolean => {
    const known = passes.get(n);
    if (known !== undefined) return known;
    const isFold = sourceOf(n) === "fold";
    const result = isFold
      ? n.type.shape.length > 0 || block?.folds.get(String(n.attrs.name))?.how === "collect"
      : n.inputs.some((input) => dependsOnHost(input)) &&
        n.inputs.every((input) => !dependsOnHost(input) || ofPass(input));
    passes.set(n, result);
    return result;
  };
  const walkFree = (n: Node): Node => (isFree(n) ? n : walk(n));
  const walk = (n: Node): Node => {
    const known = seen.get(n);
    if (known) return known;
    let result: Node;
    const source = sourceOf(n);
    if (isWhole(n) || (source !== undefined && HOST_SOURCES.has(source))) result = n;
    else if (dependsOnHost(n)) result = rebuild(n, ofPass(n) ? n.inputs.map(walkFree) : n.inputs.map(walk));
    else if (needsTick(n) && source !== "state") result = ofTick(n);
    else if (source === "state" && needsTick(n)) result = stateOfTick(n);
    else if (touchesTick(n)) result = rebuild(n, n.inputs.map(walk));
    else if (source === "state") result = stateNow(n);
    else result = kept(c, n);
    seen.set(n, result);
    return result;
  };
  return walk(node);
}

export function rebuild(n: Node, inputs: readonly Node[]): Node {
  return inputs === n.inputs || inputs.every((input, i) => input === n.inputs[i]) ? n : withInputs(n, inputs);
}

/** Keeps a value of another segment in a slot, and reads it from there. */
export function kept(c: Checker, node: Node): Node {
  const owner = c.ownerOf(node);
  if (!owner) throw new Error(`expected an owner of node ${node.id} (${node.op}), got none`);
  return keptBy(c, owner, node);
}

export function keptBy(c: Checker, owner: Build, node: Node): Node {
  let path = owner.kept.get(node);
  if (path === undefined) {
    path = `${owner.name}.v${owner.kept.size + 1}`;
    owner.kept.set(node, path);
    c.slots.set(path, { path, type: node.type, kind: "value", span: node.span });
    owner.segment.outputs.push({ node, role: { kind: "commit", path } });
  }
  return stateInput(path, node.type, node.span);
}

/** The size of the axis B: the last batch may have another. */
function isBatchSize(env: Env, value: Value & { kind: "num" }): boolean {
  if (env.frame.kind !== "block" || value.axis?.uid === undefined) return false;
  const batch = lookup(env.scope, "B")?.value;
  return batch?.kind === "num" && batch.axis?.uid === value.axis.uid;
}

export function hostValue(c: Checker, env: Env, value: Value, span: Span): HostValue {
  switch (value.kind) {
    case "tensor":
      return { kind: "node", node: hostNode(c, env, value.node, span), classes: value.labels, ...writtenAs(value) };
    case "num": {
      const node = make("const", [], { value: value.value, dtype: value.float ? "f32" : "i32" }, span);
      return { kind: "node", node: isBatchSize(env, value) ? foldOf(c, env.frame.block!, node, "last") : node };
    }
    case "bool":
      return { kind: "node", node: make("const", [], { value: value.value ? 1 : 0, dtype: "bool" }, span) };
    case "tuple":
    case "list":
      return { kind: "list", items: value.items.map((v) => hostValue(c, env, v, span)), tuple: value.kind === "tuple" };
    case "record":
      return {
        kind: "record",
        fields: Object.fromEntries([...value.fields].map(([n, v]) => [n, hostValue(c, env, v, span)])),
      };
    case "bundle":
      return {
        kind: "record",
        fields: Object.fromEntries([...value.leaves].map(([n, v]) => [n, hostValue(c, env, v, span)])),
      };
    case "str": {
      const items = value.parts.map((p): HostValue =>
        typeof p === "string" ? { kind: "text", text: p } : hostValue(c, env, p.value, p.span),
      );
      return items.length === 1 ? items[0]! : { kind: "list", items, tuple: false };
    }
    case "none":
      return { kind: "text", text: "none" };
    default:
      return { kind: "text", text: typeText(value) };
  }
}
