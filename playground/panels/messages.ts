/** What a panel asks the lab to look at while somebody sees it, and what the lab tells of it. */
import type { ProbedPart, Stats } from "../../runtime/index.ts";
import type { Painted, Plane } from "../../runtime/surface.ts";

export type Look =
  /** The model's output over its two features. */
  | { readonly panel: "surface" }
  /** Params and their gradients, by path. */
  | { readonly panel: "layers" }
  /** Slots of these kinds, and the names of the script. */
  | { readonly panel: "values"; readonly groups: readonly Group[] };

export type Group = "names" | "params" | "states" | "optimizer";

export interface Described {
  readonly path: string;
  readonly shape: readonly number[];
  readonly stats: Stats;
}

export interface NamedValue {
  readonly group: Group;
  /** Unlike any other of the list. */
  readonly id: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** Of a name of the script. */
  readonly place?: { readonly start: number; readonly end: number };
  readonly stats?: Stats;
}

export type Seen =
  | { readonly kind: "none"; readonly why: string }
  | {
      readonly kind: "surface";
      readonly step: number;
      /** The expression. */
      readonly label: string;
      readonly axes: readonly [string, string];
      readonly side: number;
      readonly plane: Plane;
      readonly painted: Painted;
    }
  | {
      readonly kind: "layers";
      readonly step: number;
      readonly of: "values" | "gradients";
      readonly parts: readonly Described[];
    }
  /** The whole list, when the program changes. */
  | { readonly kind: "names"; readonly list: readonly NamedValue[] }
  | { readonly kind: "stats"; readonly stats: ReadonlyMap<string, Stats> };

export const isTensor = (part: ProbedPart): part is Extract<ProbedPart, { kind: "tensor" }> => part.kind === "tensor";
