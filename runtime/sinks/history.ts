/**
 * What each epoch gave, as a table: one row for an epoch (or, in a block without epochs, for a step), one column for each
 * metric of the block and of the evals. A narrow terminal sees fewer columns: those of evals stay longest.
 */
import type { Frame, Metric, Metrics } from "../events.ts";
import { ABSENT, formatNumber } from "../format.ts";

const GAP = 3;
/** Rows kept: more than a terminal shows. */
const KEPT = 100;

interface Column {
  readonly label: string;
  readonly eval: boolean;
}

export class History {
  private readonly columns = new Map<string, Column>();
  private readonly rows = new Map<number, Map<string, number | null>>();
  private unit = "epoch";

  get size(): number {
    return this.rows.size;
  }

  clear(): void {
    this.columns.clear();
    this.rows.clear();
  }

  /** A metric of an eval is called `val.acc`, one of the block itself by its own name. */
  add(
    limit: Frame["limit"],
    at: { readonly step: number; readonly epoch: number },
    metrics: Metrics,
    name?: string,
  ): void {
    this.unit = limit.unit === "epochs" ? "epoch" : "step";
    const place = limit.unit === "epochs" ? at.epoch : at.step;
    for (const [metric, value] of Object.entries(metrics)) {
      if (!isScalar(value)) continue;
      const label = name === undefined ? metric : `${name}.${metric}`;
      if (!this.columns.has(label)) this.columns.set(label, { label, eval: name !== undefined });
      const row = this.rows.get(place) ?? new Map<string, number | null>();
      this.rows.set(place, row.set(label, value));
    }
    for (const oldest of this.rows.keys()) {
      if (this.rows.size <= KEPT) break;
      this.rows.delete(oldest);
    }
  }

  /** The header and the last rows, `height` lines together at most; nothing where not even one row fits. */
  lines(width: number, height: number): string[] {
    const rows = [...this.rows].slice(-Math.max(0, height - 1));
    if (this.rows.size === 0 || height < 2) return [];
    const cells = (label: string) =>
      rows.map(([, row]) => {
        const value = row.get(label);
        return value === undefined ? "" : value === null ? ABSENT : formatNumber(value, ".4g");
      });
    let columns = [...this.columns.values()]
      .map((column) => ({ ...column, texts: [column.label, ...cells(column.label)] }))
      .map((column) => ({ ...column, wide: Math.max(...column.texts.map((text) => text.length)) }));
    const places = [this.unit, ...rows.map(([place]) => String(place))];
    const first = Math.max(...places.map((text) => text.length));
    const total = () => columns.reduce((sum, { wide }) => sum + GAP + wide, first);
    while (columns.length > 0 && total() > width) {
      const own = columns.findLastIndex((column) => !column.eval);
      columns = columns.toSpliced(own < 0 ? columns.length - 1 : own, 1);
    }
    if (columns.length === 0) return [];
    return places.map((place, i) =>
      [place.padStart(first), ...columns.map(({ texts, wide }) => (texts[i] ?? "").padStart(wide))]
        .join(" ".repeat(GAP))
        .trimEnd(),
    );
  }
}

function isScalar(value: Metric): value is number | null {
  return value === null || typeof value === "number";
}
