/**
 * Which copy of the kernel's values is being written, where a loop body stands for several points: `vector` counts
 * vectors along the grid axis of the lanes, `point` trips of the innermost loop of a stage.
 */
export class Copies {
  /** Vectors side by side. */
  readonly vectors: number;
  vector = 0;
  point = 0;
  /** The innermost axis of the stage, and the values that differ along it. */
  axis: number | undefined;
  fresh: ReadonlySet<number> = new Set();

  constructor(vectors: number) {
    this.vectors = vectors;
  }

  get all(): readonly number[] {
    return Array.from({ length: this.vectors }, (_, i) => i);
  }
}
