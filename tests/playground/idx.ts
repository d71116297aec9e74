/** An IDX file of bytes: a header of big-endian sizes, then the numbers in row-major order. */
export function idxFile(sizes: readonly number[], at: (place: number) => number): Uint8Array {
  const count = sizes.reduce((a, b) => a * b, 1);
  const bytes = new Uint8Array(4 + 4 * sizes.length + count);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x800 + sizes.length);
  sizes.forEach((size, d) => view.setUint32(4 + 4 * d, size));
  for (let i = 0; i < count; i++) bytes[4 + 4 * sizes.length + i] = at(i);
  return bytes;
}
