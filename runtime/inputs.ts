/** Which `input` nodes a graph reads. Loop bodies are closed: they read through the inputs of their loop. */
import type { InputSource, Node } from "../lang/graph/node.ts";

export interface InputRef {
  readonly source: InputSource;
  readonly name: string;
}

const known = new WeakMap<Node, readonly Node[]>();

/** The `input` nodes below one node, each once by source and name. */
export function inputsOf(root: Node): readonly Node[] {
  const cached = known.get(root);
  if (cached) return cached;
  const found = inputsBelow([root]);
  known.set(root, found);
  return found;
}

export function inputsBelow(roots: readonly Node[]): readonly Node[] {
  const seen = new Set<Node>();
  const found = new Map<string, Node>();
  const stack = [...roots];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.op === "input") {
      const { source, name } = refOf(node);
      found.set(`${source} ${name}`, node);
    }
    stack.push(...node.inputs);
  }
  return [...found.values()];
}

export function refOf(input: Node): InputRef {
  return { source: String(input.attrs.source) as InputSource, name: String(input.attrs.name) };
}

export function namesFrom(inputs: readonly Node[], source: InputSource): string[] {
  return inputs.map(refOf).flatMap((ref) => (ref.source === source ? [ref.name] : []));
}
