/** The file of one worker thread on a page: `webWorkers(() => new Worker(thisFile, { type: "module" }))`. */
import { bound } from "../gpu/threads-piece.ts";
import { serve } from "../gpu/threads-worker.ts";

serve(
  (listener) => (self.onmessage = (event) => listener(event.data)),
  (answer) => self.postMessage(answer),
  bound,
);
