/** A device without room: the message names what needs how much and the largest batch that fits, and that is true. */
import { describe, expect, it } from "vitest";
import { openDevice } from "../../gpu/index.ts";
import { evaluate } from "../../lang/graph/index.ts";
import { renderDiagnostic, type Program } from "../../lang/index.ts";
import { createSession, type RunEvent } from "../../runtime/index.ts";
import { nodeHost } from "../../runtime/node.ts";
import { compileText } from "../run-script.ts";

interface Ran {
  readonly program: Program;
  readonly events: readonly RunEvent[];
}

const MIB = 16;

/** On a cpu device that may use so many MiB of its memory. */
async function within(mebibytes: number, text: string): Promise<Ran> {
  const device = await openDevice("cpu", {});
  const heap: unknown = Reflect.get(device, "heap");
  if (typeof heap !== "object" || heap === null) throw new Error("expected the memory of a cpu device");
  Reflect.set(heap, "limit", mebibytes * MIB);
  try {
    const program = await compileText(text);
    const host = nodeHost({ scriptFolder: "/nowhere" });
    const session = createSession({ program, device, host, math: evaluate, maxSteps: 2 });
    const events: RunEvent[] = [];
    session.events$.subscribe((event) => events.push(event));
    session.play();
    await session.done;
    return { program, events };
  } finally {
    await device.dispose();
  }
}

function message({ events, program }: Ran): string {
  const error = events.find((event) => event.event === "error");
  if (error?.event !== "error") throw new Error(`expected an error, got ${JSON.stringify(events.at(-1))}`);
  return renderDiagnostic(error.diagnostic, [...program.sources]);
}
const status = ({ events }: Ran) => {
  const end = events.at(-1);
  return end?.event === "end" ? end.status : undefined;
};

describe("the largest batch that fits runs, and twice that does not", () => {
  const script =
    (layers: string, optimizer: string, rows: number) =>
    (batch: number) => `let rows = toy.linear(w: [3, 4], n: ${rows}, noise: 0.1)
let f = [${layers}, Linear(1)]
train (x, y) in batches(rows, ${batch}) for 2 epochs {
  minimize mse(squeeze(f(x), -1), y) over f with ${optimizer}
}
`;
  const wide = script("Linear(256), tanh, Linear(64), tanh", "SGD(1e-3)", 30_000);
  const deep = script("Linear(512), tanh, Linear(512), tanh", "Adam(1e-3)", 12_000);
  it.each([
    ["from the full and the short batch", wide, 12_500, 16],
    ["from the full batch alone", wide, 15_000, 16],
    ["with many params, from both", deep, 3_200, 16],
    ["with many params, from the full batch alone", deep, 4_000, 16],
  ])("%s", async (_, make, batch, mebibytes) => {
    const text = message(await within(mebibytes, make(batch)));
    expect(text).toContain("error[DLX0708]: a step of this block needs ");
    const fits = Number(/use batches of at most (\d+)/.exec(text)?.[1]);
    expect(fits).toBeGreaterThan(0);
    expect(fits).toBeLessThan(batch);
    expect(status(await within(mebibytes, make(fits)))).toBe("done");
    expect(message(await within(mebibytes, make(2 * fits)))).toContain("DLX0708");
  });
  it("says all of it", async () => {
    expect(message(await within(16, wide(15_000)))).toMatchInlineSnapshot(`
      "error[DLX0708]: a step of this block needs 33.9 MiB of memory, but there are
          only 16 MiB
       --> script.dlx:3:1
        |
      3 | train (x, y) in batches(rows, 15000) for 2 epochs {
        | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a batch of 15000
        |
        = note: the largest value is f32[15000, 256], 14.7 MiB
        = note: the device is cpu (WebAssembly, SIMD, 1 thread)
        = help: use batches of at most 6828: \`batches(.., 6828)\`"
    `);
  });
  it("not one row fits", async () => {
    const text = message(await within(48, script("Linear(1500), tanh, Linear(1500), tanh", "Adam(1e-3)", 100)(10)));
    expect(text).toMatchInlineSnapshot(`
      "error[DLX0708]: a step of this block needs 52.9 MiB of memory, but there are
          only 48 MiB
       --> script.dlx:3:1
        |
      3 | train (x, y) in batches(rows, 10) for 2 epochs {
        | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a batch of 10
        |
        = note: the largest value is f32[1500, 1500], 8.59 MiB
        = note: the device is cpu (WebAssembly, SIMD, 1 thread)
        = help: use smaller batches than 10"
    `);
  });
});

it("a value outside of blocks", async () => {
  expect(message(await within(16, "let x = normal([3000, 3000])\nprint mean(x @ x.T)\n"))).toMatchInlineSnapshot(`
    "error[DLX0708]: this needs 69.8 MiB of memory, but there are only 16 MiB
     --> script.dlx:1:9
      |
    1 | let x = normal([3000, 3000])
      |         ^^^^^^^^^^^^^^^^^^^^ needs it
      |
      = note: the largest value is f32[3000, 3000], 34.4 MiB
      = note: the device is cpu (WebAssembly, SIMD, 1 thread)
      = help: make it smaller, or compute it piece by piece in a loop"
  `);
});
it("params", async () => {
  expect(message(await within(16, "let f = Linear(3000)\nprint mean(f(ones([2, 3000])))\n"))).toMatchInlineSnapshot(`
    "error[DLX0708]: what this program keeps needs 34.5 MiB of memory, but there are
        only 16 MiB
     --> stdlib/layers.dlx:6:3
      |
    6 |   param w: [In, Out] ~ init
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^ needs it
      |
      = note: the largest value is \`f.w\`, f32[3000, 3000], 34.4 MiB
      = note: the device is cpu (WebAssembly, SIMD, 1 thread)
      = help: make it smaller, or compute it piece by piece in a loop"
  `);
});
it("rows that no array can hold", async () => {
  const text =
    "let rows = toy.linear(w: [3, 4], n: 4000000000, noise: 0.1)\neval e (x, y) in batches(rows, 10) { metric m = mean(x) }\n";
  expect(message(await within(16, text))).toMatchInlineSnapshot(`
    "error[DLX0505]: the rows of \`toy.linear\` do not fit into memory
     --> script.dlx:1:12
      |
    1 | let rows = toy.linear(w: [3, 4], n: 4000000000, noise: 0.1)
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ read whole here
      |
      = note: the engine says: Invalid typed array length: 8000000000
      = help: read fewer rows"
  `);
});
