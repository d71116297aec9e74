/**
 * The graphs of a program as data for a screen: nodes with their shapes and places, folded by the calls that they come
 * from (instances of models, functions, optimizers), and told apart as forward, backward and update.
 */
import { attrsText, topological, type Origin, type Role } from "../../lang/graph/index.ts";
import type { Body, DType, Node } from "../../lang/graph/node.ts";
import type { Output, Program, Segment } from "../../lang/program.ts";
import type { Span } from "../../lang/source.ts";
import { segmentsOf } from "../actions.ts";
import { distinct } from "../blocks.ts";

/** Nodes that are shown of a segment. */
export const MOST_NODES = 4000;

export interface GraphNode {
  readonly id: number;
  readonly op: string;
  /** The op, the name of an input or the value of a constant. */
  readonly label: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** What else the op is told, as `dlx graph` writes it. */
  readonly attrs: string;
  /** The expression, in the script or in the library; gradients have none. */
  readonly span?: Span;
  /** In the script: the same, or the call that led there. */
  readonly place?: Span;
  /** The innermost of the groups that it lies in. */
  readonly group?: number;
  readonly role: Role;
  readonly inputs: readonly number[];
  /** Of a loop: what it repeats; its results stand last. */
  readonly body?: GraphPart;
}

export interface GraphGroup {
  readonly id: number;
  readonly kind: Origin["kind"];
  /** The path of an instance or of an optimizer, or the name of a function. */
  readonly name: string;
  /** The same as seen from the group around it. */
  readonly label: string;
  readonly role: Role;
  /** The call. */
  readonly span?: Span;
  readonly parent?: number;
}

export interface GraphPart {
  readonly nodes: readonly GraphNode[];
  readonly groups: readonly GraphGroup[];
  /** What becomes of nodes. */
  readonly outputs: readonly { readonly node: number; readonly label: string }[];
}

export interface GraphSegment extends GraphPart {
  readonly name: string;
  /** Scalars that the host computes for it, by name. */
  readonly host: readonly string[];
  /** Why this is not all of it. */
  readonly note?: string;
}

/** Every segment once, in the order of the script. */
export function graphsOf(program: Program, most = MOST_NODES): GraphSegment[] {
  return distinct(segmentsOf(program.body)).map((segment) => graphOf(segment, most));
}

export function graphOf({ name, outputs, host }: Segment, most = MOST_NODES): GraphSegment {
  const wanted = outputs.map(({ node, role }) => ({ node, label: roleText(role) }));
  const { total, ...part } = partOf(wanted, most);
  const note = total > most ? `${most} of ${total} nodes are shown, the first in the order of computing` : undefined;
  return { name, host: host.map((scalar) => scalar.name), ...part, ...(note === undefined ? {} : { note }) };
}

/** What becomes of an output: `commit net.w`, `fetch loss`. */
export function roleText(role: Output["role"]): string {
  if (role.kind === "commit") return `commit ${role.path}`;
  if (role.kind === "fetch") return `fetch ${role.name}`;
  return role.kind === "finite" ? `finite ${role.what}` : role.kind;
}

function partOf(
  wanted: readonly { node: Node; label: string }[],
  most: number,
): GraphPart & { readonly total: number } {
  const order = topological(wanted.map(({ node }) => node));
  const ids = new Map(order.slice(0, most).map((node, id) => [node, id]));
  const groups = new Groups();
  const nodes = [...ids].map(([node, id]): GraphNode => {
    const { op, type, span, origin } = node;
    const place = placeOf(node);
    const group = groups.idOf(origin);
    const body = op === "loop" ? bodyOf(node.attrs["body"] as Body, most) : undefined;
    return {
      id,
      op,
      label: labelOf(node),
      dtype: type.dtype,
      shape: type.shape,
      attrs: attrsText(node.attrs),
      ...(span ? { span } : {}),
      ...(place ? { place } : {}),
      ...(group === undefined ? {} : { group }),
      role: origin?.role ?? "forward",
      inputs: node.inputs.map((input) => ids.get(input)!),
      ...(body ? { body } : {}),
    };
  });
  const outputs = wanted.flatMap(({ node, label }) => {
    const id = ids.get(node);
    return id === undefined ? [] : [{ node: id, label }];
  });
  return { nodes, groups: groups.all, outputs, total: order.length };
}

function bodyOf({ results }: Body, most: number): GraphPart {
  const { nodes, groups, outputs } = partOf(
    results.map((node, i) => ({ node, label: `result ${i}` })),
    most,
  );
  return { nodes, groups, outputs };
}

function labelOf({ op, attrs }: Node): string {
  if (op === "input")
    return attrs["source"] === "state" ? String(attrs["name"]) : `${attrs["source"]} ${attrs["name"]}`;
  if (op !== "const") return op;
  const { value, values } = attrs;
  return values === undefined ? String(value) : `${(values as readonly number[]).length} numbers`;
}

const inLibrary = ({ file }: Span): boolean => file.startsWith("stdlib/");

/** The innermost place that is the script's own. */
function placeOf({ span, origin }: Node): Span | undefined {
  if (span && !inLibrary(span)) return span;
  for (let call = origin; call; call = call.parent) if (call.span && !inLibrary(call.span)) return call.span;
  return undefined;
}

class Groups {
  readonly all: GraphGroup[] = [];
  private readonly ids = new Map<Origin, number>();

  idOf(origin: Origin | undefined): number | undefined {
    if (!origin || origin.name === "") return undefined;
    const known = this.ids.get(origin);
    if (known !== undefined) return known;
    const { kind, name, role, span } = origin;
    const parent = this.idOf(origin.parent);
    const around = parent === undefined ? "" : `${this.all[parent]!.name}.`;
    const label = name.startsWith(around) ? name.slice(around.length) : name;
    const id = this.all.length;
    this.ids.set(origin, id);
    this.all.push({
      id,
      kind,
      name,
      label,
      role,
      ...(span ? { span } : {}),
      ...(parent === undefined ? {} : { parent }),
    });
    return id;
  }
}
