/** Counts as people read them. */
const STEPS = ["", "k", "M", "G", "T"] as const;

/** `3.1 M`; three digits are enough to compare. */
export function short(value: number): string {
  let [at, rest] = [0, value];
  while (rest >= 999.5 && at < STEPS.length - 1) [at, rest] = [at + 1, rest / 1000];
  const digits = at === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  const unit = STEPS[at]!;
  return `${digits > 0 ? rest.toFixed(digits).replace(/\.?0+$/, "") : Math.round(rest)}${unit ? ` ${unit}` : ""}`;
}

/** `250 kB`, `17 B`. */
export const bytesText = (bytes: number): string => `${short(bytes)}${bytes >= 999.5 ? "" : " "}B`;

/** Of milliseconds: `34 µs`, `1.2 ms`. */
export function msText(ms: number): string {
  const [value, unit] = ms < 0.0995 ? [1000 * ms, "µs"] : [ms, "ms"];
  return `${value >= 99.5 ? Math.round(value) : Number(value.toPrecision(2))} ${unit}`;
}

export const percent = (part: number): string => `${(100 * part).toFixed(part >= 0.0995 ? 0 : 1)} %`;
