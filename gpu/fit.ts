/**
 * How much of a product's result units of a chain have room for (part of rule `chain`): all of a batch, or blocks of its
 * rows, and whether the windows of these lie where units have room of their own or in slices of one buffer.
 */

/** Elements that units have room for, whether they may be blocks of rows, and the longest row in slices of memory. */
interface Limits {
  readonly room: number;
  readonly byRows: boolean;
  readonly inMemory?: { readonly longest: number };
}

type Sizes = Readonly<Record<"g" | "m" | "n" | "k", number>>;

/** Tensors as large as the result of a product that its chain has to have room for. */
const WINDOWS = 4;

/** Kernels count places in 32 bits, of what is never whole too. */
const PLACES = 2 ** 31;

/** Elements of one row in all windows; turned scores have rows of m. */
export const rowOf = ({ m, n }: Sizes): number => WINDOWS * Math.max(m, n);

/** Of scores that are no smaller than what they are made of. */
export function fitOf(product: Sizes, { room, byRows, inMemory }: Limits): "whole" | "rows" | "in memory" | undefined {
  const { g, m, n, k } = product;
  if (g < 2 || m * n < k * (m + n)) return undefined;
  if (WINDOWS * m * n <= room) return "whole";
  const row = rowOf(product);
  if (byRows && row <= room) return m * n > room ? "rows" : undefined;
  return inMemory && row <= inMemory.longest && g * m * n < PLACES ? "in memory" : undefined;
}
