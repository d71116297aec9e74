/** What a slot keeps is 0 or a normal number: a processor is slow with those between. */
import { expect, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { build as b } from "../../lang/graph/index.ts";
import { input, segment } from "./harness.ts";

const LEAST = 2 ** -126;
const first = [1, -3 * LEAST, LEAST, 0, NaN, Infinity, -Infinity, 1.5 * LEAST];

it("a moment that decays comes to 0, and who reads it beside reads the same", async () => {
  const device = new CpuDevice();
  device.createSlot("m", { dtype: "f32", shape: [first.length] });
  await device.writeSlot("m", Float32Array.from(first));
  const next = b.scale(input("state", "m", [first.length]), 0.5);
  const prepared = await device.prepare(
    segment("decay", [
      { node: next, role: { kind: "commit", path: "m" } },
      { node: b.unary("abs", next), role: { kind: "fetch", name: "read" } },
    ]),
  );
  const wanted = [0.5, -1.5 * LEAST, 0, 0, NaN, Infinity, -Infinity, 0];
  const { fetched } = await device.run(prepared, { scalars: {} });
  expect([...(await device.readSlot("m"))]).toEqual(wanted);
  expect([...fetched["read"]!]).toEqual(wanted.map(Math.abs));
  for (let i = 0; i < 200; i++) await device.run(prepared, { scalars: {} });
  expect([...(await device.readSlot("m"))]).toEqual([0, 0, 0, 0, NaN, Infinity, -Infinity, 0].map((x) => x + 0));
  await device.dispose();
});
