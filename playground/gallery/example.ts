/** A script of `examples/`, told by its own first lines. */

export interface Example {
  readonly file: string;
  readonly text: string;
  /** What it shows, what to try, what it reaches: each a sentence. */
  readonly about: string;
  readonly tryThis?: string;
  readonly reaches?: string;
  /** Files that the page is to be given first. */
  readonly needs?: string;
}

export function exampleOf(file: string, text: string): Example {
  const lines = text.split("\n").flatMap((line) => (line.startsWith("# ") ? [line.slice(2)] : []));
  const after = (word: string) => lines.find((line) => line.startsWith(word))?.slice(word.length);
  return {
    file,
    text,
    about: lines[0] ?? file,
    tryThis: after("Try this: "),
    reaches: after("Reaches: "),
    needs: after("Needs: "),
  };
}
