import { readFileSync } from "node:fs";
import { test } from "vitest";
import { compile, renderDiagnostic } from "/work/main/lang/index.ts";
import { prelude } from "/work/main/stdlib/index.ts";
test("x", async () => {
  for (const f of (process.env.FILES ?? "").split(",")) {
    const r = await compile({ file: f, text: readFileSync(f, "utf8") }, { facts: async () => undefined, readModule: async () => undefined, prelude });
    console.log(f, r.program ? "OK " + Object.keys(r.program.slots).join(" ") : "no program");
    for (const d of r.diagnostics) console.log(renderDiagnostic(d, [...r.sources]));
    if (r.program) for (const a of r.program.body) console.log(a.kind, a.kind === "train" ? a.step.map(s => s.segment.outputs.length) : "");
  }
});
