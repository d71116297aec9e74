/** The walk over a whole script: prelude, declarations, actions in order, tests; and the program that comes out. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Action, DataPlan, Facts, Program, SourceRef, TickPart } from "../program.ts";
import type { Source } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { advise } from "./advice.ts";
import { finishSegments } from "./finish.ts";
import { tellWhereElse } from "./elsewhere.ts";
import { tellShadowed } from "./shadows.ts";
import { runStatements } from "./statements.ts";
import type { Frame, Settings } from "./state.ts";
import { Checker, child, scalarInput } from "./state.ts";
import { checkTest, computed, type TestStmt, type WalkedTest } from "./tests.ts";

export interface Parsed {
  readonly source: Source;
  readonly file: ast.File;
  /** Where `file` is a part of a script: all of it, so that messages know what else there is. */
  readonly whole?: ast.File;
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
  /** Those of `diagnostics` that were found when the segments were closed, which happens only when nothing else is wrong. */
  readonly late: readonly Diagnostic[];
  readonly pendingFacts: readonly SourceRef[];
  readonly pendingFiles: readonly { readonly path: string; readonly from: string }[];
}

/**
 * Tests need slots and values that a run does not, so a script with tests is walked once more without them, and, where
 * their programs are asked for, once with each alone.
 */
export function checkProgram(script: Parsed, prelude: readonly Parsed[], known: Known, settings: Settings): Checked {
  const tests = settings.hears ? [] : script.file.body.filter((s) => s.kind === "test");
  const whole = walk(script, prelude, known, settings, tests);
  if (!whole.program || tests.length === 0 || settings.seen) return whole;
  const part = (some: readonly TestStmt[]): Program => {
    const { program } = walk(script, prelude, known, settings, some);
    if (!program) throw new Error("expected a part of a program that checks to check too, got mistakes");
    return program;
  };
  const own = settings.tests === true ? tests.flatMap((test) => part([test]).tests) : [];
  return { ...whole, program: { ...part([]), tests: own } };
}

function walk(
  script: Parsed,
  prelude: readonly Parsed[],
  known: Known,
  settings: Settings,
  tests: readonly TestStmt[],
): Checked {
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
  c.sources.push(script.source);
  runStatements(
    c,
    { scope, frame },
    script.file.body.filter((s) => s.kind !== "test"),
  );
  const walked: WalkedTest[] = [];
  for (const test of tests) c.attempt(() => void walked.push(checkTest(c, { scope, frame }, test)));
  // The library itself may be read like a script.
  if (!prelude.some((p) => p.source.text === script.source.text)) tellShadowed(c, script.file);
  tellWhereElse(c.diagnostics, script.whole ?? script.file, script.source.text);
  advise(c.diagnostics, script.whole ?? script.file, script.source.text);
  const failed = c.diagnostics.some((d) => d.severity === "error");
  const pending = c.pendingFacts.length > 0 || c.pendingFiles.length > 0;
  const early = c.diagnostics.length;
  if (!failed && !pending) finishSegments(c);
  const stillGood = !pending && !c.diagnostics.some((d) => d.severity === "error");
  if (stillGood) settings.hears?.closed(c);
  return {
    program:
      stillGood && !settings.seen
        ? assemble(c, actions, walked, [script.source, ...[...known.modules.values()].map((m) => m.source)], prelude)
        : undefined,
    diagnostics: c.diagnostics,
    late: c.diagnostics.slice(early),
    pendingFacts: c.pendingFacts,
    pendingFiles: c.pendingFiles,
  };
}

function assemble(
  c: Checker,
  actions: readonly Action[],
  tests: readonly WalkedTest[],
  sources: readonly Source[],
  prelude: readonly Parsed[],
): Program {
  const plans: Record<string, DataPlan> = {};
  for (const [plan, id] of c.plans) plans[id] = plan;
  const slots = Object.fromEntries(c.slots);
  const body = prune(actions);
  const setup = computed(body);
  return {
    sources: [...sources, ...prelude.map((p) => p.source)],
    seed: c.seed,
    inputs: [...c.inputs.values()],
    slots,
    instances: Object.fromEntries(c.instances),
    plans,
    body,
    tests: tests.map((test) => ({ ...test, slots, plans, body: [...setup, ...prune(test.body)] })),
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
            step: pruneTick(a.step),
            short: a.short && pruneTick(a.short),
            sinks: prune(a.sinks),
            reactions: a.reactions.map((r) => ({ ...r, body: prune(r.body) })),
          };
        case "eval":
          return {
            ...a,
            step: pruneTick(a.step),
            short: a.short && pruneTick(a.short),
          };
        default:
          return a;
      }
    })
    .filter((a) => a.kind !== "compute" || a.segment.outputs.length > 0);
}

function pruneTick(parts: readonly TickPart[]): TickPart[] {
  return parts.flatMap((part): TickPart[] => {
    if ("segment" in part) return part.segment.outputs.length > 0 ? [part] : [];
    return [{ ...part, step: pruneTick(part.step), short: part.short && pruneTick(part.short) }];
  });
}
