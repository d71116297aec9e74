/**
 * A text literal into its plain parts and its holes `{value:format}`. Finds where each hole's value lies in the file;
 * the values themselves are parsed by `index.ts`, once the statement around them is done.
 */
import type { IToken } from "chevrotain";
import type { Diagnostic } from "../diagnostic.ts";
import { choiceInHole, emptyHole, unclosedHole, wrongFormat } from "../errors/syntax.ts";
import type { Source, Span } from "../source.ts";
import { isClosed } from "./scan.ts";
import { endOf } from "./tokens.ts";

export interface HoleText {
  /** With its braces. */
  readonly span: Span;
  /** Of the value alone, without surrounding space. */
  readonly value: Span;
  readonly format?: string;
}

const formatShape = /^\+?\d*(?:\.\d+)?[dfeg%]$/;

export function splitString(source: Source, token: IToken, report: (d: Diagnostic) => void): (string | HoleText)[] {
  const { file, text } = source;
  const end = isClosed(token) ? endOf(token) - 1 : endOf(token);
  const parts: (string | HoleText)[] = [];
  let plain = "";
  let i = token.startOffset + 1;
  while (i < end) {
    const two = i + 1 < end ? token.image.slice(i - token.startOffset, i - token.startOffset + 2) : "";
    if (two === "{{" || two === "}}") {
      plain += two[0];
      i += 2;
    } else if (text[i] !== "{") {
      plain += text[i];
      i++;
    } else {
      const close = closingBrace(text, i, end);
      if (close === undefined) {
        report(unclosedHole({ file, start: i, end: i + 1 }, isClosed(token) ? endOf(token) - 1 : endOf(token)));
        break;
      }
      if (plain !== "") parts.push(plain);
      plain = "";
      parts.push(hole(source, i, close, report));
      i = close + 1;
    }
  }
  if (plain !== "") parts.push(plain);
  return parts;
}

function closingBrace(text: string, open: number, end: number): number | undefined {
  let depth = 0;
  for (let i = open; i < end; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  return undefined;
}

function hole(source: Source, open: number, close: number, report: (d: Diagnostic) => void): HoleText {
  const { file, text } = source;
  const span = { file, start: open, end: close + 1 };
  const { choice, colon } = marks(text, open + 1, close);
  const value = trimmed(source, open + 1, colon ?? close);
  if (colon === undefined || choice) {
    const whole = trimmed(source, open + 1, close);
    if (whole.start === whole.end) report(emptyHole(span));
    if (colon !== undefined) {
      report(choiceInHole({ file, start: colon, end: colon + 1 }, text.slice(whole.start, whole.end)));
    }
    return { span, value: whole };
  }
  if (value.start === value.end) report(emptyHole(span));
  const format = text.slice(colon + 1, close).trim();
  if (formatShape.test(format)) return { span, value, format };
  report(wrongFormat(trimmed(source, colon + 1, close, colon), format));
  return { span, value };
}

/** The last `:` outside all brackets, and whether a `?` stands there too. */
function marks(text: string, start: number, end: number): { choice: boolean; colon?: number } {
  let depth = 0;
  let choice = false;
  let colon: number | undefined;
  for (let i = start; i < end; i++) {
    const c = text[i] ?? "";
    if ("([{".includes(c)) depth++;
    else if (")]}".includes(c)) depth--;
    else if (depth === 0 && c === "?") choice = true;
    else if (depth === 0 && c === ":") colon = i;
  }
  return colon === undefined ? { choice } : { choice, colon };
}

function trimmed({ file, text }: Source, start: number, end: number, empty = start): Span {
  const inner = text.slice(start, end);
  const from = start + inner.length - inner.trimStart().length;
  return inner.trim() === ""
    ? { file, start: empty, end: empty }
    : { file, start: from, end: from + inner.trim().length };
}
