/**
 * A top-level `for` is a sequence of runs: each pass begins with fresh state and the same random numbers.
 * Its value is the list of the values of its passes.
 */
import type { Node } from "../graph/node.ts";
import type { Action } from "../program.ts";
import type * as ast from "../syntax/ast.ts";
import { bindPattern, iterationValues } from "./expr.ts";
import { runStatements } from "./statements.ts";
import type { Build, Checker, Env, Frame } from "./state.ts";
import { callSite, child } from "./state.ts";
import type { Value } from "./values.ts";

export function execRuns(c: Checker, env: Env, e: ast.For): Value {
  const values = iterationValues(c, env, e.source);
  const seed = c.seed;
  const outer = c.run;
  // All passes share one address, apart from that of draws outside of them.
  const { path } = callSite(env.frame.site, "for");
  const yields: Value[] = [];
  const before = c.top;
  const known = new Set(c.slots.keys());
  let begin: readonly (readonly [string, Node])[] = [];
  const results = values.map((value, i): Value => {
    const actions: Action[] = [];
    const scope = child(env.scope);
    c.run = ++c.runs;
    c.seed = seed;
    c.openTop(actions);
    const frame: Frame = {
      ...env.frame,
      actions,
      host: { path: `run${c.run}`, children: new Map() },
      ordinals: new Map(),
      site: { path, counts: new Map() },
      yields,
    };
    for (const [slot, node] of begin) c.write(slot, node);
    bindPattern(c, scope, e.pattern, value);
    const last = runStatements(c, { scope, frame }, e.body.body);
    env.frame.actions.push({ kind: "run", index: i + 1, seed: c.seed, body: actions, span: e.span });
    if (i === 0) begin = valuesBefore(c, before, known);
    return last;
  });
  c.run = outer;
  c.seed = seed;
  c.openTop(env.frame.actions);
  return { kind: "list", items: yields.length > 0 ? yields : results };
}

/**
 * Slots of models from above the `for` that its first pass moved, as they were before: each pass begins with them again.
 * A model that pass 1 applied first got its first values there.
 */
function valuesBefore(c: Checker, before: Build, known: ReadonlySet<string>): (readonly [string, Node])[] {
  const own = `run${c.run}.`;
  const later = c.builds.filter((b) => b.order > before.order);
  const moved = new Set(later.flatMap((b) => [...b.dirty]).filter((path) => !path.startsWith(own)));
  return [...moved].flatMap((path): (readonly [string, Node])[] => {
    const node = known.has(path)
      ? c.within(before, () => c.read(path))
      : later.find((b) => b.kind === "top" && b.state.has(path))?.state.get(path);
    return node ? [[path, node]] : [];
  });
}
