/**
 * Lines under construction, and what stands under each other in the end: comments behind code, and the pipes of a chain
 * that the author had put under each other.
 */
import type { Comment, Leaf } from "./tree.ts";

interface Mark {
  /** Offset in the text of the line. */
  readonly at: number;
  /** Where the author had it. */
  readonly column: number;
  readonly padded: boolean;
}

interface Line {
  text: string;
  /** Of all lines of one row. */
  readonly chain: number;
  readonly marks: Mark[];
  comment?: { readonly text: string; readonly column: number; readonly padded: boolean };
}

export class Lines {
  private readonly lines: Line[] = [];
  private empty = true;

  /** Columns written on the present line. */
  get column(): number {
    return this.last().text.length;
  }

  /** Of the present line. */
  indent = 0;

  begin(indent: number, chain: number): void {
    this.indent = indent;
    this.lines.push({ text: " ".repeat(indent), chain, marks: [] });
    this.empty = true;
  }

  blank(): void {
    this.lines.push({ text: "", chain: -1, marks: [] });
  }

  write(text: string): void {
    this.last().text += text;
    this.empty = false;
  }

  pipe(leaf: Leaf): void {
    this.last().marks.push({ at: this.column, column: leaf.column, padded: leaf.padded });
    this.write(leaf.text);
  }

  comment({ text, column, padded }: Comment): void {
    if (this.empty) this.write(text);
    else this.last().comment = { text, column, padded };
  }

  text(): string {
    this.alignPipes();
    this.alignComments();
    const texts = this.lines.map(({ text }) => text.trimEnd());
    return texts.length === 0 ? "" : `${texts.join("\n")}\n`;
  }

  private last(): Line {
    const line = this.lines.at(-1);
    if (!line) throw new Error("expected a line to write to, got none");
    return line;
  }

  /** The pipes of the same place in neighbouring lines of a chain that stood in one column. */
  private alignPipes(): void {
    for (let from = 0, to = 1; from < this.lines.length; from = to++) {
      while (to < this.lines.length && this.lines[to]?.chain === this.lines[from]?.chain) to++;
      const chain = this.lines.slice(from, to);
      const most = Math.max(...chain.map(({ marks }) => marks.length));
      if (chain.length > 1) for (let k = 0; k < most; k++) alignPlace(chain, k);
    }
  }

  private alignComments(): void {
    for (let from = 0, to = 1; from < this.lines.length; from = to++) {
      const first = this.lines[from]?.comment;
      if (!first) continue;
      while (to < this.lines.length && this.lines[to]?.comment?.column === first.column) to++;
      const run = this.lines.slice(from, to);
      const wanted = run.map(({ text, comment }) => Math.max(text.length + 2, comment?.padded ? comment.column : 0));
      const column = Math.max(...wanted);
      for (const line of run) line.text = line.text.padEnd(column) + (line.comment?.text ?? "");
    }
  }
}

function alignPlace(chain: readonly Line[], k: number): void {
  for (let from = 0, to = 1; from < chain.length; from = to++) {
    const column = chain[from]?.marks[k]?.column;
    if (column === undefined) continue;
    while (to < chain.length && chain[to]?.marks[k]?.column === column) to++;
    const run = chain.slice(from, to);
    if (run.length < 2 || !run.some(({ marks }) => marks[k]?.padded)) continue;
    const target = Math.max(...run.map(({ marks }) => marks[k]?.at ?? 0));
    for (const line of run) {
      const mark = line.marks[k];
      if (!mark) continue;
      const by = target - mark.at;
      line.text = line.text.slice(0, mark.at) + " ".repeat(by) + line.text.slice(mark.at);
      for (let i = k; i < line.marks.length; i++) {
        const later = line.marks[i];
        if (later) line.marks[i] = { ...later, at: later.at + by };
      }
    }
  }
}
