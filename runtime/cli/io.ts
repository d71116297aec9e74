/** What a command may touch of its process, so that tests can run commands without one. */
export interface Io {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Whether standard output is a terminal. */
  readonly isTTY: boolean;
  /** Whether messages may be coloured. */
  readonly color: boolean;
  /** Of the terminal, as it is now. */
  columns(): number;
  rows(): number;
  /** Calls back at each interrupt (control-C); returns how to stop listening. */
  onInterrupt(listener: () => void): () => void;
  /** Calls back when one of the files is written; returns how to stop watching. */
  watch(files: readonly string[], listener: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** Exit codes. */
export const DONE = 0;
export const WRONG_PROGRAM = 1;
export const TEST_FAILED = 1;
export const WRONG_USAGE = 2;
export const FAILED = 3;
export const INTERRUPTED = 130;
