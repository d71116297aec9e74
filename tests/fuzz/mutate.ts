/**
 * Mutants of scripts: a few changes in a row, each of bytes, characters, tokens or parts of the tree. Changes of the tree
 * keep most scripts readable and so reach the checker; the others reach the scanner and the recovery.
 */
import { parse } from "../../lang/syntax/index.ts";
import type { Script } from "../format/scripts.ts";
import type { Random } from "./random.ts";

/** A part of a script that can stand where another of its kind stands. */
interface Part {
  readonly kind: "value" | "statement" | "type" | "parameter";
  readonly start: number;
  readonly end: number;
}

interface Donor {
  readonly text: string;
  readonly tokens: readonly string[];
  readonly parts: readonly Part[];
}

export interface Mutator {
  readonly size: number;
  mutant(random: Random): string;
}

const TOKEN =
  /\s+|#[^\n]*|"[^"\n]*"|[A-Za-z_]\w*|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?|\|>|->|<-|=>|\.\.|==|!=|<=|>=|\/\/|./gs;
const LONGEST = 20_000;

const NUMBERS = ["0", "1", "2", "3", "5", "7", "64", "-1", "1.0", "0.5", "0.0", "1e-3", "1e9", "1e308", "1e400"];
const LARGE = ["1000", "100_000", "2147483648", "4294967296", "9007199254740993", "1000000000", "0.1e1", "00", "1__0"];
const CHARACTERS = ['"', "\\", "{", "}", "(", ")", "[", "]", "\n", "\r\n", "\t", " ", "#", "##", ":", ".", "..", ",", "=",
  "-", "|", ">", "<", "~", "?", "'", "`", "$", "@", "^", "/", "\0", "\u00a0", "\ufeff", "\ufffd", "é", "→", "😀", "\u2028", "\ud800"]; // prettier-ignore
const WRAPS = ["-#", "not #", "#.T", "sum(#)", "mean(#, over: -1)", "relu(#)", "(#)[0]", "(#)[1..]", "stop(#)", "# + 1", "1 - #", "#^2",
  "(#, #)", "[#, #]", "{ a: # }", "# @ #", "grad(#, #)", "x => #", "# |> #", "# ? # : #", '"{#}"', "#.x", "shape(#)", "size(#, 0)",
  "reshape(#, [-1])", "exp(#)", "log(#)", "softmax(#)", "argmax(#, over: -1)", "f32(#)", "i32(#)", "#(#)", "unsqueeze(#, 0)",
  "avg(#)", "best(#)", "iterate 3 with v = # { v <- # }", "for i in 1..2 with v = # { v <- # }", "if true { # } else { # }",
  "scan t in # with h = # { h <- # }", "[# for i in 1..2]", "params(#)", "normal([#])", "zeros([#, 2])", "concat([#, #], over: 0)"]; // prettier-ignore
const STATEMENT_WRAPS = ["for i in 1..2 { # }", "every 2 steps { # }", "every epoch { # }", "train for 2 steps { # }", "when true { # }",
  "if true { # }", 'test "t" { # }', "repeat 2 { # }", "fn g(x) { # }", "model M()(x) { # }", "eval e { # }", "optimizer O()(p, g) { # }"]; // prettier-ignore
const LINES = ["stop", "print step, epoch", "let x = normal([3, 4])", "state s = 0", "s <- s + 1", "param w: [2, 3] ~ normal", "yield x",
  "metric m = 1.0", "plot loss", "seed 2", "dim B = 4", "minimize loss over net with Adam(1e-3)", "assert 1 == 1", "let B = 2",
  "input k = 3 in 1..5", "input c = true", 'save net to "x.safetensors"', 'import f from "./f.dlx"', "show x", "record loss",
  "net <- params(net)", "let y[i, j] = x[j, i]", "print grad(loss, net)"]; // prettier-ignore

const TYPES = new Set(["head", "axes", "classes"]);
const EXPRESSIONS = new Set(["number", "string", "bool", "none", "name", "call", "index", "member", "unary", "binary", "ternary", "pipe",
  "lambda", "tuple", "list", "comprehension", "record", "range", "for", "scan", "iterate", "if"]); // prettier-ignore

export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  const visit = (value: unknown, key: string): void => {
    if (Array.isArray(value)) return value.forEach((item) => visit(item, key));
    if (value === null || typeof value !== "object") return;
    const node = value as { kind?: string; span?: { start: number; end: number } };
    if (node.span && node.span.end > node.span.start) {
      const { start, end } = node.span;
      if (key === "body" && node.kind !== "block") parts.push({ kind: "statement", start, end });
      else if (node.kind !== undefined && EXPRESSIONS.has(node.kind)) parts.push({ kind: "value", start, end });
      else if (key === "type" || key === "returns") parts.push({ kind: "type", start, end });
      else if (key === "params" || key === "settings" || key === "args" || key === "carries")
        parts.push({ kind: "parameter", start, end });
    }
    for (const [name, part] of Object.entries(value)) if (!name.endsWith("pan") && !TYPES.has(name)) visit(part, name);
  };
  visit(parse({ file: "a.dlx", text }).file.body, "body");
  return parts;
}

export const tokensOf = (text: string): string[] => text.match(TOKEN) ?? [];

export function mutator(scripts: readonly Script[]): Mutator {
  const donors = scripts.map(({ text }): Donor => ({ text, tokens: tokensOf(text), parts: partsOf(text) }));
  // Most begin from scripts without mistakes, since two mistakes hide more than one.
  const right = donors.filter((_, i) => !scripts[i]?.file.includes("errors"));
  const changes = [ofTree, ofTree, ofTree, ofTokens, ofTokens, ofCharacters, ofBytes] as const;
  return {
    size: donors.length,
    mutant(random) {
      const base = random.pick(random.next() < 0.75 ? right : donors);
      let { text } = base;
      const style = random.next();
      const count = 1 + Math.floor(-Math.log(1 - random.next()) * (style < 0.3 ? 0.5 : 1.5));
      for (let i = 0; i < count && text.length < LONGEST; i++) {
        const change = style < 0.5 ? ofTree : random.pick(changes);
        const donor = random.next() < 0.5 ? base : random.pick(donors);
        try {
          text = change(text, donor, random, base);
        } catch (error) {
          // A text that the parser throws at is what is looked for: it is a mutant as it is.
          if (throwsAt(text)) break;
          throw error;
        }
      }
      return text.slice(0, LONGEST);
    },
  };
}

function throwsAt(text: string): boolean {
  try {
    parse({ file: "a.dlx", text });
    return false;
  } catch {
    return true;
  }
}

const put = (text: string, start: number, end: number, by: string): string =>
  text.slice(0, start) + by + text.slice(end);

// ---------------------------------------------------------------- the tree

function ofTree(text: string, donor: Donor, random: Random, base?: Donor): string {
  const parts = text === base?.text ? base.parts : partsOf(text);
  if (parts.length === 0) return donor.text;
  const part = random.pick(parts);
  const own = text.slice(part.start, part.end);
  const other = (of: string, among: readonly Part[]): string => {
    const same = among.filter(({ kind }) => kind === part.kind);
    if (same.length === 0) return own;
    const { start, end } = random.pick(same);
    return of.slice(start, end);
  };
  switch (random.below(8)) {
    case 0:
      return put(text, part.start, part.end, other(text, parts));
    case 1:
      return put(text, part.start, part.end, other(donor.text, donor.parts));
    case 2: {
      // Two parts change places.
      const same = parts.filter(
        ({ kind, start, end }) => kind === part.kind && (end <= part.start || start >= part.end),
      );
      if (same.length === 0) return text;
      const second = random.pick(same);
      const [a, b] = part.start < second.start ? [part, second] : [second, part];
      const moved = put(text, b.start, b.end, text.slice(a.start, a.end));
      return put(moved, a.start, a.end, text.slice(b.start, b.end));
    }
    case 3: {
      if (part.kind === "type" || part.kind === "parameter") return put(text, part.start, part.end, "");
      const wraps = part.kind === "statement" ? STATEMENT_WRAPS : WRAPS;
      const wrap = random.pick(wraps);
      let filled = 0;
      const fill = (): string => (filled++ === 0 || random.next() < 0.5 ? own : other(text, parts));
      return put(text, part.start, part.end, wrap.replaceAll("#", fill));
    }
    case 4: {
      const at = parts.filter(({ kind }) => kind === "statement");
      if (at.length === 0) return text;
      const { start } = random.pick(at);
      const line = random.next() < 0.6 ? random.pick(LINES) : statementOf(donor, random);
      return put(text, start, start, `${line}\n`);
    }
    case 5: {
      if (part.kind !== "statement") return number(text, random);
      return random.next() < 0.5 ? put(text, part.start, part.end, "") : put(text, part.start, part.start, `${own}\n`);
    }
    case 6:
      return number(text, random);
    default: {
      const names = parts.map(({ start, end }) => text.slice(start, end)).filter((name) => /^[A-Za-z_]\w*$/.test(name));
      if (part.kind !== "value" || names.length === 0) return text;
      return put(text, part.start, part.end, random.pick(names));
    }
  }
}

function statementOf({ text, parts }: Donor, random: Random): string {
  const statements = parts.filter(({ kind }) => kind === "statement");
  if (statements.length === 0) return text;
  const { start, end } = random.pick(statements);
  return text.slice(start, end);
}

function number(text: string, random: Random): string {
  const numbers = [...text.matchAll(/(?<![\w.])\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?/g)];
  if (numbers.length === 0) return text;
  const { 0: old, index } = random.pick(numbers);
  const choice = random.below(6);
  const value = Number(old.replaceAll("_", ""));
  const near = [value + 1, Math.max(0, value - 1), value * 2, Math.floor(value / 2)];
  const by = choice < 4 ? String(near[choice]) : random.pick(choice === 4 || random.next() < 0.7 ? NUMBERS : LARGE);
  return put(text, index, index + old.length, by);
}

// ---------------------------------------------------------------- tokens

function ofTokens(text: string, donor: Donor, random: Random): string {
  const tokens = tokensOf(text);
  if (tokens.length < 2) return donor.text;
  const at = random.below(tokens.length);
  const length = 1 + (random.next() < 0.3 ? random.below(8) : 0);
  switch (random.below(8)) {
    case 0:
      tokens.splice(at, length);
      break;
    case 1:
      tokens.splice(at, 0, ...tokens.slice(at, at + length));
      break;
    case 2: {
      const to = random.below(tokens.length);
      [tokens[at], tokens[to]] = [tokens[to]!, tokens[at]!];
      break;
    }
    case 3:
      tokens[at] = random.pick(tokens);
      break;
    case 4:
      tokens[at] = random.pick(donor.tokens);
      break;
    case 5: {
      const from = random.below(donor.tokens.length);
      tokens.splice(at, 0, ...donor.tokens.slice(from, from + 1 + random.below(30)));
      break;
    }
    case 6: {
      // A bracket goes or comes.
      const brackets = tokens.flatMap((token, i) => (/^[()[\]{}]$/.test(token) ? [i] : []));
      if (brackets.length > 0 && random.next() < 0.7) tokens.splice(random.pick(brackets), 1);
      else tokens.splice(at, 0, random.pick(["(", ")", "[", "]", "{", "}"]));
      break;
    }
    default:
      return number(text, random);
  }
  return tokens.join("");
}

// ---------------------------------------------------------------- characters

function ofCharacters(text: string, donor: Donor, random: Random): string {
  const at = random.below(text.length + 1);
  const length = 1 + random.below(random.next() < 0.2 ? 40 : 3);
  switch (random.below(6)) {
    case 0:
      return put(text, at, at + length, "");
    case 1:
      return put(text, at, at, random.pick(CHARACTERS));
    case 2:
      return put(text, at, at + 1, random.pick(CHARACTERS));
    case 3:
      return put(text, at, at, text.slice(at, at + length));
    case 4:
      return text.slice(0, at);
    default: {
      const from = random.below(donor.text.length);
      return text.slice(0, at) + donor.text.slice(from);
    }
  }
}

// ---------------------------------------------------------------- bytes

/** Bytes that are no UTF-8 are read as an editor reads them. */
function ofBytes(text: string, _donor: Donor, random: Random): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 0) return text;
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(bytes.length);
    // One bit, or all.
    bytes[at] = random.next() < 0.7 ? bytes[at]! ^ (1 << random.below(8)) : random.below(256);
  }
  return new TextDecoder().decode(bytes);
}
