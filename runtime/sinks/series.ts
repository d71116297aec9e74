/**
 * A curve in typed arrays that never grows beyond a length. When it is full, bins of points that follow one another are
 * made twice as wide, and of each there stay the lowest, the highest and the first that is no number: spikes stay, and
 * all of the curve is as fine. The same on both sides of a worker: the feed keeps what it has not sent yet, a page all.
 */

/** Points of a curve, unless another number is asked for. */
export const MOST_POINTS = 100_000;

/** Points of a bin that may wait until they are sorted out. */
const WAITING = 8;

export interface Points {
  readonly steps: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

export class PointList implements Points {
  steps = new Float64Array(256);
  values = new Float64Array(256);
  length = 0;
  private readonly most: number;
  /** By point: how many came before it, which tells its bin. */
  private counts = new Float64Array(256);
  private count = 0;
  /** Points of a bin; one: nothing is left out. */
  private width = 1;
  /** Where the bin begins that is not full yet. */
  private open = 0;

  constructor(most = MOST_POINTS) {
    if (most < 4 * WAITING) throw new Error(`expected room for ${4 * WAITING} points at least, got ${most}`);
    this.most = most;
  }

  add(step: number, value: number): void {
    while (this.length === this.most) this.widen();
    if (this.length === this.steps.length) this.grow();
    if (this.count % this.width === 0 || this.length - this.open === WAITING) this.sortOut();
    const at = this.length++;
    this.steps[at] = step;
    this.values[at] = value;
    this.counts[at] = this.count++;
  }

  append({ steps, values }: Points): void {
    for (let i = 0; i < steps.length; i++) this.add(steps[i]!, values[i]!);
  }

  /** Views of what is there; they hold until the next point. */
  get points(): Points {
    return { steps: this.steps.subarray(0, this.length), values: this.values.subarray(0, this.length) };
  }

  /** Hands out what is there, in arrays of its own, and begins anew. */
  take(): Points {
    const taken = { steps: this.steps.slice(0, this.length), values: this.values.slice(0, this.length) };
    [this.length, this.count, this.width, this.open] = [0, 0, 1, 0];
    return taken;
  }

  private grow(): void {
    const larger = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(Math.min(this.most, 2 * from.length));
      to.set(from);
      return to;
    };
    [this.steps, this.values, this.counts] = [larger(this.steps), larger(this.values), larger(this.counts)];
  }

  /** Before the next point of the open bin, or the first of the next one. */
  private sortOut(): void {
    if (this.width > 1) this.length = this.keep(this.open, this.length, this.open);
    if (this.count % this.width === 0) this.open = this.length;
  }

  private widen(): void {
    this.width = Math.max(4, 2 * this.width);
    const bin = (i: number) => Math.floor(this.counts[i]! / this.width);
    let [to, from] = [0, 0];
    const { length } = this;
    this.open = 0;
    while (from < length) {
      let end = from + 1;
      while (end < length && bin(end) === bin(from)) end++;
      this.open = to;
      to = this.keep(from, end, to);
      from = end;
    }
    this.length = to;
    if (this.count % this.width === 0) this.open = to;
  }

  /** Moves those of [from, end) that stay to `to`; where they end. */
  private keep(from: number, end: number, to: number): number {
    for (const i of extremes(this.values, from, end)) {
      this.steps[to] = this.steps[i]!;
      this.values[to] = this.values[i]!;
      this.counts[to++] = this.counts[i]!;
    }
    return to;
  }
}

/** Places of the lowest and the highest, and of the first that is no number, in order; each once. */
function extremes(values: Float64Array, from: number, end: number): number[] {
  let [low, high, none] = [-1, -1, -1];
  for (let i = from; i < end; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) none = none < 0 ? i : none;
    else {
      if (low < 0 || value < values[low]!) low = i;
      if (high < 0 || value > values[high]!) high = i;
    }
  }
  return [...new Set([low, high, none])].filter((i) => i >= 0).sort((a, b) => a - b);
}
