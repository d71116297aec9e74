export interface Workload {
  readonly title: string;
  /** Of steps 1, 2 and 4. */
  readonly losses: readonly number[];
  /** Inputs of the script, as `name=value`, with which it does the same work as the peers. */
  readonly sets?: readonly string[];
}
export const workloads: Readonly<Record<string, Workload>>;
/** Gives the path of the script in the folder. */
export function writeStart(name: string, folder: string): string;
