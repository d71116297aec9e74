/** A number that is not finite: the message names the line and the operation that made the first one, and nothing is lost. */
import { describe, expect, it } from "vitest";
import type { Device } from "../../gpu/device.ts";
import { openDevice } from "../../gpu/index.ts";
import { renderDiagnostic } from "../../lang/index.ts";
import { runText, type Ran } from "../run-script.ts";
import { gpu, open } from "../webgpu/setup.ts";

const data = `seed 1
let rows = toy.linear(w: [3, 4], n: 400, noise: 0.1)
let f = Linear(1)
`;

async function ran(text: string, steps?: number, own?: Device): Promise<Ran> {
  const device = own ?? (await openDevice("cpu", {}));
  try {
    return await runText(text, device, { steps });
  } finally {
    await device.dispose();
  }
}

function message({ events, program }: Ran): string {
  const error = events.find((event) => event.event === "error");
  if (error?.event !== "error") throw new Error(`expected an error, got ${JSON.stringify(events.at(-1))}`);
  return renderDiagnostic(error.diagnostic, [...program.sources]);
}

const block = (body: string) => `${data}train (x, y) in batches(rows, 20) for 3 epochs {
${body}
}
`;

describe("the first number that is not finite", () => {
  const negative = block(`  let z = squeeze(f(x), -1)^2 + 1
  let q = step == 7 ? log(0.5 - z) : log(z)
  let loss = mse(q, y)
  minimize loss over f with Adam(1e-3)`);
  it("the log of a negative number in step 7, and params and states as step 6 left them", async () => {
    const failed = await ran(negative);
    expect(message(failed)).toMatchInlineSnapshot(`
      "error[DLX0701]: loss is not a finite number in step 7: \`log\` of a negative
          number, -52.95
       --> script.dlx:6:23
        |
      6 |   let q = step == 7 ? log(0.5 - z) : log(z)
        |                       ^^^^^^^^^^^^ the first number that is not finite: NaN
      7 |   let loss = mse(q, y)
      8 |   minimize loss over f with Adam(1e-3)
        |            ---- became infinite or NaN
        |
        = note: step 7, epoch 1; params and states are as they were before this step
        = help: keep it above 0, for instance \`log(max(x, 1e-6))\`; of probabilities,
                \`log_softmax\` is safe"
    `);
    expect(failed.events.at(-1)).toMatchObject({ event: "end", status: "failed", steps: 6 });
    const before = await ran(negative, 6);
    expect(before.events.at(-1)).toMatchObject({ status: "done", steps: 6 });
    expect(Object.keys(failed.state).length).toBeGreaterThan(4);
    expect(failed.state).toEqual(before.state);
  });
  it.skipIf(!gpu)("the same on webgpu, where later steps were under way", async () => {
    const failed = await ran(negative, undefined, await open());
    expect(message(failed)).toContain("loss is not a finite number in step 7: `log` of a negative");
    expect(message(failed)).toContain("script.dlx:6:23");
    expect(failed.state).toEqual((await ran(negative, 6, await open())).state);
  });
  it.each([
    ["log of 0", "log(0 * z)"],
    ["log1p", "log1p(z - z - 2)"],
    ["sqrt", "sqrt(-1 - z^2)"],
    ["exp", "exp(100 + z^2)"],
    ["division", "y / (z - z)"],
    ["0 / 0", "(z - z) / (z - z)"],
    ["remainder", "y % (z - z)"],
    ["power of a negative number", "(-1 - z^2)^0.5"],
    ["negative power of 0", "(z - z)^(-1.5)"],
    ["square", "(1e30 + z)^2"],
    ["product", "(1e30 + z) * (1e20 + z)"],
    ["difference", "(-3e38 + z) - (3e38 + z)"],
    ["sum", "y + sum(3e38 + 0 * z)"],
    ["number of the script", "z * 1e39"],
  ])("%s", async (_, expression) => {
    const text = message(
      await ran(block(`  let z = squeeze(f(x), -1)\n  minimize mean(${expression}) over f with SGD(1e-3)`)),
    );
    expect(text.slice(0, text.indexOf("= note"))).toMatchSnapshot();
  });
  it("inside of the library: the line of the script that uses it, and the place", async () => {
    expect(message(await ran(block("  minimize mse(squeeze(f(x), -1), y) over f with SGD(1e3)"))))
      .toMatchInlineSnapshot(`
      "error[DLX0701]: the loss is not a finite number in step 5: 1.169e23 ^ 2 is above
          the largest number of 32 bits, 3.403e38
       --> script.dlx:5:16
        |
      5 |   minimize mse(squeeze(f(x), -1), y) over f with SGD(1e3)
        |            ----^^^^^^^^^^^^^^^^^----
        |            |   comes from here
        |            became infinite or NaN
       ::: stdlib/losses.dlx:4:21
        |
      4 | fn mse(a, b) = mean((a - b)^2)
        |                     --------- the first number that is not finite: infinity
        |
        = note: step 5, epoch 1; params and states are as they were before this step
        = help: lower the learning rate, or clip the gradient:
                \`with clip_norm(1.0) |> ..\`"
    `);
  });
  it("inside of the library, under another name: the line with what it was made from", async () => {
    const text = block(`  let z = squeeze(f(x), -1)
  let loss = mse(1e30 * z, y)
  minimize loss over f with SGD(1e-3)`);
    expect(message(await ran(text))).toMatchInlineSnapshot(`
      "error[DLX0701]: loss is not a finite number in step 1: -2.705e31 ^ 2 is above
          the largest number of 32 bits, 3.403e38
       --> script.dlx:6:18
        |
      6 |   let loss = mse(1e30 * z, y)
        |                  ^^^^^^^^ comes from here
      7 |   minimize loss over f with SGD(1e-3)
        |            ---- became infinite or NaN
       ::: stdlib/losses.dlx:4:21
        |
      4 | fn mse(a, b) = mean((a - b)^2)
        |                     --------- the first number that is not finite: infinity
        |
        = note: step 1, epoch 1; params and states are as they were before this step
        = help: lower the learning rate, or clip the gradient:
                \`with clip_norm(1.0) |> ..\`"
    `);
  });
  it("inside of a loop: the tick", async () => {
    const text = block(`  let z = squeeze(f(x), -1)
  let v = iterate 5 with v = z^2 + 1.5 { v <- sqrt(v - 1) }
  minimize mse(v, y) over f with SGD(1e-3)`);
    expect(message(await ran(text))).toMatchInlineSnapshot(`
      "error[DLX0701]: the loss is not a finite number in step 1: \`sqrt\` of a negative
          number, -0.5103
       --> script.dlx:6:47
        |
      6 |   let v = iterate 5 with v = z^2 + 1.5 { v <- sqrt(v - 1) }
        |                                               ^^^^^^^^^^^
        |                                     the first number that is not finite: NaN
      7 |   minimize mse(v, y) over f with SGD(1e-3)
        |            --------- became infinite or NaN
        |
        = note: in tick 3 of the loop
        = note: step 1, epoch 1; params and states are as they were before this step
        = help: keep it from falling below 0, for instance \`sqrt(max(x, 0))\`"
    `);
  });
  it("what a condition does not choose is not to blame", async () => {
    const text = block(`  let z = squeeze(f(x), -1)
  let safe = where(z > 1e9, log(-1 - z^2), z)
  minimize mean(safe / (y - y)) over f with SGD(1e-3)`);
    expect(message(await ran(text))).toContain("a division by 0");
  });
  it("params that an infinite gradient left without a value", async () => {
    const text = block(`  let z = squeeze(f(x), -1)
  minimize mean(sqrt(z - stop(z))) over f with SGD(1e-3)`);
    expect(message(await ran(text))).toMatchInlineSnapshot(`
      "error[DLX0701]: the loss is not a finite number in step 2: \`f.w\` held NaN before
          this step
       --> script.dlx:5:11
        |
      5 |   let z = squeeze(f(x), -1)
        |           ^^^^^^^^^^^^^^^^^ comes from here
      6 |   minimize mean(sqrt(z - stop(z))) over f with SGD(1e-3)
        |            ----------------------- became infinite or NaN
       ::: stdlib/layers.dlx:6:3
        |
      6 |   param w: [In, Out] ~ init
        |   ------------------------- kept here
        |
        = note: step 2, epoch 1; begin again, or from the last file that was saved
        = help: the update of an earlier step left it so, its gradient was not finite:
                lower the learning rate, or clip the gradient:
                \`with clip_norm(1.0) |> ..\`"
    `);
  });
});
