/** The panels below the curves, in their order; each is given the run and the script. */
import type { Component } from "svelte";
import type { Run } from "../state/run.svelte.ts";
import type { Script } from "../state/script.svelte.ts";
import Data from "./Data.svelte";
import Code from "../hood/Code.svelte";
import Graph from "../hood/Graph.svelte";
import Kernels from "../hood/Kernels.svelte";
import Stats from "../hood/Stats.svelte";
import Tree from "../hood/Tree.svelte";
import Layers from "./Layers.svelte";
import Output from "./Output.svelte";
import Values from "./Values.svelte";

export interface PanelProps {
  readonly run: Run;
  readonly script: Script;
}

export interface Tab {
  readonly id: string;
  readonly label: string;
  readonly panel: Component<PanelProps>;
}

export const tabs: readonly Tab[] = [
  { id: "output", label: "Output", panel: Output },
  { id: "data", label: "Data", panel: Data },
  { id: "values", label: "Values", panel: Values },
  { id: "layers", label: "Layers", panel: Layers },
  { id: "tree", label: "AST", panel: Tree },
  { id: "graph", label: "Graph", panel: Graph },
  { id: "kernels", label: "Kernels", panel: Kernels },
  { id: "code", label: "WGSL/Wasm", panel: Code },
  { id: "stats", label: "Stats", panel: Stats },
];
