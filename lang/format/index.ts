/**
 * The door of the formatter: a script to its canonical form. Signs, names, numbers, texts and comments stay as they
 * are; only white space changes, and never where it means something.
 */
import type { Diagnostic } from "../diagnostic.ts";
import { parse } from "../syntax/index.ts";
import { layout } from "../syntax/layout.ts";
import { scan, type Scan } from "../syntax/scan.ts";
import { markWords } from "../syntax/words.ts";
import type { Source } from "../source.ts";
import { build } from "./build.ts";
import { print } from "./print.ts";

export type Formatted = { readonly text: string } | { readonly diagnostics: readonly Diagnostic[] };

/** A script with syntax errors is not touched: its diagnostics are the answer. */
export function format(source: Source): Formatted {
  const { diagnostics } = parse(source);
  if (diagnostics.some(({ severity }) => severity === "error")) return { diagnostics };
  const before = read(source);
  const text = print(build(source, before.tokens, before.trivia));
  verifySame(before, read({ file: source.file, text }), source.file);
  return { text };
}

function read(source: Source): Scan {
  const refuse = ({ code, title }: Diagnostic): never => {
    throw new Error(`formatting ${source.file}: expected no syntax error, got ${code}: ${title}`);
  };
  const { tokens, trivia } = scan(source, 0, source.text.length, refuse);
  markWords(tokens);
  return { tokens: layout(source, tokens, refuse), trivia };
}

/** The parser reads these tokens and nothing else, so equal tokens mean an equal program. */
function verifySame(before: Scan, after: Scan, file: string): void {
  const wanted = signature(before);
  const got = signature(after);
  const at = wanted.findIndex((item, i) => item !== got[i]);
  if (at < 0 && wanted.length === got.length) return;
  const [expected, found] = at < 0 ? [wanted.length, got.length] : [wanted[at], got[at]];
  throw new Error(`formatting ${file}: expected ${expected} to stay, got ${found}`);
}

function signature({ tokens, trivia }: Scan): string[] {
  const words = tokens.map(({ tokenType, image }) =>
    tokenType.name === "Newline" ? "new line" : `${tokenType.name} ${image}`,
  );
  return [...words, ...trivia.filter(({ kind }) => kind !== "blank").map(({ text }) => text.trimEnd())];
}
