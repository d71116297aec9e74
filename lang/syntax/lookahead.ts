/**
 * Which way a rule goes on by the next token: Chevrotain's own choice, worked out when a script first comes to the place.
 * Most scripts use a small part of the grammar.
 */
import { LLkLookaheadStrategy, type ILookaheadStrategy } from "chevrotain";

/** Chevrotain calls what is built with the parser as `this`. */
function whenAsked<A extends unknown[], R>(build: () => (...args: A) => R): (...args: A) => R {
  let known: ReturnType<typeof build> | undefined;
  return function (this: unknown, ...args) {
    return (known ??= build()).apply(this, args);
  };
}

export class LateLookahead extends LLkLookaheadStrategy {
  override buildLookaheadForAlternation(options: Parameters<ILookaheadStrategy["buildLookaheadForAlternation"]>[0]) {
    return whenAsked(() => super.buildLookaheadForAlternation(options));
  }
  override buildLookaheadForOptional(options: Parameters<ILookaheadStrategy["buildLookaheadForOptional"]>[0]) {
    return whenAsked(() => super.buildLookaheadForOptional(options));
  }
}
