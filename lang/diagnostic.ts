/**
 * The one shape of every message a user reads, from the lexer to a NaN at run time.
 * A user's mistake is a value of this type (several per run); our own mistakes throw.
 */
import type { Span } from "./source.ts";

export type Severity = "error" | "warning" | "note";

export interface Label {
  readonly span: Span;
  /** Short words beside the underline; may be empty. */
  readonly text: string;
}

/** A suggestion as a change of the script: done whole, from the last place to the first. */
export interface Fix {
  /** What it does, as on a button: "change to `Linear`". */
  readonly title: string;
  readonly edits: readonly Edit[];
}
export interface Edit {
  /** What is replaced; empty to insert. */
  readonly span: Span;
  readonly text: string;
}

export interface Diagnostic {
  /** `DLX` and four digits; the families are 01 syntax, 02 shapes, 03 names, clocks and state, 04 gradients, 05 data, 06 value tags, 07 running. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence without a full stop. */
  readonly title: string;
  /** The first label is the primary place. A message about no place in a script (a bad flag) has none. */
  readonly labels: readonly Label[];
  /** Further facts, one line each: where a size came from, what was expected. */
  readonly notes: readonly string[];
  /** One suggestion: what to write instead. */
  readonly help?: string;
  /** The suggestion as edits of the script, the best first; absent where what is meant cannot be known. */
  readonly fix?: readonly Fix[];
}

/** Thrown inside a phase to abandon one statement; the phase collects it and goes on with the next. */
export class UserError extends Error {
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Diagnostic) {
    super(`${diagnostic.code}: ${diagnostic.title}`);
    this.diagnostic = diagnostic;
  }
}

/** Thrown to abandon a statement whose cause was already reported. */
export class Reported extends Error {}
