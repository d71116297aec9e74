/** A measure over the steps as a strip of colours on a logarithmic scale: dark where it is small, bright where it is great. */
import type { Looked } from "../state/layers.ts";

/** From 1e-8 to 1e2: what is less is as dark as it gets, what is more as bright. */
export const DECADES: readonly [number, number] = [-8, 2];
const NOT_FINITE = "#ff00c8";

/** Of equal steps for the eye, dark to bright, for colour-blind eyes too (the corners of viridis). */
const RAMP: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [65, 68, 135],
  [42, 120, 142],
  [34, 168, 132],
  [122, 209, 81],
  [253, 231, 37],
];

export function colourOf(value: number): string {
  if (!Number.isFinite(value)) return NOT_FINITE;
  const [low, high] = DECADES;
  const part = Math.min(1, Math.max(0, (Math.log10(Math.abs(value)) - low) / (high - low))) * (RAMP.length - 1);
  const k = Math.min(RAMP.length - 2, Math.floor(part));
  const [a, b] = [RAMP[k]!, RAMP[k + 1]!];
  return `rgb(${a.map((v, i) => Math.round(v + (part - k) * (b[i]! - v))).join(" ")})`;
}

export const rampCss = `linear-gradient(to right, ${RAMP.map((rgb) => `rgb(${rgb.join(" ")})`).join(", ")})`;

/** `context` is in pixels; from the first step to the last. */
export function drawStrip(
  context: CanvasRenderingContext2D,
  [width, height]: readonly [number, number],
  looks: readonly Looked[],
  measure: (look: Looked["stats"]) => number,
  [first, last]: readonly [number, number],
): void {
  context.clearRect(0, 0, width, height);
  const place = (step: number) => (width * (step - first)) / Math.max(1, last - first);
  looks.forEach(({ step, stats }, i) => {
    const from = place(step);
    const to = i + 1 < looks.length ? place(looks[i + 1]!.step) : width;
    context.fillStyle = colourOf(measure(stats));
    context.fillRect(Math.floor(from), 0, Math.max(1, Math.ceil(to) - Math.floor(from)), height);
  });
}
