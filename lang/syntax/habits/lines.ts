/** Whole lines of other languages: imports, comments, texts that stand for comments. */
import type { IToken } from "chevrotain";
import { change, from, put } from "../../errors/edits.ts";
import { foreignImport, foreignSign, otherSign } from "../../errors/syntax.ts";
import { spanOf } from "../scan.ts";
import { Comma, Dot, Equals, FloorDiv, Identifier, LCurly, Newline, reservedType, StringLit, softType } from "../tokens.ts"; // prettier-ignore
import type { Look, Mended, Row } from "./look.ts";
import { is, near, lineEnd, operand, statementStart } from "./look.ts";

export const lines: readonly Row[] = [
  { begins: Identifier, words: ["import", "from"], mend: imports },
  { begins: FloorDiv, mend: comment },
  { begins: StringLit, mend: docstring },
  { begins: Newline, mend: braceBelow },
];

function imports({ source, tokens, i, start }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (!start || !(is(t, Identifier, "import") || is(t, Identifier, "from"))) return undefined;
  const end = lineEnd(tokens, i);
  const rest = tokens.slice(i + 1, end);
  if (rest.length === 0 || rest.some((x) => x.tokenType === StringLit || x.tokenType === Equals)) return undefined;
  const python =
    t.image === "from"
      ? rest.some((x) => is(x, Identifier, "import"))
      : rest.every((x) => [Identifier, Dot, Comma].includes(x.tokenType)) &&
        !rest.some((x) => is(x, Identifier, "from"));
  if (!python) return undefined;
  const line = from(spanOf(source, t), spanOf(source, rest.at(-1)!));
  const name = rest[0]!.image;
  return { taken: end - i, tokens: [], told: foreignImport(line, `there is nothing to import from \`${name}\``) };
}

function comment({ source, tokens, i }: Look): Mended | undefined {
  const t = tokens[i]!;
  if (!is(t, FloorDiv)) return undefined;
  const end = lineEnd(tokens, i);
  const [a, b] = [tokens[i + 1], tokens[i + 2]];
  const word = (x: IToken | undefined): boolean => is(x, Identifier) && !reservedType(x.image) && !softType(x.image);
  // Two names side by side; a line that begins with `//` may go on with a division.
  const prose = word(a) && word(b) && i + 2 < end;
  if (!prose) return undefined;
  const at = spanOf(source, t);
  return { taken: end - i, tokens: [], told: foreignSign(at, "//", "a comment begins with `#`", change(at, "#")) };
}

function docstring({ source, tokens, i, start }: Look): Mended | undefined {
  const [a, b, c] = [tokens[i], tokens[i + 1], tokens[i + 2]];
  if (!start || !is(a, StringLit, '""') || !is(b, StringLit) || !is(c, StringLit, '""') || !near(a, b) || !near(b, c))
    return undefined;
  const whole = from(spanOf(source, a), spanOf(source, c));
  const told = foreignSign(
    whole,
    '"""',
    "a comment begins with `#`, one that `dlx doc` shows with `##`",
    change(whole, `# ${b.image.slice(1, -1)}`),
  );
  return { taken: 3, tokens: [], told };
}

const WITH_BLOCK = new Set([
  "train",
  "eval",
  "model",
  "fn",
  "optimizer",
  "every",
  "when",
  "repeat",
  "for",
  "if",
  "test",
]);

/** `{` on the line below its head. */
function braceBelow({ source, tokens, i }: Look): Mended | undefined {
  const [before, brace] = [tokens[i - 1], tokens[i + 1]];
  if (!before || !is(brace, LCurly) || !operand(before) || !WITH_BLOCK.has(tokens[statementStart(tokens, i)]!.image))
    return undefined;
  if (tokens.slice(statementStart(tokens, i), i).some((x) => x.tokenType === LCurly)) return undefined;
  const at = spanOf(source, brace);
  const gap = { ...at, start: spanOf(source, before).end };
  const bare = source.text.slice(gap.start, at.start).trim() === "";
  const told = otherSign(
    at,
    "a block begins on the line of its head",
    "begins a record",
    "write `{` at the end of the line above",
    bare ? [{ title: "move the `{` up", edits: [put(gap, " {")] }] : undefined,
  );
  return { taken: 1, tokens: [], told };
}
