/** Where the person wants to train, in the browser's storage: a reload trains there again. */
import type { WebDeviceKind } from "../../runtime/index.ts";

/** Of the web's `Storage`. */
export interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const KEY = "dlx.device";
const KINDS: readonly WebDeviceKind[] = ["auto", "webgpu", "cpu"];

export const keptDevice = (store: Store): WebDeviceKind => KINDS.find((kind) => kind === store.getItem(KEY)) ?? "auto";

/** A full storage forgets it, nothing else. */
export function keepDevice(store: Store, kind: WebDeviceKind): void {
  try {
    store.setItem(KEY, kind);
  } catch (error) {
    console.warn(`the choice of a device is not kept: ${String(error)}`);
  }
}
