/** Sessions and swaps leave nothing behind: memory, tapes and modules of a device are what the program at work needs. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { Device } from "../../gpu/device.ts";
import { WebGpuDevice } from "../../gpu/webgpu.ts";
import { evaluate } from "../../lang/graph/index.ts";
import { createSession, type Session } from "../../runtime/index.ts";
import { nodeHost } from "../../runtime/node.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { compileText } from "../run-script.ts";
import { gpu, open } from "../webgpu/setup.ts";

/** `weight` makes other kernels of it, as large as before. */
const script = (weight: number) => `seed 1
let points = toy.spirals(n: 40, noise: 0.1)
let net = [Linear(4), tanh, Linear(2)]
train (x, label) in batches(shuffle(points), 8) for 1000 epochs {
  let loss = ${weight} * cross_entropy(net(x), label)
  minimize loss over net with Adam(1e-3)
  plot loss
}
`;

const devices: Record<string, () => Promise<Device>> = {
  cpu: async () => new CpuDevice({ threads: 2, startWorker: startNodeWorker, grain: 0 }),
  ...(gpu ? { webgpu: open } : {}),
};

/** What the device holds, in its own words. */
function held(device: Device): Record<string, number> {
  if (device instanceof WebGpuDevice) return { words: device["memory"].used, slots: device["cells"].size };
  if (!(device instanceof CpuDevice)) throw new Error("expected a device of kernels");
  return { bytes: device["heap"].used, ...device["workers"]?.held };
}

describe.each(Object.entries(devices))("on %s", (_, make) => {
  let device: Device;
  beforeAll(async () => {
    device = await make();
  });
  afterAll(() => device.dispose());

  async function begun(weight: number): Promise<Session> {
    const program = await compileText(script(weight));
    const host = nodeHost({ scriptFolder: "/nowhere" });
    // with more ticks in flight a segment takes as much room as it happens to need
    const session = createSession({ program, device, host, math: evaluate, credit: 1 });
    await untilStep(session, 3);
    return session;
  }
  /** Played on until then, and paused there. */
  async function untilStep(session: Session, steps: number): Promise<void> {
    await new Promise<void>((reached) => {
      let seen = 0;
      const watching = session.metrics$.subscribe(() => {
        if (++seen < steps) return;
        session.pause();
        watching.unsubscribe();
        reached();
      });
      session.play();
    });
    // behind what was in flight
    await session.peek([]);
  }

  test("a session that is disposed of", async () => {
    const found: Record<string, number>[] = [];
    for (let i = 0; i < 4; i++) {
      const session = await begun(1);
      await session.dispose();
      found.push(held(device));
    }
    expect(found[3]).toEqual(found[1]);
  });

  test("a program that another took the place of", async () => {
    const session = await begun(1);
    const found: Record<string, number>[] = [];
    for (let i = 0; i < 6; i++) {
      for (const weight of [2 + i, 1]) {
        await session.swap(await compileText(script(weight)));
        await untilStep(session, 3);
      }
      found.push(held(device));
    }
    await session.dispose();
    expect(found[5]).toEqual(found[1]);
  });
});
