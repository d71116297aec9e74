/**
 * Where a forgotten `flatten` belongs: before the first `Linear` behind the last layer that works on places, in the list
 * or the pipe in which that `Linear` is written. Names are followed to their definitions: a `let`, a model of the script.
 */
import type { Edit } from "../diagnostic.ts";
import { putBefore } from "../errors/edits.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { namesDefined } from "../syntax/defined.ts";

interface Layer {
  readonly name: string;
  readonly span: Span;
  /** What stands between it and the layer before; undefined where nothing can be put before it. */
  readonly sign?: ", " | " |> ";
}

export interface Flatten {
  readonly edit: Edit;
  readonly inList: boolean;
  /** The `Linear` as written. */
  readonly layer: Span;
}

const SPATIAL = /^(?:Conv\w*|\w*pool\w*|upsample|im2col|unsqueeze)$/i;
/** So many names may lead to one another. */
const DEEPEST = 8;

export function flattenFor(file: ast.File, outputs: ast.Expr): Flatten | undefined {
  const layers = layersOf(definitionsOf(file), outputs, undefined, DEEPEST);
  const last = layers.findLastIndex(({ name }) => SPATIAL.test(name));
  const linear = last < 0 ? undefined : layers.find(({ name }, i) => i > last && name === "Linear");
  if (!linear?.sign) return undefined;
  return {
    edit: putBefore(linear.span, `flatten${linear.sign}`),
    inList: linear.sign === ", ",
    layer: linear.span,
  };
}

type Definitions = ReadonlyMap<string, ast.Expr | ast.Model>;

/** Names that are defined once, by a `let` or as a model. */
function definitionsOf(file: ast.File): Definitions {
  const found = new Map<string, ast.Expr | ast.Model>();
  const twice = new Set<string>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk);
    if (value === null || typeof value !== "object") return;
    const node = value as ast.Stmt;
    if (node.kind === "let" || node.kind === "model")
      for (const { text } of namesDefined(node)) {
        if (found.has(text)) twice.add(text);
        if (node.kind === "model") found.set(text, node);
        else if ("text" in node.pattern) found.set(text, node.value);
      }
    for (const [key, part] of Object.entries(node)) if (key !== "span") walk(part);
  };
  walk(file.body);
  for (const name of twice) found.delete(name);
  return found;
}

function layersOf(known: Definitions, e: ast.Expr, sign: Layer["sign"], depth: number): Layer[] {
  const { span } = e;
  if (depth === 0) return [];
  const below = (part: ast.Expr, by: Layer["sign"]): Layer[] => layersOf(known, part, by, depth - 1);
  switch (e.kind) {
    case "pipe":
      return [...layersOf(known, e.left, undefined, depth), ...below(e.right, " |> ")];
    case "list":
      return e.items.flatMap((item) => below(item, ", "));
    case "lambda":
      return below(e.body, undefined).map(({ name }) => ({ name, span, sign }));
    case "name": {
      const value = known.get(e.text);
      if (!value) return [{ name: e.text, span, sign }];
      // One layer with a name of its own is used where the name stands.
      if (value.kind === "call" && value.callee.kind === "name" && !known.has(value.callee.text))
        return [{ name: value.callee.text, span, sign }];
      return value.kind === "model" ? inModel(known, value, depth) : below(value, undefined);
    }
    case "call": {
      if (e.callee.kind !== "name") return [...argumentsOf(known, e, depth), ...below(e.callee, undefined)];
      const value = known.get(e.callee.text);
      if (value?.kind === "model") return [...argumentsOf(known, e, depth), ...inModel(known, value, depth)];
      if (value) return [...argumentsOf(known, e, depth), ...below(e.callee, undefined)];
      return [...argumentsOf(known, e, depth), { name: e.callee.text, span, sign }];
    }
    default:
      return [];
  }
}

const argumentsOf = (known: Definitions, { args }: ast.Call, depth: number): Layer[] =>
  args.flatMap((a) => layersOf(known, a.value, undefined, depth - 1));

/** What a model does last is the value of its body. */
function inModel(known: Definitions, { body }: ast.Model, depth: number): Layer[] {
  const last = body.body.at(-1);
  return last?.kind === "expr" ? layersOf(known, last.value, undefined, depth - 1) : [];
}
