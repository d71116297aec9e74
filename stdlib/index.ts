/** The standard library: dlx texts, and the door that hands them to whoever compiles. */
import activations from "./activations.dlx";
import attention from "./attention.dlx";
import convolution from "./convolution.dlx";
import images from "./images.dlx";
import inits from "./inits.dlx";
import layers from "./layers.dlx";
import losses from "./losses.dlx";
import metrics from "./metrics.dlx";
import normalization from "./normalization.dlx";
import optimizers from "./optimizers.dlx";
import recurrent from "./recurrent.dlx";
import schedules from "./schedules.dlx";
import statistics from "./statistics.dlx";
import { trees } from "./trees.ts";

const texts: readonly { readonly file: string; readonly text: string }[] = [
  { file: "stdlib/statistics.dlx", text: statistics },
  { file: "stdlib/inits.dlx", text: inits },
  { file: "stdlib/activations.dlx", text: activations },
  { file: "stdlib/layers.dlx", text: layers },
  { file: "stdlib/convolution.dlx", text: convolution },
  { file: "stdlib/normalization.dlx", text: normalization },
  { file: "stdlib/recurrent.dlx", text: recurrent },
  { file: "stdlib/attention.dlx", text: attention },
  { file: "stdlib/losses.dlx", text: losses },
  { file: "stdlib/metrics.dlx", text: metrics },
  { file: "stdlib/optimizers.dlx", text: optimizers },
  { file: "stdlib/schedules.dlx", text: schedules },
  { file: "stdlib/images.dlx", text: images },
];

export const prelude: readonly { readonly file: string; readonly text: string; readonly tree?: string }[] = texts.map(
  (source) => ({ ...source, tree: trees[source.file] }),
);
