/**
 * A tensor as lines of text: an image (the last two axes are rows and columns) in five greys, two rows to a line; any
 * other tensor by its shape and range. Larger images are drawn by every second, third, … of their pixels.
 */
import type { ShownItem } from "../events.ts";
import { formatNumber } from "../format.ts";

const GREYS = " ░▒▓█";

export function picture({ label, shape, values }: ShownItem, columns: number): string[] {
  const [rows = 0, width = 0] = shape.slice(-2);
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const most = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const number = (x: number) => formatNumber(x, ".4g");
  const range = finite.length === 0 ? "no finite value" : `${number(least)} .. ${number(most)}`;
  const head = `${label}  [${shape.join(", ")}]  ${range}`;
  if (shape.length !== 2 || rows < 4 || width < 4) return [head];
  // A character is about twice as high as wide.
  const step = Math.max(1, Math.ceil(width / Math.max(4, columns)));
  const grey = (x: number) => {
    const level = most > least ? (x - least) / (most - least) : 0;
    return GREYS[Math.min(GREYS.length - 1, Math.floor(level * GREYS.length))] ?? "?";
  };
  const lines: string[] = [];
  for (let r = 0; r < rows; r += 2 * step) {
    let line = "";
    for (let c = 0; c < width; c += step) {
      const pixels = [values[r * width + c], values[(r + step < rows ? r + step : r) * width + c]];
      line += grey(pixels.reduce<number>((sum, x) => sum + (x ?? 0), 0) / 2);
    }
    lines.push(line.trimEnd());
  }
  return [head, ...lines];
}
