/** A host that cannot tell the facts of a source: checked as far as it goes, no false alarm, no program. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "../../lang/index.ts";
import { prelude } from "../../stdlib/index.ts";

const example = (name: string) => readFileSync(resolve(import.meta.dirname, "../../examples", name), "utf8");

async function codes(text: string): Promise<string[]> {
  const host = { prelude, facts: async () => undefined, readModule: async () => undefined };
  const { diagnostics, program } = await compile({ file: "script.dlx", text }, host);
  expect(program).toBeUndefined();
  return diagnostics.filter(({ severity }) => severity !== "note").map(({ code }) => code);
}

describe("open facts", () => {
  test.each(["mnist-mlp.dlx", "mnist-lenet.dlx"])("%s has no mistake", async (name) => {
    expect(await codes(example(name))).toEqual([]);
  });

  test("what is known of MNIST is checked", async () => {
    expect(await codes(example("mnist-lenet.dlx").replace("|> flatten ", ""))).toEqual(["DLX0204"]);
    expect(await codes(example("mnist-mlp.dlx").replace("MLP(10)", "MLP(12)"))).toEqual(["DLX0208"]);
    expect(await codes(example("mnist-mlp.dlx").replace("(image, label) in", "(picture, label) in"))).toContain(
      "DLX0337",
    );
  });

  test("of a table nothing is known", async () => {
    const script = `let rows = csv("houses.csv", target: "price")
let norm = standardize(rows.x)
let f = Linear(1)
train (x, y) in batches(rows, 32) for 2 epochs { minimize mse(squeeze(f(norm(x)), -1), y) over f with SGD(1e-3) }
print f.w`;
    expect(await codes(script)).toEqual([]);
  });
});
