/**
 * Methods and modules of other languages: `loss.backward()`, `x.mean()`, `nn.Linear(8)`. dlx has functions only, so the
 * message about the missing member says which, and its edit rewrites the call.
 */
import { UserError, type Diagnostic, type Fix } from "../diagnostic.ts";
import { between, fix, optional, put, putBefore, remove } from "../errors/edits.ts";
import { METHODS, MODULES, NAMES, type Method } from "../errors/foreign.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { builtins } from "./builtins/index.ts";
import { specials } from "./specials.ts";
import type { Checker, Env } from "./state.ts";
import { lookup } from "./state.ts";
import type { Value } from "./values.ts";

type Member = ast.Expr & { readonly kind: "member" };

const at = (d: Diagnostic, span: Span): boolean =>
  d.labels[0]?.span.file === span.file && d.labels[0].span.start === span.start && d.labels[0].span.end === span.end;

/** Runs an access of a member, or a call of one; a mistake in it that is a habit is told as such. */
export function foreignCall(c: Checker, env: Env, e: ast.Call, run: () => Value): Value {
  return e.callee.kind === "member" ? told(env, e.callee, e, run) : run();
}
export function foreignMember(env: Env, e: Member, run: () => Value): Value {
  return told(env, e, undefined, run);
}

function told(env: Env, member: Member, call: ast.Call | undefined, run: () => Value): Value {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof UserError) || member.span.file.startsWith("stdlib/")) throw error;
    const d = error.diagnostic;
    const better =
      (d.code === "DLX0313" && at(d, member.name.span) && asMethod(env, d, member, call)) ||
      (d.code === "DLX0301" && asModule(env, d, member)) ||
      (d.code === "DLX0312" &&
        call !== undefined &&
        member.name.text === "T" &&
        at(d, call.span) &&
        transposed(d, member, call));
    throw better ? new UserError(better) : error;
  }
}

const transposed = (d: Diagnostic, member: Member, call: ast.Call): Diagnostic => ({
  ...d,
  title: "`.T` is not called",
  help: "leave the parentheses out: `x.T`",
  ...optional(remove(between(member.span, { ...call.span, start: call.span.end }), "`()`")),
});

const exists = (env: Env, name: string): boolean =>
  Object.hasOwn(builtins, name) || Object.hasOwn(specials, name) || lookup(env.scope, name) !== undefined;

function asMethod(env: Env, d: Diagnostic, member: Member, call: ast.Call | undefined): Diagnostic | undefined {
  const name = member.name.text;
  const method: Method | undefined = Object.hasOwn(METHODS, name)
    ? METHODS[name]
    : d.notes.length === 0 && exists(env, NAMES[name] ?? name)
      ? { kind: "call", name: NAMES[name] ?? name }
      : undefined;
  // What is nearly a member of its own is a slip of the pen.
  if (!method || (d.help?.startsWith("did you mean") ?? false)) return undefined;
  const whole = (call ?? member).span;
  const tail: Span = { file: whole.file, start: member.target.span.end, end: whole.end };
  if (method.kind === "call") {
    const args = call?.args ?? [];
    const shown = `${method.name}(${nameOf(member.target)}${args.length > 0 ? ", …" : ""})`;
    return { ...d, notes: [], help: `a function comes first: \`${shown}\``, ...optional(asCall(method, member, call)) };
  }
  const fixes: readonly Fix[] | undefined =
    method.kind === "drop"
      ? remove(whole, `\`.${name}\``)
      : method.kind === "bare" && call
        ? name === "forward" || name === "predict"
          ? remove({ ...tail, end: member.span.end }, `\`.${name}\``)
          : remove(tail, `\`.${name}\``)
        : undefined;
  return { ...d, notes: [], help: method.help, ...optional(fixes) };
}

/** `x.sum(over: 1)` becomes `sum(x, over: 1)`. */
function asCall(
  method: Method & { kind: "call" },
  member: Member,
  call: ast.Call | undefined,
): readonly Fix[] | undefined {
  const title = `write \`${method.name}(…)\``;
  const head = putBefore(member.target.span, `${method.name}(`);
  const first = call?.args[0];
  const dot: Span = { file: member.span.file, start: member.target.span.end, end: member.span.end };
  if (!call) return fix(title, head, put(dot, ")"));
  if (!first) return fix(title, head, put({ ...dot, end: call.span.end }, ")"));
  const open: Span = { ...dot, end: (first.name ?? first.value).span.start };
  const list = method.list && first.value.kind !== "list";
  return fix(
    title,
    head,
    put(open, list ? ", [" : ", "),
    ...(list ? [put({ ...dot, start: call.span.end - 1, end: call.span.end }, "])")] : []),
  );
}

const nameOf = (e: ast.Expr): string => (e.kind === "name" ? e.text : "x");

/** `nn.Linear`: the outermost member of a module says which function is meant. */
function asModule(env: Env, d: Diagnostic, member: Member): Diagnostic | undefined {
  let root: ast.Expr = member;
  while (root.kind === "member") root = root.target;
  if (root.kind !== "name" || !MODULES.has(root.text) || !at(d, root.span)) return undefined;
  const written = member.name.text;
  const name = NAMES[written] ?? written;
  const self = root.text === "self";
  return {
    ...d,
    notes: [],
    help: self
      ? `names of a model are used as they are: \`${name}\``
      : exists(env, name)
        ? `all layers and functions are in scope: write \`${name}\``
        : "all layers and functions are in scope under their own names; `dlx doc` lists them",
    ...optional(
      self || exists(env, name)
        ? fix(`change to \`${name}\``, put({ ...root.span, end: member.name.span.end }, name))
        : undefined,
    ),
  };
}
