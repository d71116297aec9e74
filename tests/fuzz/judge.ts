/**
 * What holds of any text: it is read, checked and formatted without a throw; each message points into a text that is
 * known; formatting keeps the tree and its own output; a text without errors is a program.
 */
import { format } from "../../lang/format/index.ts";
import { compile, parse, renderDiagnostic, type Diagnostic, type Host, type Program } from "../../lang/index.ts";
import type { Facts } from "../../lang/program.ts";
import type { Source, Span } from "../../lang/source.ts";
import { factsOf } from "../../runtime/node.ts";
import { prelude } from "../../stdlib/index.ts";
import { bodyOf, commentsIn } from "../format/same.ts";

export interface Failure {
  /** What was broken: the same mistake has the same kind, whatever the text. */
  readonly kind: string;
  readonly message: string;
}

export interface Verdict {
  readonly failure?: Failure;
  readonly parses: boolean;
  readonly program?: Program;
}

const FILE = "script.dlx";

/** Files of the real set are on no test machine. */
const digits: Facts = {
  fields: { image: { dtype: "f32", shape: [28, 28] }, label: { dtype: "i32", shape: [], classes: 10 } },
  rows: 70_000,
  parts: { train: 60_000, test: 10_000 },
};
export const isAbsent = (name: string): boolean => name === "mnist" || name === "fashion_mnist";

/** A few files to import, so that imports are walked too. */
const modules: Readonly<Record<string, string>> = {
  "f.dlx": "fn f(x) = x * 2\nmodel Block(Width: dim)(x: [B, D]) -> [B, Width] { x |> Linear(Width) |> relu }",
  "blocks.dlx": 'import f from "./f.dlx"\nmodel Block(Width: dim)(x: [B, D]) -> [B, Width] { f(x) |> Linear(Width) }',
  "circle.dlx": 'import f from "./circle.dlx"\nfn g(x) = f(x)',
  "broken.dlx": "let x = (1\nfn f(x) = y",
};

const host: Host = {
  prelude,
  facts: async (ref) => (isAbsent(ref.name) ? digits : factsOf(ref, { scriptFolder: "/nowhere" })),
  readModule: async (path) => {
    const text = modules[path.replace(/^.*\//, "")];
    return text === undefined ? undefined : { file: path, text };
  },
};

export async function judge(text: string): Promise<Verdict> {
  let stage = "parse";
  let parses = false;
  try {
    const { file: read, diagnostics: syntax } = parse({ file: FILE, text });
    parses = !syntax.some(({ severity }) => severity === "error");
    stage = "check";
    const { program, diagnostics, sources } = await compile({ file: FILE, text }, host, { tests: true });
    stage = "render";
    for (const diagnostic of diagnostics) {
      const wrong = placesOf(diagnostic)
        .map((span) => misplaced(span, sources))
        .find((found) => found !== undefined);
      if (wrong !== undefined) return fail(parses, `place of ${diagnostic.code}`, `${diagnostic.title}: ${wrong}`);
      if (diagnostic.title.trim() === "") return fail(parses, `title of ${diagnostic.code}`, "a message without words");
      const shown = renderDiagnostic(diagnostic, [...sources]);
      const odd = /\[object |=> \{|\bundefined\b(?! name)|\bNaN\b|\bat \w+ \(/.exec(shown.split("\n", 1)[0] ?? "");
      if (odd && !text.includes(odd[0])) return fail(parses, `words of ${diagnostic.code}`, `${odd[0]} in: ${shown}`);
    }
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    if (!program && errors.length === 0) return fail(parses, "no program", "neither a program nor an error");
    if (!parses && errors.length === 0) return fail(parses, "syntax errors are lost", "the parser's errors are lost");
    stage = "format";
    const once = format({ file: FILE, text });
    if ("diagnostics" in once) {
      if (parses) return fail(parses, "format refuses", "a text that parses is not formatted");
      return { parses };
    }
    // What is laid out already is its own layout.
    if (once.text === text) return { parses, program };
    const again = format({ file: FILE, text: once.text });
    if ("diagnostics" in again) return fail(parses, "formatted text does not parse", again.diagnostics[0]?.title ?? "");
    if (again.text !== once.text) return fail(parses, "format of format", firstDifference(once.text, again.text));
    stage = "tree of the formatted text";
    const { file: laidOut } = parse({ file: FILE, text: once.text });
    const [before, after] = [JSON.stringify(bodyOf(read)), JSON.stringify(bodyOf(laidOut))];
    if (before !== after) return fail(parses, "format changes the tree", firstDifference(before, after));
    const [notes, kept] = [JSON.stringify(commentsIn(read)), JSON.stringify(commentsIn(laidOut))];
    if (notes !== kept) return fail(parses, "format changes comments", firstDifference(notes, kept));
    return { parses, program };
  } catch (error) {
    return fail(
      parses,
      `${stage} throws ${kindOf(error)}`,
      error instanceof Error ? (error.stack ?? "") : String(error),
    );
  }
}

const fail = (parses: boolean, kind: string, message: string): Verdict => ({ parses, failure: { kind, message } });

/** Numbers, quoted texts and words of the script are left out of a message. */
export function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /\n\s+at (?:async )?(?:new )?([\w.<>]+)/.exec(error.stack ?? "")?.[1] ?? "";
  if (error instanceof RangeError) return `RangeError ${error.message}`;
  return `${error.name} ${error.message.replace(/"[^"]*"|`[^`]*`|'[^']*'|\d+/g, "_").slice(0, 80)} in ${place}`;
}

const placesOf = ({ labels, fix }: Diagnostic): Span[] => [
  ...labels.map(({ span }) => span),
  ...(fix ?? []).flatMap(({ edits }) => edits.map(({ span }) => span)),
];

function misplaced({ file, start, end }: Span, sources: readonly Source[]): string | undefined {
  const source = sources.find((each) => each.file === file);
  if (!source) return `a place in ${file}, which is no source`;
  if (Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= source.text.length)
    return undefined;
  return `the place ${start} to ${end} of a text of ${source.text.length} characters`;
}

function firstDifference(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const near = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 40), at + 40));
  return `${near(a)} against ${near(b)}`;
}
