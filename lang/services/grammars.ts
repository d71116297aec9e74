/**
 * The grammars of highlighters, made from the token table of the language: one list of patterns, written as TextMate
 * for VS Code and as Monarch for Monaco. A highlighter sees one line at a time and no tree, so a word counts as a
 * keyword by what follows it.
 */
import { EXPRESSION_WORDS, NumberLit, SOFT_WORDS, STATEMENT_WORDS, UNITS, vocabulary } from "../syntax/tokens.ts";

interface Pattern {
  readonly match: string;
  /** TextMate scopes, of the whole or of each group; the language is added. */
  readonly scopes: readonly string[];
  /** Monarch tokens, likewise. */
  readonly tokens: readonly string[];
}

const NAME = "[\\p{L}_][\\p{L}\\p{M}\\p{N}_]*";
const CAPITAL = "\\p{Lu}[\\p{L}\\p{M}\\p{N}_]*";
const END = "(?![\\p{L}\\p{M}\\p{N}_])";
const FORMAT = "\\+?\\d*(?:\\.\\d+)?[dfeg%]";

const anyOf = (words: readonly string[]): string => `(?:${words.join("|")})${END}`;
const literals: readonly string[] = ["true", "false", "none"];
const wordOperators: readonly string[] = ["and", "or", "not"];
const defining = ["fn", "model", "optimizer"] as const;
/** Words with a meaning where an operand follows; the other soft words are known by their place. */
const parts = SOFT_WORDS.filter((w) => !["log", "test", "stop"].includes(w));

function numberPattern(): string {
  if (!(NumberLit.PATTERN instanceof RegExp)) throw new Error("expected a pattern of numbers, got none");
  return NumberLit.PATTERN.source;
}

/** Signs of the table, longer ones first; brackets apart. */
const signs = vocabulary
  .map(({ PATTERN }) => PATTERN)
  .filter((p): p is string => typeof p === "string")
  .sort((a, b) => b.length - a.length);
const escapedSign = (sign: string): string =>
  sign.replace(/[.*+?^${}()|[\]\\/@]/g, (c) => `[${c === "^" || c === "[" || c === "]" ? `\\${c}` : c}]`);
const isBracket = (sign: string): boolean => "()[]{}".includes(sign);
const punctuation = [",", ".", ":"];
const operators = signs.filter((s) => !isBracket(s) && !punctuation.includes(s)).map(escapedSign);

const one = (match: string, scope: string, token: string): Pattern => ({ match, scopes: [scope], tokens: [token] });
const comments = [
  one("##.*$", "comment.line.documentation", "comment.doc"),
  one("#.*$", "comment.line.number-sign", "comment"),
];
const label = [
  one(`${CAPITAL}(?=:)`, "entity.name.type.axis", "type.axis"),
  one(`${NAME}(?=:)`, "variable.parameter", "variable.parameter"),
];
const code: readonly Pattern[] = [
  one(numberPattern(), "constant.numeric", "number"),
  {
    match: `(${defining.join("|")})(\\s+)(${NAME})`,
    scopes: ["storage.type", "", "entity.name.function"],
    tokens: ["keyword", "white", "function.definition"],
  },
  one("[.][.]", "keyword.operator.range", "operator"),
  {
    match: `([.])(${NAME})`,
    scopes: ["punctuation.accessor", "variable.other.member"],
    tokens: ["delimiter", "variable.member"],
  },
  one(anyOf(EXPRESSION_WORDS.filter((w) => literals.includes(w))), "constant.language", "constant"),
  one(anyOf(EXPRESSION_WORDS.filter((w) => wordOperators.includes(w))), "keyword.operator.logical", "keyword"),
  one(anyOf([...STATEMENT_WORDS, ...EXPRESSION_WORDS]), "keyword.control", "keyword"),
  one(
    `(?:${parts.join("|")})(?=\\s+(?!${anyOf(["and", "or", "in", "if", "for"])})[\\p{L}_\\d"({\\[])`,
    "keyword.control",
    "keyword",
  ),
  one('test(?=\\s+")', "keyword.control", "keyword"),
  one("log(?=\\s*(?:#|$))", "storage.modifier", "keyword"),
  one("stop(?=\\s*(?:#|[}]|$))", "keyword.control", "keyword"),
  one(`(?:${Object.keys(UNITS).join("|")})(?=\\s*[{])`, "keyword.other.unit", "keyword"),
  one(`${CAPITAL}(?=[(])`, "support.class.model", "type.model"),
  one(CAPITAL, "entity.name.type.axis", "type.axis"),
  one(`${NAME}(?=[(])`, "entity.name.function", "function"),
  one(NAME, "variable.other", "variable"),
  one(operators.join("|"), "keyword.operator", "operator"),
  one("[,.:]", "punctuation.separator", "delimiter"),
];

// ---------------------------------------------------------------- TextMate

const scoped = (scope: string): string => `${scope}.dlx`;

function textMateRule({ match, scopes }: Pattern): object {
  if (scopes.length === 1) return { name: scoped(scopes[0] ?? ""), match };
  const captures = scopes.flatMap((s, i) => (s === "" ? [] : [[String(i + 1), { name: scoped(s) }] as const]));
  return { match, captures: Object.fromEntries(captures) };
}

/** A bracket and what is in it: inside, a name before `:` is the name of an argument. */
const textMateNested = (begin: string, end: string): object => ({
  begin,
  end,
  beginCaptures: { "0": { name: "punctuation.section.brackets.dlx" } },
  endCaptures: { "0": { name: "punctuation.section.brackets.dlx" } },
  patterns: [{ include: "#all" }],
});

export function textMate(): object {
  return {
    $schema: "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
    name: "dlx",
    scopeName: "source.dlx",
    fileTypes: ["dlx"],
    patterns: [{ include: "#all" }],
    repository: {
      all: {
        patterns: [
          ...comments.map(textMateRule),
          { include: "#text" },
          ...label.map(textMateRule),
          { include: "#code" },
        ],
      },
      code: { patterns: code.map(textMateRule) },
      text: {
        name: "string.quoted.double.dlx",
        begin: '"',
        end: '"|$',
        patterns: [
          { name: "constant.character.escape.dlx", match: "\\{\\{|\\}\\}" },
          {
            name: "meta.embedded.dlx",
            begin: "\\{",
            end: '\\}|(?=")',
            beginCaptures: { "0": { name: "punctuation.section.embedded.begin.dlx" } },
            endCaptures: { "0": { name: "punctuation.section.embedded.end.dlx" } },
            patterns: [
              {
                match: `(:)\\s*(${FORMAT})\\s*(?=\\})`,
                captures: {
                  "1": { name: "punctuation.separator.dlx" },
                  "2": { name: "constant.other.placeholder.dlx" },
                },
              },
              textMateNested("\\(", '\\)|(?=["}])'),
              textMateNested("\\[", '\\]|(?=["}])'),
              { include: "#code" },
            ],
          },
        ],
      },
    },
  };
}

// ---------------------------------------------------------------- Monarch

type Action = string | readonly string[] | { readonly token: string; readonly next: string };
type Rule = readonly [string, Action] | { readonly include: string };

const monarchRule = ({ match, tokens }: Pattern): Rule => [match, tokens.length === 1 ? (tokens[0] ?? "") : tokens];

export interface Monarch {
  readonly defaultToken: string;
  readonly unicode: boolean;
  readonly start: string;
  readonly brackets: readonly { readonly open: string; readonly close: string; readonly token: string }[];
  readonly tokenizer: Readonly<Record<string, readonly Rule[]>>;
}

export function monarch(): Monarch {
  const space: Rule = ["\\s+", "white"];
  return {
    defaultToken: "invalid",
    unicode: true,
    start: "root",
    brackets: [
      { open: "{", close: "}", token: "delimiter.curly" },
      { open: "[", close: "]", token: "delimiter.square" },
      { open: "(", close: ")", token: "delimiter.parenthesis" },
    ],
    tokenizer: {
      root: [
        space,
        ...comments.map(monarchRule),
        { include: "@text" },
        ...label.map(monarchRule),
        { include: "@code" },
        ["[(){}\\[\\]]", "@brackets"],
      ],
      code: code.map(monarchRule),
      text: [
        ['"[^"]*$', "string.invalid"],
        ['"', { token: "string.quote", next: "@string" }],
      ],
      string: [
        ["[{][{]|[}][}]", "string.escape"],
        ["[{]", { token: "string.hole", next: "@hole" }],
        ['"', { token: "string.quote", next: "@pop" }],
        ['[^"{}]+|[}]', "string"],
      ],
      hole: [
        space,
        ["[}]", { token: "string.hole", next: "@pop" }],
        ['"', { token: "string.quote", next: "@popall" }],
        [`(:)(\\s*)(${FORMAT})(?=\\s*[}])`, ["delimiter", "white", "number.format"]],
        ["[(\\[{]", { token: "@brackets", next: "@nested" }],
        { include: "@code" },
      ],
      nested: [
        space,
        ["[)\\]}]", { token: "@brackets", next: "@pop" }],
        ["[(\\[{]", { token: "@brackets", next: "@nested" }],
        ['"', { token: "string.quote", next: "@popall" }],
        ...label.map(monarchRule),
        { include: "@code" },
      ],
    },
  };
}
