/**
 * The text form of a graph: one line per node in topological order, ids counted from 0, bodies of loops indented.
 * Equal graphs have equal texts, so tests snapshot it and `cse` compares bodies by it. There is no parser.
 *
 *   %0 = input {dtype: f32, name: net.w, shape: [3,2], source: state} : f32[3,2]
 *   %1 = add %0 %0 : f32[3,2]
 */
import type { Attrs, Body, Node } from "./node.ts";
import { typeText } from "./ops/row.ts";
import { topological } from "./walk.ts";

function attrText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(attrText).join(",")}]`;
  return Object.is(value, -0) ? "-0" : String(value);
}

const texts = new WeakMap<Attrs, string>();

function isEmpty(attrs: Attrs): boolean {
  for (const _ in attrs) return false;
  return true;
}

/** `key: value` pairs by name, without the body of a loop. Passes leave attrs as they are, so the text is made once. */
export function attrsText(attrs: Attrs): string {
  if (isEmpty(attrs)) return "";
  let known = texts.get(attrs);
  if (known !== undefined) return known;
  known = Object.keys(attrs)
    .filter((key) => key !== "body" && attrs[key] !== undefined)
    .sort()
    .map((key) => `${key}: ${attrText(attrs[key])}`)
    .join(", ");
  texts.set(attrs, known);
  return known;
}

/** The outputs come last: `return %4 %2`. */
export function text(outputs: readonly Node[], indent = ""): string {
  const order = topological(outputs);
  const places = new Map(order.map((node, i) => [node, i]));
  const place = (node: Node) => ` %${places.get(node)}`;
  const lines = order.flatMap((node, i) => {
    const attrs = attrsText(node.attrs);
    const type = node.op === "loop" ? "" : ` : ${typeText(node.type)}`;
    const line = `${indent}%${i} = ${node.op}${node.inputs.map(place).join("")}${attrs ? ` {${attrs}}` : ""}${type}`;
    return node.op === "loop" ? [line, text((node.attrs["body"] as Body).results, `${indent}  `)] : [line];
  });
  return [...lines, `${indent}return${outputs.map(place).join("")}`].join("\n");
}
