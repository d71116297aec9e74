/** Colours of the editor, light and dark; all of them at least 4.5 to 1 on their ground. */
import type { monaco } from "./monaco.ts";

type Name = "quiet" | "comment" | "keyword" | "string" | "number" | "type" | "function" | "property";
type Colours = Readonly<Record<Name, string>>;

const light: Colours = {
  quiet: "5a6675",
  comment: "5f6b76",
  keyword: "8a2da5",
  string: "2a6f3c",
  number: "9a4a00",
  type: "1c5f8a",
  function: "2457c5",
  property: "7a3b69",
};
const dark: Colours = {
  quiet: "9aa7b6",
  comment: "8b98a5",
  keyword: "d59bf0",
  string: "8fd19e",
  number: "f0b070",
  type: "7cc4e8",
  function: "9db8ff",
  property: "e3a6cc",
};

const themeOf = (base: "vs" | "vs-dark", c: Colours, ground: string): monaco.editor.IStandaloneThemeData => ({
  base,
  inherit: true,
  colors: {
    "editor.background": ground,
    // the usual ones are too pale to be read
    "editorLineNumber.foreground": `#${c.quiet}`,
    "editorLineNumber.dimmedForeground": `#${c.quiet}`,
    "editorInlayHint.foreground": `#${c.quiet}`,
    "editorInlayHint.typeForeground": `#${c.quiet}`,
    "editorInlayHint.background": "#00000000",
    "editorInlayHint.typeBackground": "#00000000",
  },
  rules: [
    { token: "comment", foreground: c.comment, fontStyle: "italic" },
    { token: "keyword", foreground: c.keyword },
    { token: "string", foreground: c.string },
    { token: "number", foreground: c.number },
    { token: "constant", foreground: c.number },
    { token: "type", foreground: c.type },
    { token: "class", foreground: c.type },
    { token: "typeParameter", foreground: c.type, fontStyle: "italic" },
    { token: "namespace", foreground: c.type },
    { token: "function", foreground: c.function },
    { token: "property", foreground: c.property },
    { token: "parameter", foreground: c.property },
  ],
});

export const themes = {
  "dlx-light": themeOf("vs", light, "#ffffff"),
  "dlx-dark": themeOf("vs-dark", dark, "#151a21"),
} as const;
