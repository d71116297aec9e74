/**
 * The text form of a graph: one line per node in topological order, ids counted from 0, bodies of loops indented.
 * Equal graphs have equal texts, so tests snapshot it and `cse` compares bodies by it. There is no parser.
 *
 *   %0 = input {dtype: f32, name: net.w, shape: [3,2], source: state} : f32[3,2]
 *   %1 = add %0 %0 : f32[3,2]
 */
import { ByNode } from "./by-node.ts";
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
  known = "";
  for (const key of Object.keys(attrs).sort()) {
    if (key !== "body" && attrs[key] !== undefined) known += `${known && ", "}${key}: ${attrText(attrs[key])}`;
  }
  texts.set(attrs, known);
  return known;
}

/** The outputs come last: `return %4 %2`. */
export function text(outputs: readonly Node[], indent = ""): string {
  const order = topological(outputs);
  const places = new ByNode(order);
  const read = (nodes: readonly Node[]): string => {
    let all = "";
    for (const node of nodes) all += ` %${places.placeOf(node)}`;
    return all;
  };
  const lines = order.map((node, i) => {
    const attrs = attrsText(node.attrs);
    const line = `${indent}%${i} = ${node.op}${read(node.inputs)}${attrs ? ` {${attrs}}` : ""}`;
    if (node.op !== "loop") return `${line} : ${typeText(node.type)}`;
    return `${line}\n${text((node.attrs["body"] as Body).results, `${indent}  `)}`;
  });
  lines.push(`${indent}return${read(outputs)}`);
  return lines.join("\n");
}
