/**
 * The end of a checking pass: segments are closed. A node that another segment owns is kept in a slot by its owner and
 * read from there; scalars of the clock are given to the host; slots that depend on nothing else become the host's.
 */
import { UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import { liveInputOnce } from "../errors/shadows.ts";
import { hoistScalars, hostable, topological } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Output, Slot } from "../program.ts";
import { HOST_SOURCES, keptBy, rebuild } from "./host.ts";
import { Repeats } from "./repeats.ts";
import type { Build, Checker } from "./state.ts";

export function finishSegments(c: Checker): void {
  for (const build of c.builds) {
    for (const path of build.dirty) {
      build.segment.outputs.push({ node: build.state.get(path)!, role: { kind: "commit", path } });
    }
  }
  // Later segments read earlier ones, never the other way round: closing one may add to those before it.
  for (const build of [...c.builds].reverse()) closeSegment(c, build);
  // The rest finds no mistakes; who only listens wants no program.
  if (c.settings.seen) return;
  const hostSlots = findHostSlots(c);
  for (const path of hostSlots) c.slots.set(path, { ...c.slots.get(path)!, host: true });
  for (const build of c.builds) {
    const nodes = build.segment.outputs.map((o) => o.node);
    const isHostCommit = (o: Output): boolean => o.role.kind === "commit" && hostSlots.has(o.role.path);
    const device = build.segment.outputs.filter((o) => !isHostCommit(o));
    const own = build.segment.outputs.filter(isHostCommit);
    if (nodes.length === 0) continue;
    const hoisted = hoistScalars(
      device.map((o) => o.node),
      (path) => hostSlots.has(path),
    );
    build.segment.outputs = [...device.map((o, i) => ({ ...o, node: hoisted.outputs[i]! })), ...own];
    build.segment.host = hoisted.host;
  }
}

/** The same array where nothing in it becomes another. */
function mapped<T>(list: readonly T[], to: (each: T) => T): readonly T[] {
  for (let i = 0; i < list.length; i++) {
    if (to(list[i]!) !== list[i]) return list.map(to);
  }
  return list;
}

const nowhere = { file: "", start: 0, end: 0 };

function closeSegment(c: Checker, build: Build): void {
  const seen = new Map<Node, Node>();
  const repeats = new Repeats();
  const copyable = new Map<Node, boolean>();
  const isCopyable = (n: Node): boolean => {
    const known = copyable.get(n);
    if (known !== undefined) return known;
    const leaf = n.op === "const" || n.op === "iota" || (n.op === "input" && n.attrs.source === "scalar");
    const result = leaf || (n.inputs.length > 0 && n.op !== "random" && n.op !== "loop" && n.inputs.every(isCopyable));
    copyable.set(n, result);
    return result;
  };
  const tooFast = (n: Node): UserError => {
    const slot = output?.role.kind === "commit" ? c.slots.get(output.role.path) : undefined;
    return new UserError(
      slot?.kind === "state" && slot.span
        ? names.firstValueTooFast(slot.path.split(".").at(-1)!, slot.span)
        : names.fasterClock("this value", n.span ?? nowhere),
    );
  };
  let output: Output | undefined;
  const walk = (n: Node): Node => {
    const known = seen.get(n);
    if (known) return known;
    let result: Node;
    const owner = c.ownerOf(n);
    if (n.op === "input" && HOST_SOURCES.has(String(n.attrs.source)))
      throw new UserError(names.metricFeedsBack(n.span ?? nowhere));
    if (n.op === "const" || owner === build || owner === undefined || isCopyable(n)) {
      // Who only listens wants no graph, only what is wrong with it.
      if (c.settings.seen) for (const input of n.inputs) walk(input);
      result = c.settings.seen ? n : repeats.one(rebuild(n, mapped(n.inputs, walk)));
    } else if (n.op === "input") {
      if (n.attrs.source === "batch" && owner.block !== build.block) throw tooFast(n);
      result =
        n.attrs.source === "batch" && owner.feed !== build.feed ? keptBy(c, owner, n) : inputOf(c, build, owner, n);
    } else {
      if (owner.kind === "tick" && owner.block !== build.block) throw tooFast(n);
      if (owner.kind === "top" && build.kind === "tick") tellLive(c, n);
      result = keptBy(c, owner, n);
    }
    seen.set(n, result);
    return result;
  };
  c.attempt(() => {
    const outputs = build.segment.outputs;
    // Closing may add outputs to this very segment only through other segments, which are closed already.
    build.segment.outputs = outputs.map((o) => {
      output = o;
      return { ...o, node: walk(o.node) };
    });
  });
}

/** What is computed once does not follow its live inputs. */
function tellLive(c: Checker, node: Node): void {
  for (const n of topological([node])) {
    const { source, name } = n.attrs;
    if (n.op === "input" && source === "scalar" && String(name).startsWith("input:") && n.span && node.span)
      c.report(liveInputOnce(String(name).slice("input:".length), node.span, n.span));
  }
}

/** An input that another segment read: a slot that has moved since is kept as it was there. */
function inputOf(c: Checker, build: Build, owner: Build, n: Node): Node {
  const { source, name } = n.attrs;
  if (source === "state" && c.movedSince(String(name), owner, build)) return keptBy(c, owner, n);
  return n;
}

/** Scalar states with a written first value whose every commit the host can compute: found by removing those that fail. */
function findHostSlots(c: Checker): Set<string> {
  const commits = new Map<string, Node[]>();
  for (const build of c.builds) {
    for (const o of build.segment.outputs) {
      if (o.role.kind !== "commit") continue;
      commits.set(o.role.path, [...(commits.get(o.role.path) ?? []), o.node]);
    }
  }
  const candidate = (s: Slot): boolean =>
    (s.kind === "state" || s.kind === "slot") &&
    s.type.shape.length === 0 &&
    s.init !== undefined &&
    commits.has(s.path);
  const found = new Set([...c.slots.values()].filter(candidate).map((s) => s.path));
  for (let changed = true; changed;) {
    changed = false;
    for (const path of found) {
      if (!commits.get(path)!.every((n) => hostable(n, (p) => found.has(p)))) {
        found.delete(path);
        changed = true;
      }
    }
  }
  return found;
}
