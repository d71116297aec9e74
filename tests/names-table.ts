/** Every name that a script can use without defining it, as Markdown tables: read from the rows that define them. */
import { elementwiseBuiltins } from "../lang/check/builtins/elementwise.ts";
import { gradientBuiltins } from "../lang/check/builtins/gradients.ts";
import { builtins, constants, type Builtin } from "../lang/check/builtins/index.ts";
import { linearBuiltins } from "../lang/check/builtins/linear.ts";
import { orderBuiltins } from "../lang/check/builtins/order.ts";
import { pieceBuiltins } from "../lang/check/builtins/pieces.ts";
import { productBuiltins } from "../lang/check/builtins/products.ts";
import { randomBuiltins } from "../lang/check/builtins/random.ts";
import { reduceBuiltins } from "../lang/check/builtins/reduce.ts";
import { tableBuiltins } from "../lang/check/builtins/tables.ts";
import { viewBuiltins } from "../lang/check/builtins/views.ts";
import { sources } from "../lang/check/sources.ts";
import { specials } from "../lang/check/specials.ts";
import { prelude } from "../stdlib/index.ts";

interface Row {
  readonly name: string;
  readonly signature: string;
  readonly meaning: string;
}

const builtinKinds: readonly (readonly [string, readonly Builtin[]])[] = [
  ["element by element", elementwiseBuiltins],
  ["along axes", [...reduceBuiltins, ...productBuiltins]],
  ["order and places", orderBuiltins],
  ["other axes", viewBuiltins],
  ["put together, taken apart", pieceBuiltins],
  ["made from sizes", tableBuiltins],
  ["random numbers", randomBuiltins],
  ["linear algebra", linearBuiltins],
  ["derivatives and params", gradientBuiltins],
];

/** The doc of a builtin begins with its signature in backticks. */
function builtinRow({ name, doc }: Builtin): Row {
  const [, signature, meaning] = /^`([^`]+)`\s*([\s\S]*)$/.exec(doc) ?? [];
  if (signature === undefined || meaning === undefined) throw new Error(`expected a signature in the doc of ${name}`);
  return { name, signature, meaning };
}

/** The doc of a special is `signature: meaning`. */
function specialRow([name, { doc }]: readonly [string, { doc: string }]): Row {
  const end = doc.lastIndexOf("): ") + 1;
  if (end === 0) throw new Error(`expected "signature: meaning", got ${doc}`);
  return { name, signature: doc.slice(0, end), meaning: doc.slice(end + 2) };
}

function sourceRow([name, { params, doc }]: readonly [string, (typeof sources)[string]]): Row {
  const texts = params.map((p) => (p.default === undefined ? p.name : `${p.name}: ${JSON.stringify(p.default)}`));
  return { name, signature: `${name}(${texts.join(", ")})`, meaning: doc };
}

/** The head of a declaration: up to the `=` or `{` that stands in no bracket. */
function headOf(text: string): string {
  let depth = 0;
  for (const [at, letter] of [...text].entries()) {
    if ("([".includes(letter)) depth++;
    else if (")]".includes(letter)) depth--;
    else if (depth === 0 && "={".includes(letter)) return text.slice(0, at);
  }
  throw new Error(`expected a declaration with a body, got ${text.slice(0, 40)}`);
}

/** Declarations of one file of the standard library: the head as written, and the doc above it. */
function declarations(text: string): Row[] {
  return [...text.matchAll(/^((?:##.*\n)*)(?:fn|model|optimizer) (\w+)/gm)].map((m) => {
    const [all, doc = "", name = ""] = m;
    const lines = doc.split("\n").map((line) => line.replace(/^##\s?/, ""));
    // A doc of several lines may begin with the call, and its result on the line below.
    const calls = lines.length > 2 && /^\w+\((?:(?! = ).)*\)(?: ->.*)?$/.test(lines[0] ?? "") ? 1 : 0;
    const results = calls === 1 && /^\s+->/.test(lines[1] ?? "") ? 1 : 0;
    const signature = name + headOf(text.slice(m.index + all.length));
    return { name, signature, meaning: lines.slice(calls + results).join(" ") };
  });
}

function table(title: string, rows: readonly Row[]): string {
  const cell = (text: string) => text.replace(/\s+/g, " ").trim().replaceAll("|", "\\|");
  const body = rows.map((r) => `| \`${cell(r.signature)}\` | ${cell(r.meaning)} |`);
  return [`**${title}**`, "", "| call | meaning |", "|---|---|", ...body].join("\n");
}

const BEGIN = "<!-- names -->\n\n";
const END = "\n\n<!-- end of names -->";

/** A page with the tables in their place. */
export function withNames(page: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`expected ${BEGIN.trim()} and ${END.trim()} in the page`);
  return page.slice(0, from + BEGIN.length) + namesTables() + page.slice(to);
}

function namesTables(): string {
  const rows = Object.entries(specials).map(specialRow);
  const placed = new Set(builtinKinds.flatMap(([, list]) => list.map(({ name }) => name)));
  const others = Object.values(builtins).filter(({ name }) => !placed.has(name));
  const values = Object.entries(constants).map(([name, v]) => ({
    name,
    signature: name,
    meaning: v.kind === "num" ? String(v.value).replace("Infinity", "More than any number.") : v.kind,
  }));
  return [
    ...builtinKinds.map(([title, list]) => table(`Builtin: ${title}`, list.map(builtinRow))),
    ...(others.length > 0 ? [table("Builtin: others", others.map(builtinRow))] : []),
    table("Builtin: of data, clocks and models", rows),
    table("Builtin: constants", values),
    table("Data sources", Object.entries(sources).map(sourceRow)),
    ...prelude.map(({ file, text }) => table(file, declarations(text))),
  ].join("\n\n");
}
