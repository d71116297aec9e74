/**
 * Ways to cut large products, measured and kept: each gives the same numbers within rounding, what was kept is taken
 * without measuring, and a store that is broken changes nothing.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { lower } from "../../gpu/lower.ts";
import type { TextStore } from "../../gpu/index.ts";
import { choicesOf, hardware, keyOf, lowerOptions, shadersOf, software } from "../../gpu/wgsl/index.ts";
import type { Choice } from "../../gpu/wgsl/index.ts";
import type { DotKernel } from "../../gpu/kernel.ts";
import { make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { textStore } from "../../runtime/cli/text-store.ts";
import { distance, inFloat64, input, numbers } from "../gpu/harness.ts";
import { gpu, open, runOn } from "./setup.ts";

const [m, n, k] = [60, 58, 300];
/** Multiplications from which on products are measured here: small enough for a software adapter. */
const from = 2 ** 19;
const batch = { x: numbers(m * k, 5), y: numbers(k * n, 6), b: numbers(n, 7) };
const product = (): Node =>
  make("dot", [input("batch", "x", [m, k]), input("batch", "y", [k, n])], { batch: [], contract: [[1, 0]] });
/** With an epilogue, and read by another. */
function graph(): readonly Node[] {
  const y = product();
  const bias = make("expand", [input("batch", "b", [n])], { shape: [m, n], axes: [1] });
  return [make("tanh", [make("add", [y, bias])]), make("sum", [y], { axes: [0, 1] })];
}

function dotOf(schedule = hardware): DotKernel {
  const found = lower([{ node: product() }], lowerOptions(new Set(), schedule)).kernels.find(
    (each) => each.kind === "dot",
  );
  if (found?.kind !== "dot") throw new Error("expected a product");
  return found;
}

/** A store in memory that counts. */
function memory(text?: string): TextStore & { text: string | undefined; saved: number } {
  const store = {
    text,
    saved: 0,
    load: () => Promise.resolve(store.text),
    save: (next: string) => {
      store.text = next;
      store.saved++;
      return Promise.resolve();
    },
  };
  return store;
}

async function ran(store: TextStore) {
  const device = await open({ tune: { store, force: true, from } });
  const { values } = await runOn(device, graph(), batch);
  await device.dispose();
  return values;
}

interface Kept {
  readonly adapters: Record<string, Record<string, Choice>>;
}
const keptIn = (text: string | undefined): Record<string, Choice> =>
  Object.assign({}, ...Object.values((JSON.parse(text ?? "{}") as Kept).adapters));

describe("choices for a product", () => {
  for (const schedule of [hardware, software]) {
    it(`are a handful, each of a shader of its own, ${schedule.together ? "together" : "apart"}`, () => {
      const dot = dotOf(schedule);
      const choices = choicesOf(dot, schedule);
      expect(choices.length).toBeGreaterThan(2);
      expect(choices.length).toBeLessThanOrEqual(8);
      const codes = choices.map((choice) => {
        const tuned = new Map([[keyOf(dot) as string, choice]]);
        return shadersOf(dot, dot.params.map(() => 1), { ...schedule, tuned })[0]?.code; // prettier-ignore
      });
      expect(new Set(codes).size).toBe(choices.length);
      // the first is what the rule takes
      expect(codes[0]).toBe(shadersOf(dot, dot.params.map(() => 1), schedule)[0]?.code); // prettier-ignore
    });
  }
});

/** Shaders with barriers take software drivers a second each to compile. */
const timeout = 400_000;

describe.skipIf(!gpu)("tuning", { timeout }, () => {
  const folders: string[] = [];
  afterEach(() => folders.splice(0).forEach((each) => rmSync(each, { recursive: true, force: true })));
  const folder = () => {
    folders.push(mkdtempSync(join(tmpdir(), "dlx-tune-")));
    return folders.at(-1) as string;
  };

  it("measures a product once, keeps its choice and has the same bits from then on", async () => {
    const store = memory();
    const first = await ran(store);
    const expected = inFloat64(graph(), batch);
    first.forEach((value, i) => expect(distance(value, expected[i] as Float64Array)).toBeLessThan(1e-4));
    expect(store.saved).toBe(1);
    const dot = dotOf(software);
    expect(choicesOf(dot, software)).toContain(keptIn(store.text)[keyOf(dot) as string]);
    const again = await ran(store);
    expect(store.saved).toBe(1);
    expect(again).toEqual(first);
  });

  it("takes what was kept, whatever it is", async () => {
    const measured = memory();
    await ran(measured);
    const expected = inFloat64(graph(), batch);
    for (const choice of ["t4p3", "b4p7"]) {
      const store = memory(measured.text?.replace(/"[tb]\dp\d+"/, `"${choice}"`));
      const values = await ran(store);
      expect(store.saved).toBe(0);
      values.forEach((value, i) => expect(distance(value, expected[i] as Float64Array)).toBeLessThan(1e-4));
    }
  });

  it("is done again where the text is broken, of another version, or names what is no choice", async () => {
    const dot = dotOf(software);
    const entry = (choice: string) => ({ [keyOf(dot) as string]: choice });
    const adapter = "google, swiftshader";
    for (const text of [
      "{ cut",
      "null",
      JSON.stringify({ version: 0, adapters: { [adapter]: entry("t8p1") } }),
      JSON.stringify({ version: 1, adapters: { [adapter]: entry("t7p0"), other: 3 } }),
    ]) {
      // prettier-ignore
      const store = memory(text);
      await ran(store);
      expect(store.saved).toBe(1);
      expect(Object.keys(keptIn(store.text))).toEqual([keyOf(dot)]);
    }
  });

  it("is not asked of small products, of software that nobody forces, or without a store", async () => {
    const store = memory();
    const device = await open({ tune: { store, force: true, from } });
    const node = make("dot", [input("batch", "x", [8, 9]), input("batch", "y", [9, 7])], { batch: [], contract: [[1, 0]] }); // prettier-ignore
    await runOn(device, [node], { x: numbers(72, 1), y: numbers(63, 2) });
    await device.dispose();
    const unforced = await open({ tune: { store, from } });
    await runOn(unforced, graph(), batch);
    await unforced.dispose();
    expect(store).toMatchObject({ text: undefined, saved: 0 });
  });

  it("is kept in a file; one that cannot be written, or holds anything else, is no error", async () => {
    const place = folder();
    const file = join(place, "deep", "products.json");
    const first = await ran(textStore("products.json", join(place, "deep")));
    const text = readFileSync(file, "utf8");
    expect(keptIn(text)).toHaveProperty([keyOf(dotOf(software)) as string]);
    expect(await ran(textStore("products.json", join(place, "deep")))).toEqual(first);
    expect(readFileSync(file, "utf8")).toBe(text);
    const blocked = join(folder(), "file");
    writeFileSync(blocked, "no folder");
    const store = textStore("products.json", blocked);
    await expect(store.load()).resolves.toBeUndefined();
    await expect(store.save("{}")).resolves.toBeUndefined();
    expect(readFileSync(blocked, "utf8")).toBe("no folder");
  });
});
