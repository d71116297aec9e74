/**
 * Segments made ready: what the host computes is split off, the rest is prepared by the device once. `start` makes
 * one run: scalars in float64, feeds, the device, and the commits of host cells.
 */
import type { Device, Numbers, Prepared, RunResult } from "../gpu/device.ts";
import type { Node } from "../lang/graph/node.ts";
import type { Output, Segment } from "../lang/program.ts";
import type { HostMath } from "./host.ts";
import { inputsBelow, namesFrom, refOf } from "./inputs.ts";
import { onHeldData, type Held } from "./resident.ts";
import type { HostState, StateTable } from "./state.ts";

export type Scalars = Readonly<Record<string, number>>;

export interface Ready {
  readonly segment: Segment;
  /** Absent when the host does it all. */
  readonly prepared?: Prepared;
  readonly hostCommits: readonly string[];
  /** What the host computes for a run: scalars of the segment, then its commits. */
  readonly hosted: readonly Node[];
  /** Slots on the device that it reads. */
  readonly reads: readonly string[];
  /** Host cells that it reads on the device. */
  readonly hostReads: readonly string[];
  readonly commits: readonly string[];
  readonly halts: boolean;
}

export interface Started {
  readonly ready: Ready;
  /** Host cells as they were before. */
  readonly before: HostState;
  readonly result: Promise<RunResult>;
}

const NOTHING: RunResult = { fetched: {}, halted: false, skipped: false };

export class Segments {
  private readonly device: Device;
  private readonly state: StateTable;
  private readonly math: HostMath;
  private readonly made = new Map<Segment, Promise<Ready>>();
  /** What those that were made read in the place of batches. */
  private readonly held = new WeakMap<Segment, string>();
  private given = false;
  /** As the device was given them: what the host computes left out, batches read from held fields. */
  readonly onDevice = new Map<Segment, Segment>();

  constructor(device: Device, state: StateTable, math: HostMath) {
    this.device = device;
    this.state = state;
    this.math = math;
  }

  /** `held`: fields of the batch that lie on the device. Fails once they are given back. */
  async ready(segment: Segment, held?: Held): Promise<Ready> {
    if (this.given) throw new Error(`expected segments that are not given back, got ${segment.name}`);
    const places = [...(held ?? [])].map(([, { path }]) => path).join("\n");
    // made ahead, it may have been for another data set
    if (this.made.has(segment) && this.held.get(segment) !== places) await this.drop(segment);
    let ready = this.made.get(segment);
    if (!ready) {
      this.held.set(segment, places);
      ready = this.make(segment, held);
      this.made.set(segment, ready);
    }
    return ready;
  }

  /** As it was made last, whatever it reads. */
  known(segment: Segment): Promise<Ready> | undefined {
    return this.made.get(segment);
  }

  /** Of a segment that is not run again. */
  async drop(segment: Segment): Promise<void> {
    const made = this.made.get(segment);
    if (!made) return;
    this.made.delete(segment);
    const ready = await made.catch(() => undefined);
    if (ready?.prepared) this.device.release(ready.prepared);
  }

  /** No run of them is under way. */
  release(): void {
    this.given = true;
    for (const made of this.made.values())
      void made.then(({ prepared }) => prepared && this.device.release(prepared)).catch(() => undefined);
    this.made.clear();
    this.onDevice.clear();
  }

  private async make(segment: Segment, held: Held | undefined): Promise<Ready> {
    const split = splitHost(segment, (path) => this.state.isHost(path));
    const inputs = inputsBelow(split.device.outputs.map((output) => output.node));
    const states = namesFrom(inputs, "state");
    const own = onHeldData(split.device, held);
    this.onDevice.set(segment, own);
    return {
      segment,
      prepared: own.outputs.length > 0 ? await this.device.prepare(own) : undefined,
      hostCommits: split.commits.map(({ path }) => path),
      hosted: [...segment.host, ...split.commits].map(({ node }) => node),
      reads: states.filter((path) => !this.state.isHost(path)),
      hostReads: states.filter((path) => this.state.isHost(path)),
      commits: commitsOf(segment),
      halts: segment.outputs.some((output) => output.role.kind === "halt"),
    };
  }

  /** Synchronous up to the device: several runs may be started before the first is awaited. */
  start(ready: Ready, scalars: Scalars, batch?: Readonly<Record<string, Numbers>>): Started {
    const before = this.state.snapshot();
    const all: Record<string, number> = { ...scalars };
    const lookup = (input: Node): ArrayLike<number> => {
      const { source, name } = refOf(input);
      const value = source === "scalar" ? all[name] : source === "state" ? this.state.hostValue(name) : undefined;
      if (value === undefined) throw new Error(`${ready.segment.name}: expected a host scalar, got ${source} ${name}`);
      return [value];
    };
    const { hosted, hostCommits, segment } = ready;
    const values = hosted.length > 0 ? this.math(hosted, lookup).map((value) => value[0] ?? NaN) : [];
    segment.host.forEach(({ name }, i) => (all[name] = values[i] ?? NaN));
    const commits = new Map(hostCommits.map((path, i) => [path, values[segment.host.length + i] ?? NaN]));
    this.state.upload(ready.hostReads);
    const result = ready.prepared ? this.device.run(ready.prepared, { scalars: all, batch }) : Promise.resolve(NOTHING);
    this.state.commitHost(commits);
    return { ready, before, result };
  }
}

/** A commit of a host cell is the host's work; everything else the device's. */
export function splitHost(segment: Segment, isHost: (path: string) => boolean) {
  const commits: { path: string; node: Node }[] = [];
  const outputs: Output[] = [];
  for (const output of segment.outputs) {
    if (output.role.kind === "commit" && isHost(output.role.path))
      commits.push({ path: output.role.path, node: output.node });
    else outputs.push(output);
  }
  return { commits, device: { ...segment, outputs } };
}

export function commitsOf(segment: Segment): string[] {
  return segment.outputs.flatMap(({ role }) => (role.kind === "commit" ? [role.path] : []));
}
