/** What the page may ask its lab about the program under the hood, and the answers. `text` is the script that they are about. */
import type {
  Counted,
  Measured,
  NamedKernel,
  PreparedIn,
  SegmentKernels,
  TreeNode,
} from "../../runtime/inspect/index.ts";

import type { Range } from "../state/place.svelte.ts";
import type { Item } from "./fold.ts";
import type { Line, Rect } from "./layout.ts";

/** `times` takes a second or two, and slows the training down meanwhile. */
export type Inspect =
  | { readonly what: "tree" }
  | { readonly what: "kernels" }
  | { readonly what: "counts" }
  | { readonly what: "times" }
  /** Of a segment, or of the first that trains, with these boxes open, or as it is opened at first. */
  | { readonly what: "graph"; readonly segment?: string; readonly open?: readonly string[] }
  | { readonly what: "code"; readonly segment: string; readonly kernel: string };

export interface Box extends Rect, Pick<Item, "kind" | "label" | "note" | "role"> {
  /** It can be opened. */
  readonly folds: boolean;
  /** In the script: where it is called, and all that lies in it. */
  readonly place?: Range;
  readonly places: readonly Range[];
}
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  /** Open boxes, the outermost first. */
  readonly frames: readonly Box[];
  readonly lines: readonly Line[];
}

/** A kernel without its code, which is asked for by itself. */
export interface KernelRow extends Omit<NamedKernel, "wgsl" | "wasm"> {
  /** How often it is given to the device for one call. */
  readonly dispatches: number;
  /** Lines of the library whose work it does, where its places are the calls of that. */
  readonly through?: string;
}
export interface KernelRows extends Omit<SegmentKernels, "kernels"> {
  readonly kernels: readonly KernelRow[];
}

/** A step as it is, and as it would be with each operation a kernel. */
export interface StepCounts {
  readonly fused: Counted;
  readonly unfused: Counted;
}

export type Inspected =
  | { readonly what: "tree"; readonly text: string; readonly tree: TreeNode }
  | {
      readonly what: "graph";
      readonly text: string;
      readonly segments: readonly { readonly name: string; readonly nodes: number }[];
      readonly segment: string;
      readonly open: readonly string[];
      /** Absent where it is too much at once. */
      readonly drawing?: Drawing;
      readonly note?: string;
    }
  | { readonly what: "kernels"; readonly text: string; readonly segments: readonly KernelRows[] }
  | {
      readonly what: "counts";
      readonly text: string;
      readonly steps: readonly StepCounts[];
      /** Milliseconds from the text to the checked program. */
      readonly checked: number;
      readonly prepared: readonly PreparedIn[];
    }
  | { readonly what: "times"; readonly text: string; readonly measured: Measured }
  | {
      readonly what: "code";
      readonly text: string;
      readonly kernel: NamedKernel | undefined;
    };

export type What = Inspected["what"];
export type Answer<W extends What> = Extract<Inspected, { readonly what: W }>;
