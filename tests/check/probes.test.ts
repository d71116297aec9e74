/** A walk that is listened to makes the same program, so a probe of it fits the program that runs. */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { factKey } from "../../lang/check/data.ts";
import { checkProgram } from "../../lang/check/program.ts";
import type { Facts } from "../../lang/index.ts";
import { parse, parsePrelude, programText } from "../../lang/index.ts";
import { Ears } from "../../lang/probes/listen.ts";
import { targetsAt } from "../../lang/probes/targets.ts";
import { factsOf } from "../../runtime/node.ts";
import { prelude } from "../../stdlib/index.ts";

const folder = resolve(import.meta.dirname, "../../examples");
const names = readdirSync(folder).filter((name) => /^\d\d-.*\.dlx$/.test(name));

test.each(names)("%s", async (name) => {
  const source = { file: name, text: readFileSync(`${folder}/${name}`, "utf8") };
  const script = { source, file: parse(source).file };
  const facts = new Map<string, Facts>();
  const known = {
    facts: (ref: Parameters<typeof factKey>[0]) => facts.get(factKey(ref)),
    modules: new Map(),
    missing: new Set<string>(),
  };
  const check = (hears?: Ears) => checkProgram(script, parsePrelude(prelude), known, { inputs: {}, hears });
  let alone = check();
  for (; alone.pendingFacts.length > 0; alone = check()) {
    for (const ref of alone.pendingFacts) {
      const told = await factsOf(ref, { scriptFolder: folder });
      if (!told || !("fields" in told)) throw new Error(`expected facts of ${ref.name}`);
      facts.set(factKey(ref), told);
    }
  }
  const ears = new Ears();
  for (let at = 0; at < source.text.length; at++)
    for (const { span } of targetsAt(script.file, { file: name, start: at, end: at })) ears.ask(span);
  const heard = check(ears);
  expect(heard.diagnostics).toEqual(alone.diagnostics);
  expect(programText(heard.program!)).toBe(programText(alone.program!));
});
