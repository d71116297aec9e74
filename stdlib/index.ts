/** The standard library: dlx texts, and the door that hands them to whoever compiles. */
import activations from "./activations.dlx";
import inits from "./inits.dlx";
import layers from "./layers.dlx";
import losses from "./losses.dlx";
import optimizers from "./optimizers.dlx";
import statistics from "./statistics.dlx";

export const prelude: readonly { readonly file: string; readonly text: string }[] = [
  { file: "stdlib/statistics.dlx", text: statistics },
  { file: "stdlib/inits.dlx", text: inits },
  { file: "stdlib/activations.dlx", text: activations },
  { file: "stdlib/layers.dlx", text: layers },
  { file: "stdlib/losses.dlx", text: losses },
  { file: "stdlib/optimizers.dlx", text: optimizers },
];
