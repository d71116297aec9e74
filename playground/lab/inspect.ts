/**
 * The program under the hood as data for the page: the tree of the newest text, graphs, kernels, counts and times of what
 * runs. What costs something is made once for each program, and only when it is asked for.
 */
import type { Compiled, Program } from "../../lang/index.ts";
import {
  countsOf,
  notingPrepare,
  treeOf,
  viewedDevice,
  type Measured,
  type PreparedIn,
  type SegmentKernels,
  type ViewedDevice,
} from "../../runtime/inspect/index.ts";
import type { Device, Session } from "../../runtime/index.ts";
import type { Inspect, Inspected, KernelRows, StepCounts } from "../hood/messages.ts";
import { atCalls } from "../hood/called.ts";
import { withoutCode } from "../hood/kernel-table.ts";
import { Drawn, textOf } from "./drawn.ts";

/** Kernels are timed for so many steps or so long; where steps are slow, until there are a few. */
const MOST_STEPS = 50;
const ENOUGH_MS = 1500;
const FEWEST_STEPS = 3;
const MOST_MS = 20_000;
const LOOK_MS = 50;

export class LabInspect {
  private readonly tell: (id: number, answer: Inspected) => void;
  private newest: { readonly compiled: Compiled; readonly ms: number } | undefined;
  private prepared: () => readonly PreparedIn[] = () => [];
  private device: ViewedDevice = "cpu";
  private readonly kernels = new Last<readonly SegmentKernels[]>();
  private readonly counted = new Last<readonly StepCounts[]>();
  private readonly drawn = new Last<Drawn>();
  /** Ends the timing that is under way. */
  private stopTiming: () => void = () => undefined;

  constructor(tell: (id: number, answer: Inspected) => void) {
    this.tell = tell;
  }

  /** Another text, with mistakes or without, and how long that took. */
  checked(compiled: Compiled, ms: number): void {
    this.newest = { compiled, ms };
  }

  /** The same device, of which it is known how long it prepares. */
  noting(device: Device): Device {
    const noted = notingPrepare(device);
    this.prepared = noted.prepared;
    this.device = viewedDevice(device.info);
    return noted.device;
  }

  async answer(id: number, ask: Inspect, session: Session | undefined): Promise<void> {
    if (ask.what === "tree") {
      const { file, sources } = this.newest?.compiled ?? {};
      if (file && sources?.[0]) this.tell(id, { what: "tree", text: sources[0].text, tree: treeOf(file) });
      return;
    }
    if (!session) return;
    if (ask.what === "times") {
      const text = textOf(session.program);
      const times = (measured: Measured) => this.tell(id, { what: "times", text, measured });
      // the device may be lost meanwhile
      const failed = (error: unknown) => times({ steps: 0, rows: [], missing: String(error) });
      return void this.time(session).then((measured) => measured && times(measured), failed);
    }
    this.tell(id, await this.of(ask, session));
  }

  private of(
    ask: Exclude<Inspect, { what: "tree" } | { what: "times" }>,
    session: Session,
  ): Inspected | Promise<Inspected> {
    const { program } = session;
    const text = textOf(program);
    switch (ask.what) {
      case "graph":
        return this.drawnOf(program).answer(ask);
      case "kernels":
        return { what: "kernels", text, segments: this.rowsOf(session) };
      case "code": {
        const segment = this.kernelsOf(session).find(({ name }) => name === ask.segment);
        return { what: "code", text, kernel: segment?.kernels.find(({ name }) => name === ask.kernel) };
      }
      case "counts": {
        const steps = this.counted.of([program, this.device], () => stepsOf(program, this.device));
        const own = new Set(steps.flatMap(({ fused }) => fused.segments));
        const prepared = this.prepared().filter(({ segment }) => own.has(segment));
        return { what: "counts", text, steps, checked: this.newest?.ms ?? 0, prepared };
      }
    }
  }

  private drawnOf(program: Program): Drawn {
    return this.drawn.of([program], () => new Drawn(program));
  }

  private rowsOf(session: Session): readonly KernelRows[] {
    const { program } = session;
    const rows = this.kernelsOf(session).map(withoutCode);
    return atCalls(rows, this.drawnOf(program).graphs, program.sources[0]?.file ?? "");
  }

  /** What ran since they were told is told as it ran. */
  private kernelsOf(session: Session): readonly SegmentKernels[] {
    return this.kernels.of([session.program, this.prepared().at(-1)], () => session.kernels());
  }

  /** Undefined when it is asked for again before it is done. */
  private async time(session: Session): Promise<Measured | undefined> {
    this.stopTiming();
    const profiling = session.measure();
    const begin = performance.now();
    let [over, running] = [false, true];
    const mode = session.mode$.subscribe((now) => (running = now === "playing"));
    const ended = () => (running = false);
    session.done.then(ended, ended);
    this.stopTiming = () => {
      over = true;
      profiling.stop();
    };
    const enough = (): boolean => {
      const { steps } = profiling.read();
      const ms = performance.now() - begin;
      return !running || steps >= MOST_STEPS || (ms > ENOUGH_MS && steps >= FEWEST_STEPS) || ms > MOST_MS;
    };
    // the first call of a kernel that is timed may have to be compiled for it
    let fresh = true;
    while (!over && !enough()) {
      await new Promise((done) => setTimeout(done, LOOK_MS));
      if (!fresh || profiling.read().steps === 0) continue;
      fresh = false;
      profiling.reset();
    }
    mode.unsubscribe();
    profiling.stop();
    return over ? undefined : profiling.read();
  }
}

/** What was made last, while it is asked for by the same. */
class Last<V> {
  private by: readonly unknown[] = [];
  private value: V | undefined;

  of(by: readonly unknown[], make: () => V): V {
    if (this.value === undefined || by.some((each, i) => each !== this.by[i])) [this.value, this.by] = [make(), by];
    return this.value;
  }
}

function stepsOf(program: Program, device: ViewedDevice): StepCounts[] {
  const unfused = countsOf(program, device, false);
  return countsOf(program, device).map((fused, i) => ({ fused, unfused: unfused[i]! }));
}
