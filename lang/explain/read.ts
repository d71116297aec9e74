/**
 * A page about one mistake, as it is written: a title, what and why, a wrong script with its message, a right one.
 * Fenced blocks carry their part: `dlx wrong`, `text message`, `dlx right`, perhaps `text file NAME` and `sh command`; the
 * tests run all of them.
 */

export interface Page {
  readonly code: string;
  readonly title: string;
  readonly blocks: readonly PageBlock[];
}

export interface PageBlock {
  readonly kind: "prose" | "file" | "command" | "wrong" | "message" | "right";
  /** Of a file. */
  readonly name?: string;
  readonly text: string;
}

export function readPage(markdown: string): Page {
  const [head = "", ...lines] = markdown.trimEnd().split("\n");
  const [, code, title] = /^# (DLX\d{4}): (.+)$/.exec(head) ?? [];
  if (code === undefined || title === undefined) throw new Error(`expected "# DLX0000: title", got ${head}`);
  const blocks: PageBlock[] = [];
  let prose: string[] = [];
  const flush = (): void => {
    const text = prose.join("\n").trim();
    if (text !== "") blocks.push({ kind: "prose", text });
    prose = [];
  };
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```\S+ (file|command|wrong|message|right)(?: (\S+))?$/.exec(lines[i] ?? "");
    if (!fence) {
      prose.push(lines[i] ?? "");
      continue;
    }
    flush();
    const end = lines.indexOf("```", i);
    if (end < 0) throw new Error(`${code}: expected the end of the block ${lines[i]}, got the end of the page`);
    blocks.push({ kind: fence[1] as PageBlock["kind"], name: fence[2], text: lines.slice(i + 1, end).join("\n") });
    i = end;
  }
  flush();
  return { code, title, blocks };
}
