/**
 * Every name that a script can use without defining it, with its parameters, its doc and (for the standard library)
 * its place; and the same for the declarations of a script, so that both are shown alike.
 */
import { builtins, constants } from "../check/builtins/index.ts";
import { typeText } from "../check/axes.ts";
import type { Parsed } from "../check/program.ts";
import { sources } from "../check/sources.ts";
import { specials } from "../check/specials.ts";
import { parsePrelude } from "../index.ts";
import type { Source, Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { namesOf, type Names } from "./names.ts";

export interface Parameter {
  readonly name: string;
  /** As it stands in the signature. */
  readonly text: string;
  readonly optional: boolean;
}

export interface Entry {
  readonly name: string;
  readonly kind: "fn" | "model" | "optimizer" | "builtin" | "source" | "constant";
  /** `Linear(Out: dim, bias = true)(x: [.., In]) -> [.., Out]`. */
  readonly signature: string;
  /** The list that a call by name takes: for models and optimizers the settings. */
  readonly parameters: readonly Parameter[];
  /** What a model acts on. */
  readonly inputs: readonly Parameter[];
  readonly doc: string;
  /** Of the name, where it is written in dlx. */
  readonly place?: Span;
  readonly declaration?: ast.Fn | ast.Model | ast.Optimizer;
}

const WORDS: Readonly<Record<string, string>> = {
  step: "The number of the step, from 1. In a `train` block.",
  epoch: "The number of the epoch, from 1. In a `train` block.",
  training: "Whether this is a step of a `train` block that moves these params.",
};

export class Library {
  readonly parsed: readonly Parsed[];
  readonly entries: ReadonlyMap<string, Entry>;
  private readonly texts: ReadonlyMap<string, Parsed>;
  private readonly resolved = new Map<string, Names>();

  constructor(prelude: readonly Source[]) {
    this.parsed = parsePrelude(prelude);
    this.texts = new Map(this.parsed.map((p) => [p.source.file, p]));
    this.entries = new Map([...given(), ...this.parsed.flatMap(declared)].map((e) => [e.name, e]));
  }

  isModel(name: string): boolean {
    return this.entries.get(name)?.kind === "model";
  }

  /** `moons`, `xor`, … of `toy`. */
  namespace(name: string): string[] {
    return [...this.entries.keys()].filter((n) => n.startsWith(`${name}.`)).map((n) => n.slice(name.length + 1));
  }

  text(file: string): string | undefined {
    return this.texts.get(file)?.source.text;
  }

  names(file: string): Names | undefined {
    const parsed = this.texts.get(file);
    if (!parsed) return undefined;
    const names = this.resolved.get(file) ?? namesOf(parsed.file);
    this.resolved.set(file, names);
    return names;
  }
}

const declared = ({ source, file }: Parsed): Entry[] =>
  file.body.flatMap((s) =>
    s.kind === "fn" || s.kind === "model" || s.kind === "optimizer" ? entryOf(s, source.text) : [],
  );

/** A declaration as a script writes it. */
export function entryOf(decl: ast.Fn | ast.Model | ast.Optimizer, text: string): Entry {
  const written = (params: readonly ast.Param[]): Parameter[] =>
    params.map((p) => ({
      name: p.name.text,
      text: text.slice(p.span.start, p.span.end).replace(/\s+/g, " "),
      optional: p.default !== undefined,
    }));
  const head = text.slice(decl.name.span.start, decl.body.span.start).replace(/\s*=?\s*$/, "");
  return {
    name: decl.name.text,
    kind: decl.kind,
    signature: head.replace(/\s+/g, " "),
    parameters: written(decl.kind === "fn" ? decl.params : decl.settings),
    inputs: decl.kind === "fn" ? [] : written(decl.params),
    doc: meaning(decl.doc ?? "", decl.name.text),
    place: decl.name.span,
    declaration: decl,
  };
}

/** A doc may begin with the call itself, which the signature says already. */
function meaning(doc: string, name: string): string {
  const lines = doc.split("\n").map((line) => line.replace(/^##?\s?/, ""));
  const repeats = lines.length > 1 && lines[0]!.startsWith(`${name}(`) && !lines[0]!.includes(" = ");
  const from = repeats ? (/^\s+->/.test(lines[1] ?? "") ? 2 : 1) : 0;
  return lines.slice(from).join("\n").trim();
}

function given(): Entry[] {
  const call = (name: string, kind: Entry["kind"], signature: string, parameters: readonly Parameter[], doc: string): Entry => ({
    name, kind, signature, parameters, inputs: [], doc,
  }); // prettier-ignore
  const found: Entry[] = [];
  for (const { name, params, doc } of Object.values(builtins)) {
    const [, signature = name, text = doc] = /^`([^`]+)`\s*([\s\S]*)$/.exec(doc) ?? [];
    const parameters = params.map((p) => ({
      name: p.name,
      text: writtenAs(signature, p.name),
      optional: p.default !== "required",
    }));
    found.push(call(name, "builtin", signature, parameters, text));
  }
  for (const [name, { params, doc }] of Object.entries(specials)) {
    const end = doc.lastIndexOf("): ") + 1;
    const signature = end > 0 ? doc.slice(0, end) : name;
    const parameters = params.map((p, i) => ({ name: p, text: writtenAs(signature, p), optional: i > 0 }));
    const other = found.findIndex((e) => e.name === name);
    const entry = call(name, "builtin", signature, parameters, end > 0 ? doc.slice(end + 2) : doc);
    // `split` of a tensor and of data are one name.
    if (other < 0) found.push(entry);
    else
      found[other] = {
        ...found[other]!,
        doc: `${found[other]!.doc}\n\n\`${signature}\` ${entry.doc}`,
        parameters: [
          ...found[other]!.parameters,
          ...parameters.filter((p) => !found[other]!.parameters.some((q) => q.name === p.name)),
        ],
      };
  }
  for (const [name, { params, doc }] of Object.entries(sources)) {
    const parameters = params.map((p) => ({
      name: p.name,
      text: p.default === undefined ? p.name : `${p.name}: ${JSON.stringify(p.default)}`,
      optional: p.default !== undefined,
    }));
    found.push(call(name, "source", `${name}(${parameters.map((p) => p.text).join(", ")})`, parameters, doc));
  }
  for (const [name, value] of Object.entries(constants))
    found.push(call(name, "constant", `${name} = ${typeText(value)}`, [], ""));
  for (const [name, doc] of Object.entries(WORDS)) found.push(call(name, "constant", name, [], doc));
  return found;
}

/** `over: C` of `sum(x, over: C)`. */
function writtenAs(signature: string, name: string): string {
  return new RegExp(`\\b${name}(?:: (?:\\[[^\\]]*\\]|[^,()\\s]+))?(?=[,)]|$)`).exec(signature)?.[0] ?? name;
}
