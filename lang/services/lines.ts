/** A text by lines: places as LSP counts them (lines and UTF-16 columns from 0), and edits that replace a range. */

export interface Place {
  readonly line: number;
  readonly character: number;
}
export interface PlaceRange {
  readonly start: Place;
  readonly end: Place;
}
export interface Change {
  /** Absent: the whole text. */
  readonly range?: PlaceRange;
  readonly text: string;
}

export class Lines {
  readonly text: string;
  private readonly starts: readonly number[];

  constructor(text: string) {
    this.text = text;
    const starts = [0];
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 13 && text.charCodeAt(i + 1) === 10) i++;
      if (code === 13 || code === 10) starts.push(i + 1);
    }
    this.starts = starts;
  }

  get count(): number {
    return this.starts.length;
  }

  startOf(line: number): number {
    return this.starts[line] ?? this.text.length;
  }

  lineOf(offset: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Behind the last character of a line, before its line break. */
  endOf(line: number): number {
    let end = line + 1 < this.starts.length ? this.starts[line + 1]! : this.text.length;
    const start = this.startOf(line);
    while (end > start && (this.text[end - 1] === "\n" || this.text[end - 1] === "\r")) end--;
    return end;
  }

  place(offset: number): Place {
    const at = Math.max(0, Math.min(offset, this.text.length));
    const line = this.lineOf(at);
    return { line, character: at - this.startOf(line) };
  }

  range(span: { readonly start: number; readonly end: number }): PlaceRange {
    return { start: this.place(span.start), end: this.place(span.end) };
  }

  /** Places outside of the text mean its nearest end, a column behind a line its end. */
  offset({ line, character }: Place): number {
    if (line < 0) return 0;
    if (line >= this.starts.length) return this.text.length;
    return Math.max(this.startOf(line), Math.min(this.startOf(line) + character, this.endOf(line)));
  }
}

export function applyChanges(text: string, changes: readonly Change[]): string {
  for (const change of changes) {
    if (!change.range) {
      text = change.text;
      continue;
    }
    const lines = new Lines(text);
    const start = lines.offset(change.range.start);
    const end = lines.offset(change.range.end);
    text = text.slice(0, Math.min(start, end)) + change.text + text.slice(Math.max(start, end));
  }
  return text;
}
