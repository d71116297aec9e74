/**
 * Counts the typed arrays that are made while something runs: `fresh` with memory of their own, `views` of memory that
 * was there, `copies` by slice.
 */
export interface Arrays {
  fresh: number;
  views: number;
  copies: number;
}

const NAMES = ["Float32Array", "Float64Array", "Int32Array", "Uint32Array", "Uint8Array", "DataView"] as const;
const BUFFERS = ["ArrayBuffer", "SharedArrayBuffer"] as const;

type Construct = (...args: unknown[]) => object;
type Slice = (this: unknown, ...args: unknown[]) => unknown;

export async function countArrays(act: () => Promise<void>): Promise<Arrays> {
  const counts: Arrays = { fresh: 0, views: 0, copies: 0 };
  const undo: (() => void)[] = [];
  const replace = (owner: object, key: string, value: unknown) => {
    const before = Object.getOwnPropertyDescriptor(owner, key) as PropertyDescriptor;
    Object.defineProperty(owner, key, { ...before, value });
    undo.push(() => void Object.defineProperty(owner, key, before));
  };
  for (const name of [...NAMES, ...BUFFERS]) {
    const own = globalThis[name] as unknown as Construct;
    const construct = (target: Construct, args: unknown[], made: Construct): object => {
      const viewed = args[0] instanceof ArrayBuffer || args[0] instanceof SharedArrayBuffer;
      counts[viewed ? "views" : "fresh"]++;
      return Reflect.construct(target, args, made === counted ? target : made) as object;
    };
    const counted: Construct = new Proxy(own, { construct });
    replace(globalThis, name, counted);
  }
  const prototypes = [Object.getPrototypeOf(Float32Array.prototype), ArrayBuffer.prototype] as object[];
  for (const prototype of prototypes) {
    const slice = Reflect.get(prototype, "slice") as Slice;
    replace(prototype, "slice", function (this: unknown, ...args: unknown[]): unknown {
      counts.copies++;
      return Reflect.apply(slice, this, args);
    });
  }
  try {
    await act();
  } finally {
    for (const each of undo.reverse()) each();
  }
  return counts;
}
