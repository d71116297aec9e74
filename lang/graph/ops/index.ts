/**
 * The op table: every primitive of the graph, one row each.
 */
import { decompose } from "./decompose.ts";
import { dots } from "./dot.ts";
import { elementwise } from "./elementwise.ts";
import { leaf } from "./leaf.ts";
import { linear } from "./linear.ts";
import { loops } from "./loop.ts";
import { order } from "./order.ts";
import { random } from "./random.ts";
import { reduces } from "./reduce.ts";
import type { Op } from "./row.ts";
import { rows } from "./rows.ts";
import { views } from "./views.ts";

export const ops: Readonly<Record<string, Op>> = {
  ...leaf,
  ...random,
  ...elementwise,
  ...views,
  ...reduces,
  ...dots,
  ...rows,
  ...order,
  ...linear,
  ...decompose,
  ...loops,
};
