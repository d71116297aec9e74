/** Sinks show the committed tick: `print plot show record save stop`. They never feed back. */
import { UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import type { HostValue, Part, SaveEntry } from "../program.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { typeText } from "./axes.ts";
import { evaluate } from "./expr.ts";
import { hostValue } from "./host.ts";
import { modelsIn, walkInstances } from "./models.ts";
import type { Checker, Env } from "./state.ts";
import type { Instance, Str, Value } from "./values.ts";

type SinkStmt = Extract<ast.Stmt, { kind: "print" | "plot" | "show" | "record" | "save" | "stop" }>;

export function execSink(c: Checker, env: Env, stmt: SinkStmt): void {
  if (env.frame.kind === "fn" || env.frame.kind === "model" || env.frame.kind === "optimizer") {
    throw new UserError(
      names.outOfPlace(
        `\`${stmt.kind}\``,
        "inside a function or model",
        stmt.span,
        "return the value and show it in the block",
      ),
    );
  }
  const actions = env.frame.actions;
  switch (stmt.kind) {
    case "print": {
      const items = stmt.args.map((arg) =>
        parts(c, env, notTooLarge(evaluate(c, env, arg.value), stmt.kind, arg.value.span), arg.value.span),
      );
      stmt.args.forEach((arg) => reportNames(c, env, arg.value));
      actions.push({ kind: "print", items, folds: [], span: stmt.span });
      return;
    }
    case "plot": {
      const items = stmt.args.map((arg) => {
        const value = evaluate(c, env, arg.value);
        if (value.kind !== "tensor" && value.kind !== "num" && value.kind !== "broken") {
          throw new UserError(names.outOfPlace(typeText(value), "in a plot", arg.value.span, "plot numbers"));
        }
        if (value.kind === "tensor" && value.axes.length > 0) {
          throw new UserError(
            names.outOfPlace(`a tensor ${typeText(value)}`, "in a plot", arg.value.span, "plot one number: `mean(…)`"),
          );
        }
        reportNames(c, env, arg.value);
        return { label: arg.name?.text ?? labelOf(arg.value), value: hostValue(c, env, value, arg.value.span) };
      });
      actions.push({ kind: "plot", items, span: stmt.span });
      return;
    }
    case "save": {
      const value = evaluate(c, env, stmt.value);
      if (value.kind === "broken") return;
      const file = constantText(evaluate(c, env, stmt.file), stmt.file.span);
      actions.push({ kind: "save", file, entries: saveEntries(value, stmt.value.span), span: stmt.span });
      return;
    }
    case "stop":
      actions.push({ kind: "stop", span: stmt.span });
      return;
    case "show":
    case "record": {
      const items = stmt.args.flatMap((arg) => {
        const value = notTooLarge(evaluate(c, env, arg.value), stmt.kind, arg.value.span);
        if (value.kind === "broken") return [];
        reportNames(c, env, arg.value);
        return [{ label: arg.name?.text ?? labelOf(arg.value), value: hostValue(c, env, value, arg.value.span) }];
      });
      actions.push({ kind: stmt.kind, items, span: stmt.span });
    }
  }
}

const MOST_PARTS = 100_000;

/** A list of a list twice, that one twice again: its parts are shared until they are written out. */
function notTooLarge(value: Value, sink: string, span: Span): Value {
  let left = MOST_PARTS;
  const waiting: Value[] = [value];
  for (let v = waiting.pop(); v; v = waiting.pop()) {
    if (--left < 0) {
      const help = "show a part of it, or its size";
      throw new UserError(names.wrongValue(`\`${sink}\``, `at most ${MOST_PARTS} values`, "larger", span, help));
    }
    if (v.kind === "list" || v.kind === "tuple") waiting.push(...v.items);
    else if (v.kind === "record") waiting.push(...v.fields.values());
    else if (v.kind === "str") for (const part of v.parts) if (typeof part !== "string") waiting.push(part.value);
  }
  return value;
}

function labelOf(e: ast.Expr): string {
  if (e.kind === "name") return e.text;
  if (e.kind === "member") return `${labelOf(e.target)}.${e.name.text}`;
  if (e.kind === "call") return `${labelOf(e.callee)}(${e.args.map((a) => labelOf(a.value)).join(", ")})`;
  return e.kind === "number" ? e.text : "value";
}

/** Scalars of this block that a sink names are reported with its metrics. */
function reportNames(c: Checker, env: Env, e: ast.Expr): void {
  const block = env.frame.block;
  if (!block) return;
  if (e.kind === "string") {
    for (const part of e.parts) if (typeof part !== "string") reportNames(c, env, part.value);
    return;
  }
  if (e.kind !== "name" || e.text === "step" || e.text === "epoch" || block.measured.has(e.text)) return;
  const value = evaluate(c, env, e);
  if (value.kind !== "tensor" || value.axes.length > 0) return;
  const owner = c.ownerOf(value.node);
  if (owner?.block !== block) return;
  // Folds that a report reads are averages over the reader's window.
  const host = hostValue(c, { scope: env.scope, frame: { ...env.frame, kind: "reaction" } }, value, e.span);
  if (host.kind !== "node") return;
  block.measured.add(e.text);
  if (!block.report.has(e.text)) block.report.set(e.text, host.node);
}

function parts(c: Checker, env: Env, value: Value, span: Span): readonly Part[] {
  if (value.kind !== "str") return [{ value: hostValue(c, env, value, span) }];
  return flatten(value).map((part): Part => {
    if (typeof part === "string") return part;
    const inner: HostValue = hostValue(c, env, part.value, part.span);
    return { value: inner, format: part.format };
  });
}

/** Strings inside holes become part of the text. */
function flatten(text: Str): Str["parts"] {
  return text.parts.flatMap((p): Str["parts"] =>
    typeof p !== "string" && p.value.kind === "str" ? flatten(p.value) : [p],
  );
}

export function constantText(value: Value, span: Span): string {
  if (value.kind !== "str") throw new UserError(names.needsConstant("a file name", typeText(value), span));
  return flatten(value)
    .map((part) => {
      if (typeof part === "string") return part;
      if (part.value.kind === "num") return String(part.value.value);
      throw new UserError(names.needsConstant("a file name", typeText(part.value), part.span));
    })
    .join("");
}

function saveEntries(value: Value, span: Span): SaveEntry[] {
  if (value.kind === "instance") return instanceEntries(value, value.path);
  // A list is one model, whatever its name; of a tuple each model keeps its own.
  if (value.kind === "list" && modelsIn(value).length > 0)
    return modelsIn(value).flatMap(({ model, before }) => instanceEntries(model, model.path, before));
  if (value.kind === "tuple")
    return value.items.flatMap((item) => (item.kind === "instance" ? instanceEntries(item, "") : []));
  throw new UserError(
    names.outOfPlace(typeText(value), "in `save`", span, 'save a model: `save net to "net.safetensors"`'),
  );
}

function instanceEntries(instance: Instance, root: string, before = ""): SaveEntry[] {
  const entries: SaveEntry[] = [];
  walkInstances(instance, (i) => {
    for (const cell of [...i.params.values(), ...i.states.values()]) {
      const name = root === "" ? cell.path : cell.path.slice(root.length + 1);
      entries.push({ name: before + name, path: cell.path });
    }
  });
  if (entries.length === 0) throw new UserError(names.notApplied(instance.path, instance.span));
  return entries;
}
