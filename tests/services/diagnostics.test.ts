/** The services say of a script what the compiler says, part by part or whole, at once or after edits. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { Diagnostic, SourceRef } from "../../lang/index.ts";
import { compile } from "../../lang/index.ts";
import { factsOf } from "../../runtime/node.ts";
import { prelude } from "../../stdlib/index.ts";
import { LanguageService, type ServiceHost } from "../../lang/services/index.ts";
import { longScript } from "./script.ts";

const root = resolve(import.meta.dirname, "../..");
const samples = resolve(root, "tests/lang/errors");

function hostIn(folder: string): ServiceHost {
  return {
    prelude,
    facts: (ref) => factsOf(ref, { scriptFolder: folder }),
    pause: () => new Promise((done) => setImmediate(done)),
    readModule: async (path) => {
      const file = join(folder, path);
      return existsSync(file) ? { file: path, text: readFileSync(file, "utf8") } : undefined;
    },
  };
}

const compilerHost = (host: ServiceHost) => ({ ...host, facts: (ref: SourceRef) => host.facts(ref, "script.dlx") });

const said = (list: readonly Diagnostic[]): string[] =>
  list
    .map(
      (d) =>
        `${d.code} ${d.title} | ${d.labels.map((l) => `${l.span.file}:${l.span.start}-${l.span.end} ${l.text}`).join("; ")} | ${d.notes.join("; ")} | ${d.help ?? ""}`,
    )
    .sort();

async function both(folder: string, text: string) {
  const host = hostIn(folder);
  const whole = await compile({ file: "script.dlx", text }, compilerHost(host));
  const service = new LanguageService(host);
  await service.update("script.dlx", text);
  return { service, whole: said(whole.diagnostics), parts: said(await service.diagnostics("script.dlx")) };
}

describe("the same messages as the compiler", () => {
  test.each(readdirSync(samples))("%s", async (name) => {
    const folder = join(samples, name);
    const { whole, parts } = await both(folder, readFileSync(join(folder, "script.dlx"), "utf8"));
    expect(parts).toEqual(whole);
  });
  const scripts = ["examples", "stdlib"].flatMap((f) =>
    readdirSync(join(root, f))
      .filter((n) => n.endsWith(".dlx"))
      .map((n) => join(root, f, n)),
  );
  test.each(scripts)("%s", async (file) => {
    const { whole, parts } = await both(resolve(file, ".."), readFileSync(file, "utf8"));
    expect(parts).toEqual(whole);
  });
});

describe("after edits", () => {
  test("as if it had just been opened", async () => {
    const host = hostIn(root);
    const service = new LanguageService(host);
    let text = longScript(8);
    await service.update("script.dlx", text);
    const edits: [RegExp, string][] = [
      [/Linear\(84\)/, "Linear(85)"],
      [/\|> flatten\n/, "\n"],
      [/let z = /, "let zz = "],
      [/relu/, "rellu"],
      [/^seed 1\n/, "seed 1\n# a line more\n"],
      [/rellu/, "relu"],
      [/\n {4}\|> Linear\(85\)/, "\n    |> flatten |> Linear(85)"],
      [/let data = digits\(\)/, "let data = digits("],
      [/digits\(/, "digits()"],
      [/let zz = /, "let z = "],
    ];
    for (const [what, by] of edits) {
      text = text.replace(what, by);
      await service.update("script.dlx", text);
      const whole = await compile({ file: "script.dlx", text }, compilerHost(host));
      expect(said(await service.diagnostics("script.dlx"))).toEqual(said(whole.diagnostics));
    }
    expect((await service.diagnostics("script.dlx")).filter((d) => d.severity !== "note")).toEqual([]);
  });
});
