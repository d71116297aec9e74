/**
 * Random graphs and their gradients on every column of `columns.ts` and in float64. `npm run fuzz:graphs` runs many more:
 * DLX_FUZZ_RUNS and DLX_FUZZ_SEED say how many and where to begin, DLX_FUZZ_REPORT the file that is told what was
 * compared. A failure prints the smallest graph as text.
 */
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { Device, Numbers } from "../../gpu/device.ts";
import { text } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { columns } from "./columns.ts";
import type { Column } from "./columns.ts";
import { batch, choices, gradientsOf, grow, scalars } from "./graphs.ts";
import { fetches, inFloat64, segment } from "./harness.ts";

const runs = Number(process.env["DLX_FUZZ_RUNS"] ?? 500);
const seed = Number(process.env["DLX_FUZZ_SEED"] ?? 7);
const report = process.env["DLX_FUZZ_REPORT"];

const open = new Map<string, { readonly device: Device; used: number }>();

let compared = 0;

async function deviceOf({ name, open: make, graphs }: Column): Promise<Device> {
  let at = open.get(name);
  if (at && at.used >= graphs) {
    await at.device.dispose();
    at = undefined;
  }
  at ??= { device: await make(), used: 0 };
  at.used++;
  open.set(name, at);
  return at.device;
}

afterAll(async () => {
  for (const { device } of open.values()) await device.dispose();
  if (report) writeFileSync(report, JSON.stringify({ graphs: compared, columns: columns.map((c) => c.name) }));
});

/** Twice: the second run finds what the first one left in memory, and has the same bits. */
async function runOn(device: Device, nodes: readonly Node[]): Promise<Numbers[]> {
  const prepared = await device.prepare(segment("random", fetches(nodes)));
  const [first, again] = [
    await device.run(prepared, { scalars, batch }),
    await device.run(prepared, { scalars, batch }),
  ];
  return nodes.map((_, i) => {
    const value = first.fetched[`r${i}`] as Numbers;
    if (!sameBits(value, again.fetched[`r${i}`] as Numbers))
      throw new Error(`result ${i} has other bits the second time`);
    return value;
  });
}

/** The greatest error against the size of the tensor; small numbers of cancelled sums count little. */
function apart(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity;
  let scale = 0.02;
  let worst = 0;
  for (let i = 0; i < got.length; i++) scale = Math.max(scale, Math.abs(expected[i] as number));
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs((got[i] as number) - (expected[i] as number)) / scale;
    if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error;
  }
  return worst;
}

function sameBits(a: Numbers, b: Numbers): boolean {
  const bits = (n: Numbers) => new Uint32Array(n.buffer, n.byteOffset, n.length);
  const other = bits(b);
  return a.length === b.length && bits(a).every((word, i) => word === other[i]);
}

async function compare(nodes: readonly Node[], limit: number): Promise<void> {
  compared++;
  const fail = (name: string, what: string): never => {
    throw new Error(`${name}: ${what}\n${text(nodes)}`);
  };
  // all at once: a GPU compiles while others compute
  const ran = await Promise.all(
    columns.map(async (column) => {
      const device = await deviceOf(column);
      return runOn(device, nodes).catch((error: unknown) => fail(column.name, String((error as Error).stack)));
    }),
  );
  const exact = inFloat64(nodes, batch, scalars);
  columns.forEach(({ name, agree }, c) => {
    ran[c]?.forEach((value, i) => {
      const error = apart(value, exact[i] as Float64Array);
      if (!(error <= limit)) fail(name, `result ${i} is ${error} from its value in float64`);
      if (agree === "bits" && !sameBits(value, ran[0]?.[i] as Numbers))
        fail(name, `result ${i} has other bits than on cpu`);
    });
  });
}

const settings = { numRuns: Math.ceil(runs / 2), seed, endOnFailure: false };
const timeout = 60_000 + runs * 600;

describe(`random graphs (seed ${seed})`, () => {
  it(`${Math.ceil(runs / 2)} have the same values everywhere`, { timeout }, async () => {
    await fc.assert(
      fc.asyncProperty(choices(16), fc.nat(7), async (list, large) => {
        await compare(grow(list, large === 0, false).nodes, 2e-4);
      }),
      settings,
    );
    expect(open.size).toBe(columns.length);
  });

  it(`${Math.ceil(runs / 2)} have the same gradients everywhere`, { timeout }, async () => {
    await fc.assert(
      fc.asyncProperty(choices(10), fc.nat(7), async (list, large) => {
        await compare(gradientsOf(grow(list, large === 0, true)), 5e-4);
      }),
      settings,
    );
    expect(open.size).toBe(columns.length);
  });
});
