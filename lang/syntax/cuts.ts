/**
 * Places where a script can be cut into pieces that are read one by one: lines that begin, at the left margin and
 * outside of all blocks, with a word that only begins statements. No bracket, no mended slip and no unfinished value goes
 * on behind such a place, so the trees of the pieces are the tree of the whole.
 */
import type { IToken } from "chevrotain";
import type { Source } from "../source.ts";
import { isStatementWord } from "./habits/look.ts";
import { LCurly, RCurly } from "./tokens.ts";

/** Offsets of such lines; undefined where a block is not closed or one too many is. */
export function cutsOf(source: Source, tokens: readonly IToken[]): number[] | undefined {
  const cuts: number[] = [];
  let blocks = 0;
  for (let i = 0; i < tokens.length; i++) {
    const type = tokens[i]!.tokenType;
    if (type === LCurly) blocks++;
    else if (type === RCurly) {
      if (--blocks < 0) return undefined;
    } else if (blocks === 0 && beginsLine(source, tokens, i)) cuts.push(tokens[i]!.startOffset);
  }
  return blocks === 0 ? cuts : undefined;
}

/** Is this token the first of its line, at the margin, and a word that only begins statements? */
function beginsLine(source: Source, tokens: readonly IToken[], i: number): boolean {
  const at = tokens[i]!.startOffset;
  return (at === 0 || source.text[at - 1] === "\n") && isStatementWord(tokens, i);
}
