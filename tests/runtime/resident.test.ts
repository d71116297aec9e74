/** Data sets on the device: gathered there, the same bits as when the host gathers them, on every device. */
import { describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { Device, DeviceInfo, Feeds, Prepared } from "../../gpu/device.ts";
import type { Type } from "../../lang/graph/node.ts";
import { evaluate } from "../../lang/graph/index.ts";
import { createSession } from "../../runtime/index.ts";
import { nodeHost } from "../../runtime/node.ts";
import { ROWS } from "../../runtime/resident.ts";
import { compileText, runText } from "../run-script.ts";
import { gpu, open } from "../webgpu/setup.ts";

/** What a device is given, and a room for data sets of its own. */
interface Watched {
  readonly device: Device;
  readonly created: Map<string, Type>;
  readonly dropped: Set<string>;
  readonly fed: Set<string>;
}

function watch(device: Device, room?: Partial<DeviceInfo>): Watched {
  const created = new Map<string, Type>();
  const dropped = new Set<string>();
  const fed = new Set<string>();
  const info = { ...device.info, ...room };
  const methods: Partial<Device> = {
    info,
    createSlot: (path, type) => {
      created.set(path, type);
      device.createSlot(path, type);
    },
    dropSlot: (path) => {
      dropped.add(path);
      device.dropSlot(path);
    },
    run: (prepared: Prepared, feeds: Feeds) => {
      for (const name of Object.keys(feeds.batch ?? {})) fed.add(name);
      return device.run(prepared, feeds);
    },
  };
  const proxy = new Proxy(device, {
    get: (target, name: keyof Device) => {
      const own = methods[name] ?? target[name];
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
  return { device: proxy, created, dropped, fed };
}

// 1000 rows: 800 in 5 batches of 150 and one of 50; `val` reads the others from the same fields
const script = `seed 3
let data = take(digits().train, 1000) |> split(val: 0.2)
let net = [flatten, Linear(16), relu, Linear(10)]
train (image, label) in batches(shuffle(data.train), 150) for 2 epochs {
  let loss = cross_entropy(net(image), label)
  minimize loss over net with Adam(1e-2)
  plot loss
  every epoch { eval val (image, label) in batches(data.val, 64) { metric acc = accuracy(net(image), label) } }
}
`;

async function run(kind: Watched) {
  const { events, state } = await runText(script, kind.device);
  return { events: events.filter((e) => e.event === "train" || e.event === "eval"), state };
}

const devices: Record<string, () => Promise<Device>> = {
  cpu: async () => new CpuDevice(),
  ...(gpu ? { webgpu: open } : {}),
};

describe.each(Object.keys(devices))("%s", (kind) => {
  const start = devices[kind]!;

  test("holds a data set that fits and gathers its batches, with the bits of the host", async () => {
    const held = watch(await start());
    const fed = watch(await start(), { dataBytes: 0 });
    const [a, b] = [await run(held), await run(fed)];
    expect(a.events.length).toBe(2 * 6 + 2 + 2);
    expect(a.events).toEqual(b.events);
    expect(a.state).toEqual(b.state);

    expect([...held.fed]).toEqual([ROWS]);
    expect([...fed.fed].sort()).toEqual(["image", "label"]);
    const data = [...held.created].filter(([path]) => path.startsWith("data "));
    expect(data.map(([, type]) => type)).toEqual([
      { dtype: "f32", shape: [10000, 28, 28] },
      { dtype: "i32", shape: [10000] },
    ]);
    expect([...fed.created.keys()].filter((path) => path.startsWith("data "))).toEqual([]);
    await held.device.dispose();
    await fed.device.dispose();
  });

  test("feeds a data set with a field that is too large", async () => {
    const narrow = watch(await start(), { fieldBytes: 4 * 10000 * 784 - 1 });
    await run(narrow);
    expect([...narrow.fed].sort()).toEqual(["image", "label"]);
    await narrow.device.dispose();
  });

  test("gives the room back with the session", async () => {
    const held = watch(await start());
    const program = await compileText(script);
    const session = createSession({
      program,
      device: held.device,
      host: nodeHost({ scriptFolder: "/nowhere" }),
      math: evaluate,
      maxSteps: 1,
    });
    session.play();
    await session.done;
    const data = [...held.created.keys()].filter((path) => path.startsWith("data "));
    expect(data).toHaveLength(2);
    for (const path of data) expect(held.dropped.has(path)).toBe(false);
    await session.dispose();
    for (const path of data) expect(held.dropped.has(path)).toBe(true);
    await held.device.dispose();
  });
});
