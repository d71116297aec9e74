export interface Target {
  readonly name: string;
  readonly from: readonly string[];
  readonly result: string;
  readonly make: () => Promise<void>;
}
export const root: string;
export const dist: string;
export function build(target: Target): Promise<void>;
export function ensure(target: Target): Promise<void>;
export function stampOf(target: Target): { readonly hash: string } | undefined;
