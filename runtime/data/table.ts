/**
 * A source read whole: one column per field, all of the same number of rows. What a row means (classes, axes) stands
 * in the facts, not here.
 */
import type { Numbers } from "../../gpu/device.ts";

export interface Table {
  readonly rows: number;
  readonly columns: Readonly<Record<string, Column>>;
}

/** Row-major: row r begins at `from` + r times `step` (without them rows lie one behind another). */
export interface Column {
  /** Bytes are floats stored small (images); a column of whole numbers is an Int32Array. */
  readonly data: Uint8Array | Float32Array | Int32Array;
  /** Shape of one row. */
  readonly shape: readonly number[];
  /** What a stored number is multiplied by: 1/255 for images. */
  readonly scale?: number;
  /** The names of the classes, where the file has words. */
  readonly names?: readonly string[];
  /** Rows that overlap: numbers from the beginning of one row to that of the next, and before the first. */
  readonly step?: number;
  readonly from?: number;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The rows of `a`, then those of `b`; both have the same columns. */
export function joinTables(a: Table, b: Table): Table {
  const columns: Record<string, Column> = {};
  for (const [name, first] of Object.entries(a.columns)) {
    const second = b.columns[name];
    if (!second || String(second.shape) !== String(first.shape)) {
      throw new Error(`expected two columns "${name}" of one shape, got [${first.shape}] and [${second?.shape}]`);
    }
    const alike = second.data.constructor === first.data.constructor && second.scale === first.scale;
    const [p, q] = [first, second].map((column, i) =>
      alike && column.step === undefined ? column : plain(column, i === 0 ? a.rows : b.rows),
    ) as [Column, Column];
    if (p.data.constructor !== q.data.constructor)
      throw new Error(`expected two columns "${name}" of floats or of whole numbers, got one of each`);
    const data = newLike(p.data, p.data.length + q.data.length);
    data.set(p.data);
    data.set(q.data, p.data.length);
    columns[name] = { ...p, data };
  }
  return { rows: a.rows + b.rows, columns };
}

/** The same rows as floats or whole numbers, one behind another. */
function plain(column: Column, rows: number): Column {
  return {
    shape: column.shape,
    data: gatherRows(
      column,
      Uint32Array.from({ length: rows }, (_, row) => row),
    ),
  };
}

function newLike(data: Column["data"], length: number): Column["data"] {
  if (data instanceof Float32Array) return new Float32Array(length);
  if (data instanceof Int32Array) return new Int32Array(length);
  return new Uint8Array(length);
}

/** Row-major `[rows, ..shape]`, into `out` if it fits; bytes become floats here. */
export function gatherRows(
  { data, shape, scale = 1, step, from = 0 }: Column,
  rows: Uint32Array,
  out?: Numbers,
): Float32Array | Int32Array {
  const size = sizeOf(shape);
  const length = rows.length * size;
  const whole = data instanceof Int32Array;
  const fits =
    out?.length === length &&
    ((whole && out instanceof Int32Array) || (!whole && out instanceof Float32Array)) &&
    (out as Float32Array | Int32Array);
  const into = fits || (whole ? new Int32Array(length) : new Float32Array(length));
  const stride = step ?? size;
  let to = 0;
  for (const row of rows) {
    const at = from + row * stride;
    if (at + size > data.length) {
      throw new Error(`expected a row below ${Math.floor((data.length - from - size) / stride) + 1}, got ${row}`);
    }
    if (data instanceof Uint8Array) {
      for (let k = 0; k < size; k++) into[to + k] = (data[at + k] as number) * scale;
    } else if (size < 32) {
      for (let k = 0; k < size; k++) into[to + k] = data[at + k] as number;
    } else {
      into.set(data.subarray(at, at + size), to);
    }
    to += size;
  }
  return into;
}
