/** One line of JSON for each event, and nothing else. A number that JSON cannot write (NaN, infinity) is null. */
import type { Out, Sink, Watched } from "./sink.ts";

export function jsonSink(session: Watched, out: Out): Sink {
  const subscription = session.events$.subscribe((event) => out.stdout(`${JSON.stringify(event)}\n`));
  return { close: () => subscription.unsubscribe() };
}
