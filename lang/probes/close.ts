/**
 * From a value that was heard to a segment of its own. What its graph reads of other segments is computed again from the
 * slots, as it would be computed now; what the program keeps of an earlier clock is read from where it is kept, since the
 * slots have moved on. Nothing is added to the program.
 */
import { dependsOnHost, rebuild } from "../check/host.ts";
import { type Build, type Checker, stateInput } from "../check/state.ts";
import type { Tensor } from "../check/values.ts";
import { hoistScalars, make, topological } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { ProbePart, ProbeTensor, ProbeView } from "../probe.ts";
import { type Output, tickOf } from "../program.ts";
import type { Heard } from "./listen.ts";
import { axisNames, partsOf } from "./parts.ts";

/** A person's reason why there is nothing to see. */
class Refused extends Error {}

const sourceOf = (n: Node): string | undefined => (n.op === "input" ? String(n.attrs.source) : undefined);
const nameOf = (n: Node): string => String(n.attrs.name);

export const clockOf = ({ kind, block }: Build): ProbeView["clock"] =>
  kind === "top" ? "top" : kind === "reaction" ? "between" : block!.kind;

export function viewOf(c: Checker, { value, build, run }: Heard, name: string): ProbeView {
  const closing = new Closing(c, build);
  const outputs: Output[] = [];
  const parts = partsOf(c, value).map(({ name: part, value: own }): ProbePart => {
    if (own.kind === "text") return { name: part, ...own };
    if (own.kind === "numbers") return { name: part, axes: own.shape.map(() => undefined), ...own };
    try {
      const tensor = tensorOf(part, own);
      if (dependsOnHost(own.node)) return { ...tensor, kind: "host", node: closing.onHost(own.node) };
      const fetch = `p${outputs.length}`;
      outputs.push({ node: closing.onDevice(own.node), role: { kind: "fetch", name: fetch } });
      return { ...tensor, kind: "tensor", fetch };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { name: part, kind: "refused", why: error.message };
    }
  });
  const isHost = (path: string): boolean => c.slots.get(path)?.host === true;
  const hoisted = hoistScalars(
    outputs.map(({ node }) => node),
    isHost,
  );
  const segment = { name, outputs: outputs.map((o, i) => ({ ...o, node: hoisted.outputs[i]! })), host: hoisted.host };
  const block = closing.block ?? build.block;
  return {
    clock: clockOf(build),
    block: block?.name,
    run: run === 0 ? undefined : run,
    tick: closing.tick && tickOf(closing.tick.name),
    after: [...closing.after],
    fixed: build.kind === "top" && !parts.some(({ kind }) => kind === "host") && outputs.every((o) => isFixed(o.node)),
    segment,
    parts,
  };
}

function tensorOf(name: string, { node, axes, classes, labels, tag }: Tensor): ProbeTensor {
  const { dtype, shape } = node.type;
  return { name, dtype, shape, axes: axisNames(axes), classes, labels, tag };
}

/** Of the seed and the script alone. */
function isFixed(node: Node): boolean {
  return topological([node]).every((n) => {
    const source = sourceOf(n);
    return source === undefined || source === "column" || (source === "scalar" && nameOf(n) === "seed");
  });
}

class Closing {
  /** The tick whose batch and scalars are read. */
  tick: Build | undefined;
  /** The block whose metrics are read. */
  block: Build["block"];
  readonly after = new Set<string>();
  private readonly seen = new Map<Node, Node>();
  private readonly c: Checker;
  private readonly build: Build;

  constructor(c: Checker, build: Build) {
    this.c = c;
    this.build = build;
    if (build.kind === "tick") this.tick = build;
  }

  onDevice(n: Node): Node {
    const known = this.seen.get(n);
    if (known) return known;
    const result = this.closed(n);
    this.seen.set(n, result);
    return result;
  }

  private closed(n: Node): Node {
    if (n.op === "const") return n;
    const owner = this.c.ownerOf(n);
    const kept = owner && this.keptOf(owner, n);
    if (kept) return kept;
    if (owner?.kind === "tick") this.reads(owner, n);
    switch (sourceOf(n)) {
      case undefined:
        return rebuild(
          n,
          n.inputs.map((input) => this.onDevice(input)),
        );
      case "state":
        this.awaits(nameOf(n));
        return n;
      case "loop":
        throw new Refused("it is a value of a loop that was left with a mistake");
      case "fold":
      case "metric":
      case "watch":
        throw new Refused("it mixes values of a step with a metric, which is gathered over many");
      default:
        return n;
    }
  }

  /** Of an earlier clock, where its slots may have moved since. */
  private keptOf(owner: Build, n: Node): Node | undefined {
    const path = owner.kept.get(n);
    if (path === undefined) return undefined;
    const otherBatch = sourceOf(n) === "batch" && this.tick !== undefined && owner.feed !== this.tick.feed;
    if (owner.kind !== "top") return otherBatch ? this.slot(owner, n, path) : undefined;
    // Whoever reads it on another clock comes after it.
    return this.build.kind !== "top" || this.hasMoved(owner, n) ? this.slot(owner, n, path) : undefined;
  }

  private slot(owner: Build, n: Node, path: string): Node {
    if (owner.kind === "top") this.after.add(owner.name);
    return stateInput(path, n.type, n.span);
  }

  /** Slots that the value was computed from are written after the segment that computed it. */
  private hasMoved(owner: Build, node: Node): boolean {
    const reads = topological([node]).flatMap((n) => (sourceOf(n) === "state" ? [nameOf(n)] : []));
    return reads.some((path) => this.c.builds.some((b) => b.order > owner.order && b.dirty.has(path)));
  }

  /** First values are there once their segment has run. */
  private awaits(path: string): void {
    const first = this.c.builds.find((b) => b.kind === "top" && b.dirty.has(path));
    if (first) this.after.add(first.name);
  }

  private reads(owner: Build, n: Node): void {
    if (owner.block !== this.build.block)
      throw new Refused(`it is computed in each step of ${owner.block?.name ?? "a block"}: look at it there`);
    this.tick ??= owner;
    const { tick } = this;
    if (sourceOf(n) === "batch" && owner.feed !== tick.feed)
      throw new Refused("it reads batches of the block and of its inner steps at once");
  }

  /** Metrics, with the constants, slots and scalars that the host has too. */
  onHost(n: Node): Node {
    const known = this.seen.get(n);
    if (known) return known;
    const result = this.hostClosed(n);
    this.seen.set(n, result);
    return result;
  }

  private hostClosed(n: Node): Node {
    const owner = this.c.ownerOf(n);
    switch (sourceOf(n)) {
      case "watch":
        throw new Refused("a condition with memory would remember that it was looked at");
      case "fold":
        return this.foldOf(n, owner?.block);
      case "batch":
      case "loop":
      case "column":
        throw new Refused("it mixes values of a step with a metric, which is gathered over many");
      case "scalar":
        if (nameOf(n) === "seed" || nameOf(n) === "tick") throw new Refused("it mixes a random draw with a metric");
        return n;
      case "state":
        this.awaits(nameOf(n));
        return n;
      case undefined:
        return rebuild(
          n,
          n.inputs.map((input) => this.onHost(input)),
        );
      default:
        return n;
    }
  }

  private foldOf(n: Node, block: Build["block"]): Node {
    this.block = block;
    if (block?.kind !== "eval") return n;
    // The window of a pass is gone after it; what it reported is known.
    const found = [...block.report].find(([, value]) => value === n)?.[0];
    if (found === undefined) throw new Refused("it is gathered over a pass: give it a name with `metric`");
    const { dtype, shape } = n.type;
    return make("input", [], { source: "metric", name: `${block.name}.${found}`, dtype, shape }, n.span);
  }
}
