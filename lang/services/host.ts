/** What the services ask of the place they run in; the same for a process, a worker and a test. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Facts, SourceRef } from "../program.ts";
import type { Source } from "../source.ts";

export interface ServiceHost {
  /** What is known of a data source that a script names; undefined when the host cannot tell. */
  facts(ref: SourceRef, script: string): Promise<Facts | Diagnostic | undefined>;
  /** The text of an imported file that is not open in the editor; undefined when there is none. */
  readModule(path: string): Promise<Source | undefined>;
  /** Lets what waits go first, such as a newer edit. */
  pause(): Promise<void>;
  /** Texts of the standard library. */
  readonly prelude: readonly Source[];
}
