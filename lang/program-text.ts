/** The text form of a program: all that it computes, without the places it was written at. Equal texts, equal programs. */
import type { Node } from "./graph/node.ts";
import { text } from "./graph/text.ts";
import type { Program } from "./program.ts";

/** What says where something stands, not what it is. */
const PLACES = new Set(["span", "sources"]);

export function isNode(value: object): value is Node {
  return "op" in value && "inputs" in value && "type" in value;
}

/** Of a program or of any part of one: its nodes by number, then one graph of them all, in which what they share stands once. */
export function partText(part: unknown): string {
  const nodes = new Map<Node, number>();
  const json = JSON.stringify(part, (key, value: unknown) => {
    if (PLACES.has(key)) return undefined;
    if (typeof value !== "object" || value === null || !isNode(value)) return value;
    const node = nodes.get(value) ?? nodes.size;
    nodes.set(value, node);
    return { node };
  });
  return nodes.size === 0 ? json : `${json}\n${text([...nodes.keys()])}`;
}

export function programText(program: Program): string {
  const known = texts.get(program) ?? partText(program);
  texts.set(program, known);
  return known;
}
const texts = new WeakMap<Program, string>();
