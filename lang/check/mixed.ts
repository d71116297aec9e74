/**
 * `precision mixed` around `minimize`: the loss is scaled before its gradient is taken, so that small adjoints do not
 * vanish in half precision; a step whose gradient is infinite or NaN moves nothing, halves the scale and is counted.
 * After Micikevicius et al., Mixed Precision Training, 2018; the numbers are those of PyTorch's GradScaler.
 */
import { build as b, make } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import type { At } from "./ctx.ts";
import { asFloat } from "./clocks.ts";
import { foldOf } from "./host.ts";
import { addSlot } from "./models.ts";
import type { BlockBuild, Checker } from "./state.ts";
import { filled } from "./tensors.ts";

const FIRST = 65536;
const LARGEST = 16777216;
/** Steps without an overflow after which the scale doubles. */
const PATIENCE = 2000;

export interface LossScale {
  /** What 1 is when the gradient begins. */
  readonly seed: Node;
  /** Ends the step: takes the scale out, and tells whether the params may move and what must be finite. */
  close(gradients: readonly Node[], loss: Node): { gradients: Node[]; ok: Node; checked: Node };
}

export function lossScale(c: Checker, block: BlockBuild, path: string, at: At): LossScale {
  const slot = (name: string, first: number): string => {
    const place = `${path}.${name}`;
    if (!c.slots.has(place)) addSlot(c, place, "slot", [], "float", at.span, () => filled(first, [], "float", at));
    return place;
  };
  const [scalePath, cleanPath] = [slot("loss_scale", FIRST), slot("clean_steps", 0)];
  const [scale, clean] = [c.read(scalePath), c.read(cleanPath)];
  return {
    seed: scale,
    close(scaled, loss) {
      const back = b.div(b.scalar(1), scale);
      const gradients = scaled.map((g) => b.mul(g, b.expand(back, g.type.shape, [])));
      const squares = sumOfSquares(gradients, at.span);
      const ok = b.binary("eq", b.sub(squares, squares), b.scalar(0));
      const counted = b.add(clean, b.scalar(1));
      const grows = b.binary("le", b.scalar(PATIENCE), counted);
      const larger = b.binary("min", b.scale(scale, 2), b.scalar(LARGEST));
      const smaller = b.binary("max", b.scale(scale, 0.5), b.scalar(1));
      c.write(scalePath, b.select(ok, b.select(grows, larger, scale), smaller));
      c.write(cleanPath, b.select(b.binary("and", ok, b.unary("not", grows)), counted, b.scalar(0)));
      countSkipped(c, block, ok, at.span);
      // With nothing left to scale down it is no overflow of half precision.
      const last = b.binary("le", scale, b.scalar(1));
      const checked = b.select(ok, loss, b.select(last, squares, b.scalar(0)));
      return { gradients, ok, checked };
    },
  };
}

/** The metric `skipped`: steps of the reader's window that overflowed. */
function countSkipped(c: Checker, block: BlockBuild, ok: Node, span: Span): void {
  const skipped = foldOf(c, block, asFloat(b.unary("not", ok), span), "total");
  const before = block.report.get("skipped");
  if (c.replaying) return;
  block.report.set("skipped", before ? make("add", [before, skipped], {}, span) : skipped);
  block.axes.set("skipped", []);
}

/** Over all leaves; not finite when one element is not. */
export function sumOfSquares(nodes: readonly Node[], span: Span): Node {
  const squares = nodes.map((node) => {
    const square = make("mul", [node, node], {}, span);
    return b.sum(square, node.type.shape.map((_, axis) => axis)); // prettier-ignore
  });
  return squares.reduce((x, y) => make("add", [x, y], {}, span));
}
