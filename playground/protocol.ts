/**
 * What the page and its lab (the worker that compiles and trains) say to each other. Everything is plain data; a
 * message about a text carries the version of that text, so that an answer that is late can be told from a fresh one.
 */
import type { Diagnostic, InputDecl } from "../lang/index.ts";
import type {
  DeviceInfo,
  EndEvent,
  FeedMessage,
  InputValue,
  Inputs,
  Mode,
  ProbeState,
  SwapReport,
  WebDeviceKind,
} from "../runtime/index.ts";
import type { Inspect, Inspected } from "./hood/messages.ts";
import type { Look, Seen } from "./panels/messages.ts";

/** A script as the page opens it. */
export interface Opening {
  readonly version: number;
  readonly file: string;
  readonly text: string;
  readonly inputs: Inputs;
  /** Instead of the script's own. */
  readonly seed?: number;
  readonly play: boolean;
}

export type ToLab =
  | { readonly kind: "device"; readonly prefer: WebDeviceKind }
  /** A file that scripts may read from now on; without bytes it is no more. */
  | { readonly kind: "file"; readonly name: string; readonly bytes?: Uint8Array }
  /** A run of its own, from the first step. */
  | ({ readonly kind: "open" } & Opening)
  /**
   * A newer text of the same script: swapped into the run when it checks. `undoing`: where the text has run before, the
   * run goes back to where it was then.
   */
  | { readonly kind: "edit"; readonly version: number; readonly text: string; readonly undoing?: boolean }
  /** A text that checks and may be the next edit: its kernels are made beside the run. */
  | { readonly kind: "ahead"; readonly text: string }
  | { readonly kind: "play" | "pause" | "step" }
  /** Steps a second; Infinity is as fast as it goes. */
  | { readonly kind: "pace"; readonly perSecond: number }
  | { readonly kind: "set"; readonly name: string; readonly value: InputValue }
  /** A value, from now on. Ids are the page's. */
  | { readonly kind: "probe"; readonly id: number; readonly of: Watched }
  | { readonly kind: "unprobe"; readonly id: number }
  /** Answered by `inspected` under the same id, or not at all where there is no program to look into. */
  | { readonly kind: "inspect"; readonly id: number; readonly ask: Inspect }
  /** What a panel shows, from now on. */
  | { readonly kind: "look"; readonly id: number; readonly look: Look }
  | { readonly kind: "unlook"; readonly id: number }
  /** Answered by `exported`: the params and states between two steps. */
  | { readonly kind: "export"; readonly name: string }
  /** A message of the feed was taken: another may come. */
  | { readonly kind: "took"; readonly run: number }
  /** Answered by `imported`: what a given file of params has of the running program goes into it. */
  | { readonly kind: "import"; readonly name: string }
  /** Answered by `pong`: the lab is alive. */
  | { readonly kind: "ping"; readonly id: number };

/** A place of the newest checked text, or a slot. */
export type Watched = { readonly start: number; readonly end: number } | { readonly slot: string };

export interface ProgramFacts {
  readonly seed: number;
  readonly inputs: readonly InputDecl[];
  /** Params and their sizes by path. */
  readonly params: readonly { readonly path: string; readonly shape: readonly number[] }[];
}

export type FromLab =
  | { readonly kind: "device"; readonly info: DeviceInfo; readonly reason?: string }
  /** The text was checked; without `program` the one before goes on. */
  | {
      readonly kind: "checked";
      readonly version: number;
      readonly diagnostics: readonly Diagnostic[];
      readonly program?: ProgramFacts;
    }
  /** A program took the place of the running one at a step, or `undone`, is there again as it was then. */
  | ({
      readonly kind: "swapped";
      readonly run: number;
      readonly step: number;
      readonly undone?: true;
      /** What the program was checked with. */
      readonly inputs: Inputs;
      /** The text that undoing it brings back. */
      readonly before?: string;
    } & SwapReport)
  /** `run` is the version that it was opened with. */
  | { readonly kind: "mode"; readonly run: number; readonly mode: Mode }
  | { readonly kind: "feed"; readonly run: number; readonly message: FeedMessage }
  | { readonly kind: "ended"; readonly run: number; readonly end: EndEvent }
  /** A mistake of ours, in words. */
  | { readonly kind: "broken"; readonly text: string }
  /** What a probe sees; `place` is where its expression stands in the newest checked text. */
  | { readonly kind: "probed"; readonly id: number; readonly view: ProbeShown }
  | { readonly kind: "inspected"; readonly id: number; readonly answer: Inspected }
  | { readonly kind: "looked"; readonly id: number; readonly seen: Seen }
  /** What was asked for; without bytes there are no params yet. */
  | { readonly kind: "exported"; readonly name: string; readonly bytes?: Uint8Array }
  /** A file that the script saved. */
  | { readonly kind: "saved"; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: "imported"; readonly name: string; readonly answer: Imported }
  /** Files that the script has read since it was opened. */
  | { readonly kind: "reads"; readonly names: readonly string[] }
  /** What it does from now on, said before it may hear nothing for a while. */
  | { readonly kind: "doing"; readonly what: Doing }
  | { readonly kind: "pong"; readonly id: number };

export type Doing = "check" | "run";

/** What a file of params and the running program have in common. */
export type Imported =
  | {
      readonly step: number;
      /** Paths in the program that now have the file's values. */
      readonly matched: readonly string[];
      /** In the file only, or of another shape there, each in words. */
      readonly left: readonly string[];
      /** Params of the program that the file does not have. */
      readonly missing: readonly string[];
    }
  | { readonly refused: string };

export interface ProbeShown {
  readonly label: string;
  readonly type: string;
  readonly place?: { readonly start: number; readonly end: number };
  readonly state: ProbeState | { readonly kind: "refused"; readonly why: string };
}
