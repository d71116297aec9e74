/** Lists among the attrs of a node, for who knows that its op has them. */
import type { Node } from "./node.ts";

export type Pair = readonly [number, number];

export const list = (node: Node, key: string) => node.attrs[key] as readonly number[];
export const pairs = (node: Node, key: string) => node.attrs[key] as readonly Pair[];

/** Whether two lists have the same numbers. */
export const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);
