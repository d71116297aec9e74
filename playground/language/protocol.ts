/** Questions to the language service in its worker: a method of it by name, with its arguments. */
import type { LanguageService } from "../../lang/services/index.ts";

type Methods = {
  [K in keyof LanguageService]: LanguageService[K] extends (...args: never[]) => unknown ? K : never;
}[keyof LanguageService];
export type Method = Exclude<Methods, undefined>;

export interface Question {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}
/** A file that scripts may read. */
export interface Given {
  readonly name: string;
  readonly bytes: Uint8Array;
}
