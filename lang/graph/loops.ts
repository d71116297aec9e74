/**
 * Loops that run the same ticks become one (a gradient makes a copy of its loop that yields more), and what nobody
 * picks is left out: yields, then carries that only feed themselves, then consts and scans that no tick reads.
 * Expects shared subexpressions (`cse`): two loops are the same when they have the same input nodes.
 */
import { assembleLoop } from "./assemble.ts";
import { cse } from "./cse.ts";
import { pick } from "./build.ts";
import type { Body, Node } from "./node.ts";
import { loopParts } from "./ops/loop.ts";
import { attrsText, text } from "./text.ts";
import { hasOp, remake, rewrite, substitute, topological } from "./walk.ts";

/** Merges and prunes until nothing changes: a merge makes loops further on equal. */
export function tidyLoops(outputs: readonly Node[]): readonly Node[] {
  let now = cse(outputs);
  if (!hasOp(now, "loop")) return now;
  for (let before = ""; ;) {
    now = cse(pruned(merged(now)));
    const after = text(now);
    if (after === before) return now;
    before = after;
  }
}

/** Everything that decides a loop's carries. */
function tickKey(loop: Node, names: ReadonlyMap<Node, number>): string {
  const { body, carries } = loopParts(loop.attrs);
  return [attrsText(loop.attrs), text(body.results.slice(0, carries)), ...loop.inputs.map((i) => names.get(i))].join(
    "|",
  );
}

function merged(outputs: readonly Node[]): readonly Node[] {
  const order = topological(outputs);
  const names = new Map(order.map((node, i) => [node, i]));
  const groups = new Map<string, Node[]>();
  const keys = new Map<Node, string>();
  for (const node of order) {
    if (node.op !== "loop") continue;
    const key = tickKey(node, names);
    keys.set(node, key);
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  const made = new Map<string, { loop: Node; places: Map<Node, number[]> }>();
  return rewrite(outputs, (node, inputs) => {
    if (node.op === "loop") {
      const key = keys.get(node)!;
      const known = made.get(key);
      if (known) return known.loop;
      const { results, places } = union(groups.get(key)!);
      const attrs =
        groups.get(key)!.length === 1 ? node.attrs : { ...node.attrs, body: { params: bodyOf(node).params, results } };
      const loop = remake(node, inputs, attrs);
      made.set(key, { loop, places });
      return loop;
    }
    if (node.op !== "pick") return remake(node, inputs);
    const places = made.get(keys.get(node.inputs[0]!)!)!.places.get(node.inputs[0]!)!;
    const index = node.attrs["index"] as number;
    return places[index] === index ? remake(node, inputs) : pick(inputs[0]!, places[index]!);
  });
}

const bodyOf = (loop: Node) => loop.attrs["body"] as Body;

/** The results of all members in terms of the first one's params, and where each member's results went. */
function union(members: readonly Node[]): { results: readonly Node[]; places: Map<Node, number[]> } {
  const first = bodyOf(members[0]!);
  const { carries } = loopParts(members[0]!.attrs);
  const results = [...first.results];
  const texts = first.results.slice(carries).map((r) => text([r]));
  const places = new Map<Node, number[]>();
  for (const member of members) {
    const body = bodyOf(member);
    const yields = substitute(body.results.slice(carries), new Map(body.params.map((p, i) => [p, first.params[i]!])));
    const at = yields.map((result) => {
      const key = text([result]);
      const known = texts.indexOf(key);
      if (known >= 0) return carries + known;
      texts.push(key);
      return results.push(result) - 1;
    });
    places.set(member, [...Array.from({ length: carries }, (_, i) => i), ...at]);
  }
  return { results, places };
}

function pruned(outputs: readonly Node[]): readonly Node[] {
  const picked = new Map<Node, Set<number>>();
  for (const node of topological(outputs)) {
    if (node.op !== "pick") continue;
    const loop = node.inputs[0]!;
    picked.set(loop, (picked.get(loop) ?? new Set()).add(node.attrs["index"] as number));
  }
  const picks = new Map<Node, ReadonlyMap<number, Node>>();
  return rewrite(outputs, (node, inputs) => {
    if (node.op === "pick")
      return picks.get(node.inputs[0]!)?.get(node.attrs["index"] as number) ?? remake(node, inputs);
    if (node.op !== "loop") return remake(node, inputs);
    const left = leaner(node, inputs, picked.get(node) ?? new Set());
    if (left) picks.set(node, left);
    // Where a leaner loop stands in, its picks do not read this node.
    return remake(node, inputs);
  });
}

/** Picks by old index of a loop without its dead parts; undefined when every part is alive. */
function leaner(loop: Node, inputs: readonly Node[], wanted: ReadonlySet<number>): Map<number, Node> | undefined {
  const { count, reverse, body, consts, carries } = loopParts(loop.attrs);
  const tidied = tidyLoops(body.results);
  const carryParams = body.params.slice(consts, consts + carries);
  const live = new Set(wanted);
  let read = new Set<Node>();
  for (let size = -1; size !== live.size;) {
    size = live.size;
    read = new Set(topological([...live].map((i) => tidied[i]!)));
    carryParams.forEach((p, i) => {
      if (read.has(p)) live.add(i);
    });
  }
  const full =
    live.size === tidied.length &&
    body.params.slice(0, -1).every((p, i) => read.has(p) || (i >= consts && i < consts + carries));
  if (full && tidied.every((r, i) => r === body.results[i])) return undefined;
  const alive = [...live].sort((x, y) => x - y);
  const aliveCarries = alive.filter((i) => i < carries);
  const param = (i: number) => ({ param: body.params[i]!, value: inputs[i]! });
  const { carries: lasts, yields } = assembleLoop({
    count,
    reverse,
    consts: Array.from({ length: consts }, (_, i) => param(i)),
    carries: aliveCarries.map((i) => ({ param: carryParams[i]!, init: inputs[consts + i]!, next: tidied[i]! })),
    scans: Array.from({ length: body.params.length - 1 - consts - carries }, (_, i) => param(consts + carries + i)),
    tick: body.params.at(-1)!,
    yields: alive.filter((i) => i >= carries).map((i) => tidied[i]!),
  });
  const picks = [...lasts, ...yields];
  return new Map(alive.map((i, k) => [i, picks[k]!]));
}
