/** The thread of the lab. */
import type { FromLab, ToLab } from "../protocol.ts";
import { Lab } from "./lab.ts";

const lab = new Lab((message: FromLab, buffers: ArrayBuffer[] = []) =>
  self.postMessage(message, { transfer: buffers }),
);
self.onmessage = ({ data }: MessageEvent<ToLab>) => lab.hear(data);
