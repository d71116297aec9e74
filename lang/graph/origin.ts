/**
 * Where a node comes from, for people who look at a graph: the calls around it, and whether it computes a value, a
 * gradient or a move of params. A node has the origin that was open when it was made, and keeps it through the passes;
 * nothing is computed from it and equality ignores it.
 */
import type { Span } from "../source.ts";

export type Role = "forward" | "backward" | "update";

export interface Origin {
  readonly kind: "model" | "function" | "optimizer" | "script";
  /** The path of an instance, or the name of what is called. */
  readonly name: string;
  readonly role: Role;
  /** The call. */
  readonly span?: Span;
  /** The call around it. */
  readonly parent?: Origin;
}

let open: Origin | undefined;

export const openOrigin = (): Origin | undefined => open;

/** Nodes that `run` makes come from there. */
export function from<T>(origin: Origin | undefined, run: () => T): T {
  const outer = open;
  open = origin;
  try {
    return run();
  } finally {
    open = outer;
  }
}

/** The same within the call that is open, with its role unless it is an optimizer's. */
export function fromCall<T>(kind: "model" | "function" | "optimizer", name: string, span: Span, run: () => T): T {
  const role = kind === "optimizer" ? "update" : (open?.role ?? "forward");
  return from({ kind, name, role, span, parent: open }, run);
}

const gradients = new WeakMap<Origin, Origin>();
const ofScript: Origin = { kind: "script", name: "", role: "backward" };

/** Of the gradient of what comes from there: each call has one counterpart. */
export function gradientOrigin(origin: Origin | undefined): Origin {
  if (!origin) return ofScript;
  if (origin.role !== "forward") return origin;
  const known = gradients.get(origin);
  if (known) return known;
  const { parent } = origin;
  const made: Origin = { ...origin, role: "backward", ...(parent ? { parent: gradientOrigin(parent) } : {}) };
  gradients.set(origin, made);
  return made;
}
