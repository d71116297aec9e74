/**
 * Half precision as a rounding: the nearest of the numbers that 16 bits hold (IEEE 754 binary16: 11 significant bits,
 * ties to even, below 2^-14 in steps of 2^-24, from 65520 on infinity). The result is kept wherever its device likes to.
 */
const word = new DataView(new ArrayBuffer(8));

export function toHalf(x: number): number {
  const size = Math.abs(x);
  if (!(size > 0 && size < Infinity)) return x;
  if (size >= 65520) return Math.sign(x) * Infinity;
  word.setFloat64(0, size);
  const exponent = Math.max(-14, (word.getUint32(0) >>> 20) - 1023);
  // Added and taken away, this leaves whole steps: its own last bit is one.
  const magic = 1.5 * 2 ** (exponent - 10 + 52);
  return Math.sign(x) * (size + magic - magic);
}
