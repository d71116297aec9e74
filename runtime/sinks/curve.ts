/** A curve in braille: each cell of text is 2 dots wide and 4 high. Points are kept at even distance, however many come. */

const KEPT = 1024;

/** A series that halves its resolution when it is full, so memory and drawing stay constant. */
export class Series {
  readonly label: string;
  readonly values: number[] = [];
  /** How many points each kept one is the mean of. */
  private stride = 1;
  private sum = 0;
  private count = 0;

  constructor(label: string) {
    this.label = label;
  }

  add(value: number): void {
    if (!Number.isFinite(value)) return;
    this.sum += value;
    if (++this.count < this.stride) return;
    this.values.push(this.sum / this.count);
    [this.sum, this.count] = [0, 0];
    if (this.values.length < KEPT) return;
    for (let i = 0; i < KEPT / 2; i++) this.values[i] = ((this.values[2 * i] ?? 0) + (this.values[2 * i + 1] ?? 0)) / 2;
    this.values.length = KEPT / 2;
    this.stride *= 2;
  }
}

/** Bits of the dots of one cell, by column and row from the top. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
];

/** Rows of text, top first. Neighbouring points are joined by a vertical run of dots. */
export function curve(values: readonly number[], width: number, height: number): string[] {
  const cells = Array.from({ length: height }, () => new Uint8Array(width));
  const columns = resample(values, 2 * width);
  const low = Math.min(...columns);
  const high = Math.max(...columns);
  const top = 4 * height - 1;
  const row = (value: number) =>
    high > low ? Math.round(top * (1 - (value - low) / (high - low))) : Math.floor(top / 2);
  columns.forEach((value, x) => {
    const [from, to] = [row(columns[x - 1] ?? value), row(value)];
    const step = from <= to ? 1 : -1;
    for (let y = from === to ? to : from + step; step * y <= step * to; y += step) {
      const line = cells[y >> 2];
      if (line) line[x >> 1] = (line[x >> 1] ?? 0) | (DOTS[x & 1]?.[y & 3] ?? 0);
    }
  });
  return cells.map((line) => Array.from(line, (bits) => String.fromCharCode(0x2800 + bits)).join(""));
}

/** At most `width` values; the mean of each part where there are more. */
function resample(values: readonly number[], width: number): number[] {
  if (values.length <= width) return [...values];
  return Array.from({ length: width }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / width), Math.floor(((i + 1) * values.length) / width));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
