/**
 * Plain lines for a pipe or a log file: the start, progress soon and then about every ten seconds, each epoch, evals,
 * prints. Nothing is ever rewritten.
 */
import { Subscription, asyncScheduler, filter, throttleTime } from "rxjs";
import type { Frame, RunEvent } from "../events.ts";
import { picture } from "./picture.ts";
import type { Out, Sink, Watched } from "./sink.ts";
import { counted, duration, metricsText, passText, place, rate, startLine, swapText, timeLeft } from "./words.ts";

const PROGRESS_MS = 10_000;

/** Events between epochs are too many for a log: `--json` has them. */
export function plainLine(event: RunEvent, script: string, columns = 100): string | undefined {
  switch (event.event) {
    case "start":
      return startLine(event, script);
    case "train":
      if (event.fold !== "epoch") return undefined;
      return join(
        `${passText(event.run)}${event.name}`,
        `epoch ${event.epoch}`,
        `step ${event.step}`,
        metricsText(event.metrics),
      );
    case "eval":
      return join(`${passText(event.run)}${event.name}`, metricsText(event.metrics));
    case "print":
      return event.text;
    case "show":
      return event.items.flatMap((item) => picture(item, columns - 1)).join("\n");
    case "saved":
      return `saved ${event.path}`;
    case "swap":
      return swapText(event);
    case "end":
      return `${event.status} after ${counted(event.steps, "step")} in ${duration(event.seconds)}`;
    default:
      return undefined;
  }
}

export function progressLine(frame: Frame): string {
  return join(
    `${passText(frame.run)}${frame.name}`,
    place(frame),
    metricsText(frame.metrics),
    rate(frame),
    timeLeft(frame),
  );
}

function join(...texts: string[]): string {
  return texts.filter(Boolean).join("  ");
}

export function plainSink(session: Watched, out: Out): Sink {
  const all = new Subscription();
  all.add(
    session.events$.subscribe((event) => {
      if ("diagnostic" in event) return out.stderr(`${out.message(event.diagnostic)}\n`);
      const line = plainLine(event, out.script);
      if (line !== undefined) out.stdout(`${line}\n`);
    }),
  );
  const frames = session.frames$.pipe(
    // A block that ended with an epoch has said so.
    filter((frame) => frame.step > 0 && !(frame.limit.unit === "epochs" && frame.step === frame.total)),
    throttleTime(PROGRESS_MS, asyncScheduler),
  );
  all.add(frames.subscribe((frame) => out.stdout(`${progressLine(frame)}\n`)));
  return { close: () => all.unsubscribe() };
}

/** `--quiet`: what the script prints, and messages. */
export function quietSink(session: Watched, out: Out): Sink {
  const subscription = session.events$.subscribe((event) => {
    if ("diagnostic" in event) out.stderr(`${out.message(event.diagnostic)}\n`);
    else if (event.event === "print") out.stdout(`${event.text}\n`);
  });
  return { close: () => subscription.unsubscribe() };
}
