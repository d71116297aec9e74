/** The text form of a program: all that it computes, without the places it was written at. Equal texts, equal programs. */
import type { Node } from "./graph/node.ts";
import { text } from "./graph/text.ts";
import type { Program } from "./program.ts";

/** What says where something stands, not what it is. */
const PLACES = new Set(["span", "sources"]);

export function isNode(value: object): value is Node {
  return "op" in value && "inputs" in value && "type" in value;
}

/** Of a program or of any part of one. */
export function partText(part: unknown): string {
  return JSON.stringify(part, (key, value: unknown) => {
    if (PLACES.has(key)) return undefined;
    return typeof value === "object" && value !== null && isNode(value) ? text([value]) : value;
  });
}

export const programText = (program: Program): string => partText(program);
