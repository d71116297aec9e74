/**
 * The corpus: scripts as beginners write them, with what they are told. A case is a heading, a script, the messages, and
 * what the script becomes when each first suggestion is followed.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Compiled } from "../../lang/index.ts";
import { renderDiagnostic } from "../../lang/index.ts";
import { check } from "../check/semantics.ts";

const folder = resolve(import.meta.dirname, "corpus");

export interface Case {
  readonly group: string;
  readonly title: string;
  readonly script: string;
  /** How many mistakes it has, so how many messages: one unless the title says another number. */
  readonly mistakes: number;
  readonly message?: string;
  readonly fixed?: string;
}

const block = (text: string, kind: string): string | undefined =>
  new RegExp(`\`\`\`${kind}\n([\\s\\S]*?)\`\`\``).exec(text)?.[1];

export function corpus(): Case[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".md"))
    .flatMap((group) => casesOf(group));
}

export function casesOf(group: string): Case[] {
  const [, ...parts] = readFileSync(join(folder, group), "utf8").split(/^## /m);
  return parts.map((part): Case => {
    const title = part.slice(0, part.indexOf("\n")).trim();
    const script = block(part, "dlx");
    if (script === undefined) throw new Error(`expected a script under \`${title}\` of ${group}, got none`);
    return {
      group,
      title,
      script,
      mistakes: Number(/messages: (\d)/.exec(title)?.[1] ?? 1),
      message: block(part, "text message"),
      fixed: block(part, "dlx fixed"),
    };
  });
}

/** Writes a group anew. */
export function writeGroup(group: string, cases: readonly Case[]): void {
  const at = join(folder, group);
  const head = readFileSync(at, "utf8").split(/^## /m)[0]!;
  const texts = cases.map(
    (each) =>
      `## ${each.title}\n\n\`\`\`dlx\n${each.script}\`\`\`\n\n\`\`\`text message\n${each.message}\`\`\`\n` +
      (each.fixed === undefined ? "" : `\n\`\`\`dlx fixed\n${each.fixed}\`\`\`\n`),
  );
  writeFileSync(at, head + texts.join("\n"));
}

export function messageOf(result: Compiled): string {
  return `${result.diagnostics.map((d) => renderDiagnostic(d, result.sources)).join("\n\n")}\n`;
}

/** The script after the first suggestion of each message, as often as there are some; undefined where one has none. */
export async function followed(script: string, mistakes: number): Promise<{ text: string; left: number } | undefined> {
  let text = script;
  for (let round = 0; round <= mistakes + 1; round++) {
    const { diagnostics } = await check(text);
    if (diagnostics.length === 0) return { text, left: 0 };
    const fix = diagnostics.find((d) => d.fix !== undefined)?.fix?.[0];
    if (!fix) return round === 0 ? undefined : { text, left: diagnostics.length };
    for (const { span, text: by } of [...fix.edits].sort((a, b) => b.span.start - a.span.start))
      text = text.slice(0, span.start) + by + text.slice(span.end);
  }
  const { diagnostics } = await check(text);
  return { text, left: diagnostics.length };
}
