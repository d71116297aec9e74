/** A GPUDevice that counts what is asked of it, and the bytes that its queue writes. */
/// <reference types="@webgpu/types" />

export type Counts = Record<string, number>;

/** Of `writeBuffer(buffer, at, data, from, size)`: the last two count elements, of a plain buffer bytes. */
function bytesOf([, , data, from, size]: readonly unknown[]): number {
  const { byteLength } = data as ArrayBuffer | ArrayBufferView;
  const width = (data as { readonly BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
  return size === undefined ? byteLength - width * ((from as number | undefined) ?? 0) : width * (size as number);
}

function counted<T extends object>(target: T, name: string, counts: Counts, wrap: Readonly<Record<string, string>>): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof key === "string" && key in wrap && typeof value === "object" && value !== null) {
        return counted(value, wrap[key] ?? key, counts, wrap);
      }
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        const call = `${name}.${String(key)}`;
        counts[call] = (counts[call] ?? 0) + 1;
        if (call === "queue.writeBuffer") counts["bytes"] = (counts["bytes"] ?? 0) + bytesOf(args);
        const result: unknown = Reflect.apply(value as (...given: unknown[]) => unknown, object, args);
        const kind = wrap[String(key)];
        return kind !== undefined && typeof result === "object" && result !== null
          ? counted(result, kind, counts, wrap)
          : result;
      };
    },
  });
}

export function recorded(device: GPUDevice): { readonly device: GPUDevice; readonly counts: Counts } {
  const counts: Counts = {};
  const wrap = { queue: "queue", createCommandEncoder: "encoder", beginComputePass: "pass" };
  return { device: counted(device, "device", counts, wrap), counts };
}
