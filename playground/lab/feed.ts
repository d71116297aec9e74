/** The streams of a session as few messages: what came since the last one is sent together. */
import type { Diagnostic } from "../../lang/index.ts";
import type { Frame, Session, ShownItem } from "../../runtime/index.ts";
import type { Feed } from "../protocol.ts";

const EVERY_MS = 50;

export class Feeder {
  private readonly series = new Map<string, { steps: number[]; values: number[] }>();
  private prints: string[] = [];
  private messages: Diagnostic[] = [];
  private shown: readonly ShownItem[] | undefined;
  private frame: Frame | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly send: (feed: Feed) => void;

  constructor(send: (feed: Feed) => void) {
    this.send = send;
  }

  listen({ events$, frames$, points$ }: Session): void {
    const due = () => (this.timer ??= setTimeout(() => this.flush(), EVERY_MS));
    points$.subscribe(({ label, run, step, value }) => {
      this.add(run === undefined ? label : `${label} (${run})`, step, value);
      due();
    });
    frames$.subscribe((frame) => {
      this.frame = frame;
      due();
    });
    events$.subscribe((event) => {
      if (event.event === "print") this.prints.push(event.text);
      else if (event.event === "show") this.shown = event.items;
      else if (event.event === "warning" || event.event === "error") this.messages.push(event.diagnostic);
      else if (event.event === "eval" || (event.event === "train" && event.fold))
        for (const [name, value] of Object.entries(event.metrics))
          if (typeof value === "number") this.add(`${event.name}.${name}`, event.step, value);
      due();
    });
  }

  private add(label: string, step: number, value: number): void {
    let one = this.series.get(label);
    if (!one) this.series.set(label, (one = { steps: [], values: [] }));
    one.steps.push(step);
    one.values.push(value);
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.send({
      frame: this.frame,
      series: [...this.series].map(([label, { steps, values }]) => ({
        label,
        steps: Float64Array.from(steps),
        values: Float32Array.from(values),
      })),
      shown: this.shown,
      prints: this.prints.slice(-200),
      messages: this.messages,
    });
    this.series.clear();
    [this.prints, this.messages, this.shown] = [[], [], undefined];
  }
}
