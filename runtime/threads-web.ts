/** Worker threads on a page, for `gpu/threads.ts`; the page must be cross-origin isolated for shared memory to be had. */
import type { StartWorker } from "../gpu/threads.ts";
import type { Answer } from "../gpu/threads-worker.ts";

export const startWebWorker: StartWorker = (source, events) => {
  const text = `(${source})(
  (listener) => { self.onmessage = (event) => listener(event.data); },
  (answer) => self.postMessage(answer));`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "dlx" });
  worker.onmessage = (event: MessageEvent<Answer>) => {
    URL.revokeObjectURL(url);
    events.message(event.data);
  };
  worker.onerror = (event) => events.dead(event.message);
  return {
    post: (letter) => worker.postMessage(letter),
    // a page does not wait for its workers
    hold: () => undefined,
    stop: async () => worker.terminate(),
  };
};
