/**
 * The state of one checking pass: everything the phases of the checker share while they walk a script.
 * A pass is run again from the start when it asked for facts or files that were not known yet, so nothing here outlives it.
 */
import type { Diagnostic } from "../diagnostic.ts";
import { Reported, UserError } from "../diagnostic.ts";
import { tooLong } from "../errors/syntax.ts";
import { make, nextId } from "../graph/index.ts";
import type { Node, Type } from "../graph/node.ts";
import type {
  Action,
  DataPlan,
  Facts,
  Fold,
  HostScalar,
  InputDecl,
  Made,
  Output,
  Reaction,
  Slot,
  SourceRef,
  TickPart,
  Watch,
} from "../program.ts";
import type { Source, Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import type { Axis, Binding, Bundle, Instance, Scope, Tensor, Value, Why } from "./values.ts";

/** A segment while nodes are still added to it. Its nodes are known by the interval of ids in which they were made. */
export interface Build {
  readonly name: string;
  /** Place in the order in which segments run. */
  readonly order: number;
  readonly kind: "top" | "tick" | "reaction";
  /** The list of segments of one tick shares a block; values cross between them through slots. */
  readonly block?: BlockBuild;
  readonly segment: { readonly name: string; outputs: Output[]; host: HostScalar[] };
  /** Which batch it sees: that of its block (undefined), or of inner steps. */
  readonly feed: object | undefined;
  /** The inner steps around it, outermost first. */
  readonly loops: readonly object[];
  /** The newest version of each state read or written here. */
  readonly state: Map<string, Node>;
  readonly dirty: Set<string>;
  readonly kept: Map<Node, string>;
}

/** The parts of a tick under construction. */
export interface Ticks {
  /** Of the names of its segments. */
  readonly prefix: string;
  readonly parts: TickPart[];
  /** All of them run on steps n, 2n, … only. */
  readonly every?: number;
  readonly feed?: object;
  readonly loops: readonly object[];
  /** Of the body of the block. */
  readonly scope: Scope;
}

/** A `train` or `eval` block under construction. */
export interface BlockBuild {
  readonly name: string;
  readonly kind: "train" | "eval";
  /** Of a whole pass over its data; -1 when that is not known. */
  readonly rows: number;
  readonly folds: Map<string, Fold>;
  readonly foldOf: Map<string, string>;
  /** What is read back already, by the name of its fetch. */
  readonly fetched: Map<Node, string>;
  readonly watches: Watch[];
  readonly report: Map<string, Node>;
  /** Names that the present walk of the body has measured: the short batch measures them all once more. */
  readonly measured: Set<string>;
  /** Of metrics that are tensors. */
  readonly axes: Map<string, readonly Axis[]>;
  /** Which build of the tick list fetches: the full batch and the short one fetch under the same names. */
  fetches: number;
  minimizes: number;
  /** A metric of it is not known, so its metrics are not all there. */
  unknown: boolean;
  /** How many messages there were when the block began. */
  readonly reported: number;
  /** Paths whose params the block takes gradients for; instances outside run in eval mode. */
  readonly trained: string[];
  readonly excluded: string[];
}

/** Where a name for an instance or a random draw comes from. */
export interface Site {
  /** The chain of call sites. */
  readonly path: string;
  readonly counts: Map<string, number>;
}

/** Owner of the instances that an expression makes. */
export interface Host {
  readonly path: string;
  readonly children: Map<string, Instance>;
}

/** What surrounds an expression, beside its names. */
export interface Frame {
  readonly kind: "top" | "block" | "reaction" | "model" | "fn" | "optimizer" | "init" | "test";
  readonly training: boolean;
  readonly site: Site;
  /** Absent in a `fn` or lambda: no instance can be made there. */
  readonly host?: Host;
  readonly ordinals: Map<string, number>;
  /** Counters of random draws: seed, tick, ticks of enclosing loops. */
  readonly keys: readonly Node[];
  readonly block?: BlockBuild;
  readonly actions: Action[];
  readonly yields?: Value[];
  /** The reactions and tick segments of the block whose body this is. */
  readonly reactions?: Reaction[];
  readonly ticks?: Ticks;
  /** Of a test: names of the blocks outside, which do not run before it. */
  readonly outside?: ReadonlySet<string>;
  readonly instance?: Instance;
  /** Index of the enclosing `for` pass or list item. */
  readonly pass?: string;
  /** The `let` name waiting for an instance. */
  readonly hint?: { readonly name: string; used: boolean };
  /** Values to use for params: `net.with(p)`. */
  readonly overrides?: Bundle;
}

export interface Env {
  readonly scope: Scope;
  readonly frame: Frame;
}

export interface Settings {
  readonly inputs: Readonly<Record<string, number | boolean | string>>;
  readonly seed?: number;
  /** Gives each test a program of its own. */
  readonly tests?: boolean;
  /** Hears the value of every expression and of every name that is bound; the second walk of a short batch is left out. */
  readonly seen?: Seen;
  /** Hears the same of a walk that is like any other, and may look at its end. */
  readonly hears?: Listener;
  /** Every batch has so many rows, which somebody gives, and models do as outside of training. */
  readonly given?: number;
}

export interface Listener {
  value(c: Checker, place: Span, value: Value, frame?: Frame): void;
  /** Of a `minimize`, by param. */
  gradients(c: Checker, g: Bundle): void;
  /** At the end of a `scan` or `iterate`: a value of its body for all ticks at once, undefined for one that is none. */
  looped(all: (t: Tensor) => Tensor | undefined): void;
  /** All segments are closed, and nothing is wrong. */
  closed(c: Checker): void;
}

export type Seen = (place: Span, value: Value, frame?: Frame) => void;

export class Checker {
  readonly diagnostics: Diagnostic[] = [];
  readonly slots = new Map<string, Slot>();
  readonly instances = new Map<string, Made>();
  readonly inputs = new Map<string, InputDecl & { value: number | boolean | string }>();
  readonly plans = new Map<DataPlan, string>();
  readonly rowAxes = new Map<DataPlan, Axis>();
  readonly builds: Build[] = [];
  testCount = 0;
  /** Expressions whose values somebody wants to hear of while what holds them is evaluated. */
  overheard: Map<ast.Expr, Value | undefined> | undefined;
  readonly sources: Source[] = [];
  readonly blockNames = new Set<string>();
  readonly modules = new Map<string, { file: ast.File; source: Source }>();
  readonly loading: string[] = [];
  readonly loaded = new Map<string, Scope>();
  readonly carries = new WeakMap<object, ReadonlyMap<string, Value>>();
  /** An instance → the one it is part of. */
  readonly parents = new WeakMap<Instance, Instance>();
  /** Instances that were applied to a broken value only. */
  readonly unknown = new WeakSet<Instance>();
  /** An instance → where it was made: the layers of a list are found there together. */
  readonly hosts = new WeakMap<Instance, Host>();
  readonly stateAxes = new Map<string, { axes: readonly Axis[]; dtype: Tensor["dtype"] }>();
  /** Part of the data that a plan reads, by its id. */
  readonly splits = new Map<string, "train" | "val" | "test">();
  /** The same of the fields of a batch, of what a watch looks at, and of the rows that a block measures, by its name. */
  readonly origins = new WeakMap<Node, "train" | "val" | "test">();
  readonly measured = new Map<string, "train" | "val" | "test">();
  /** Files that the host does not have. */
  readonly missingFiles: ReadonlySet<string>;
  readonly featureAxes = new Map<string, Axis>();
  readonly pendingFacts: SourceRef[] = [];
  readonly pendingFiles: { path: string; from: string; span: Span }[] = [];
  readonly settings: Settings;
  readonly knowFacts: (ref: SourceRef) => Facts | Diagnostic | undefined;
  private readonly heard: Seen | undefined;
  seed = 0;
  /** `precision mixed`, from its line on; not in optimizers and first values. */
  mixed = false;
  /** The pass of a top-level `for` that is being checked; 0 outside. */
  run = 0;
  runs = 0;
  /** The body of a block is walked a second time, for its short batch. */
  replaying = false;
  readonly evalMetrics = new Map<object, Value>();
  /** The top-level segment that is open: first values of slots go there. */
  private tops = 0;
  private topBuild: Build | undefined;
  readonly globals: Scope = { names: new Map() };
  uid = 1;
  calls = 0;
  /** Functions that are being called, by their trees: how many times each, and its innermost call. */
  readonly calling = new Map<object, { readonly name: string; readonly span: Span; readonly times: number }>();
  /** Calls and passes of loops that are written out, all of them: few each may be many together. */
  walked = { calls: 0, passes: 0 };
  /** Statements around the present one. */
  open = 0;
  /** A recursion without an end was found: every call is refused until the outermost one is left. */
  runaway = false;
  /** A version of a param that `minimize` or `<-` made → its path; the line that made the newest one. */
  readonly versions = new WeakMap<Node, string>();
  readonly movedAt = new Map<string, Span>();
  private readonly marks: { from: number; build: Build }[] = [];
  private readonly stack: Build[] = [];

  constructor(
    settings: Settings,
    facts: (ref: SourceRef) => Facts | Diagnostic | undefined,
    missingFiles: ReadonlySet<string> = new Set(),
  ) {
    this.settings = settings;
    this.knowFacts = facts;
    this.missingFiles = missingFiles;
    const { hears } = settings;
    if (hears) this.heard = (place, value, frame) => hears.value(this, place, value, frame);
  }

  get seen(): Seen | undefined {
    return this.heard ?? (this.replaying ? undefined : this.settings.seen);
  }

  report(diagnostic: Diagnostic): void {
    if (this.isFull && (diagnostic.severity !== "error" || this.diagnostics.some((d) => d.severity === "error")))
      return;
    if (!this.diagnostics.some((d) => isSameMistake(d, diagnostic))) this.diagnostics.push(diagnostic);
  }

  /** More messages help nobody. */
  get isFull(): boolean {
    return this.diagnostics.length >= MOST_MESSAGES;
  }

  /**
   * Runs one statement; a user's mistake in it is collected. Returns whether it went well. The outermost one, at `span`,
   * also answers for the end of the call stack.
   */
  attempt(run: () => void, span?: Span): boolean {
    this.open++;
    try {
      run();
      return true;
    } catch (error) {
      if (error instanceof Reported) return false;
      if (isStackOverflow(error) && span && this.open === 1) {
        this.report(tooLong(span));
        return false;
      }
      if (!(error instanceof UserError)) throw error;
      this.report(error.diagnostic);
      return false;
    } finally {
      this.open--;
    }
  }

  freshAxis(name: string, size: number, why?: Why): Axis {
    return { name, size, uid: this.uid++, why };
  }

  // ------------------------------------------------------------ builds

  newBuild(name: string, kind: Build["kind"], block?: BlockBuild, tick?: Pick<Ticks, "feed" | "loops">): Build {
    const build: Build = {
      name,
      order: this.builds.length,
      kind,
      block,
      segment: { name, outputs: [], host: [] },
      feed: tick?.feed,
      loops: tick?.loops ?? [],
      state: new Map(),
      dirty: new Set(),
      kept: new Map(),
    };
    this.builds.push(build);
    return build;
  }

  /** Nodes made by `run` belong to `build`. */
  within<T>(build: Build, run: () => T): T {
    this.stack.push(build);
    this.marks.push({ from: nextId(), build });
    try {
      return run();
    } finally {
      this.stack.pop();
      const outer = this.stack.at(-1);
      if (outer) this.marks.push({ from: nextId(), build: outer });
    }
  }

  /** What optimizers and first values compute. */
  inFullPrecision<T>(run: () => T): T {
    const { mixed } = this;
    this.mixed = false;
    try {
      return run();
    } finally {
      this.mixed = mixed;
    }
  }

  get top(): Build {
    if (!this.topBuild) throw new Error("expected an open top-level segment, got none");
    return this.topBuild;
  }

  /** The top level goes on in a new segment, which runs at this place of `actions`. */
  openTop(actions: Action[]): Build {
    this.topBuild = this.newBuild(`top${++this.tops}`, "top");
    actions.push({ kind: "compute", segment: this.topBuild.segment });
    if (this.stack.length === 0) this.stack.push(this.topBuild);
    this.switchTo(this.topBuild);
    return this.topBuild;
  }

  get build(): Build {
    const build = this.stack.at(-1);
    if (!build) throw new Error("expected an open segment, got none");
    return build;
  }

  /** Replaces the innermost open build: the top level and a tick go on in a new segment. */
  switchTo(build: Build): void {
    this.stack[this.stack.length - 1] = build;
    this.marks.push({ from: nextId(), build });
  }

  ownerOf(node: Node): Build | undefined {
    let low = 0;
    let high = this.marks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.marks[middle]!.from <= node.id) low = middle + 1;
      else high = middle;
    }
    return this.marks[low - 1]?.build;
  }

  // ------------------------------------------------------------ state

  /** The newest version of a slot in the open segment. */
  read(path: string): Node {
    const build = this.build;
    const known = build.state.get(path);
    if (known) return known;
    const slot = this.slots.get(path);
    if (!slot) throw new Error(`expected a slot at ${path}, got none`);
    const node = stateInput(path, slot.type, slot.span);
    build.state.set(path, node);
    return node;
  }

  write(path: string, node: Node): void {
    this.build.state.set(path, node);
    this.build.dirty.add(path);
  }

  /** A slot read as an input of `owner` has another value when `reader` runs. */
  movedSince(path: string, owner: Build, reader: Build): boolean {
    const repeats = reader.block !== undefined && reader.block !== owner.block;
    const inner = reader.loops.filter((loop) => !owner.loops.includes(loop));
    return this.builds.some(
      (b) =>
        b.dirty.has(path) &&
        (b === owner ||
          (b.order > owner.order && b.order < reader.order) ||
          (repeats && b.block === reader.block) ||
          inner.some((loop) => b.loops.includes(loop))),
    );
  }
}

/** Mistakes with one cause elsewhere: an unknown name, a last layer of the wrong size. Told at the first place only. */
const TOLD_ONCE = new Set(["DLX0208", "DLX0301"]);

/** One place is told once, whatever the pass, batch or call that led there. */
export function isSameMistake(a: Diagnostic, b: Diagnostic): boolean {
  if (a.code !== b.code) return false;
  const [p, q] = [a.labels[0]?.span, b.labels[0]?.span];
  if (!p || !q || p.file !== q.file) return a.title === b.title && p === q;
  return (p.start === q.start && p.end === q.end) || (TOLD_ONCE.has(a.code) && a.title === b.title);
}

const MOST_MESSAGES = 100;

/** Engines name it in their own words. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof Error && /call stack|too much recursion/i.test(error.message);
}

export function stateInput(path: string, type: Type, span?: Span): Node {
  return make("input", [], { source: "state", name: path, dtype: type.dtype, shape: type.shape }, span);
}

export function scalarInput(name: string, dtype: Type["dtype"] = "f32", span?: Span): Node {
  return make("input", [], { source: "scalar", name, dtype, shape: [] }, span);
}

// ---------------------------------------------------------------- scopes

export function child(scope: Scope): Scope {
  return { parent: scope, names: new Map() };
}

/** Tells who listens of the names that a call has bound. */
export function tellNames(c: Checker, scope: Scope, frame: Frame): void {
  if (c.seen) for (const { span, value } of scope.names.values()) c.seen(span, value, frame);
}

export function lookup(scope: Scope, name: string): Binding | undefined {
  for (let s: Scope | undefined = scope; s; s = s.parent) {
    const binding = s.names.get(name);
    if (binding) return binding;
  }
  return undefined;
}

/** The scope that holds a name: `<-` changes it there. */
export function homeOf(scope: Scope, name: string): Scope | undefined {
  for (let s: Scope | undefined = scope; s; s = s.parent) if (s.names.has(name)) return s;
  return undefined;
}

export function visibleNames(scope: Scope): string[] {
  const names: string[] = [];
  for (let s: Scope | undefined = scope; s; s = s.parent) names.push(...s.names.keys());
  return names;
}

// ---------------------------------------------------------------- sites

/** `name#k`: the k-th call of this name in the enclosing site. */
export function callSite(site: Site, name: string): Site {
  const count = site.counts.get(name) ?? 0;
  site.counts.set(name, count + 1);
  return { path: `${site.path}/${name}#${count}`, counts: new Map() };
}

/** FNV-1a of the chain of call sites: the address of a draw. */
export function siteHash(path: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
