/** `dlx explain CODE`: the page about one mistake as plain text; without a code the list of all. */
import { pages } from "../../lang/explain/index.ts";
import type { Page, PageBlock } from "../../lang/explain/read.ts";
import { didYouMean } from "../../lang/suggest.ts";
import { UsageError, type Args } from "./args.ts";
import { DONE, type Io } from "./io.ts";

export async function explain(args: Args, io: Io): Promise<number> {
  const json = args.has("json");
  if (args.file === "") {
    const list = [...pages.values()].map(({ code, title }) => ({ code, title }));
    io.stdout(json ? `${JSON.stringify({ codes: list })}\n` : `${listText(list)}\n`);
    return DONE;
  }
  const page = find(args.file);
  io.stdout(json ? `${JSON.stringify(page)}\n` : `${pageText(page)}\n`);
  return DONE;
}

/** `DLX0201`, `dlx0201`, `0201` and `201` are one code. */
function find(text: string): Page {
  const digits = /^(?:dlx)?(\d{1,4})$/i.exec(text)?.[1];
  const code = digits === undefined ? text.toUpperCase() : `DLX${digits.padStart(4, "0")}`;
  const page = pages.get(code);
  if (page) return page;
  const family = [...pages.keys()].filter((each) => each.startsWith(code.slice(0, 5)));
  const near = didYouMean(code, family) ?? didYouMean(code, pages.keys());
  throw new UsageError(
    `there is no message ${code}; ${near === undefined ? "`dlx explain` lists all" : `did you mean dlx explain ${near}?`}`,
  );
}

const families: Readonly<Record<string, string>> = {
  DLX01: "reading the script",
  DLX02: "shapes and axes",
  DLX03: "names, clocks and states",
  DLX04: "gradients and `minimize`",
  DLX05: "data and files",
  DLX07: "running and testing",
};

function listText(list: readonly { readonly code: string; readonly title: string }[]): string {
  const lines = list.map(({ code, title }) => `  ${code}  ${title}`);
  const first = new Map<number, string>();
  let before = "";
  for (const [i, { code }] of list.entries()) {
    const family = code.slice(0, 5);
    if (family !== before) first.set(i, `${i > 0 ? "\n" : ""}${families[family] ?? family}`);
    before = family;
  }
  const shown = lines.flatMap((line, i) => [...(first.has(i) ? [first.get(i) ?? ""] : []), line]);
  return [...shown, "", "`dlx explain CODE` says more, with an example."].join("\n");
}

const heads: Readonly<Record<Exclude<PageBlock["kind"], "prose">, string>> = {
  file: "With the file",
  command: "With the command:",
  wrong: "Wrong:",
  message: "What dlx says:",
  right: "Right:",
};

function pageText({ code, title, blocks }: Page): string {
  const parts = blocks.map(({ kind, name, text }) => {
    if (kind === "prose") return text.split("\n").map(wrapLine).join("\n");
    const head = name === undefined ? heads[kind] : `${heads[kind]} ${name}:`;
    return `${head}\n\n${text.replaceAll(/^(?=.)/gm, "    ")}`;
  });
  return [`${code}: ${title}`, ...parts].join("\n\n");
}

const WIDTH = 80;

function wrapLine(line: string): string {
  const rows = [""];
  for (const word of line.split(" ")) {
    const row = rows.at(-1) ?? "";
    if (row === "") rows[rows.length - 1] = word;
    else if (row.length + 1 + word.length > WIDTH) rows.push(word);
    else rows[rows.length - 1] = `${row} ${word}`;
  }
  return rows.join("\n");
}
