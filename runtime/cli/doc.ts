/** `dlx doc NAME`: what a name means, in plain text; without a name the list of all; `--html DIR` writes pages. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lookUp, reference, summaryOf, type DocEntry, type DocModule } from "../../lang/doc/index.ts";
import { htmlPages } from "../../lang/doc/html.ts";
import { prelude } from "../../stdlib/index.ts";
import { counted } from "../sinks/words.ts";
import { UsageError, type Args } from "./args.ts";
import { DONE, type Io } from "./io.ts";

export async function doc(args: Args, io: Io): Promise<number> {
  const ref = reference(prelude);
  const folder = args.text("html");
  if (folder !== undefined) {
    if (args.file !== "") throw new UsageError("`dlx doc --html` writes all names: leave the name out");
    const pages = htmlPages(ref);
    await mkdir(folder, { recursive: true });
    for (const [name, text] of pages) await writeFile(join(folder, name), text);
    io.stdout(`${counted(pages.size, "page")} written to ${folder}; begin with ${join(folder, "index.html")}\n`);
    return DONE;
  }
  const json = args.has("json");
  if (args.file === "") {
    io.stdout(json ? `${JSON.stringify(ref.modules)}\n` : `${listText(ref.modules)}\n`);
    return DONE;
  }
  const found = lookUp(ref, args.file);
  if (!("entry" in found)) {
    const help = found.near === undefined ? "`dlx doc` lists all names" : `did you mean dlx doc ${found.near}?`;
    throw new UsageError(`there is no name ${args.file} in the language; ${help}`);
  }
  io.stdout(json ? `${JSON.stringify(found.entry)}\n` : `${entryText(found.entry)}\n`);
  return DONE;
}

function listText(modules: readonly DocModule[]): string {
  const parts = modules.map(({ name, title, entries }) => {
    const width = Math.max(...entries.map((e) => e.name.length));
    const room = 98 - width;
    const lines = entries.map((e) => `  ${e.name.padEnd(width)}  ${shortened(summaryOf(e), room)}`.trimEnd());
    return [`${name}: ${title}`, ...lines].join("\n");
  });
  return [...parts, "`dlx doc NAME` says more, with the formula and an example."].join("\n\n");
}

const shortened = (text: string, room: number): string =>
  text.length <= room ? text : `${text.slice(0, room - 1).trimEnd()}…`;

function entryText({ signature, kind, module, shapes, text, source, example, code }: DocEntry): string {
  const indented = (lines: string): string => lines.replaceAll(/^(?=.)/gm, "    ");
  const parts = [
    signature,
    `${kind}, ${kind === "word" || kind === "builtin" || kind === "data source" || kind === "constant" ? "of the compiler" : `stdlib/${module}.dlx`}`,
    ...(shapes === undefined ? [] : [`Shapes: ${shapes}`]),
    ...(text === "" ? [] : [text]),
    ...(source === undefined ? [] : [`Source: ${source}.`]),
    ...(example === undefined ? [] : [`Example:\n\n${indented(example)}`]),
    ...(code === undefined ? [] : [`Definition:\n\n${indented(code)}`]),
  ];
  return parts.join("\n\n");
}
