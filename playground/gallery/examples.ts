/** The gallery: the scripts of `examples/` that need no files, told by their own first lines. */

export interface Example {
  readonly file: string;
  readonly text: string;
  /** What it shows, what to try, what it reaches: each a sentence. */
  readonly about: string;
  readonly tryThis?: string;
  readonly reaches?: string;
}

/** Begun with data that no page has. */
const NEEDS_FILES = /\b(mnist|fashion_mnist|cifar10|csv|images|npy|npz|text)\(/;

export function exampleOf(file: string, text: string): Example {
  const lines = text.split("\n").flatMap((line) => (line.startsWith("# ") ? [line.slice(2)] : []));
  const after = (word: string) => lines.find((line) => line.startsWith(word))?.slice(word.length);
  return { file, text, about: lines[0] ?? file, tryThis: after("Try this: "), reaches: after("Reaches: ") };
}

const texts = import.meta.glob<string>("../../examples/*.dlx", { eager: true, import: "default" });

export const examples: readonly Example[] = Object.entries(texts)
  .filter(([, text]) => !NEEDS_FILES.test(text))
  .map(([path, text]) => exampleOf(path.slice(path.lastIndexOf("/") + 1), text));
