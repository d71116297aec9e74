/** The panels below the curves, in their order; each is given the run and the script. */
import type { Component } from "svelte";
import type { Run } from "../state/run.svelte.ts";
import type { Script } from "../state/script.svelte.ts";
import Data from "./Data.svelte";
import Output from "./Output.svelte";

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
];
