/** Which params a block trains, seen before its body is walked: what it does not train runs in eval mode. */
import { UserError } from "../diagnostic.ts";
import type * as ast from "../syntax/ast.ts";
import { evaluate } from "./expr.ts";
import type { Checker, Env } from "./state.ts";
import type { Instance, Value } from "./values.ts";

export interface Paths {
  readonly over: string[];
  readonly except: string[];
}

/** Looks ahead for `over P except Q` and `grad(y, P)`, where P is named outside of the body. */
export function trainedPaths(c: Checker, env: Env, body: ast.Block): Paths {
  const paths: Paths = { over: [], except: [] };
  const add = (e: ast.Expr, into: string[]): void => {
    const value = quietly(c, env, e);
    if (value) into.push(...instancePaths(value));
  };
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      value.forEach(visit);
      return;
    }
    if (value === null || typeof value !== "object") return;
    const node = value as { kind?: string };
    if (node.kind === "minimize") {
      const m = value as ast.Minimize;
      add(m.over, paths.over);
      if (m.except) add(m.except, paths.except);
    }
    if (node.kind === "call") {
      const call = value as ast.Call;
      if (call.callee.kind === "name" && call.callee.text === "grad" && call.args[1])
        add(call.args[1].value, paths.over);
    }
    for (const [key, part] of Object.entries(value)) if (key !== "span") visit(part);
  };
  visit(body);
  return paths;
}

/** The value of a name, member, tuple or list of them; nothing else is evaluated ahead of its place. */
function quietly(c: Checker, env: Env, e: ast.Expr): Value | undefined {
  if (e.kind !== "name" && e.kind !== "member" && e.kind !== "tuple" && e.kind !== "list") return undefined;
  try {
    return evaluate(c, env, e);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function instancePaths(value: Value): string[] {
  if (value.kind === "instance") return [(value as Instance).path];
  if (value.kind === "tuple" || value.kind === "list") return value.items.flatMap(instancePaths);
  return [];
}
