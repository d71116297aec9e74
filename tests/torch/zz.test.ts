import { test } from "vitest";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { runText } from "../run-script.ts";
const go = async (t: string) => {
  try { const r = await runText(t, new ReferenceDevice(), {}); console.log(r.prints.join("\n"), r.events.filter(e=>e.event==="error"||e.event==="warning").map(e=>JSON.stringify((e as any).diagnostic.title))); } catch (e) { console.log(String(e).slice(0, 1500)); }
};
test("x", async () => {
  await go(`let x = [0.5, -1.0, 2.0] + zeros([3])
let v = [1.0, 2.0, 3.0] + ones([3])
let h = zeros([3])
let y = exp(x * (h + 1))
print jvp(y, x, v), exp(x) * v
let w = [0.3, 0.2, 0.1] + ones([3])
let s = sum(x^3)
print "hvp by v", grad(sum(hvp(s, x, w) * v), w), 6 * x * v
print "vjp by v", grad(sum(vjp(y, x, w) * v), w), exp(x) * v
print "jvp by v", grad(sum(jvp(y, x, w) * v), w), exp(x) * v
print "hvp by x, v = x^2", grad(sum(hvp(s, x, x^2) * v), x), 18 * x^2 * v
`);
});
