/**
 * A device that runs every segment twice: on `reference`, whose results count, and on the device under test, started
 * from the reference's own state each time. What it gathers is the greatest difference of any single run.
 */
import type { Device, Feeds, Numbers, Prepared, RunResult } from "../../gpu/device.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import type { Type } from "../../lang/graph/node.ts";
import type { Segment } from "../../lang/program.ts";

export interface Worst {
  /** |a - b| / max(1, |b|), b the reference. */
  error: number;
  where: string;
}

interface Pair extends Prepared {
  readonly own: Prepared;
  readonly other: Prepared;
  readonly commits: readonly string[];
}

export class MirrorDevice implements Device {
  readonly info;
  readonly worst: Worst = { error: 0, where: "" };
  runs = 0;
  private readonly oracle: Device = new ReferenceDevice();
  private readonly paths = new Set<string>();
  private readonly other: Device;

  constructor(other: Device) {
    this.other = other;
    this.info = this.oracle.info;
  }

  createSlot(path: string, type: Type): void {
    this.paths.add(path);
    this.oracle.createSlot(path, type);
    this.other.createSlot(path, type);
  }
  dropSlot(path: string): void {
    this.paths.delete(path);
    this.oracle.dropSlot(path);
    this.other.dropSlot(path);
  }
  writeSlot(path: string, value: number | ArrayLike<number>, at?: number): void {
    this.oracle.writeSlot(path, value, at);
  }
  readSlot(path: string): Promise<Numbers> {
    return this.oracle.readSlot(path);
  }
  async prepare(segment: Segment): Promise<Prepared> {
    const own = await this.oracle.prepare(segment);
    const other = await this.other.prepare(segment);
    const commits = segment.outputs.flatMap((o) => (o.role.kind === "commit" ? [o.role.path] : []));
    const pair: Pair = { ...own, own, other, commits };
    return pair;
  }

  async run(prepared: Prepared, feeds: Feeds): Promise<RunResult> {
    const pair = prepared as Pair;
    for (const path of this.paths) this.other.writeSlot(path, await this.oracle.readSlot(path));
    const result = await this.oracle.run(pair.own, feeds);
    const mirrored = await this.other.run(pair.other, feeds);
    this.runs++;
    for (const [name, values] of Object.entries(result.fetched)) {
      this.compare(`${pair.name} fetch ${name}`, mirrored.fetched[name]!, values);
    }
    for (const path of pair.commits) {
      this.compare(`${pair.name} commit ${path}`, await this.other.readSlot(path), await this.oracle.readSlot(path));
    }
    return result;
  }

  private compare(where: string, got: Numbers, expected: Numbers): void {
    if (got.length !== expected.length)
      throw new Error(`${where}: expected ${expected.length} values, got ${got.length}`);
    for (let i = 0; i < expected.length; i++) {
      const error = Math.abs(got[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
      if (error > this.worst.error || Number.isNaN(error)) {
        this.worst.error = Number.isNaN(error) ? Infinity : error;
        this.worst.where = `${where}[${i}]: ${got[i]} instead of ${expected[i]}`;
      }
    }
  }

  release(prepared: Prepared): void {
    const pair = prepared as Pair;
    this.oracle.release(pair.own);
    this.other.release(pair.other);
  }
  resume(): void {
    this.oracle.resume();
    this.other.resume();
  }
  async dispose(): Promise<void> {
    await this.oracle.dispose();
    await this.other.dispose();
  }
}
