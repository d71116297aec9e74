/** Small drawings in a box of 100 by 30, as paths. */
const [WIDTH, HEIGHT] = [100, 30];
const MOST = 100;

/** A bar for each value, from zero; many values are joined to means. */
export function barsOf(values: ArrayLike<number>): string {
  const count = Math.min(MOST, values.length);
  const bars = Array.from({ length: count }, (_, i) => {
    const [from, to] = [Math.floor((i * values.length) / count), Math.floor(((i + 1) * values.length) / count)];
    let sum = 0;
    for (let k = from; k < to; k++) sum += Number.isFinite(values[k]!) ? values[k]! : 0;
    return sum / Math.max(1, to - from);
  });
  const high = Math.max(0, ...bars);
  const low = Math.min(0, ...bars);
  const scale = HEIGHT / (high - low || 1);
  const step = WIDTH / Math.max(1, count);
  return bars
    .map(
      (value, i) =>
        `M${(i * step).toFixed(2)} ${(high * scale).toFixed(2)}h${(0.85 * step).toFixed(2)}v${(-value * scale).toFixed(2)}h${(-0.85 * step).toFixed(2)}z`,
    )
    .join("");
}

/** A line through the points; empty for fewer than two. */
export function lineOf(steps: ArrayLike<number>, values: ArrayLike<number>): string {
  const points = Array.from(steps, (step, i) => [step, values[i]!] as const).filter(([, value]) =>
    Number.isFinite(value),
  );
  if (points.length < 2) return "";
  const [first, last] = [points[0]![0], points.at(-1)![0]];
  const [low, high] = points.reduce(([a, b], [, v]) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  const thin = Math.ceil(points.length / 200);
  return points
    .filter((_, i) => i % thin === 0 || i === points.length - 1)
    .map(([step, value], i) => {
      const x = (WIDTH * (step - first)) / (last - first || 1);
      const y = HEIGHT - 1 - ((HEIGHT - 2) * (value - low)) / (high - low || 1);
      return `${i === 0 ? "M" : "L"}${x.toFixed(2)} ${y.toFixed(2)}`;
    })
    .join("");
}
