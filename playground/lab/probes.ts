/** The probes of a run: what is watched stays watched when the text moves, and is asked again of each new program. */
import type { Compiled, Source } from "../../lang/index.ts";
import { follow } from "../../lang/services/follow.ts";
import type { Session } from "../../runtime/index.ts";
import type { ProbeShown, Watched } from "../protocol.ts";

interface Open {
  readonly of: Watched;
  readonly stop: () => void;
}

/** What a tile can show; statistics are of all. */
const MOST_VALUES = 16_384;

export class LabProbes {
  private readonly tell: (id: number, view: ProbeShown) => void;
  private readonly watched = new Map<number, Open>();
  private compiled: Compiled | undefined;
  private session: Session | undefined;

  constructor(tell: (id: number, view: ProbeShown) => void) {
    this.tell = tell;
  }

  private get source(): Source | undefined {
    return this.compiled?.sources[0];
  }

  /** Another program: each place is found again in its text. */
  use(compiled: Compiled, session: Session | undefined): void {
    const before = this.source;
    [this.compiled, this.session] = [compiled, session];
    const after = this.source;
    for (const [id, { of, stop }] of [...this.watched]) {
      if ("slot" in of) {
        this.open(id, of);
        continue;
      }
      const found = before && after && follow(before, after, { file: after.file, ...of });
      if (found) this.open(id, found);
      else {
        stop();
        this.watched.delete(id);
        const why = "its line is not in the script any more";
        this.tell(id, {
          label: before?.text.slice(of.start, of.end) ?? "",
          type: "",
          state: { kind: "refused", why },
        });
      }
    }
  }

  open(id: number, of: Watched): void {
    this.close(id);
    const { compiled, session, source } = this;
    if (!compiled || !session || !source) return;
    if ("slot" in of) {
      const label = of.slot;
      const listening = session
        .probe({ slots: [label] }, { limit: MOST_VALUES })
        .subscribe((state) => this.tell(id, { label, type: "", state }));
      this.watched.set(id, { of, stop: () => listening.unsubscribe() });
      return;
    }
    const { start, end } = of;
    const [answer] = compiled.probes([{ file: source.file, start, end }]);
    if (!answer || "refused" in answer) {
      const why = answer?.refused ?? "there is no value here";
      return this.tell(id, { label: source.text.slice(start, end), type: "", state: { kind: "refused", why } });
    }
    const place = answer.span ?? { start, end };
    const { label } = answer;
    const type = answer.instances > 1 ? `${answer.type}, the first of ${answer.instances}` : answer.type;
    const listening = session
      .probe(answer, { limit: MOST_VALUES })
      .subscribe((state) => this.tell(id, { label, type, place: { start: place.start, end: place.end }, state }));
    this.watched.set(id, { of: place, stop: () => listening.unsubscribe() });
  }

  close(id: number): void {
    this.watched.get(id)?.stop();
    this.watched.delete(id);
  }
}
