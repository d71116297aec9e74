/**
 * A source read whole: one column per field, all of the same number of rows. What a row means (classes, axes) stands
 * in the facts, not here.
 */
export interface Table {
  readonly rows: number;
  readonly columns: Readonly<Record<string, Column>>;
}

/** Row-major: `rows` times the product of `shape` numbers. */
export interface Column {
  /** Bytes are floats stored small (images); a column of whole numbers is an Int32Array. */
  readonly data: Uint8Array | Float32Array | Int32Array;
  /** Shape of one row. */
  readonly shape: readonly number[];
  /** What a stored number is multiplied by: 1/255 for images. */
  readonly scale?: number;
  /** The names of the classes, where the file has words. */
  readonly names?: readonly string[];
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The rows of `a`, then those of `b`; both have the same columns, stored the same way. */
export function joinTables(a: Table, b: Table): Table {
  const columns: Record<string, Column> = {};
  for (const [name, first] of Object.entries(a.columns)) {
    const second = b.columns[name];
    if (second?.data.constructor !== first.data.constructor || String(second.shape) !== String(first.shape)) {
      throw new Error(`expected two columns "${name}" of one kind, got shapes [${first.shape}] and [${second?.shape}]`);
    }
    const data = newLike(first.data, first.data.length + second.data.length);
    data.set(first.data);
    data.set(second.data, first.data.length);
    columns[name] = { ...first, data };
  }
  return { rows: a.rows + b.rows, columns };
}

function newLike(data: Column["data"], length: number): Column["data"] {
  if (data instanceof Float32Array) return new Float32Array(length);
  if (data instanceof Int32Array) return new Int32Array(length);
  return new Uint8Array(length);
}
