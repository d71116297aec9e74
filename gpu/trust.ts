/**
 * Programs that ran on an adapter with every check of the driver on, and without an error, are remembered: the next time
 * they may run without those checks. An error of any kind takes the memory back. Where it is kept, the host says.
 */
import { deviceAround, type Device } from "./device.ts";

/** A text that stays from one run of the host to the next, if it can. */
export interface TextStore {
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
}

/** Programs that are remembered, the latest last. */
const MOST = 256;

export class Trust {
  private readonly store: TextStore;
  private readonly program: () => Promise<string>;

  /** `program` names adapter and kernels, and the choices by which these are cut: a run may make more of them. */
  constructor(store: TextStore, program: () => Promise<string>) {
    this.store = store;
    this.program = program;
  }

  async has(): Promise<boolean> {
    return (await this.programs()).includes(await this.program());
  }

  async keep(passed: boolean): Promise<void> {
    const own = await this.program();
    const others = (await this.programs()).filter((name) => name !== own);
    await this.store.save(JSON.stringify([...others, ...(passed ? [own] : [])].slice(-MOST)));
  }

  private async programs(): Promise<readonly string[]> {
    const text = await this.store.load();
    if (text === undefined) return [];
    try {
      const read: unknown = JSON.parse(text);
      return Array.isArray(read) ? read.filter((name) => typeof name === "string") : [];
    } catch {
      // a file that something else wrote holds no program
      return [];
    }
  }
}

/** The device; when it is disposed of, what it ran is remembered, or forgotten if anything of it failed. */
export function trusting(device: Device, trust: Trust): Device {
  let ran = false;
  let failed = false;
  const watched = async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  return deviceAround(device, {
    readSlot: (path) => watched(() => device.readSlot(path)),
    prepare: (segment) => watched(() => device.prepare(segment)),
    run: (prepared, feeds) =>
      watched(async () => {
        const result = await device.run(prepared, feeds);
        ran = true;
        return result;
      }),
    dispose: async () => {
      try {
        await watched(() => device.dispose());
      } finally {
        if (ran || failed) await trust.keep(!failed);
      }
    },
  });
}
