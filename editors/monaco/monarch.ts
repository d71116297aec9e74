/** How Monaco colours dlx. Made from lang/syntax/tokens.ts by `node editors/generate.mjs`. */
export const monarch = {
  defaultToken: "invalid",
  unicode: true,
  start: "root",
  brackets: [
    {
      open: "{",
      close: "}",
      token: "delimiter.curly",
    },
    {
      open: "[",
      close: "]",
      token: "delimiter.square",
    },
    {
      open: "(",
      close: ")",
      token: "delimiter.parenthesis",
    },
  ],
  tokenizer: {
    root: [
      ["\\s+", "white"],
      ["##.*$", "comment.doc"],
      ["#.*$", "comment"],
      {
        include: "@text",
      },
      ["\\p{Lu}[\\p{L}\\p{M}\\p{N}_]*(?=:)", "type.axis"],
      ["[\\p{L}_][\\p{L}\\p{M}\\p{N}_]*(?=:)", "variable.parameter"],
      {
        include: "@code",
      },
      ["[(){}\\[\\]]", "@brackets"],
    ],
    code: [
      ["\\d[\\d_]*(?:\\.\\d[\\d_]*)?(?:[eE][+-]?\\d+)?", "number"],
      ["(fn|model|optimizer)(\\s+)([\\p{L}_][\\p{L}\\p{M}\\p{N}_]*)", ["keyword", "white", "function.definition"]],
      ["[.][.]", "operator"],
      ["([.])([\\p{L}_][\\p{L}\\p{M}\\p{N}_]*)", ["delimiter", "variable.member"]],
      ["(?:true|false|none)(?![\\p{L}\\p{M}\\p{N}_])", "constant"],
      ["(?:and|or|not)(?![\\p{L}\\p{M}\\p{N}_])", "keyword"],
      [
        "(?:let|dim|input|seed|precision|fn|import|model|optimizer|param|state|train|eval|minimize|metric|repeat|every|when|print|plot|show|record|save|yield|assert|if|else|for|in|scan|iterate|and|or|not|true|false|none)(?![\\p{L}\\p{M}\\p{N}_])",
        "keyword",
      ],
      [
        '(?:over|with|except|to|from|mixes)(?=\\s+(?!(?:and|or|in|if|for)(?![\\p{L}\\p{M}\\p{N}_]))[\\p{L}_\\d"({\\[])',
        "keyword",
      ],
      ['test(?=\\s+")', "keyword"],
      ["log(?=\\s*(?:#|$))", "keyword"],
      ["stop(?=\\s*(?:#|[}]|$))", "keyword"],
      ["(?:epoch|epochs|step|steps|second|seconds|minute|minutes|hour|hours)(?=\\s*[{])", "keyword"],
      ["\\p{Lu}[\\p{L}\\p{M}\\p{N}_]*(?=[(])", "type.model"],
      ["\\p{Lu}[\\p{L}\\p{M}\\p{N}_]*", "type.axis"],
      ["[\\p{L}_][\\p{L}\\p{M}\\p{N}_]*(?=[(])", "function"],
      ["[\\p{L}_][\\p{L}\\p{M}\\p{N}_]*", "variable"],
      ["<-|=>|->|[|]>|<=|>=|==|!=|[/][/]|[.][.]|<|>|=|[+]|-|[/]|[*]|%|[@]|[\\^]|~|[?]", "operator"],
      ["[,.:]", "delimiter"],
    ],
    text: [
      ['"[^"]*$', "string.invalid"],
      [
        '"',
        {
          token: "string.quote",
          next: "@string",
        },
      ],
    ],
    string: [
      ["[{][{]|[}][}]", "string.escape"],
      [
        "[{]",
        {
          token: "string.hole",
          next: "@hole",
        },
      ],
      [
        '"',
        {
          token: "string.quote",
          next: "@pop",
        },
      ],
      ['[^"{}]+|[}]', "string"],
    ],
    hole: [
      ["\\s+", "white"],
      [
        "[}]",
        {
          token: "string.hole",
          next: "@pop",
        },
      ],
      [
        '"',
        {
          token: "string.quote",
          next: "@popall",
        },
      ],
      ["(:)(\\s*)(\\+?\\d*(?:\\.\\d+)?[dfeg%])(?=\\s*[}])", ["delimiter", "white", "number.format"]],
      [
        "[(\\[{]",
        {
          token: "@brackets",
          next: "@nested",
        },
      ],
      {
        include: "@code",
      },
    ],
    nested: [
      ["\\s+", "white"],
      [
        "[)\\]}]",
        {
          token: "@brackets",
          next: "@pop",
        },
      ],
      [
        "[(\\[{]",
        {
          token: "@brackets",
          next: "@nested",
        },
      ],
      [
        '"',
        {
          token: "string.quote",
          next: "@popall",
        },
      ],
      ["\\p{Lu}[\\p{L}\\p{M}\\p{N}_]*(?=:)", "type.axis"],
      ["[\\p{L}_][\\p{L}\\p{M}\\p{N}_]*(?=:)", "variable.parameter"],
      {
        include: "@code",
      },
    ],
  },
} as const;
