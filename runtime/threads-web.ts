/**
 * Worker threads on a page, for `gpu/threads.ts`; the page must be cross-origin isolated for shared memory to be had.
 * A page whose Content-Security-Policy knows no `blob:` starts the file `thread-web.ts` instead, by `webWorkers`.
 */
import type { StartWorker } from "../gpu/threads.ts";
import type { Answer } from "../gpu/threads-worker.ts";

/** Workers that a page makes itself, from `thread-web.ts`. */
export const webWorkers =
  (make: () => Worker): StartWorker =>
  (_source, events) => {
    const worker = make();
    worker.onmessage = (event: MessageEvent<Answer>) => events.message(event.data);
    worker.onerror = (event) => events.dead(event.message || "a file that could not be loaded");
    return {
      post: (letter) => worker.postMessage(letter),
      // a page does not wait for its workers
      hold: () => undefined,
      stop: async () => worker.terminate(),
    };
  };

export const startWebWorker: StartWorker = (source, events) => {
  const text = `(${source})(
  (listener) => { self.onmessage = (event) => listener(event.data); },
  (answer) => self.postMessage(answer));`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const start = webWorkers(() => new Worker(url, { name: "dlx" }));
  const message = (answer: Answer) => {
    URL.revokeObjectURL(url);
    events.message(answer);
  };
  return start(source, { message, dead: (reason) => events.dead(reason) });
};
