/** Questions to the language service in its worker: a method of it by name, with its arguments; and about files. */
import type { LanguageService } from "../../lang/services/index.ts";
import type { AboutFile } from "../../runtime/index.ts";

type Methods = {
  [K in keyof LanguageService]: LanguageService[K] extends (...args: never[]) => unknown ? K : never;
}[keyof LanguageService];

/** What the worker answers: the service, and what it knows of the files that it was given. */
export type Answers = Pick<LanguageService, Exclude<Methods, undefined>> & {
  about(name: string): Promise<AboutFile>;
};
export type Method = keyof Answers;

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
/** A file that scripts may read; without bytes it is no more. */
export interface Given {
  readonly name: string;
  readonly bytes?: Uint8Array;
}
