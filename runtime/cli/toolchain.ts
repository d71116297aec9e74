/** The phases behind the verbs as one value: tests of the command line bring a small one of their own. */
import type { CpuOptions, Device } from "../../gpu/index.ts";
import type { Diagnostic } from "../../lang/diagnostic.ts";
import type { Program } from "../../lang/program.ts";
import type { Source } from "../../lang/source.ts";
import type * as ast from "../../lang/syntax/ast.ts";
import type { Inputs } from "../events.ts";
import type { Host, HostMath } from "../host.ts";

export interface CompileOptions {
  readonly inputs: Inputs;
  readonly seed?: number;
  /** A program for each test too. */
  readonly tests?: boolean;
  /** Where data sets are looked for before the default places. */
  readonly data?: string;
}

export interface Compiled {
  readonly program?: Program;
  readonly diagnostics: readonly Diagnostic[];
  readonly file?: ast.File;
  /** The script and what it imports, for messages. */
  readonly sources: readonly Source[];
}

export const kinds = ["auto", "cpu", "webgpu", "reference"] as const;
export type DeviceKind = (typeof kinds)[number];

export interface OpenOptions extends Pick<CpuOptions, "relaxed" | "profile"> {
  /** Of webgpu: the name of what will run, which may go without checks once it has passed them. */
  readonly kernels?: string | undefined;
  /** Of webgpu: ways to cut large products are measured on software adapters too. */
  readonly tune?: boolean;
}

export interface Toolchain {
  /** `file` as the user typed it. A file that cannot be read is a diagnostic. */
  compile(file: string, options: CompileOptions): Promise<Compiled>;
  /**
   * `threads` of the cpu device; as many as the machine suggests when left out. `tell` hears what `auto` took and why.
   * A `webgpu` that cannot be had is a UsageError.
   */
  openDevice(kind: DeviceKind, threads?: number, tell?: (line: string) => void, options?: OpenOptions): Promise<Device>;
  host(file: string, data?: string): Promise<Host>;
  readonly math: HostMath;
  readonly version: string;
}
