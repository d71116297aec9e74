/** What panels look at, beside the run: begun anew with each program, ended when nobody sees it. */
import type { Compiled } from "../../lang/index.ts";
import type { Session } from "../../runtime/index.ts";
import type { Look, Seen } from "../panels/messages.ts";
import { lookAtLayers } from "./layers.ts";
import { lookAtSurface } from "./surface.ts";
import { lookAtValues } from "./values.ts";

export interface Looking {
  readonly compiled: Compiled;
  readonly session: Session;
  readonly tell: (seen: Seen) => void;
}

/** Each begins to look, and gives what ends it. */
const lookers: { readonly [P in Look["panel"]]: (at: Looking, look: Look & { panel: P }) => () => void } = {
  surface: lookAtSurface,
  layers: lookAtLayers,
  values: lookAtValues,
};

export class LabPanels {
  private readonly tell: (id: number, seen: Seen) => void;
  private readonly open = new Map<number, { readonly look: Look; stop: () => void }>();
  private compiled: Compiled | undefined;
  private session: Session | undefined;

  constructor(tell: (id: number, seen: Seen) => void) {
    this.tell = tell;
  }

  /** Another program, or none that runs. */
  use(compiled: Compiled, session: Session | undefined): void {
    [this.compiled, this.session] = [compiled, session];
    for (const [id, { look }] of [...this.open]) this.look(id, look);
  }

  look(id: number, look: Look): void {
    this.close(id);
    this.open.set(id, { look, stop: this.begin(id, look) });
  }

  close(id: number): void {
    this.open.get(id)?.stop();
    this.open.delete(id);
  }

  private begin(id: number, look: Look): () => void {
    const { compiled, session } = this;
    const tell = (seen: Seen) => this.tell(id, seen);
    if (compiled?.program && session) {
      const begin = lookers[look.panel] as (at: Looking, look: Look) => () => void;
      return begin({ compiled, session, tell }, look);
    }
    if (compiled) tell({ kind: "none", why: "the script does not run as it stands" });
    return () => undefined;
  }
}
