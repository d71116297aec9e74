/** Curves as a table: a row for each step at which any of them has a value. */
import type { Curve } from "../state/curve.ts";

export function csvOf(curves: ReadonlyMap<string, Curve>): string {
  const rows = new Map<number, Map<string, number>>();
  for (const [label, { steps, values }] of curves)
    steps.forEach((step, i) => {
      let row = rows.get(step);
      if (!row) rows.set(step, (row = new Map()));
      row.set(label, values[i]!);
    });
  const labels = [...curves.keys()];
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [...rows]
    .sort(([a], [b]) => a - b)
    .map(([step, row]) => [step, ...labels.map((l) => row.get(l) ?? "")]);
  return [["step", ...labels.map(cell)], ...lines].map((line) => `${line.join(",")}\n`).join("");
}
