import { readFileSync } from "node:fs";
import { test } from "vitest";
import { compile, renderDiagnostic } from "../../lang/index.ts";
import { prelude } from "../../stdlib/index.ts";
import { evaluate } from "../../lang/graph/interpret.ts";
import { factsOf } from "../../runtime/data/facts.ts";
import { nodeHost } from "../../runtime/node.ts";
import { createSession } from "../../runtime/index.ts";
import * as ref from "../../gpu/reference.ts";
test("x", async () => {
  for (const f of ["/tmp/smoke/a.dlx"]) {
    const where = { scriptFolder: "/tmp/smoke" };
    const r = await compile({ file: f, text: readFileSync(f, "utf8") }, { facts: (x) => factsOf(x, where), readModule: async () => undefined, prelude });
    for (const d of r.diagnostics) console.log(renderDiagnostic(d, [...r.sources]));
    if (!r.program) continue;
    const device = new ref.ReferenceDevice();
    const s = createSession({ program: r.program, device, host: nodeHost(where), math: evaluate, every: 50 });
    let out = "";
    s.events$.subscribe((e) => (out += JSON.stringify(e) + "\n"));
    s.play();
    await s.done.finally(() => console.log(out));
  }
});
