/** A device that notes how long it takes to make segments ready: kernels made and compiled, memory planned. */
import { deviceAround, type Device } from "../../gpu/device.ts";
import { withoutPass } from "../passes.ts";

export interface PreparedIn {
  readonly segment: string;
  readonly ms: number;
}

/** The newest last; a segment that is made ready again, as after an edit, stands there anew. */
export function notingPrepare(device: Device, now: () => number = () => performance.now()) {
  const took = new Map<string, PreparedIn>();
  const own = deviceAround(device, {
    prepare: async (segment) => {
      const begin = now();
      const prepared = await device.prepare(segment);
      took.delete(segment.name);
      took.set(segment.name, { segment: withoutPass(segment.name), ms: now() - begin });
      return prepared;
    },
  });
  return { device: own, prepared: (): PreparedIn[] => [...took.values()] };
}
