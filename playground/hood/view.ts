/** Which part of a drawing is seen, and how large: moved and zoomed around a point, or fitted into a window. */
import type { Point } from "./layout.ts";

/** A point of the drawing is seen at `scale` times its place, moved by `x` and `y`. */
export interface View extends Point {
  readonly scale: number;
}
interface Size {
  readonly width: number;
  readonly height: number;
}

const [LEAST, MOST] = [0.05, 3];

/** What is under `at` stays there. */
export function zoomed({ x, y, scale }: View, by: number, at: Point): View {
  const next = Math.min(MOST, Math.max(LEAST, scale * by));
  const real = next / scale;
  return { scale: next, x: at.x - (at.x - x) * real, y: at.y - (at.y - y) * real };
}

export const panned = (view: View, dx: number, dy: number): View => ({ ...view, x: view.x + dx, y: view.y + dy });

/** All of it, not enlarged; what would be too small to read begins at its top instead. */
export function fitted(drawing: Size, window: Size, least = LEAST): View {
  const all = Math.min(1, window.width / drawing.width, window.height / drawing.height);
  const scale = Math.max(least, all);
  const x = (window.width - drawing.width * scale) / 2;
  const y = Math.max(0, (window.height - drawing.height * scale) / 2);
  return { scale, x, y };
}

/** Moved as little as is needed for a box to be seen. */
export function showing(view: View, box: Point & Size, window: Size, margin = 12): View {
  const shift = (low: number, high: number, most: number): number => {
    if (low < margin) return margin - low;
    return high > most - margin ? Math.max(most - margin - high, margin - low) : 0;
  };
  const [left, top] = [view.x + box.x * view.scale, view.y + box.y * view.scale];
  return panned(
    view,
    shift(left, left + box.width * view.scale, window.width),
    shift(top, top + box.height * view.scale, window.height),
  );
}

type Side = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";
const SIDES: Readonly<Record<Side, Point>> = {
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
};
export const sideOf = (key: string): Point | undefined => (SIDES as Readonly<Record<string, Point>>)[key];

/** The nearest box on a side of another; what lies off the straight way counts as farther. */
export function beside<B extends Point & Size>(boxes: readonly B[], from: B, side: Point): B | undefined {
  const middle = ({ x, y, width, height }: B): Point => ({ x: x + width / 2, y: y + height / 2 });
  const own = middle(from);
  const far = (box: B): number => {
    const at = middle(box);
    const [dx, dy] = [at.x - own.x, at.y - own.y];
    const along = dx * side.x + dy * side.y;
    const off =
      side.x === 0 ? Math.abs(dx) - (box.width + from.width) / 2 : Math.abs(dy) - (box.height + from.height) / 2;
    return along > 1 ? along + 3 * Math.max(0, off) : Infinity;
  };
  const near = boxes
    .filter((box) => box !== from)
    .reduce<B | undefined>((a, b) => (a && far(a) <= far(b) ? a : b), undefined);
  return near && far(near) < Infinity ? near : undefined;
}
