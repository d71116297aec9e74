/** A syntax tree as the rows that are seen of it, and what the arrow keys do there. */
import type { TreeNode } from "../../runtime/inspect/index.ts";
import type { Range } from "../state/place.svelte.ts";
import { holds } from "./places.ts";

export interface Row {
  /** Its fields from the top: `file/body[2]/value`. */
  readonly id: string;
  readonly node: TreeNode;
  readonly level: number;
  /** Undefined for what has no parts. */
  readonly open: boolean | undefined;
  readonly parent: string | undefined;
}

/** Parts of the file and what they are made of; deeper ones once somebody opens them. */
const LEVELS = 3;

/** `turned`: rows that are open though they are not at first, or the other way round. */
export function rowsOf(tree: TreeNode, turned: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const walk = (node: TreeNode, around: string, level: number, parent: string | undefined): void => {
    const id = around + node.field;
    const folds = node.children.length > 0;
    const open = level < LEVELS !== turned.has(id);
    rows.push({ id, node, level, open: folds ? open : undefined, parent });
    if (folds && open) for (const child of node.children) walk(child, `${id}/`, level + 1, id);
  };
  walk(tree, "", 1, undefined);
  return rows;
}

/** The innermost row that holds a place. */
export function rowAt(rows: readonly Row[], place: Range): Row | undefined {
  return rows.findLast(({ node, level }) => level > 1 && node.span && holds(node.span, place));
}

export type Move = { readonly to: Row } | { readonly turn: Row } | undefined;

/** Up and down, into a part or out of it, to the first and the last. */
export function move(rows: readonly Row[], at: Row, key: string): Move {
  const i = rows.findIndex(({ id }) => id === at.id);
  const to = (row: Row | undefined): Move => row && { to: row };
  switch (key) {
    case "ArrowDown":
      return to(rows[i + 1]);
    case "ArrowUp":
      return to(rows[i - 1]);
    case "Home":
      return to(rows[0]);
    case "End":
      return to(rows.at(-1));
    case "ArrowRight":
      return at.open === false ? { turn: at } : at.open ? to(rows[i + 1]) : undefined;
    case "ArrowLeft":
      return at.open ? { turn: at } : to(rows.find(({ id }) => id === at.parent));
    default:
      return undefined;
  }
}
