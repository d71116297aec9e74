/** The train and eval blocks of a program in the order of the script, with those inside of reactions and passes. */
import type { Action, Eval, Program, Train } from "../../lang/program.ts";

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

/** Each block once: passes of a top-level `for` repeat theirs. */
export function distinctBlocks({ body }: Program): BlockAction[] {
  const byPlace = new Map(
    blocksOf(body).map((block) => [`${block.kind} ${block.span.file} ${block.span.start}`, block]),
  );
  return [...byPlace.values()];
}
