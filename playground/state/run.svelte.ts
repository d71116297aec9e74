/**
 * The run as the page shows it: sends what the person does to the lab, keeps what the lab tells. A lab that does not
 * answer is ended and said to be; the text is the page's and is never lost.
 */
import type { Diagnostic, InputDecl } from "../../lang/index.ts";
import { positionAt } from "../../lang/source.ts";
import type {
  DeviceInfo,
  EndEvent,
  FeedMessage,
  Frame,
  InputValue,
  RunEvent,
  ShownItem,
  WebDeviceKind,
} from "../../runtime/index.ts";
import type { Doing, FromLab, Imported, ProbeShown, ProgramFacts, ToLab, Watched } from "../protocol.ts";
import { download } from "../share/download.ts";
import { addPoints, Curve } from "./curve.ts";
import { Hood } from "./hood.svelte.ts";
import { newest } from "./lines.ts";
import { Looks } from "./looks.ts";
import { Watchdog } from "./watchdog.ts";

export type Status = "opening" | "paused" | "playing" | "done" | "stopped" | "failed" | "hung";

/** A watched expression; `view` is absent until the lab answers. */
export interface Probing {
  readonly id: number;
  readonly view: ProbeShown | undefined;
  /** The mean of each part over the steps, by its name; of a single number that is the number. */
  readonly history: ReadonlyMap<string, Curve>;
  /** Where it is shown. */
  readonly where: "tile" | "panel";
}

/** Something that happened at a step; drawn on every curve. */
export interface Mark {
  readonly step: number;
  readonly kind: "swap" | "input" | "failed";
  readonly text: string;
}

type Values = Readonly<Record<string, InputValue>>;

/**
 * Seconds without an answer after which the lab is ended. A check of what a person writes takes a moment, so a long one
 * never ends. A step ends for certain (its loops are counted, its sizes known), and on a slow device it may rightly take
 * long while the processor hears nothing, as may making the kernels of a deep model; so it is given time, the page says
 * what it waits for, and a Restart ends it at once. A graphics adapter keeps no thread waiting, so its steps are not counted.
 */
const PATIENCE: Readonly<Record<Doing, number>> = { check: 10, run: 60 };
/** Seconds after which there is something to say. */
const NOTICED = 3;
const DOING: Readonly<Record<Doing, string>> = {
  check: "the check of the script",
  run: "this step (or the making of its kernels)",
};

export class Run {
  status = $state<Status>("opening");
  device = $state.raw<DeviceInfo>();
  /** Why it is not a graphics processor. */
  reason = $state<string>();
  prefer = $state<WebDeviceKind>("auto");
  /** Steps a second at most. */
  perSecond = $state(Infinity);
  frame = $state.raw<Frame>();
  program = $state.raw<ProgramFacts>();
  /** Instead of the script's own, after a re-roll. */
  seed = $state<number>();
  /** Values of inputs that the person chose. */
  values = $state.raw<Values>({});
  /** The newest text has a mistake; an older one goes on. */
  stale = $state(false);
  messages = $state.raw<readonly Diagnostic[]>([]);
  prints = $state.raw<readonly string[]>([]);
  shown = $state.raw<readonly ShownItem[]>([]);
  marks = $state.raw<readonly Mark[]>([]);
  note = $state<string>();
  /** While the lab does not answer: what it is at, and for how long. */
  silence = $state<string>();
  /** The text that undoing the last swap brings back. */
  before = $state<string>();
  /** Files that the script has read. */
  reads = $state.raw<readonly string[]>([]);
  /** What came of taking params from a file, by its name. */
  imported = $state.raw<ReadonlyMap<string, Imported>>(new Map());
  probes = $state.raw<readonly Probing[]>([]);
  /** Files that the script saved, by name. */
  saved = $state.raw<ReadonlyMap<string, Uint8Array>>(new Map());
  /** Files that were dropped on the page. */
  files = $state.raw<ReadonlyMap<string, Uint8Array>>(new Map());
  end = $state.raw<EndEvent>();
  /** Grows with each change of the curves, which are too large to be watched by value. */
  ticks = $state(0);
  readonly curves = new Map<string, Curve>();
  /** What stands under the hood, asked for while somebody looks. */
  readonly hood = new Hood((id, ask) => this.send({ kind: "inspect", id, ask }));
  /** What panels look at. */
  readonly looks = new Looks((message) => this.send(message));

  private worker: Worker | undefined;
  private lastProbe = 0;
  private version = 0;
  /** The newest version that the lab has checked. */
  private checkedVersion = 0;
  /** The version that the present run began with. */
  private opened = 0;
  /** By the step of a swap: what stood there before it. */
  private readonly printed = new Map<number, readonly string[]>();
  private file = "script.dlx";
  private text = "";
  /** The text that the lab has; messages of the run are about it. */
  sent = $state.raw("");
  /** When a device was last lost. */
  private lost = -Infinity;
  private doing: Doing = "check";
  private pings = 0;
  private readonly watchdog = new Watchdog({
    patience: () => PATIENCE[this.doing],
    ask: () => this.worker?.postMessage({ kind: "ping", id: ++this.pings } satisfies ToLab),
    silent: (seconds) => {
      const said = `no answer for ${seconds} seconds: ${DOING[this.doing]} takes long; Restart ends it`;
      this.silence = seconds > NOTICED ? said : undefined;
    },
    giveUp: () => this.giveUp(),
  });

  constructor(prefer: WebDeviceKind = "auto") {
    this.prefer = prefer;
  }

  get step(): number {
    return this.frame?.step ?? 0;
  }
  get inputs(): readonly InputDecl[] {
    return this.program?.inputs ?? [];
  }

  // ------------------------------------------------------------ what the person does

  open(file: string, text: string, options: { play?: boolean; seed?: number; values?: Values } = {}): void {
    this.file = file;
    this.text = text;
    this.seed = options.seed;
    this.values = options.values ?? {};
    this.program = undefined;
    this.begin(options.play ?? true);
  }

  /** With this text the next run begins, whether the lab has heard of it or not. */
  wrote(text: string): void {
    this.text = text;
  }

  /** This text checks and may be the next edit. */
  ahead(text: string): void {
    if (this.worker && !this.ended && text !== this.sent) this.send({ kind: "ahead", text });
  }

  /** `undoing`: back to a text from before; the run goes back with it. */
  edit(text: string, undoing = false): void {
    if (text === this.sent && !undoing) return;
    this.text = this.sent = text;
    this.messages = [];
    if (this.ended) return this.begin(true);
    this.send({ kind: "edit", version: ++this.version, text, undoing });
  }

  play(): void {
    if (this.ended) this.begin(true);
    else this.send({ kind: "play" });
  }
  pause(): void {
    this.send({ kind: "pause" });
  }
  toggle(): void {
    if (this.status === "playing") this.pause();
    else this.play();
  }
  stepOnce(): void {
    if (this.ended) this.begin(false);
    this.send({ kind: "step" });
  }
  /** The same numbers again. */
  restart(): void {
    this.begin(this.status !== "paused");
  }
  /** Other random numbers. */
  reroll(): void {
    this.seed = Math.floor(Math.random() * 1e6);
    this.begin(true);
  }
  pace(perSecond: number): void {
    this.perSecond = perSecond;
    this.send({ kind: "pace", perSecond });
  }
  /** Watches the expression around a place of the text. */
  probe(start: number, end = start): void {
    this.watchValue({ start, end }, "tile");
  }
  /** Until `unprobe`. */
  watchValue(of: Watched, where: Probing["where"]): number {
    const id = ++this.lastProbe;
    this.probes = [...this.probes, { id, view: undefined, history: new Map(), where }];
    this.send({ kind: "probe", id, of });
    return id;
  }
  unprobe(id: number): void {
    this.probes = this.probes.filter((each) => each.id !== id);
    this.send({ kind: "unprobe", id });
  }
  /** The params as they are now, as a file. */
  exportParams(name: string): void {
    this.send({ kind: "export", name });
  }
  /** Scripts may read it from now on; without bytes it is no more. One that needs it begins again. */
  give(name: string, bytes: Uint8Array | undefined): void {
    const others = [...this.files].filter(([each]) => each !== name);
    this.files = new Map(bytes ? [...others, [name, bytes]] : others);
    this.worker?.postMessage({ kind: "file", name, bytes } satisfies ToLab);
    if (!this.worker) return;
    if (this.reads.includes(name) || !this.program || this.status === "failed") this.begin(true);
    // a check that is under way may have missed it
    else if (this.stale || this.checkedVersion !== this.version)
      this.send({ kind: "edit", version: ++this.version, text: this.text });
  }
  /** What a file of params has of this script goes into the run. */
  importParams(name: string): void {
    this.send({ kind: "import", name });
  }

  set(input: InputDecl, value: InputValue): void {
    this.values = { ...this.values, [input.name]: value };
    this.send({ kind: "set", name: input.name, value });
    if (this.ended) this.note = `${input.name} = ${String(value)} is for the next run: Run again`;
  }

  use(prefer: WebDeviceKind): void {
    this.prefer = prefer;
    this.endLab();
    this.begin(true);
  }

  close(): void {
    this.endLab();
  }

  // ------------------------------------------------------------ the lab

  get ended(): boolean {
    return this.status === "done" || this.status === "stopped" || this.status === "failed" || this.status === "hung";
  }

  private begin(play: boolean): void {
    // it would hear of it only when it is done
    if (this.silence !== undefined) this.endLab();
    this.curves.clear();
    [this.marks, this.prints, this.messages, this.shown] = [[], [], [], []];
    this.printed.clear();
    [this.frame, this.end, this.note, this.before] = [undefined, undefined, undefined, undefined];
    this.ticks++;
    this.status = "opening";
    const opening = { file: this.file, text: this.text, inputs: this.values, seed: this.seed, play };
    this.sent = this.text;
    this.opened = ++this.version;
    this.send({ kind: "open", version: this.opened, ...opening });
  }

  private send(message: ToLab): void {
    this.worker ??= this.startLab();
    this.worker.postMessage(message);
  }

  private startLab(): Worker {
    // a lab that was ended knew them; this one does not
    this.probes = [];
    const worker = new Worker(new URL("../lab/worker.ts", import.meta.url), { type: "module", name: "lab" });
    worker.onmessage = ({ data }: MessageEvent<FromLab>) => this.hear(data);
    worker.onerror = (event) => this.hear({ kind: "broken", text: event.message });
    this.doing = "check";
    const begin = (message: ToLab): void => worker.postMessage(message);
    for (const [name, bytes] of this.files) begin({ kind: "file", name, bytes });
    begin({ kind: "device", prefer: this.prefer });
    begin({ kind: "pace", perSecond: this.perSecond });
    this.looks.all().forEach(begin);
    this.watchdog.start();
    return worker;
  }

  private endLab(): void {
    this.watchdog.stop();
    this.worker?.terminate();
    this.worker = undefined;
  }

  private giveUp(): void {
    this.endLab();
    this.status = "hung";
    this.note = `${DOING[this.doing]} gave no answer for ${PATIENCE[this.doing]} seconds and was stopped; the text is as you left it, and an edit or Restart begins again`;
  }

  private hear(message: FromLab): void {
    this.watchdog.heard();
    // of a run before this one
    if ("run" in message && message.run !== this.opened) return;
    switch (message.kind) {
      case "device":
        this.device = message.info;
        this.reason = message.reason;
        return;
      case "checked":
        return this.checked(message);
      case "mode":
        this.status = message.mode === "stopped" ? "stopped" : message.mode;
        return;
      case "feed":
        this.feed(message.message);
        return this.took(message.run);
      case "ended":
        this.end = message.end;
        this.status = message.end.status;
        return;
      case "broken":
        this.status = "failed";
        this.note = `a mistake in dlx itself: ${message.text}`;
        return;
      case "swapped":
        return this.swapped(message);
      case "reads":
        this.reads = message.names;
        return;
      case "imported":
        this.imported = new Map([...this.imported, [message.name, message.answer]]);
        return;
      case "probed":
        return this.probed(message);
      case "inspected":
        return this.hood.hear(message.id, message.answer);
      case "looked":
        return this.looks.hear(message.id, message.seen);
      case "exported":
        if (message.bytes) return download(message.name, message.bytes, "application/octet-stream");
        this.note = "there are no params yet; let it train a step";
        return;
      case "saved":
        this.saved = new Map([...this.saved, [message.name, message.bytes]]);
        return;
      case "doing":
        this.doing = message.what;
        return;
      case "pong":
        return;
    }
  }

  /** Behind what is shown of it now; most of the thread's time belongs to the person. */
  private took(run: number): void {
    const start = performance.now();
    const tell = () => this.worker?.postMessage({ kind: "took", run } satisfies ToLab);
    setTimeout(() => setTimeout(tell, 3 * (performance.now() - start)));
  }

  private checked({ version, program }: FromLab & { kind: "checked" }): void {
    if (version !== this.version) return;
    this.checkedVersion = version;
    this.hood.changed();
    this.stale = program === undefined && this.program !== undefined && version !== this.opened;
    if (!program) {
      if (this.status === "opening") this.status = "paused";
      return;
    }
    this.program = program;
  }

  private swapped({ changed, made, dropped, kept, step, undone, before, inputs }: FromLab & { kind: "swapped" }): void {
    if (!changed) return;
    this.before = before;
    if (undone) return this.back(step, inputs);
    const parts = [
      `${kept} kept`,
      ...(made.length > 0 ? [`begun anew: ${named(made)}`] : []),
      ...(dropped.length > 0 ? [`dropped: ${named(dropped)}`] : []),
    ];
    this.printed.set(step, this.prints);
    this.note = `swapped in at step ${step}; ${parts.join("; ")}`;
    this.marks = [...this.marks, { step, kind: "swap", text: this.note }];
  }

  /** What came after a step never was. */
  private back(step: number, inputs: Values): void {
    for (const curve of this.curves.values()) curve.cut(step);
    this.ticks++;
    this.marks = this.marks.filter((mark) => mark.step < step);
    this.prints = this.printed.get(step) ?? this.prints;
    this.note = `back at step ${step}, with the state it had then`;
    // one that shapes the program is as it was checked with
    const shaping = this.inputs.flatMap(({ kind, name }) => (kind === "shape" ? [name] : []));
    const others = Object.entries(this.values).filter(([name]) => !shaping.includes(name));
    const theirs = Object.entries(inputs).filter(([name]) => shaping.includes(name));
    this.values = Object.fromEntries([...others, ...theirs]);
  }

  private probed({ id, view }: FromLab & { kind: "probed" }): void {
    this.probes = this.probes.map((each) => {
      if (each.id !== id) return each;
      const { state } = view;
      if (state.kind !== "value") return { ...each, view };
      const history = new Map(each.history);
      for (const part of state.parts) {
        if (part.kind !== "tensor") continue;
        const curve = history.get(part.name) ?? new Curve();
        const last = curve.steps.at(-1) ?? -1;
        if (state.step < last) curve.cut(state.step - 1);
        if (state.step !== last) curve.add([state.step], [part.stats.mean]);
        history.set(part.name, curve);
      }
      return { ...each, view, history };
    });
  }

  private feed({ frame, series, shown, prints, events, left }: FeedMessage): void {
    if (frame) this.frame = frame;
    if (events.some(({ event }) => event === "swap")) this.hood.changed();
    if (addPoints(this.curves, series)) this.ticks++;
    this.shown = shown.at(-1)?.items.slice(0, ITEMS) ?? this.shown;
    if (prints.length > 0) this.prints = newest([...this.prints, ...prints.map(({ text }) => text)]);
    if (left.prints > 0) this.prints = [...this.prints, `… ${left.prints.toLocaleString("en")} lines left out`];
    for (const event of events) this.happened(event);
  }

  private happened(event: RunEvent): void {
    if (event.event === "input") return this.moved(event.step, event.name, event.value);
    if (event.event !== "warning" && event.event !== "error") return;
    const { diagnostic } = event;
    if (diagnostic.code === DEVICE_LOST) return this.recover(diagnostic);
    this.messages = [...this.messages, diagnostic].slice(-50);
    if (event.event === "error") this.failed(diagnostic);
  }

  /** One mark for one move of a slider, at the first step that saw it. */
  private moved(step: number, name: string, value: InputValue): void {
    const same = this.marks.at(-1);
    const mark: Mark = { step, kind: "input", text: `${name} = ${String(value)}` };
    const moving = same?.kind === "input" && same.text.startsWith(`${name} =`) && step - same.step < 50;
    const before = moving ? this.marks.slice(0, -1) : this.marks;
    this.marks = [...before, moving ? { ...mark, step: same.step } : mark].slice(-MARKS);
  }

  private failed({ title, labels, help }: Diagnostic): void {
    this.marks = [...this.marks, { step: this.step, kind: "failed", text: title }];
    const span = labels.find(({ span: { file } }) => file === this.file)?.span;
    const line = span ? `line ${positionAt(this.sent, span.start).line}: ` : "";
    this.note = `${line}${title}${help ? `; ${help}` : ""}`;
  }

  /** What a device held is gone with it: the run begins again on one that is opened anew, and says so. */
  private recover({ title }: Diagnostic): void {
    const { step } = this;
    const again = performance.now() - this.lost < LOST_AGAIN;
    this.lost = performance.now();
    if (again) this.prefer = "cpu";
    this.endLab();
    this.begin(true);
    const opened = again ? "it was lost a moment before too, so the processor computes now" : "it was opened again";
    this.note = `${title}, at step ${step}; ${opened}, and the run began again from the first step`;
  }
}

/** Names in a note. */
const NAMED = 8;
const named = (paths: readonly string[]): string =>
  paths.length <= NAMED ? paths.join(", ") : `${paths.slice(0, NAMED).join(", ")} and ${paths.length - NAMED} more`;

const DEVICE_LOST = "DLX0707";
/** Milliseconds: a device that is lost twice in this time is not asked a third time. */
const LOST_AGAIN = 60_000;
/** Marks that are kept. */
const MARKS = 500;
/** Items that are shown. */
const ITEMS = 64;
