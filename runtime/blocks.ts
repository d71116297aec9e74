/** The train and eval blocks of a program in the order of the script, with those inside of reactions and passes. */
import type { Action, Eval, Program, Train } from "../lang/program.ts";
import { withoutPass } from "./passes.ts";

export type BlockAction = Train | Eval;

export function blocksOf(actions: readonly Action[]): BlockAction[] {
  return actions.flatMap((action): BlockAction[] => {
    switch (action.kind) {
      case "train":
        return [action, ...blocksOf(action.sinks), ...action.reactions.flatMap(({ body }) => blocksOf(body))];
      case "eval":
        return [action, ...blocksOf(action.sinks)];
      case "run":
      case "when":
        return blocksOf(action.body);
      default:
        return [];
    }
  });
}

/** Each block once, by its name in the script: the passes of a top-level `for` repeat theirs. */
export function distinctBlocks({ body }: Program): BlockAction[] {
  return distinct(blocksOf(body));
}

/** The first of each name, without the pass in front of it. */
export function distinct<N extends { readonly name: string }>(items: readonly N[]): N[] {
  const named = items.map((item) => ({ ...item, name: withoutPass(item.name) }));
  return [...new Map(named.reverse().map((item) => [item.name, item])).values()].reverse();
}
