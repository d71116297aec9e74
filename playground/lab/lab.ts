/**
 * The lab: one script, one device, one run. It checks the newest text, swaps it into the run when it checks, and tells
 * the page what happens. It knows no screen; the page may end its thread at any time and lose nothing but the run.
 */
import { compile, type Program } from "../../lang/index.ts";
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
  type Inputs,
  type Session,
  type WebDeviceKind,
} from "../../runtime/index.ts";
import { prelude } from "../../stdlib/index.ts";
import type { FromLab, Opening, ProgramFacts, ToLab } from "../protocol.ts";
import { LabProbes } from "./probes.ts";

/** A file of its own for each thread: the page's policy knows no other workers. */
const startWorker = webWorkers(
  () => new Worker(new URL("../../runtime/thread-web.ts", import.meta.url), { type: "module", name: "thread" }),
);

/** What the page takes in without a pause that a person would notice. */
const FEED: FeedOptions = { points: 20_000, series: 200, ahead: 1 };

export class Lab {
  private readonly tell: (message: FromLab, buffers?: ArrayBuffer[]) => void;
  private device: Promise<Device> | undefined;
  private opening: Opening | undefined;
  private session: Session | undefined;
  private feeding: Feed | undefined;
  /** The newest of each name that the script saved, until the next message. */
  private readonly saved = new Map<string, Uint8Array>();
  /** Of the newest text that the page has sent. */
  private version = 0;
  private perSecond = Infinity;
  /** What the person dropped on the page. */
  private readonly files = new Map<string, Uint8Array>();
  private readonly probes = new LabProbes((id, view) => this.tell({ kind: "probed", id, view }));
  private readonly host = webHost({
    files: this.files,
    saved: (name, bytes) => this.saved.set(name, bytes),
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
        return this.later(() => this.files.set(message.name, message.bytes));
      case "device":
        return this.later(() => this.use(message.prefer));
      case "open":
        this.version = message.version;
        return this.later(() => this.open(message));
      case "edit":
        this.version = message.version;
        return this.later(() => this.edit(message.version, message.text));
      case "undo":
        return this.later(() => this.session?.undo());
      case "pace":
        this.perSecond = message.perSecond;
        return this.session?.pace(message.perSecond);
      case "set":
        return void this.session?.set(message.name, message.value);
      case "probe":
        return this.later(() => this.probes.open(message.id, message));
      case "unprobe":
        return this.probes.close(message.id);
      case "took":
        return message.run === this.opening?.version ? this.feeding?.took() : undefined;
      case "export":
        return this.later(() => this.exportParams(message.name));
      case "play":
      case "pause":
      case "step":
        return this.session?.[message.kind]();
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
    this.device = opened.then(({ device }) => device);
    const { device, reason } = await opened;
    this.tell({ kind: "device", info: device.info, reason });
    await (await before)?.dispose();
  }

  private async check(text: string, inputs: Inputs) {
    const { file, seed } = this.opening ?? { file: "script.dlx" };
    this.tell({ kind: "doing", what: "check" });
    try {
      return await compile({ file, text }, { ...this.host, prelude }, { inputs, seed });
    } finally {
      this.tell({ kind: "doing", what: "run" });
    }
  }

  private async open(opening: Opening): Promise<void> {
    await this.close();
    this.opening = opening;
    const compiled = await this.check(opening.text, opening.inputs);
    const { program, diagnostics } = compiled;
    this.tell({ kind: "checked", version: opening.version, diagnostics, program: program && factsOf(program) });
    if (program) await this.start(program, opening.play);
    if (program) this.probes.use(compiled, this.session);
  }

  private async start(program: Program, play: boolean): Promise<void> {
    const device = await this.device;
    const run = this.opening?.version ?? 0;
    if (!device) throw new Error("expected a device before a script, got none");
    const recompile = async (inputs: Inputs) => (await this.check(this.opening?.text ?? "", inputs)).program;
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
    this.feeding = feed(session, (message, buffers) => this.send(run, message, buffers), FEED);
    session.mode$.subscribe((mode) => this.tell({ kind: "mode", run, mode }));
    session.done.then(
      (end) => {
        if (this.session === session) this.tell({ kind: "ended", run, end });
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
  private async edit(version: number, text: string): Promise<void> {
    if (version !== this.version || !this.opening) return;
    const compiled = await this.check(text, this.opening.inputs);
    const { program, diagnostics } = compiled;
    const told = { kind: "checked" as const, version, diagnostics, program: program && factsOf(program) };
    if (!program) return this.tell(told);
    this.opening = { ...this.opening, text };
    if (!this.session) {
      this.tell(told);
      await this.start(program, true);
      return this.probes.use(compiled, this.session);
    }
    let step = 0;
    const watching = this.session.events$.subscribe((event) => {
      if (event.event === "swap") step = event.step;
    });
    const report = await this.session.swap(program);
    watching.unsubscribe();
    this.tell({ ...told, swap: report && { ...report, step } });
    this.probes.use(compiled, this.session);
  }

  /** As they stand between two steps. */
  private async exportParams(name: string): Promise<void> {
    const { session } = this;
    const paths = session ? factsOf(session.program).params.map(({ path }) => path) : [];
    if (!session || paths.length === 0) return;
    const state = await session.peek(paths, { limit: Infinity });
    if (state.kind !== "value") return;
    const tensors = state.parts.flatMap((part) =>
      part.kind === "tensor" ? [[part.name, { dtype: part.dtype, shape: part.shape, data: part.values }] as const] : [],
    );
    const file = "params.safetensors";
    await webHost({ files: new Map(), saved: (_, bytes) => this.tell({ kind: "exported", name, bytes }) }).save(
      file,
      new Map(tensors),
    );
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
