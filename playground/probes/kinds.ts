/** The ways to show a value, and which of them suit its shape; the first that does is what is shown unless a person chooses. */
import type { ProbedPart } from "../../runtime/index.ts";

export type Tensor = ProbedPart & { readonly kind: "tensor" };
export type Kind = "number" | "image" | "bars" | "histogram" | "curve" | "table";

interface Way {
  readonly kind: Kind;
  readonly label: string;
  readonly fits: (part: Tensor) => boolean;
}

/** As an axis that a person can take in at once. */
const FEW = 100;

const isSingle = ({ stats }: Tensor): boolean => stats.count === 1;

export const WAYS: readonly Way[] = [
  { kind: "number", label: "number and curve", fits: isSingle },
  {
    kind: "image",
    label: "image",
    fits: ({ shape }) => shape.length >= 2 && shape.at(-1)! > 1 && shape.at(-2)! > 1,
  },
  { kind: "bars", label: "bars", fits: (part) => !isSingle(part) && part.stats.count <= FEW },
  { kind: "histogram", label: "histogram", fits: (part) => !isSingle(part) },
  { kind: "curve", label: "mean over steps", fits: (part) => !isSingle(part) },
  { kind: "table", label: "table", fits: (part) => !isSingle(part) },
];

export const waysFor = (part: Tensor): readonly Way[] => WAYS.filter(({ fits }) => fits(part));

/** What is chosen, where it suits. */
export function kindFor(part: Tensor, chosen: Kind | undefined): Kind {
  const ways = waysFor(part);
  return (ways.find(({ kind }) => kind === chosen) ?? ways[0])?.kind ?? "table";
}
