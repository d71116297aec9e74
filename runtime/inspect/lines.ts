/** Kernels in words: the lines of the script that one does the work of, and its kind and sizes. */
import { positionAt, type Source, type Span } from "../../lang/source.ts";

/** Lines named of one kernel. */
const MOST_LINES = 6;

/** Those in the script; the library's where there are none. */
export function ownPlaces(spans: readonly Span[], script: string): readonly Span[] {
  const own = spans.filter(({ file }) => file === script);
  return own.length > 0 ? own : spans;
}

/** `digits.dlx:4,7-9`. */
export function linesOf(spans: readonly Span[], sources: readonly Source[], script: string): string {
  const files = new Map<string, Set<number>>();
  for (const { file, start } of ownPlaces(spans, script)) {
    const text = sources.find((source) => source.file === file)?.text;
    if (text === undefined) continue;
    const lines = files.get(file) ?? new Set();
    files.set(file, lines.add(positionAt(text, start).line));
  }
  return [...files].map(([file, lines]) => `${file.replace(/^.*\//, "")}:${ranges([...lines])}`).join(" ");
}

/** 3, 4, 5, 9 as `3-5,9`. */
function ranges(lines: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const line of [...lines].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last && line <= last[1] + 1) last[1] = line;
    else parts.push([line, line]);
  }
  const texts = parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return [...texts.slice(0, MOST_LINES), ...(texts.length > MOST_LINES ? ["…"] : [])].join();
}

/** The kernel in a line: its kind and sizes, without its parameters; of a product the epilogue too. */
export function headOf(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  const sizes = (line: string) => line.replace(/ \(p0: .*\)$/, "").replace(/ \(.*$/, "");
  const stages = lines.filter((line) => line.startsWith("stage ")).map((line) => line.replace(/^stage \d+ /, ""));
  const inner = lines.slice(1).filter((line) => /^(dot|rows|cumsum|scatter) /.test(line));
  return [sizes(lines[0] ?? ""), ...inner.map(sizes), ...stages].join(" | ");
}
