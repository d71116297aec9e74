/**
 * NumPy files: `.npy` holds one array behind a header of Python text, `.npz` is a zip of them. The first axis are the
 * rows. Floats of any width become f32, whole numbers and bools i32; bytes (images) stay bytes and count as floats.
 */
import { unzipSync } from "fflate";
import { stringArg } from "../../lang/check/sources.ts";
import { UserError } from "../../lang/diagnostic.ts";
import { notNumpy, unequalArrays } from "../../lang/errors/data.ts";
import type { Facts, FieldFact, SourceRef } from "../../lang/program.ts";
import { unpacked } from "./bytes.ts";
import type { DataWhere } from "./disk.ts";
import { type Column, sizeOf, type Table } from "./table.ts";

type Numbers = ArrayLike<number> | ArrayLike<bigint>;

/** Little-endian codes of NumPy, and how they are read. */
const dtypes: Readonly<Record<string, { size: number; whole: boolean; view: (b: ArrayBuffer) => Numbers }>> = {
  f4: { size: 4, whole: false, view: (b) => new Float32Array(b) },
  f8: { size: 8, whole: false, view: (b) => new Float64Array(b) },
  i1: { size: 1, whole: true, view: (b) => new Int8Array(b) },
  i2: { size: 2, whole: true, view: (b) => new Int16Array(b) },
  i4: { size: 4, whole: true, view: (b) => new Int32Array(b) },
  i8: { size: 8, whole: true, view: (b) => new BigInt64Array(b) },
  u1: { size: 1, whole: false, view: (b) => new Uint8Array(b) },
  u2: { size: 2, whole: true, view: (b) => new Uint16Array(b) },
  b1: { size: 1, whole: true, view: (b) => new Uint8Array(b) },
};

export async function readNumpy(ref: SourceRef, where: DataWhere): Promise<Table> {
  const file = stringArg(ref, "path");
  const bytes = await unpacked(where.disk, ref.span, numpyPath(ref, where), file);
  const wrong = (reason: string) => new UserError(notNumpy(ref.span, file, ref.name, reason));
  if (ref.name === "npy") {
    const { rows, column } = parse(bytes, wrong);
    return { rows, columns: { x: column } };
  }
  let members: Record<string, Uint8Array>;
  try {
    members = unzipSync(bytes);
  } catch (thrown) {
    throw thrown instanceof Error && "code" in thrown ? wrong(thrown.message) : thrown;
  }
  const arrays = Object.entries(members).map(([member, content]) => {
    const name = member.replace(/\.npy$/, "");
    const { rows, column } = parse(content, (reason) => wrong(`in \`${member}\`, ${reason}`));
    return { name, rows, column };
  });
  const [first] = arrays;
  if (!first) throw wrong("it holds no array");
  const other = arrays.find(({ rows }) => rows !== first.rows);
  if (other) throw new UserError(unequalArrays(ref.span, file, first, other));
  return { rows: first.rows, columns: Object.fromEntries(arrays.map(({ name, column }) => [name, column])) };
}

export function numpyPath(ref: SourceRef, where: DataWhere): string {
  return where.disk.paths.resolve(where.scriptFolder, stringArg(ref, "path"));
}

export function tableFacts({ rows, columns }: Table): Facts {
  const fact = ({ data, shape }: Column): FieldFact => ({ dtype: data instanceof Int32Array ? "i32" : "f32", shape });
  return { fields: Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, fact(column)])), rows };
}

const latin1 = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

function parse(bytes: Uint8Array, wrong: (reason: string) => UserError): { rows: number; column: Column } {
  if (bytes.length < 10 || latin1(bytes.subarray(0, 6)) !== "\x93NUMPY") throw wrong("it does not begin as one");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = (bytes[6] ?? 1) > 1;
  const start = (long ? 12 : 10) + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = latin1(bytes.subarray(long ? 12 : 10, start));
  const [, order = "", code = ""] = /'descr':\s*'([<>|=])(\w+)'/.exec(header) ?? [];
  const [, extents] = /'shape':\s*\(([^)]*)\)/.exec(header) ?? [];
  const dtype = dtypes[code];
  if (extents === undefined || code === "") throw wrong("its header names no dtype and shape");
  if (!dtype || order === ">") throw wrong(`its dtype is ${order}${code}; dlx reads ${Object.keys(dtypes).join(" ")}`);
  if (/'fortran_order':\s*True/.test(header))
    throw wrong("it is stored column by column (save `np.ascontiguousarray(x)`)");
  const [rows, ...shape] = extents.split(",").flatMap((n) => (n.trim() === "" ? [] : [Number(n)]));
  if (rows === undefined) throw wrong("it holds one number, without rows");
  if (rows === 0) throw wrong("it holds no rows");
  const length = rows * sizeOf(shape);
  const end = start + length * dtype.size;
  if (bytes.length < end) throw wrong(`it ends too early: ${bytes.length} bytes of ${end}`);
  const numbers = dtype.view(Uint8Array.from(bytes.subarray(start, end)).buffer);
  if (code === "u1") return { rows, column: { data: numbers as Uint8Array, shape } };
  const data = dtype.whole ? new Int32Array(length) : new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const value = Number(numbers[i]);
    if (dtype.whole && value !== (value | 0)) throw wrong(`it holds ${value}, which is beyond 32 bits`);
    data[i] = value;
  }
  return { rows, column: { data, shape } };
}
