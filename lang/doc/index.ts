/**
 * What every name of the language means, from where it is defined: declarations of the standard library with their `##`
 * docs, the rows of builtins and data sources, and the table of words.
 */
import { builtins, constants } from "../check/builtins/index.ts";
import { sources } from "../check/sources.ts";
import { specials } from "../check/specials.ts";
import type { Source } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import type * as ast from "../syntax/ast.ts";
import { parse } from "../syntax/index.ts";
import { examples } from "./examples.ts";
import { plainFormulas } from "./formula.ts";
import { words } from "./words.ts";

export interface DocEntry {
  readonly name: string;
  readonly kind: "fn" | "model" | "optimizer" | "builtin" | "data source" | "constant" | "word";
  /** `layers` for `stdlib/layers.dlx`, else `builtins`, `data` or `words`. */
  readonly module: string;
  /** `Linear(Out: dim, bias = true)(x: [.., In]) -> [.., Out]`; how a word is written. */
  readonly signature: string;
  /** The call with the shapes of what goes in and comes out, where the doc says it. */
  readonly shapes?: string;
  /** Formula and meaning; Markdown. Empty if the definition has no doc. */
  readonly text: string;
  /** Where the formula comes from. */
  readonly source?: string;
  /** A line of dlx that uses it. */
  readonly example?: string;
  /** The definition, where it is written in dlx. */
  readonly code?: string;
}

export interface DocModule {
  readonly name: string;
  readonly title: string;
  readonly entries: readonly DocEntry[];
}

export interface Reference {
  readonly modules: readonly DocModule[];
  /** By name; `split` of tensors and of data are one entry. */
  readonly entries: ReadonlyMap<string, DocEntry>;
}

export function reference(prelude: readonly Source[]): Reference {
  const modules: DocModule[] = [
    ...prelude.map(moduleOf),
    { name: "builtins", title: "Functions of the compiler", entries: givenFunctions() },
    { name: "data", title: "Data sources", entries: dataSources() },
    { name: "words", title: "Words of the language", entries: wordEntries() },
  ];
  const all = modules.flatMap((m) => m.entries);
  return { modules, entries: new Map(all.toReversed().map((e) => [e.name, e])) };
}

/** The entry of a name, or the name that was perhaps meant. */
export function lookUp(ref: Reference, name: string): { readonly entry: DocEntry } | { readonly near?: string } {
  const entry = ref.entries.get(name);
  return entry ? { entry } : { near: didYouMean(name, ref.entries.keys()) };
}

/** The first sentence of its text. */
export function summaryOf({ text }: DocEntry): string {
  const flat = text.replace(/\s+/g, " ").trim();
  return /^.*?[.:;](?= [A-Z`]|$)/.exec(flat)?.[0].replace(/[:;]$/, "") ?? flat;
}

// ---------------------------------------------------------------- the standard library

function moduleOf(source: Source): DocModule {
  const { file } = parse(source);
  const name = source.file.replace(/^.*\//, "").replace(/\.dlx$/, "");
  const first = file.trivia[0];
  const title = first?.kind === "comment" && first.span.start === 0 ? first.text.replace(/^#\s*/, "") : name;
  const declared = file.body.flatMap((s) =>
    s.kind === "fn" || s.kind === "model" || s.kind === "optimizer" ? [s] : [],
  );
  return { name, title, entries: declared.map((decl) => entryOf(decl, source.text, name)) };
}

/** The doc of a declaration of any script. */
export function entryOf(decl: ast.Fn | ast.Model | ast.Optimizer, text: string, module: string): DocEntry {
  const head = text.slice(decl.name.span.start, decl.body.span.start).replace(/\s*=?\s*$/, "");
  const name = decl.name.text;
  return {
    name,
    kind: decl.kind,
    module,
    signature: oneLine(head),
    ...splitDoc(decl.doc ?? "", name, oneLine(head)),
    example: exampleOf(name),
    code: text.slice(decl.span.start, decl.span.end),
  };
}

/** A signature that was written over several lines, on one. */
const oneLine = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/([([]) /g, "$1")
    .replace(/ ([)\]])/g, "$1");

/** A doc of several lines may begin with the call and its result; a `Source:` reaches to the end of its line. */
function splitDoc(doc: string, name: string, head: string): Pick<DocEntry, "shapes" | "text" | "source"> {
  const lines = doc === "" ? [] : doc.split("\n");
  const begins = lines.length > 1 && isCall(lines[0] ?? "", name);
  const calls = begins ? (/^\s+->/.test(lines[1] ?? "") ? 2 : 1) : 0;
  const call = oneLine(lines.slice(0, calls).join(" "));
  const rest = lines.slice(calls).join("\n");
  const source = /\bSource: ([^\n]+?)\.?(?=\n|$)/.exec(rest);
  const text = (source ? rest.replace(source[0], "") : rest).trim();
  const saysMore = call.includes("[") && bare(call) !== bare(head);
  return { text, ...(saysMore ? { shapes: call } : {}), ...(source ? { source: source[1] } : {}) };
}

/** A signature without what a call does not say: that a parameter is a size, and the sign before a default. */
const bare = (signature: string): string => signature.replaceAll(": dim", "").replace(/ = |: /g, " ");

/** The name and its lists, perhaps `->` and a type, and nothing else. */
function isCall(line: string, name: string): boolean {
  if (!line.startsWith(`${name}(`)) return false;
  let depth = 0;
  let rest = "";
  for (const letter of line.slice(name.length)) {
    if ("([".includes(letter)) depth++;
    if (depth === 0) rest += letter;
    if (")]".includes(letter)) depth--;
  }
  return /^(?:\s*->[^:=]*)?$/.test(rest);
}

// ---------------------------------------------------------------- the compiler's

function givenFunctions(): DocEntry[] {
  const found = new Map<string, DocEntry>();
  const add = (name: string, signature: string, text: string): void => {
    const other = found.get(name);
    const entry: DocEntry = { name, kind: "builtin", module: "builtins", signature, text, example: exampleOf(name) };
    found.set(name, other ? { ...other, text: `${other.text}\n\`${signature}\`: ${text}` } : entry);
  };
  for (const { name, doc } of Object.values(builtins)) {
    const [, signature, text] = /^`([^`]+)`\s*([\s\S]*)$/.exec(doc) ?? [];
    add(name, signature ?? name, plainFormulas(text ?? doc));
  }
  for (const [name, { doc }] of Object.entries(specials)) {
    const end = doc.lastIndexOf("): ") + 1;
    add(name, end > 0 ? doc.slice(0, end) : name, end > 0 ? doc.slice(end + 2) : doc);
  }
  const values = Object.entries(constants).map(([name, value]): DocEntry => {
    const text =
      value.kind !== "num" ? "" : Number.isFinite(value.value) ? String(value.value) : "More than any number.";
    return { name, kind: "constant", module: "builtins", signature: name, text, example: exampleOf(name) };
  });
  return [...found.values(), ...values];
}

function dataSources(): DocEntry[] {
  return Object.entries(sources).map(([name, { params, doc }]) => {
    const texts = params.map((p) => (p.default === undefined ? p.name : `${p.name}: ${JSON.stringify(p.default)}`));
    const signature = `${name}(${texts.join(", ")})`;
    return { name, kind: "data source", module: "data", signature, text: doc, example: exampleOf(name) };
  });
}

function wordEntries(): DocEntry[] {
  return Object.entries(words).map(([name, { form, meaning, example }]) => {
    return { name, kind: "word", module: "words", signature: form, text: meaning, example };
  });
}

const exampleOf = (name: string): string | undefined => (Object.hasOwn(examples, name) ? examples[name] : undefined);
