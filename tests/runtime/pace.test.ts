/** A paced run takes its time and is the same run. */
import { expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { Gate } from "../../runtime/clock.ts";
import { evaluate } from "../../lang/graph/index.ts";
import { compile } from "../../lang/index.ts";
import { createSession } from "../../runtime/index.ts";
import { prelude } from "../../stdlib/index.ts";

const text = `seed 2
let x = normal([16, 3])
let net = Linear(2)
train for 8 steps {
  let loss = mean(net(x) ^ 2)
  minimize loss over net with SGD(0.1)
  plot loss
}
`;
const nowhere = async (): Promise<never> => {
  throw new Error("expected a script without files");
};

async function losses(perSecond?: number): Promise<number[]> {
  const { program } = await compile(
    { file: "s.dlx", text },
    { prelude, facts: async () => undefined, readModule: async () => undefined },
  );
  const device = new CpuDevice();
  const host = { open: nowhere, load: nowhere, save: nowhere };
  const session = createSession({ program: program!, device, host, math: evaluate });
  const values: number[] = [];
  session.points$.subscribe(({ value }) => values.push(value));
  if (perSecond !== undefined) session.pace(perSecond);
  session.play();
  await session.done;
  await device.dispose();
  return values;
}

test("the numbers do not depend on the pace", async () => {
  expect(await losses(200)).toEqual(await losses());
});

test("a gate with a pace lets the next tick wait, and no pace lets it go", async () => {
  const gate = new Gate();
  gate.to("playing");
  gate.pace(0.001);
  expect([gate.take(), gate.take()]).toEqual([true, false]);
  const waits = gate.wait();
  gate.pace(Infinity);
  await waits;
  expect(gate.take()).toBe(true);
});

test("a pause ends the wait of a paced gate", async () => {
  const gate = new Gate();
  gate.to("playing");
  gate.pace(0.001);
  gate.take();
  const waits = gate.wait();
  gate.to("paused");
  await waits;
  expect(gate.take()).toBe(false);
  gate.step();
  expect(gate.take()).toBe(true);
});
