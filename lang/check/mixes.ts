/**
 * A model that `mixes B` lets the rows of a batch meet, so a gradient for each row is not one of that row. Which nodes
 * such a model made is remembered; `grad(y, x, per: B)` looks for them on the way from y back to x.
 */
import { UserError } from "../diagnostic.ts";
import { mixesRows } from "../errors/tags.ts";
import { nextId } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import type { Checker } from "./state.ts";
import type { Axis, Instance, Tensor, Value } from "./values.ts";
import type { Lens } from "./signature.ts";

interface Mixed {
  readonly from: number;
  readonly to: number;
  readonly axis: Axis;
  readonly instance: Instance;
}

interface Known {
  readonly mixed: Mixed[];
  /** The axis of a signature → that of its caller. */
  readonly outer: Map<number, Axis>;
}

const known = new WeakMap<Checker, Known>();

function of(c: Checker): Known {
  const own = known.get(c) ?? { mixed: [], outer: new Map<number, Axis>() };
  known.set(c, own);
  return own;
}

export function rememberLens(c: Checker, lens: Lens): void {
  const { outer } = of(c);
  for (const [uid, axis] of lens) outer.set(uid, axis);
}

/** Does the body say otherwise outside of training? */
const mentions = (value: unknown, word: string): boolean =>
  Array.isArray(value)
    ? value.some((item) => mentions(item, word))
    : value !== null &&
      typeof value === "object" &&
      (("kind" in value && value.kind === "name" && "text" in value && value.text === word) ||
        Object.entries(value).some(([key, part]) => key !== "span" && mentions(part, word)));

/** Runs the application of a model and remembers its nodes if it mixes. */
export function mixing<T>(
  c: Checker,
  instance: Instance,
  training: boolean,
  axisOf: (name: string) => Axis | undefined,
  run: () => T,
): T {
  const { mixes, body } = instance.decl.decl;
  if (!mixes || (!training && mentions(body, "training"))) return run();
  const from = nextId();
  const value = run();
  const axis = axisOf(mixes.text);
  if (axis) of(c).mixed.push({ from, to: nextId(), axis, instance });
  return value;
}

/** What the outermost caller calls this axis. */
function root(c: Checker, axis: Axis): Axis {
  const { outer } = of(c);
  for (let at = axis; ;) {
    const next = at.uid === undefined ? undefined : outer.get(at.uid);
    if (!next) return at;
    at = next;
  }
}

export function refuseMixing(
  c: Checker,
  y: Value | undefined,
  x: Value | undefined,
  per: Value | undefined,
  span: Span,
): void {
  const { mixed } = of(c);
  if (mixed.length === 0 || y?.kind !== "tensor" || x?.kind !== "tensor" || per?.kind !== "num") return;
  const axis = per.axis ?? y.axes[0];
  if (!axis) return;
  const rows = root(c, axis);
  const met = mixed.filter(({ axis: a }) => {
    const other = root(c, a);
    return other.uid === undefined || rows.uid === undefined ? other.size === rows.size : other.uid === rows.uid;
  });
  const found = onTheWay(y, x, met);
  if (!found) return;
  const user = !found.instance.span.file.startsWith("stdlib/");
  throw new UserError(
    mixesRows(found.instance.decl.name, span, axis.name ?? "B", user ? found.instance.span : undefined),
  );
}

/** A node of a mixing model that depends on x and that y depends on. */
function onTheWay(y: Tensor, x: Tensor, mixed: readonly Mixed[]): Mixed | undefined {
  const depends = new Map<Node, boolean>([[x.node, true]]);
  let found: Mixed | undefined;
  const walk = (node: Node): boolean => {
    const told = depends.get(node);
    if (told !== undefined) return told;
    depends.set(node, false);
    let result = false;
    if (node.op !== "stop") for (const input of node.inputs) if (walk(input)) result = true;
    depends.set(node, result);
    if (result) found ??= mixed.find(({ from, to }) => from <= node.id && node.id < to);
    return result;
  };
  walk(y.node);
  return found;
}
