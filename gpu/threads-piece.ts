/**
 * A piece of work of one thread as a function without arguments: one call of a kernel, or its calls for all ticks of a
 * loop. `bound` travels to workers as text, so it must stand alone: no imports, nothing from around it.
 */

/** One call of a kernel: `(begin, end, pointers of buffers…)`. */
export interface PieceText {
  readonly kernel: number;
  readonly begin: number;
  readonly end: number;
  readonly buffers: readonly number[];
  readonly scratch?: PieceScratch;
  /** The call is repeated; left out, it is one. */
  readonly loop?: PieceLoop;
}
/** The place in `buffers` of what all threads have as scratch, and the bytes of each one's part. */
export interface PieceScratch {
  readonly at: number;
  readonly bytes: number;
}
export interface PieceLoop {
  readonly count: number;
  readonly reverse: boolean;
  /** Places in `buffers` whose address grows with the tick, and those that take turns. */
  readonly slices: readonly { readonly at: number; readonly of: number; readonly bytes: number }[];
  readonly swaps: readonly { readonly at: number; readonly even: number; readonly odd: number }[];
}

export type Bound = (
  piece: PieceText,
  run: (...args: number[]) => void,
  /** By buffer; as they are when the piece runs. */
  addresses: Uint32Array,
  /** The calling one is 0. */
  thread: number,
) => () => void;

export const bound: Bound = (piece, run, addresses, thread) => {
  const { buffers, loop, scratch } = piece;
  const argv = [piece.begin, piece.end, ...buffers];
  const address = (id: number) => addresses[id] as number;
  const call = (): void => {
    for (let i = 0; i < buffers.length; i++) argv[i + 2] = address(buffers[i] as number);
    if (scratch) argv[scratch.at + 2] = address(buffers[scratch.at] as number) + thread * scratch.bytes;
    if (!loop) return run(...argv);
    for (let n = 0; n < loop.count; n++) {
      const tick = loop.reverse ? loop.count - 1 - n : n;
      for (const { at, even, odd } of loop.swaps) argv[at + 2] = address(n % 2 === 0 ? even : odd);
      for (const { at, of, bytes } of loop.slices) argv[at + 2] = address(of) + tick * bytes;
      run(...argv);
    }
  };
  return call;
};
