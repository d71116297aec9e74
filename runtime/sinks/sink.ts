/** What every sink is given, and the shape of one: it listens until `close`. */
import type { Observable } from "rxjs";
import type { Diagnostic } from "../../lang/diagnostic.ts";
import type { Frame, Point, RunEvent } from "../events.ts";

export interface Watched {
  readonly events$: Observable<RunEvent>;
  readonly frames$: Observable<Frame>;
  readonly points$: Observable<Point>;
}

/** Where text goes. */
export interface Out {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** A message as the user reads it. */
  readonly message: (diagnostic: Diagnostic) => string;
  /** The script as the user typed it. */
  readonly script: string;
}

export interface Sink {
  /** Leaves the terminal as it was; may be called at any time and more than once. */
  close(): void;
}
