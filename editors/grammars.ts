/** The written files of the grammars, which are made in lang/services/grammars.ts. */
import { monarch, textMate } from "../lang/services/grammars.ts";

/** By path under `editors/`. */
export function files(): Readonly<Record<string, string>> {
  const made = "Made from lang/syntax/tokens.ts by `node editors/generate.mjs`.";
  const module = [
    `/** How Monaco colours dlx. ${made} */`,
    `export const monarch = ${JSON.stringify(monarch(), null, 2)} as const;`,
    "",
  ];
  return {
    "vscode/syntaxes/dlx.tmLanguage.json": `${JSON.stringify({ information_for_contributors: [made], ...textMate() }, null, 2)}\n`,
    "monaco/monarch.ts": module.join("\n"),
  };
}
