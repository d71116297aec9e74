/** The probes of a run: what is watched stays watched when the text moves, and is asked again of each new program. */
import type { Compiled, Source } from "../../lang/index.ts";
import { follow } from "../../lang/services/follow.ts";
import type { Session } from "../../runtime/index.ts";
import type { ProbeShown } from "../protocol.ts";

interface Place {
  readonly start: number;
  readonly end: number;
}
interface Watched {
  place: Place;
  readonly stop: () => void;
}

export class LabProbes {
  private readonly tell: (id: number, view: ProbeShown) => void;
  private readonly watched = new Map<number, Watched>();
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
    for (const [id, { place, stop }] of [...this.watched]) {
      const found = before && after && follow(before, after, { file: after.file, ...place });
      if (found) this.open(id, found);
      else {
        stop();
        this.watched.delete(id);
        const why = "its line is not in the script any more";
        this.tell(id, {
          label: before?.text.slice(place.start, place.end) ?? "",
          type: "",
          state: { kind: "refused", why },
        });
      }
    }
  }

  open(id: number, { start, end }: Place): void {
    this.close(id);
    const { compiled, session, source } = this;
    if (!compiled || !session || !source) return;
    const [answer] = compiled.probes([{ file: source.file, start, end }]);
    if (!answer || "refused" in answer) {
      const why = answer?.refused ?? "there is no value here";
      return this.tell(id, { label: source.text.slice(start, end), type: "", state: { kind: "refused", why } });
    }
    const place = answer.span ?? { start, end };
    const { label } = answer;
    const type = answer.instances > 1 ? `${answer.type}, the first of ${answer.instances}` : answer.type;
    const listening = session
      .probe(answer)
      .subscribe((state) => this.tell(id, { label, type, place: { start: place.start, end: place.end }, state }));
    this.watched.set(id, { place, stop: () => listening.unsubscribe() });
  }

  close(id: number): void {
    this.watched.get(id)?.stop();
    this.watched.delete(id);
  }
}
