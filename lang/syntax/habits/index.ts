/**
 * Habits of Python and JavaScript, mended before the lines are laid out: each is told once, with the edit that rewrites
 * it, and the tokens become what was meant, so that nothing that follows is told on top of it. One row per habit; a row
 * looks at the tokens from a place on and says what takes the place of how many, or that it is not there.
 */
import type { IToken, TokenType } from "chevrotain";
import type { Diagnostic } from "../../diagnostic.ts";
import type { Source } from "../../source.ts";
import { Identifier, LCurly, Newline, RCurly } from "../tokens.ts";
import { brackets } from "./brackets.ts";
import { chains } from "./chains.ts";
import { heads } from "./heads.ts";
import { lines } from "./lines.ts";
import type { Row } from "./look.ts";
import { closes, isStatementWord, opens } from "./look.ts";
import { numbers } from "./numbers.ts";
import { words } from "./words.ts";

const rows: readonly Row[] = [...lines, ...words, ...heads, ...chains, ...brackets, ...numbers];
/** The rows for a token: nearly all tokens begin none. */
const byType = new Map<TokenType, readonly Row[]>();
const byWord = new Map<string, readonly Row[]>();
for (const { begins } of rows)
  byType.set(
    begins,
    rows.filter((r) => r.begins === begins && !r.words),
  );
for (const word of new Set(rows.flatMap((r) => r.words ?? [])))
  byWord.set(
    word,
    rows.filter((r) => r.begins === Identifier && (r.words?.includes(word) ?? true)),
  );

export function mendHabits(source: Source, raw: readonly IToken[], report: (d: Diagnostic) => void): IToken[] {
  const tokens = [...raw];
  const open: number[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const { tokenType, image } = tokens[i]!;
    const possible = (tokenType === Identifier ? byWord.get(image) : undefined) ?? byType.get(tokenType);
    if (possible) {
      const before = tokens[i - 1]?.tokenType;
      const start = before === undefined || before === Newline || before === LCurly || before === RCurly;
      for (const { mend } of possible) {
        const mended = mend({ source, tokens, i, start, open });
        if (!mended) continue;
        report(mended.told);
        tokens.splice(i, mended.taken, ...mended.tokens);
        break;
      }
    }
    const type = tokens[i]?.tokenType;
    if (type === undefined) continue;
    if (opens.has(type)) open.push(i);
    else if (closes.has(type)) open.pop();
    else if (type === Newline && isStatementWord(tokens, i + 1))
      while (open.length > 0 && tokens[open.at(-1)!]!.tokenType !== LCurly) open.pop();
  }
  return tokens;
}
