/** The walk over a whole script: prelude, declarations, actions in order, tests; and the program that comes out. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Action, DataPlan, Facts, Program, SourceRef, TestBlock } from "../program.ts";
import type { Source } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { evaluate } from "./expr.ts";
import { finishSegments } from "./finish.ts";
import { constantText } from "./sinks.ts";
import { runStatements } from "./statements.ts";
import type { Frame, Settings } from "./state.ts";
import { Checker, child, scalarInput } from "./state.ts";

export interface Parsed {
  readonly source: Source;
  readonly file: ast.File;
}

export interface Known {
  readonly facts: (ref: SourceRef) => Facts | Diagnostic | undefined;
  /** Imported files by resolved path. */
  readonly modules: ReadonlyMap<string, Parsed>;
  readonly missing: ReadonlySet<string>;
}

export interface Checked {
  readonly program?: Program;
  readonly diagnostics: readonly Diagnostic[];
  readonly pendingFacts: readonly SourceRef[];
  readonly pendingFiles: readonly { readonly path: string; readonly from: string }[];
}

export function checkProgram(script: Parsed, prelude: readonly Parsed[], known: Known, settings: Settings): Checked {
  const c = new Checker(settings, known.facts, known.missing);
  for (const [path, module] of known.modules) c.modules.set(path, module);
  c.seed = settings.seed ?? 0;
  const actions: Action[] = [];
  c.openTop(actions);
  const frame: Frame = {
    kind: "top",
    training: false,
    site: { path: "top", counts: new Map() },
    host: { path: "", children: new Map() },
    ordinals: new Map(),
    keys: [scalarInput("seed", "u32")],
    actions,
  };
  for (const part of prelude) runStatements(c, { scope: c.globals, frame }, part.file.body);
  const scope = child(c.globals);
  c.loading.push(script.source.file);
  const tests = script.file.body.filter((s) => s.kind === "test");
  runStatements(
    c,
    { scope, frame },
    script.file.body.filter((s) => s.kind !== "test"),
  );
  for (const test of tests) c.attempt(() => checkTest(c, { scope, frame }, test));
  const failed = c.diagnostics.some((d) => d.severity === "error");
  const pending = c.pendingFacts.length > 0 || c.pendingFiles.length > 0;
  if (!failed && !pending) finishSegments(c);
  const stillGood = !pending && !c.diagnostics.some((d) => d.severity === "error");
  return {
    program: stillGood
      ? assemble(c, actions, [script.source, ...[...known.modules.values()].map((m) => m.source)], prelude)
      : undefined,
    diagnostics: c.diagnostics,
    pendingFacts: c.pendingFacts,
    pendingFiles: c.pendingFiles,
  };
}

function checkTest(
  c: Checker,
  env: { scope: Frame extends never ? never : Parameters<typeof child>[0]; frame: Frame },
  test: ast.Stmt & { kind: "test" },
): void {
  const body: Action[] = [];
  const asserts: TestBlock["asserts"][number][] = [];
  const name = constantText(evaluate(c, env, test.name), test.name.span);
  const build = c.newBuild(`test${c.tests.length + 1}`, "reaction");
  body.push({ kind: "compute", segment: build.segment });
  c.within(build, () => {
    const frame: Frame = { ...env.frame, kind: "test", actions: body, asserts, ordinals: new Map() };
    runStatements(c, { scope: child(env.scope), frame }, test.body.body);
  });
  asserts.forEach((a, i) => build.segment.outputs.push({ node: a.cond, role: { kind: "fetch", name: `assert${i}` } }));
  c.tests.push({ name, body, asserts, span: test.span });
}

function assemble(
  c: Checker,
  actions: readonly Action[],
  sources: readonly Source[],
  prelude: readonly Parsed[],
): Program {
  const plans: Record<string, DataPlan> = {};
  for (const [plan, id] of c.plans) plans[id] = plan;
  return {
    sources: [...sources, ...prelude.map((p) => p.source)],
    seed: c.seed,
    inputs: [...c.inputs.values()],
    slots: Object.fromEntries(c.slots),
    plans,
    body: prune(actions),
    tests: c.tests,
  };
}

/** Segments that compute nothing are dropped. */
function prune(actions: readonly Action[]): Action[] {
  return actions
    .map((a): Action => {
      switch (a.kind) {
        case "run":
        case "when":
          return { ...a, body: prune(a.body) };
        case "train":
          return {
            ...a,
            step: a.step.filter((t) => t.segment.outputs.length > 0),
            short: a.short?.filter((t) => t.segment.outputs.length > 0),
            sinks: prune(a.sinks),
            reactions: a.reactions.map((r) => ({ ...r, body: prune(r.body) })),
          };
        case "eval":
          return {
            ...a,
            step: a.step.filter((t) => t.segment.outputs.length > 0),
            short: a.short?.filter((t) => t.segment.outputs.length > 0),
          };
        default:
          return a;
      }
    })
    .filter((a) => a.kind !== "compute" || a.segment.outputs.length > 0);
}
