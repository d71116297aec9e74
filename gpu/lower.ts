/**
 * Static graph → kernels and tape. Walks the fused units in order, gives every root a buffer, and turns loops into
 * nested tapes whose carries swap between two buffers; `chain` and `group` then put kernels together. Knows no device: what a product needs as scratch is passed in.
 */
import type { Body, DType, Node, Type } from "../lang/graph/node.ts";
import type { Span } from "../lang/source.ts";
import { computedAgain } from "./again.ts";
import { Alike } from "./alike.ts";
import { chainSteps } from "./chain.ts";
import type { ChainLimits } from "./chain.ts";
import type { Cluster } from "./cluster.ts";
import { coalesce } from "./coalesce.ts";
import { factored } from "./factored.ts";
import { fuse, isLeaf } from "./fuse.ts";
import type { Fused } from "./fuse.ts";
import type { Draft } from "./dependences.ts";
import { groupSteps } from "./group.ts";
import type { GroupLimits } from "./group.ts";
import { storedInPlaceOf } from "./in-place.ts";
import { kernelKey } from "./kernel-text.ts";
import type { DotKernel, Kernel, Offsets, Operand, Param } from "./kernel.ts";
import type { MergeLimits } from "./merge.ts";
import { isSeparable, operandView } from "./operand.ts";
import type { OperandView } from "./operand.ts";
import type { Buffer, Lowered, Place, Step } from "./program.ts";
import { dotSizes, sizeOf } from "./space.ts";
import { byBatches } from "./by-batch.ts";
import { splitDepth } from "./split-depth.ts";
import { splitSums } from "./split.ts";
import { triangles } from "./triangle.ts";
import type { Triangle } from "./triangle.ts";
import { baseOf } from "./views.ts";

export interface LowerOptions extends MergeLimits, GroupLimits, ChainLimits {
  /** Elements of scratch for a tiled product. */
  readonly dotScratch: (product: Pick<DotKernel, "g" | "m" | "n" | "k" | "a" | "b">) => number;
  /** Products leave out what a causal mask throws away. */
  readonly triangles?: boolean;
}

/** A node to compute, and the buffer it must end in (a new one when left out). */
export interface Wanted {
  readonly node: Node;
  readonly place?: Place;
}

export function lower(wanted: readonly Wanted[], options: LowerOptions): Lowered {
  const lowering = new Lowering(options);
  const targets = wanted.map(({ node, place }) =>
    place ? lowering.buffer(node.type.dtype, sizeOf(node.type.shape), place) : undefined,
  );
  const inputs = new Map<string, number>();
  const bind = (node: Node): number => {
    const source = node.attrs["source"] as string;
    const name = node.attrs["name"] as string;
    const key = `${source} ${name}`;
    let id = inputs.get(key);
    if (id === undefined) {
      const kind = source === "state" ? "slot" : source;
      if (kind !== "slot" && kind !== "scalar" && kind !== "batch") {
        throw new Error(`expected an input of state, scalar or batch, got ${key}`);
      }
      const place: Place = kind === "slot" ? { kind, path: name } : { kind, name };
      id = lowering.buffer(node.type.dtype, sizeOf(node.type.shape), place);
      inputs.set(key, id);
    }
    return id;
  };
  const { steps, results } = lowering.graph(
    wanted.map((w) => w.node),
    targets,
    bind,
  );
  return {
    kernels: lowering.kernels,
    spans: lowering.spans.map((own) => [...own.values()]),
    buffers: lowering.buffers,
    tape: steps,
    loops: lowering.loops,
    outputs: results,
  };
}

/** A copy of a value, so that it has a buffer of its own. */
let copies = -1;
const copyOf = (node: Node): Node => ({ id: copies--, op: "stop", inputs: [node], attrs: {}, type: node.type });

class Lowering {
  readonly kernels: Kernel[] = [];
  /** By kernel, each place once. */
  readonly spans: Map<string, Span>[] = [];
  readonly buffers: Buffer[] = [];
  loops = 0;
  readonly alike = new Alike();
  private readonly known = new Map<Kernel, number>();
  private readonly options: LowerOptions;

  constructor(options: LowerOptions) {
    this.options = options;
  }

  buffer(dtype: DType, size: number, place: Place = { kind: "temp" }): number {
    return this.buffers.push({ dtype, size, place }) - 1;
  }

  bufferFor(type: Type): number {
    return this.buffer(type.dtype, sizeOf(type.shape));
  }

  /** A table of constants; equal ones are one buffer. */
  table(dtype: DType, data: Int32Array | Float32Array): number {
    const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
    let hash = data.length;
    for (const word of bits) hash = (Math.imul(hash, 0x01000193) ^ word) | 0;
    const key = `${dtype} ${data.length} ${hash}`;
    const same = this.tables.get(key)?.find(({ words }) => words.every((word, i) => word === bits[i]));
    if (same) return same.id;
    const id = this.buffer(dtype, data.length, { kind: "data", data });
    this.tables.set(key, [...(this.tables.get(key) ?? []), { words: bits, id }]);
    return id;
  }
  private readonly tables = new Map<string, readonly { readonly words: Int32Array; readonly id: number }[]>();

  /** Equal kernels as one object, so that what is found out about it is found out once. */
  one<K extends Kernel>(kernel: K): K {
    if (this.numbers.has(kernel)) return kernel;
    const key = kernelKey(kernel, (part) => this.numbers.get(this.one(part))!);
    const known = this.equal.get(key) as K | undefined;
    if (known) return known;
    this.equal.set(key, kernel);
    this.numbers.set(kernel, this.numbers.size);
    return kernel;
  }
  private readonly equal = new Map<string, Kernel>();
  private readonly numbers = new Map<Kernel, number>();

  private step(draft: Draft): Step {
    if (draft.kind !== "kernel") return draft;
    const kernel = this.one(draft.kernel);
    let id = this.known.get(kernel);
    if (id === undefined) {
      id = this.kernels.push(kernel) - 1;
      this.spans.push(new Map());
      this.known.set(kernel, id);
    }
    for (const span of draft.spans) this.spans[id]?.set(`${span.file} ${span.start} ${span.end}`, span);
    return { kind: "kernel", kernel: id, args: draft.args };
  }

  graph(
    wanted: readonly Node[],
    targets: readonly (number | undefined)[],
    bind: (node: Node) => number,
  ): { readonly steps: readonly Step[]; readonly results: readonly number[] } {
    const taken = new Map<Node, number | undefined>();
    const { disable } = this.options;
    const chains = disable.has("chain") ? undefined : this.options.chains;
    const fewer = disable.has("factor") ? wanted : factored(wanted);
    const split = disable.has("split") ? fewer : splitSums(splitDepth(fewer));
    const limits = chains ?? { room: 0, byRows: false };
    const batched = disable.has("batches") ? split : byBatches(split, limits.room);
    const { outputs: nodes, twins } = computedAgain(batched, limits);
    const outputs = nodes.map((node, i) => {
      let at = node;
      // the same elements in the same order: one buffer serves
      while ((at.op === "reshape" || at.op === "stop") && at.inputs[0]) at = at.inputs[0];
      const target = targets[i];
      if (target !== undefined && (isLeaf(at) || taken.has(at))) at = copyOf(at);
      if (!taken.has(at)) taken.set(at, target);
      return at;
    });
    const fused = fuse(outputs, (dot, side) => isSeparable(dot, side, isLeaf), this.options, this.alike, twins);
    const halved = this.options.triangles === true && !disable.has("triangle") ? triangles(outputs) : undefined;
    const scope = new Scope(this, fused, taken, bind, halved);
    const alone = scope.lower(this.options);
    const results = outputs.map((node) => scope.bufferOf(node));
    const drafts = chainSteps(alone, this.buffers, new Set(results), this.options);
    return { steps: groupSteps(drafts, this.buffers, this.options).map((draft) => this.step(draft)), results };
  }
}

/** One graph being lowered: the segment, or the body of a loop. */
class Scope {
  private readonly lowering: Lowering;
  private readonly fused: Fused;
  private readonly targets: ReadonlyMap<Node, number | undefined>;
  private readonly bind: (node: Node) => number;
  private readonly triangles: ReadonlyMap<Node, Triangle> | undefined;
  private readonly known = new Map<Node, number>();
  private readonly loopResults = new Map<Node, readonly number[]>();
  private readonly steps: Draft[] = [];

  constructor(
    lowering: Lowering,
    fused: Fused,
    targets: ReadonlyMap<Node, number | undefined>,
    bind: (node: Node) => number,
    triangles: ReadonlyMap<Node, Triangle> | undefined,
  ) {
    this.lowering = lowering;
    this.fused = fused;
    this.targets = targets;
    this.bind = bind;
    this.triangles = triangles;
  }

  bufferOf(node: Node): number {
    let id = this.known.get(node);
    if (id === undefined) {
      id = this.place(node);
      this.known.set(node, id);
    }
    return id;
  }

  private place(node: Node): number {
    const size = sizeOf(node.type.shape);
    if (node.op === "input") return this.bind(node);
    if (node.op === "const" && node.attrs["values"] !== undefined) {
      const values = node.attrs["values"] as readonly number[];
      const data = node.type.dtype === "f32" ? Float32Array.from(values) : Int32Array.from(values);
      return this.lowering.table(node.type.dtype, data);
    }
    if (node.op === "pick") {
      const loop = node.inputs[0] as Node;
      const result = this.loopResults.get(loop)?.[node.attrs["index"] as number];
      if (result === undefined) throw new Error("expected the loop of a pick to be lowered before it");
      return result;
    }
    return this.targets.get(node) ?? this.lowering.buffer(node.type.dtype, size);
  }

  private readonly inMemory = (node: Node): boolean => this.fused.inMemory(node);

  lower(options: LowerOptions): readonly Draft[] {
    const { alike } = this.lowering;
    const readers = new Set<Node>(this.targets.keys());
    for (const unit of this.fused.units) for (const read of unit.reads) readers.add(read);
    for (const unit of this.fused.units) {
      if (unit.cluster) {
        const built = alike.build(unit.cluster, (node) => readers.has(node), this.inMemory);
        if (built.kernel.params.some((p) => p.access === "write" && p.size === 0)) continue;
        const args = built.params.map((node) => this.bufferOf(node));
        const spans = this.spansOf(unit.cluster.members.map(({ node }) => node));
        this.steps.push({ kind: "kernel", kernel: this.lowering.one(coalesce(built.kernel)), args, spans });
      } else if (unit.node?.op === "dot") this.dot(unit.node, unit.epilogue, readers, options);
      else if (unit.node) this.opaque(unit.node);
    }
    return this.steps;
  }

  /** Of nodes and of all that is computed with them on the way from memory. */
  private spansOf(nodes: readonly Node[]): Span[] {
    const seen = new Set(nodes);
    for (const node of seen) {
      for (const input of node.inputs) if (!this.inMemory(input)) seen.add(input);
    }
    const spans = new Set<Span>();
    for (const { span } of seen) if (span) spans.add(span);
    return [...spans];
  }

  private opaque(node: Node): void {
    if (node.op === "pick") {
      this.bufferOf(node);
      return;
    }
    if (node.op === "loop") {
      this.loop(node);
      return;
    }
    if (sizeOf(node.type.shape) === 0) return;
    const [x, y] = node.inputs as readonly [Node, Node];
    const param = (of: Node, access: "read" | "write" = "read"): Param => ({
      dtype: of.type.dtype,
      size: sizeOf(of.type.shape),
      access,
    });
    const product = (from: number, to: number) => sizeOf(x.type.shape.slice(from, to));
    const rank = x.type.shape.length;
    const axis = node.attrs["axis"] as number;
    const write = param(node, "write");
    if (node.op === "cumsum") {
      const sizes = { outer: product(0, axis), count: x.type.shape[axis] ?? 1, inner: product(axis + 1, rank) };
      const reverse = node.attrs["reverse"] as boolean;
      this.push({ kind: "cumsum", params: [param(x), write], ...sizes, reverse }, [x], node);
    } else if (node.op === "scatter") {
      const paired = node.attrs["paired"] === true;
      const end = y.type.shape.length + (paired ? 0 : axis);
      const sizes = { outer: product(0, axis), count: product(axis, end), inner: product(end, rank), paired };
      const size = node.attrs["size"] as number;
      this.push({ kind: "scatter", params: [param(x), param(y), write], ...sizes, size }, [x, y], node);
    } else if (node.op === "solve") {
      const n = x.type.shape[rank - 1] ?? 1;
      const outer = product(0, rank - 2);
      const m = sizeOf(y.type.shape.slice(rank - 1));
      const params = [param(x), param(y), write, param(x, "write")];
      this.push({ kind: "solve", params, outer, n, m }, [x, y], node, [this.lowering.bufferFor(x.type)]);
    } else if (node.op === "argsort") {
      const params = [param(x), write, write];
      const sizes = { outer: product(0, rank - 1), count: x.type.shape[rank - 1] ?? 1 };
      this.push({ kind: "argsort", params, ...sizes }, [x], node, [this.lowering.bufferFor(node.type)]);
    } else if (node.op === "cholesky" || node.op === "eigh") {
      const sizes = { outer: product(0, rank - 2), n: x.type.shape[rank - 1] ?? 1 };
      if (node.op === "cholesky") this.push({ kind: "cholesky", params: [param(x), write], ...sizes }, [x], node);
      else {
        const params = [param(x), write, param(x, "write")];
        this.push({ kind: "eigh", params, ...sizes }, [x], node, [this.lowering.bufferFor(x.type)]);
      }
    } else throw new Error(`expected an op with a kernel of its own, got ${node.op}`);
  }

  private push(kernel: Kernel, reads: readonly Node[], out: Node, more: readonly number[] = []): void {
    const args = [...reads.map((n) => this.bufferOf(n)), this.bufferOf(out), ...more];
    this.steps.push({ kind: "kernel", kernel, args, spans: this.spansOf([out]) });
  }

  private dot(node: Node, epilogue: Cluster | undefined, readers: ReadonlySet<Node>, options: LowerOptions): void {
    if (sizeOf(node.type.shape) === 0) return;
    const sizes = dotSizes(node);
    const params: Param[] = [];
    const args: number[] = [];
    const param = (buffer: number, access: "read" | "write"): number => {
      const b = this.lowering.buffers[buffer] as Buffer;
      args.push(buffer);
      return params.push({ dtype: b.dtype, size: b.size, access }) - 1;
    };
    const views = ([0, 1] as const).map((side): OperandView => {
      const view = operandView(node, side, this.inMemory);
      if (view) return view;
      throw new Error("expected the operand of a product to be in memory");
    });
    const offsets = (o: OperandView["batch"]): Offsets => {
      if (o.kind === "stride") return o;
      return { kind: "table", param: param(this.lowering.table("i32", o.table), "read"), runs: o.runs };
    };
    const [a, b] = views.map((view): Operand => {
      const at = param(this.bufferOf(baseOf(view.base, this.inMemory)), "read");
      const [g, outer, k] = [offsets(view.batch), offsets(view.free), offsets(view.contract)];
      return { param: at, base: view.offset, g, outer, k };
    }) as [Operand, Operand];
    const stored = readers.has(node);
    const built = epilogue && this.lowering.alike.build(epilogue, (n) => readers.has(n), this.inMemory);
    // a product that nobody else reads is put where the epilogue writes, if it writes where it reads
    const over = stored || !built ? undefined : storedInPlaceOf(built.kernel, built.params.indexOf(node));
    const place = over === undefined ? undefined : built?.params[over];
    const out = param(this.bufferOf(place ?? node), "write");
    const scratch = param(this.lowering.buffer("f32", options.dotScratch({ ...sizes, a, b })), "write");
    const spans = this.spansOf([node, ...(epilogue?.members ?? []).map((member) => member.node)]);
    const places = built?.params.map((n, i) =>
      n === node ? out : param(this.bufferOf(n), built.kernel.params[i]?.access ?? "read"),
    );
    const triangle = this.triangles?.get(node);
    const kernel = this.lowering.one({
      kind: "dot",
      params,
      ...sizes,
      a,
      b,
      out,
      scratch,
      stored,
      ...(built && places && { epilogue: { rows: built.kernel, params: places } }),
      ...(triangle && { triangle }),
    });
    this.steps.push({ kind: "kernel", kernel, args, spans });
  }

  private loop(node: Node): void {
    const { lowering } = this;
    const attr = (key: string) => node.attrs[key] as number;
    const body = node.attrs["body"] as Body;
    const count = attr("count");
    const carries = attr("carries");
    const consts = attr("consts");
    const loop = lowering.loops++;
    const inputs = node.inputs.map((n) => this.bufferOf(n));
    const tick = lowering.buffer("i32", 1);

    const pairs = body.results
      .slice(0, carries)
      .map((r) => [lowering.bufferFor(r.type), lowering.bufferFor(r.type)] as const);
    const stacks = body.results.slice(carries).map((r) => lowering.buffer(r.type.dtype, count * sizeOf(r.type.shape)));
    this.loopResults.set(node, [...pairs.map(([even, odd]) => (count % 2 === 0 ? even : odd)), ...stacks]);
    pairs.forEach(([even], i) => this.steps.push({ kind: "copy", from: inputs[consts + i] as number, to: even }));
    if (count === 0) return;

    const bound = new Map<Node, number>();
    body.params.forEach((param, i) => {
      const size = sizeOf(param.type.shape);
      const pair = pairs[i - consts];
      if (i < consts) bound.set(param, inputs[i] as number);
      else if (pair) {
        const [even, odd] = pair;
        bound.set(param, lowering.buffer(param.type.dtype, size, { kind: "swap", even, odd, loop }));
      } else if (i < inputs.length) {
        bound.set(
          param,
          lowering.buffer(param.type.dtype, size, { kind: "slice", of: inputs[i] as number, loop, stride: size }),
        );
      } else bound.set(param, tick);
    });
    const targets = body.results.map((result, i) => {
      const size = sizeOf(result.type.shape);
      const pair = pairs[i];
      const place: Place = pair
        ? { kind: "swap", even: pair[1], odd: pair[0], loop }
        : { kind: "slice", of: stacks[i - carries] as number, loop, stride: size };
      return lowering.buffer(result.type.dtype, size, place);
    });
    const inner = lowering.graph(body.results, targets, (param) => {
      const id = bound.get(param) ?? boundByName(body, bound, param);
      return id;
    });
    const holds = [...inputs, ...pairs.flat(), ...stacks];
    const reverse = node.attrs["reverse"] as boolean;
    this.steps.push({ kind: "loop", loop, count, reverse, tick, holds, body: inner.steps });
  }
}

/** Passes may remake a parameter: its name tells which one it is. */
function boundByName(body: Body, bound: ReadonlyMap<Node, number>, param: Node): number {
  const own = body.params.find((p) => p.attrs["name"] === param.attrs["name"]);
  const id = own && bound.get(own);
  if (id === undefined) throw new Error(`expected a parameter of the loop's body, got ${String(param.attrs["name"])}`);
  return id;
}
