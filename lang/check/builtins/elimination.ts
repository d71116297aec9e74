/**
 * Determinants by elimination with partial pivoting, as a loop of n ticks over elementwise operations: a batch is one
 * loop, and gradients of any order come from those of the loop. Without a pivot the column is left as it is.
 */
import { assembleLoop, build as b } from "../../graph/index.ts";
import type { Node } from "../../graph/node.ts";

/** The determinants of the last two axes, or the logarithms of their absolute values. */
export function eliminated(a: Node, what: "det" | "logdet"): Node {
  const { shape } = a.type;
  const rank = shape.length;
  const [row, column] = [rank - 2, rank - 1];
  const n = shape[row]!;
  const lead = shape.slice(0, -2);
  const line = shape.slice(0, -1);
  const scalar = (value: number): Node => b.fill(value, { dtype: "f32", shape: lead });
  if (n < 0) return scalar(1);

  const param = (name: string, type: Node["type"]): Node => b.param(name, type);
  const tick = param("tick", { dtype: "i32", shape: [] });
  const m = param("carry0", a.type);
  const result = param("carry1", { dtype: "f32", shape: lead });

  const iota = (sizes: readonly number[], axis: number): Node => b.make("iota", [], { shape: sizes, axis });
  const ticks = (sizes: readonly number[]): Node => b.expand(tick, sizes, []);
  /** Where a place along an axis of the matrix is the given one. */
  const here = (axis: number, place: Node): Node =>
    b.binary(
      "eq",
      iota(shape, axis),
      b.expand(
        place,
        shape,
        place.type.shape.map((_, i) => i),
      ),
    );
  const chosen = (x: Node, where: Node, axis: number): Node => b.sum(b.select(where, x, b.like(x, 0)), [axis]);
  const alongColumn = (x: Node): Node => b.expandOver(x, shape, [column]);
  const alongRow = (x: Node): Node => b.expandOver(x, shape, [row]);

  const before = chosen(m, here(column, tick), column);
  const open = b.binary("le", ticks(line), iota(line, row));
  const score = b.select(open, b.unary("abs", b.unary("stop", before)), b.like(before, -1));
  const pivotRow = b.make("argmax", [score], { axis: row });
  const [isPivot, isTick] = [here(row, pivotRow), here(row, tick)];
  const swapped = b.select(
    isTick,
    alongRow(chosen(m, isPivot, row)),
    b.select(isPivot, alongRow(chosen(m, isTick, row)), m),
  );
  const columnNow = chosen(swapped, here(column, tick), column);
  const pivotLine = chosen(swapped, isTick, row);
  const pivot = b.sum(b.select(b.binary("eq", iota(line, row), ticks(line)), columnNow, b.like(columnNow, 0)), [row]);
  const none = b.binary("eq", pivot, scalar(0));
  const safe = b.expandOver(b.select(none, scalar(1), pivot), line, [row]);
  const below = b.binary("lt", ticks(line), iota(line, row));
  const factor = b.select(below, b.div(columnNow, safe), b.like(columnNow, 0));
  const next = b.sub(swapped, b.mul(alongColumn(factor), alongRow(pivotLine)));
  const sign = b.select(b.binary("eq", pivotRow, b.expand(tick, lead, [])), scalar(1), scalar(-1));
  const carry =
    what === "det"
      ? { param: result, init: scalar(1), next: b.mul(result, b.mul(pivot, sign)) }
      : { param: result, init: scalar(0), next: b.add(result, b.unary("log", b.unary("abs", pivot))) };

  const { carries } = assembleLoop({
    count: n,
    reverse: false,
    consts: [],
    carries: [{ param: m, init: a, next }, carry],
    scans: [],
    tick,
    yields: [],
  });
  return carries[1]!;
}
