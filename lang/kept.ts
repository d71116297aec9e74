/**
 * `compile`, through a store: a script that was checked before gives the program and the messages of then, if what the
 * check asked its host is answered as it was then. So a changed import or data set is a script that was never checked.
 */
import type { Diagnostic } from "./diagnostic.ts";
import { adopt } from "./graph/index.ts";
import type { Node } from "./graph/node.ts";
import { compile, type Compiled, type CompileOptions, type Host } from "./index.ts";
import type { Facts, Program, SourceRef } from "./program.ts";
import { isNode } from "./program-text.ts";
import type { Source } from "./source.ts";
import type { Store } from "./store.ts";

type Told = Facts | Diagnostic | undefined;

interface Kept {
  /** Of all that follows, inputs first: who copies them in this order never goes deep. */
  readonly nodes: readonly Node[];
  readonly modules: readonly (readonly [path: string, source: Source | undefined])[];
  readonly facts: readonly (readonly [ref: SourceRef, told: Told])[];
  readonly program: Program;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly Source[];
}

export async function compileKept(
  script: Source,
  host: Host,
  options: CompileOptions,
  store: Store,
): Promise<Omit<Compiled, "file" | "probes">> {
  const key = `program ${JSON.stringify([script.file, options.inputs, options.seed, options.tests])}\n${script.text}`;
  const kept = store.get(key) as Kept | undefined;
  if (kept && (await answeredAlike(kept, host))) {
    adopt(kept.nodes);
    const { program, diagnostics, sources } = kept;
    return { program, diagnostics, sources: [...sources, ...host.prelude] };
  }
  const modules: [string, Source | undefined][] = [];
  const facts: [SourceRef, Told][] = [];
  const asking: Host = {
    prelude: host.prelude,
    readModule: async (path) => {
      const source = await host.readModule(path);
      modules.push([path, source]);
      return source;
    },
    facts: async (ref) => {
      const told = await host.facts(ref);
      facts.push([ref, told]);
      return told;
    },
  };
  const compiled = await compile(script, asking, options);
  const { program, diagnostics } = compiled;
  if (program) {
    const sources = compiled.sources.filter((source) => !host.prelude.includes(source));
    const made = { modules, facts, program, diagnostics, sources };
    store.put(key, { nodes: nodesIn(made), ...made });
  }
  return compiled;
}

async function answeredAlike({ modules, facts }: Kept, host: Host): Promise<boolean> {
  for (const [path, source] of modules) if (!same(await host.readModule(path), source)) return false;
  for (const [ref, told] of facts) if (!same(await host.facts(ref), told)) return false;
  return true;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Every node in plain data, after its inputs and the body of its loop. */
export function nodesIn(data: unknown): Node[] {
  const found: Node[] = [];
  const seen = new Set<unknown>();
  const stack: { readonly value: object; readonly parts: readonly unknown[]; next: number }[] = [];
  const open = (value: unknown): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    stack.push({ value, parts: Object.values(value), next: 0 });
  };
  open(data);
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    if (top.next < top.parts.length) open(top.parts[top.next++]);
    else {
      stack.pop();
      if (isNode(top.value)) found.push(top.value);
    }
  }
  return found;
}
