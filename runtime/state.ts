/**
 * The state table as the session sees it: cells on the device, scalars that the host keeps in float64, and cells that a
 * file fills: when the session begins, or, where the script itself writes the file first, before a segment reads one.
 */
import type { Device, Numbers } from "../gpu/device.ts";
import type { Type } from "../lang/graph/node.ts";
import type { Program, Slot } from "../lang/program.ts";
import { UserError } from "../lang/diagnostic.ts";
import { loadDiffers, loadedNotFinite, type Difference } from "../lang/errors/running.ts";
import type { Files } from "./host.ts";
import { withoutPass } from "./passes.ts";

export type HostState = ReadonlyMap<string, number>;

export class StateTable {
  private readonly device: Device;
  private readonly slots: Program["slots"];
  private readonly files: Files;
  private host = new Map<string, number>();
  /** Values of host cells as the device last got them. */
  private readonly uploaded = new Map<string, number>();
  /** Cells that still wait for their file. */
  private readonly waiting = new Map<string, Slot>();

  constructor(device: Device, slots: Program["slots"], files: Files) {
    this.device = device;
    this.slots = slots;
    this.files = files;
  }

  /**
   * `kept`: values that go on from another program; the others begin anew. The cells of `standing` are there already, with
   * those values.
   */
  create(kept: ReadonlyMap<string, Numbers> = new Map(), standing: ReadonlySet<string> = new Set()): void {
    for (const { path, type } of Object.values(this.slots)) if (!standing.has(path)) this.device.createSlot(path, type);
    this.reset(Object.keys(this.slots).filter((path) => !kept.has(path)));
    for (const [path, values] of kept) {
      if (this.isHost(path)) this.host.set(path, values[0] ?? 0);
      else if (!standing.has(path)) this.device.writeSlot(path, values);
    }
  }

  drop(but: ReadonlySet<string> = new Set()): void {
    for (const path of Object.keys(this.slots)) if (!but.has(path)) this.device.dropSlot(path);
  }

  /** Back to the first values, for those paths that have one without a segment. */
  reset(paths: Iterable<string>): void {
    for (const path of paths) {
      const slot = this.slot(path);
      if (slot.load) this.waiting.set(path, slot);
      if (slot.host) this.host.set(path, slot.init ?? 0);
      else if (slot.init !== undefined) this.device.writeSlot(path, slot.init);
    }
  }

  slot(path: string): Slot {
    const slot = this.slots[path];
    if (!slot) throw new Error(`expected a slot ${path}, got none in the program`);
    return slot;
  }
  isHost(path: string): boolean {
    return this.slot(path).host === true;
  }

  // ------------------------------------------------------------ host scalars

  hostValue(path: string): number {
    return this.host.get(path) ?? 0;
  }
  snapshot(): HostState {
    return this.host;
  }
  restore(state: HostState): void {
    this.host = new Map(state);
  }
  /** A new map each time, so that a snapshot costs nothing. */
  commitHost(values: ReadonlyMap<string, number>): void {
    if (values.size > 0) this.host = new Map([...this.host, ...values]);
  }
  /** Brings host cells that a segment reads on the device up to date. */
  upload(paths: readonly string[]): void {
    for (const path of paths) {
      const value = this.hostValue(path);
      if (Object.is(this.uploaded.get(path), value)) continue;
      this.device.writeSlot(path, value);
      this.uploaded.set(path, value);
    }
  }

  async read(path: string): Promise<Numbers> {
    if (this.isHost(path)) return Float64Array.of(this.hostValue(path));
    await this.need([path]);
    return this.device.readSlot(path);
  }

  // ------------------------------------------------------------ loading

  waits(paths: readonly string[]): boolean {
    return this.waiting.size > 0 && paths.some((path) => this.waiting.has(path));
  }

  /** Fills all waiting cells but those of files that the script itself writes first: a wrong file is told at once. */
  async needAllBut(files: ReadonlySet<string>): Promise<void> {
    await this.need(
      [...this.waiting.values()].flatMap(({ path, load }) => (load && files.has(load.file) ? [] : [path])),
    );
  }

  /** Fills the waiting cells among these, and all that wait for the same file at the same place of the script. */
  async need(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const load = this.waiting.get(path)?.load;
      if (!load) continue;
      const group = [...this.waiting.values()].filter(
        (slot) => slot.load?.file === load.file && slot.load.span.start === load.span.start,
      );
      await this.fill(load.file, group);
    }
  }

  private async fill(file: string, group: readonly Slot[]): Promise<void> {
    const span = group[0]?.load?.span;
    const tensors = await this.files.load(file, span);
    const wrong: Difference[] = [];
    for (const { type, load } of group) {
      const name = load?.name ?? "";
      const found = tensors.get(name);
      const [expected, got] = [typeText(type), found ? typeText(found) : "not there"];
      if (expected !== got) wrong.push({ name, expected, found: got });
    }
    if (wrong.length > 0) {
      const asked = new Set(group.map((slot) => slot.load?.name));
      for (const [name, found] of tensors)
        if (!asked.has(name)) wrong.push({ name, expected: "not there", found: typeText(found) });
      throw new UserError(loadDiffers(file, wrong, span));
    }
    for (const { load } of group) {
      const { name = "" } = load ?? {};
      const found = tensors.get(name);
      const at = found?.dtype === "f32" ? found.data.findIndex((x) => !Number.isFinite(x)) : -1;
      if (found && at >= 0)
        throw new UserError(loadedNotFinite(file, name, indexOf(at, found.shape), found.data[at] ?? NaN, span));
    }
    for (const slot of group) {
      const found = tensors.get(slot.load?.name ?? "");
      this.waiting.delete(slot.path);
      if (!found) continue;
      if (slot.host) this.host = new Map([...this.host, [slot.path, found.data[0] ?? 0]]);
      else this.device.writeSlot(slot.path, found.data);
    }
  }
}

/** Of a place in row-major order. */
function indexOf(place: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let left = place;
  for (const size of [...shape].reverse()) {
    index.unshift(left % size);
    left = Math.floor(left / size);
  }
  return index;
}

export function typeText(type: { readonly dtype: string; readonly shape: readonly number[] }): string {
  return `${type.dtype}[${type.shape.join(", ")}]`;
}

export function elements(type: Type): number {
  return type.shape.reduce((product, size) => product * size, 1);
}

/** Numbers in all params. The passes of a top-level `for` have params of their own (`run2.f.w`), but are one model. */
export function parameterCount(slots: Program["slots"]): number {
  const params = Object.values(slots).filter(({ kind }) => kind === "param");
  const sizes = new Map(params.map(({ path, type }) => [withoutPass(path), elements(type)]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
