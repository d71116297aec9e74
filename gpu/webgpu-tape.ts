/**
 * A lowered segment → the flat list of dispatches of one run, with the places of all their operands. Loops are written
 * out tick by tick: slices, swapped carries and the tick itself are only other places. Knows no GPU object.
 */
import { bytesOf } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";
import type { Buffer, Lowered, Step } from "./program.ts";
import { shadersOf } from "./wgsl/index.ts";
import { CHUNK, copyShader, finishShader, haltShader } from "./wgsl/service.ts";
import type { Schedule, Shader } from "./wgsl/index.ts";

export interface Address {
  readonly bank: number;
  /** Words from the start of the bank. */
  readonly at: number;
}

export interface Dispatch extends Shader {
  /** Places by parameter. */
  readonly args: readonly number[];
  /** The number of its kernel, or what it does for none. */
  readonly of: number | "copy" | "commit";
  /** Not the second dispatch of one kernel. */
  readonly begins: boolean;
}

export interface Tape {
  readonly dispatches: readonly Dispatch[];
  /** Rows that copies and commits refer to. */
  readonly table: readonly number[];
}

/** Where things are during a run. `table` and what `status`, `checks` and `halts` name lie in bank 0. */
export interface Layout {
  buffer(id: number): Address;
  /** Place of the i32 that holds a tick. */
  tick(tick: number): Address;
  readonly table: number;
}

export interface Ending {
  readonly status: number;
  readonly commits: readonly { readonly from: Address; readonly to: Address; readonly size: number }[];
  readonly checks: readonly { readonly at: number; readonly counted: boolean }[];
  readonly halts: readonly number[];
}

/** Those of a kernel with its operands in certain banks, written once for several tapes. */
export type Shaders = Map<string, readonly Shader[]>;

/** Calls `visit` for every kernel and copy in the order of the run; `ticks` are those of the loops around it. */
export class TapeWriter {
  private readonly lowered: Lowered;
  private readonly layout: Layout;
  private readonly schedule: Schedule;
  private readonly dispatches: Dispatch[] = [];
  private readonly table: number[] = [];
  private readonly shaders: Shaders;
  /** By loop: how often it ran, and its tick. */
  private readonly rounds = new Map<number, { readonly n: number; readonly tick: number }>();
  private readonly ticks = new Map<number, Address>();
  private pending: { readonly from: Address; readonly to: Address; readonly size: number }[] = [];

  constructor(lowered: Lowered, layout: Layout, schedule: Schedule, shaders: Shaders = new Map()) {
    this.lowered = lowered;
    this.schedule = schedule;
    this.shaders = shaders;
    this.layout = layout;
  }

  write(ending: Ending): Tape {
    this.steps(this.lowered.tape);
    this.flush();
    this.end(ending);
    return { dispatches: this.dispatches, table: this.table };
  }

  private buffer(id: number): Buffer {
    const buffer = this.lowered.buffers[id];
    if (!buffer) throw new Error(`expected a buffer below ${this.lowered.buffers.length}, got ${id}`);
    return buffer;
  }

  private round(loop: number) {
    const round = this.rounds.get(loop);
    if (!round) throw new Error(`expected loop ${loop} to run`);
    return round;
  }

  private address(id: number): Address {
    const tick = this.ticks.get(id);
    if (tick) return tick;
    const { place, ...width } = this.buffer(id);
    if (place.kind === "slice") {
      const { bank, at } = this.address(place.of);
      return { bank, at: at + bytesOf(this.round(place.loop).tick * place.stride, width) / 4 };
    }
    if (place.kind === "swap") return this.address(this.round(place.loop).n % 2 === 0 ? place.even : place.odd);
    return this.layout.buffer(id);
  }

  private steps(steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.kind === "copy") {
        const size = this.buffer(step.to).size;
        this.pending.push({ from: this.address(step.from), to: this.address(step.to), size });
        continue;
      }
      this.flush();
      if (step.kind === "kernel") this.kernel(step.kernel, step.args);
      else {
        for (let n = 0; n < step.count; n++) {
          const tick = step.reverse ? step.count - 1 - n : n;
          this.rounds.set(step.loop, { n, tick });
          this.ticks.set(step.tick, this.layout.tick(tick));
          this.steps(step.body);
          this.flush();
        }
        this.ticks.delete(step.tick);
      }
    }
  }

  private kernel(index: number, args: readonly number[]): void {
    const addresses = args.map((id) => this.address(id));
    const banks = [...new Set(addresses.map((a) => a.bank))];
    // what lies together is all that a shader depends on
    const pattern = addresses.map((a) => banks.indexOf(a.bank));
    const key = `${index} ${pattern.join()}`;
    let shaders = this.shaders.get(key);
    if (!shaders) {
      shaders = shadersOf(this.lowered.kernels[index] as Kernel, pattern, this.schedule);
      this.shaders.set(key, shaders);
    }
    const at = addresses.map((a) => a.at);
    shaders.forEach((shader, i) => {
      this.push({ ...shader, banks: shader.banks.map((bank) => banks[bank] as number) }, at, index, i === 0);
    });
  }

  private push(shader: Shader, args: readonly number[], of: Dispatch["of"], begins = true): void {
    if (shader.groups > 0) this.dispatches.push({ ...shader, args, of, begins });
  }

  /** Rows of the table that move `moves`, and where they begin. */
  private rows(moves: readonly { readonly from: Address; readonly to: Address; readonly size: number }[]) {
    const at = this.layout.table + this.table.length;
    let count = 0;
    for (const { from, to, size } of moves) {
      for (let done = 0; done < size; done += CHUNK, count++) {
        this.table.push(from.at + done, to.at + done, Math.min(CHUNK, size - done));
      }
    }
    return { at, count };
  }

  private byBanks<M extends { readonly from: Address; readonly to: Address }>(moves: readonly M[]): M[][] {
    const groups = new Map<string, M[]>();
    for (const move of moves) {
      const key = `${move.from.bank} ${move.to.bank}`;
      const list = groups.get(key);
      if (list) list.push(move);
      else groups.set(key, [move]);
    }
    return [...groups.values()];
  }

  /** Copies that follow each other do not depend on each other: they set up the carries of a loop. */
  private flush(): void {
    const moves = this.pending;
    this.pending = [];
    for (const list of this.byBanks(moves)) {
      const { at, count } = this.rows(list);
      const first = list[0] as (typeof list)[number];
      this.push(copyShader(count, first.from.bank, first.to.bank), [at, 0, 0], "copy");
    }
  }

  private end({ status, commits, checks, halts }: Ending): void {
    const lists = this.byBanks(commits);
    const checksAt = this.layout.table + this.table.length;
    for (const { at, counted } of checks) this.table.push(at, +counted);
    const haltsAt = this.layout.table + this.table.length;
    this.table.push(...halts);
    if (lists.length === 0) lists.push([]);
    lists.forEach((list, i) => {
      const { at, count } = this.rows(list);
      const shader = finishShader(count, list[0]?.from.bank ?? 1, list[0]?.to.bank ?? 1, checks.length, i === 0);
      this.push(shader, [at, 0, 0, status, checksAt], "commit", i === 0);
    });
    if (halts.length > 0) this.push(haltShader(halts.length), [status, haltsAt], "commit", false);
  }
}
