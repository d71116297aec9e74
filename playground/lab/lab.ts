/**
 * The lab: one script, one device, one run. It checks the newest text, swaps it into the run when it checks, and tells
 * the page what happens. It knows no screen; the page may end its thread at any time and lose nothing but the run.
 */
import { filter, take } from "rxjs";
import { UserError } from "../../lang/diagnostic.ts";
import { compile, type Compiled, type Program } from "../../lang/index.ts";
import { evaluate } from "../../lang/graph/index.ts";
import {
  createSession,
  feed,
  openWebDevice,
  webHost,
  webWorkers,
  type Device,
  type Feed,
  type FeedMessage,
  type FeedOptions,
  type InputValue,
  type Inputs,
  type RunEvent,
  type Session,
  type WebDeviceKind,
} from "../../runtime/index.ts";
import { prelude } from "../../stdlib/index.ts";
import type { FromLab, Opening, ProgramFacts, ToLab } from "../protocol.ts";
import { LabInspect } from "./inspect.ts";
import { LabPanels } from "./panels.ts";
import { exportedParams, importParams } from "./params.ts";
import { LabProbes } from "./probes.ts";

/** A file of its own for each thread: the page's policy knows no other workers. */
const startWorker = webWorkers(
  () => new Worker(new URL("../../runtime/thread-web.ts", import.meta.url), { type: "module", name: "thread" }),
);

/** What the page takes in without a pause that a person would notice. */
const FEED: FeedOptions = { points: 20_000, series: 200, ahead: 1 };

/** A text, and the inputs that it was checked with. */
type Checked = Pick<Opening, "text" | "inputs">;

/** What a check gave, and how long it took. */
interface Answer {
  /** All that it depends on. */
  readonly of: string;
  readonly compiled: Compiled;
  readonly ms: number;
}

export class Lab {
  private readonly tell: (message: FromLab, buffers?: ArrayBuffer[]) => void;
  private device: Promise<Device> | undefined;
  private opening: Opening | undefined;
  private session: Session | undefined;
  private feeding: Feed | undefined;
  /** The newest of each name that the script saved, until the next message. */
  private readonly saved = new Map<string, Uint8Array>();
  /** What the running program was checked from, and those before it: the session keeps their states. */
  private running: Checked = { text: "", inputs: {} };
  private readonly before: Checked[] = [];
  /** Of the newest text that the page has sent. */
  private version = 0;
  /** The text that may come next, and the answer to the newest check. */
  private next: string | undefined;
  private answer: Answer | undefined;
  private perSecond = Infinity;
  /** What the person dropped on the page, and what of it the script has read. */
  private readonly files = new Map<string, Uint8Array>();
  /** Counts up with each of them. */
  private given = 0;
  private readonly reads = new Set<string>();
  private readonly probes = new LabProbes((id, view) => this.tell({ kind: "probed", id, view }));
  private readonly inspect = new LabInspect((id, answer) => this.tell({ kind: "inspected", id, answer }));
  private readonly panels = new LabPanels((id, seen) => this.tell({ kind: "looked", id, seen }));
  private readonly host = webHost({
    files: this.files,
    saved: (name, bytes) => this.saved.set(name, bytes),
    read: (name) => {
      if (this.reads.has(name)) return;
      this.reads.add(name);
      this.tell({ kind: "reads", names: [...this.reads] });
    },
  });
  /** What was asked for is done in that order. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(tell: (message: FromLab, buffers?: ArrayBuffer[]) => void) {
    this.tell = tell;
  }

  hear(message: ToLab): void {
    switch (message.kind) {
      case "ping":
        return this.tell({ kind: "pong", id: message.id });
      case "file":
        return this.later(() => this.keep(message.name, message.bytes));
      case "device":
        return this.later(() => this.use(message.prefer));
      case "open":
        this.version = message.version;
        return this.later(() => this.open(message));
      case "edit":
        this.version = message.version;
        return this.later(() => this.edit(message));
      case "ahead":
        this.next = message.text;
        return this.later(() => this.ahead(message.text));
      case "pace":
        this.perSecond = message.perSecond;
        return this.session?.pace(message.perSecond);
      case "set":
        return this.set(message.name, message.value);
      case "probe":
        return this.later(() => this.probes.open(message.id, message.of));
      case "unprobe":
        return this.probes.close(message.id);
      case "inspect":
        return this.later(() => this.inspect.answer(message.id, message.ask, this.session));
      case "look":
        return this.later(() => this.panels.look(message.id, message.look));
      case "unlook":
        return this.later(() => this.panels.close(message.id));
      case "took":
        return message.run === this.opening?.version ? this.feeding?.took() : undefined;
      case "export":
        return this.later(() => this.exportParams(message.name));
      case "import":
        return this.later(() => this.importParams(message.name));
      case "play":
      case "pause":
      case "step":
        // what is still being opened is told when it is there
        return this.session ? this.session[message.kind]() : this.later(() => this.session?.[message.kind]());
    }
  }

  private later(act: () => unknown): void {
    this.queue = this.queue.then(act).catch((error: unknown) => {
      this.tell({ kind: "broken", text: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    });
  }

  private async use(prefer: WebDeviceKind): Promise<void> {
    await this.close();
    const before = this.device;
    const opened = openWebDevice({ prefer, startWorker });
    this.device = opened.then(({ device }) => this.inspect.noting(device));
    const { device, reason } = await opened;
    this.tell({ kind: "device", info: device.info, reason });
    await (await before)?.dispose();
  }

  private keep(name: string, bytes: Uint8Array | undefined): void {
    this.given++;
    if (bytes) this.files.set(name, bytes);
    else this.files.delete(name);
  }

  /** Asked the same again, it answers the same. */
  private async answered(text: string, inputs: Inputs): Promise<Answer> {
    const { file, seed } = this.opening ?? { file: "script.dlx" };
    const of = JSON.stringify([file, seed, this.given, text, inputs]);
    if (this.answer?.of === of) return this.answer;
    this.tell({ kind: "doing", what: "check" });
    const begin = performance.now();
    try {
      const compiled = await compile({ file, text }, { ...this.host, prelude }, { inputs, seed });
      return (this.answer = { of, compiled, ms: performance.now() - begin });
    } finally {
      this.tell({ kind: "doing", what: "run" });
    }
  }

  private async check(text: string, inputs: Inputs): Promise<Compiled> {
    const { compiled, ms } = await this.answered(text, inputs);
    this.inspect.checked(compiled, ms);
    return compiled;
  }

  private async open(opening: Opening): Promise<void> {
    await this.close();
    this.opening = opening;
    this.answer = undefined;
    this.before.length = 0;
    this.reads.clear();
    this.tell({ kind: "reads", names: [] });
    const compiled = await this.check(opening.text, opening.inputs);
    const { program, diagnostics } = compiled;
    this.tell({ kind: "checked", version: opening.version, diagnostics, program: program && factsOf(program) });
    if (program) await this.start(program, opening.play);
    this.watch(compiled);
  }

  private async start(program: Program, play: boolean): Promise<void> {
    const device = await this.device;
    const run = this.opening?.version ?? 0;
    if (!device) throw new Error("expected a device before a script, got none");
    const recompile = async (inputs: Inputs) => {
      const compiled = await this.check(this.running.text, inputs);
      this.later(() => this.watch(compiled));
      return compiled.program;
    };
    this.running = { text: "", inputs: {}, ...this.opening };
    const session = createSession({
      program,
      device,
      host: this.host,
      math: evaluate,
      inputs: this.opening?.inputs,
      recompile,
      breath: 16,
    });
    session.pace(this.perSecond);
    this.session = session;
    const feeding = feed(session, (message, buffers) => this.send(run, message, buffers), FEED);
    this.feeding = feeding;
    session.events$.subscribe((event) => {
      if (event.event === "swap") this.swapped(run, event, feeding);
    });
    session.mode$.subscribe((mode) => this.tell({ kind: "mode", run, mode }));
    session.done.then(
      (end) => {
        if (this.session !== session) return;
        // what it said before that comes first
        feeding.flush();
        this.tell({ kind: "ended", run, end });
      },
      (error: unknown) => this.later(() => Promise.reject(error)),
    );
    if (play) session.play();
  }

  private send(run: number, message: FeedMessage, buffers: ArrayBuffer[]): void {
    for (const [name, bytes] of this.saved) this.tell({ kind: "saved", name, bytes });
    this.saved.clear();
    this.tell({ kind: "feed", run, message }, buffers);
  }

  /** Texts that are not the newest any more are left out. */
  private async edit({ version, text, undoing = false }: ToLab & { kind: "edit" }): Promise<void> {
    if (version !== this.version || !this.opening) return;
    const compiled = await this.check(text, this.opening.inputs);
    const { program, diagnostics } = compiled;
    this.tell({ kind: "checked", version, diagnostics, program: program && factsOf(program) });
    if (!program) return;
    this.opening = { ...this.opening, text };
    const { session } = this;
    if (!session) await this.start(program, true);
    else if (!undoing || !(await this.undo(session, text))) await session.swap(program);
    this.running = this.opening;
    this.watch(compiled);
  }

  /** Of a text that is not the newest any more nothing is made. */
  private async ahead(text: string): Promise<void> {
    if (text !== this.next || !this.opening || !this.session) return;
    const { compiled } = await this.answered(text, this.opening.inputs);
    // who asks for something meanwhile does not wait for it
    if (compiled.program) void this.session.ahead(compiled.program);
  }

  /** What is looked at is looked at in the program that runs now. */
  private watch(compiled: Compiled): void {
    if (compiled.program) this.probes.use(compiled, this.session);
    this.panels.use(compiled, this.session);
  }

  /** Back to when this text last ran; false when it never did, or too long ago. */
  private async undo(session: Session, text: string): Promise<boolean> {
    const at = this.before.findLastIndex((each) => each.text === text);
    if (at < 0) return false;
    const inputs = this.before[at]?.inputs ?? {};
    for (let left = this.before.length - at; left > 0; left--) if (!(await session.undo())) return false;
    if (this.opening) this.opening = { ...this.opening, inputs: { ...this.opening.inputs, ...inputs } };
    return true;
  }

  private set(name: string, value: InputValue): void {
    if (this.opening) this.opening = { ...this.opening, inputs: { ...this.opening.inputs, [name]: value } };
    void this.session?.set(name, value);
  }

  /** What happened before it is told before it. */
  private swapped(run: number, event: RunEvent & { event: "swap" }, feeding: Feed): void {
    feeding.flush();
    if (event.undone) this.running = this.before.pop() ?? this.running;
    else {
      if (event.changed) this.before.push(this.running);
      this.running = this.opening ?? this.running;
    }
    const { event: _, ...told } = event;
    const { inputs } = this.running;
    this.tell({ kind: "swapped", run, ...told, inputs, before: this.before.at(-1)?.text });
    // that the new program steps is news
    const next = this.session?.frames$.pipe(filter(({ step }) => step > told.step));
    next?.pipe(take(1)).subscribe(() => feeding.flush());
  }

  private async exportParams(name: string): Promise<void> {
    const bytes = this.session && (await exportedParams(this.session));
    this.tell({ kind: "exported", name, bytes });
  }

  private async importParams(name: string): Promise<void> {
    const { session } = this;
    if (!session)
      return this.tell({ kind: "imported", name, answer: { refused: "no script runs that could take it" } });
    try {
      const answer = await importParams(session, await this.host.load(name));
      this.tell({ kind: "imported", name, answer });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.tell({ kind: "imported", name, answer: { refused: error.diagnostic.title } });
    }
  }

  private async close(): Promise<void> {
    const { session } = this;
    this.session = undefined;
    await session?.dispose();
  }
}

function factsOf({ seed, inputs, slots }: Program): ProgramFacts {
  const params = Object.values(slots).flatMap(({ path, kind, type }) =>
    kind === "param" ? [{ path, shape: type.shape }] : [],
  );
  return { seed, inputs, params };
}
