/**
 * `rows` kernels as WGSL. A long row has a workgroup of its own: lanes walk its elements in turn and put their partial
 * results together in a tree of fixed shape, or by subgroups where the schedule has them. Otherwise an invocation walks a whole row (or is one element of a map).
 */
import type { DType } from "../../lang/graph/node.ts";
import type { Acc, RowsKernel, Stage, Store } from "../kernel.ts";
import { dependencies, placesOf } from "../wasm/schedule.ts";
import type { Place } from "../wasm/schedule.ts";
import type { Branch } from "./branches.ts";
import type { Schedule } from "./schedule.ts";
import { decode, ValueWriter } from "./writer.ts";
import type { Writer } from "./writer.ts";

/** Rows shorter than this leave most lanes of a workgroup idle. */
const LONG = 32;
/** Lanes of the smallest subgroup that there may be. */
const LEAST_SUBGROUP = 4;
/** Words of each lane in workgroup memory: one for each sum that lanes put together at once, two for the place of a maximum. */
const AT_ONCE = 8;
/** So many rows fill any device with one invocation each. */
const MANY = 16384;

const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);

/** Elements of the longest stage. */
const longest = (kernel: RowsKernel): number =>
  Math.max(1, ...kernel.stages.map((s) => product(s.axes.map((a) => kernel.axes[a] ?? 1))));

const pointsOf = (kernel: RowsKernel): number => product(kernel.axes.slice(0, kernel.grid));

const isLong = (kernel: RowsKernel, { together }: Schedule): boolean =>
  together && longest(kernel) >= LONG && pointsOf(kernel) <= MANY;

/** Whether one invocation may store elements 2i and 2i + 1: it walks the fastest axis in steps of two. */
export function storesPairs(kernel: RowsKernel, { access }: Store, stage: number, schedule: Schedule): boolean {
  const { axes } = kernel.stages[stage] as Stage;
  if (axes.length === 0 && isLong(kernel, schedule)) return false;
  const extent = (axis: number) => kernel.axes[axis] ?? 1;
  const walked = axes.length > 0 ? axes : [...kernel.axes.keys()].slice(0, kernel.grid);
  const fastest = walked.filter((axis) => extent(axis) > 1).at(-1);
  if (fastest === undefined || extent(fastest) % 2 !== 0 || access.dynamic.length > 0 || access.base % 2 !== 0) {
    return false;
  }
  const steps = new Map(access.terms);
  return steps.get(fastest) === 1 && [...steps].every(([axis, coef]) => axis === fastest || coef % 2 === 0);
}

const savesHalves = (kernel: RowsKernel, { stores }: Stage): boolean =>
  stores.some(({ access }) => kernel.params[access.param]?.half);

/** A sum of which each lane has a part: which it is in the kernel, and its first word among those that are put together at once. */
interface Part {
  readonly acc: Acc;
  readonly name: string;
  readonly at: number;
}

/** The sums of a stage, as many at once as there are words for. */
function turnsOf({ accs }: Stage, s: number): readonly (readonly Part[])[] {
  const turns: Part[][] = [];
  let words = Infinity;
  accs.forEach((acc, i) => {
    const own = acc.op === "argmax" ? 2 : 1;
    if (words + own > AT_ONCE) {
      turns.push([]);
      words = 0;
    }
    turns.at(-1)!.push({ acc, name: `${s}_${i}`, at: words });
    words += own;
  });
  return turns;
}

/** A number as the bits that workgroup memory holds, and back. */
const bitsOf = (dtype: DType, text: string): string => (dtype === "u32" ? text : `bitcast<u32>(${text})`);
const numberOf = (dtype: DType, bits: string): string => (dtype === "u32" ? bits : `bitcast<${dtype}>(${bits})`);

/** The branch of one kernel: names of its values are its own, workgroup memory is shared with other branches. */
class RowsWriter implements Branch {
  readonly groups: number;
  private readonly kernel: RowsKernel;
  private readonly w: Writer;
  private readonly values: ValueWriter;
  private readonly places: readonly Place[];
  private readonly points: number;
  /** Invocations of a workgroup, how many of them share a row, and which of these an invocation is. */
  private readonly size: number;
  private readonly lanes: number;
  private readonly own: string;
  /** An invocation takes two points in turn, as they share words. */
  private readonly paired: boolean;
  private readonly shared: Map<string, string>;

  constructor(
    w: Writer,
    kernel: RowsKernel,
    param: (p: number) => number,
    size: number,
    shared: Map<string, string>,
    lanes?: number,
  ) {
    this.kernel = kernel;
    this.w = w;
    this.size = size;
    this.shared = shared;
    this.values = new ValueWriter(w, kernel.values, param);
    const grid = kernel.axes.map((_, i) => i).slice(0, kernel.grid);
    const inner = kernel.stages.map((s) => s.axes);
    this.places = placesOf(kernel, dependencies(kernel), grid, inner);
    this.points = pointsOf(kernel);
    this.lanes = lanes ?? (isLong(kernel, w.schedule) ? size : 1);
    this.own = this.lanes === size ? "lane" : "own_lane";
    this.paired = kernel.stages.some((stage) => stage.axes.length === 0 && savesHalves(kernel, stage));
    this.groups = this.lanes > 1 ? this.points : Math.ceil(this.points / (this.paired ? 2 * size : size));
  }

  private extent(axis: number): number {
    return this.kernel.axes[axis] ?? 1;
  }
  private count(stage: Stage): number {
    return product(stage.axes.map((a) => this.extent(a)));
  }

  write(group: string): void {
    const { w, lanes, points, size, paired } = this;
    if (lanes > 1) w.line(`let point = ${group};`);
    else if (paired) {
      w.line(`let first = 2u * (${group} * ${size}u + lane);`);
      w.line(`if (first < ${points}u) {`);
      w.line("for (var part = 0u; part < 2u; part++) {");
      w.line("let point = first + part;");
    } else {
      w.line(`let point = ${group} * ${size}u + lane;`);
      w.line(`if (point < ${points}u) {`);
    }
    this.body();
    if (paired) w.line("}");
    if (lanes === 1) w.line("}");
  }

  /** All stages at `point`. */
  body(): void {
    const { w, kernel, lanes } = this;
    decode(
      w,
      "point",
      kernel.axes.slice(0, kernel.grid).map((extent, axis) => [axis, extent] as const),
    );
    this.phase(0);
    kernel.stages.forEach((stage, s) => {
      // a result may lie where other lanes still read
      const waited = (kernel.stages[s - 1]?.accs.length ?? 0) > 0;
      if (lanes > 1 && stage.stores.length > 0 && !waited) w.line("workgroupBarrier(); storageBarrier();");
      if (lanes > 1) this.together(stage, s);
      else this.alone(stage, s);
      this.phase(s + 1);
    });
  }

  /** Values of the grid point that need the first `phase` stages. */
  private phase(phase: number): void {
    this.places.forEach((place, v) => {
      const at = place.at === "row" ? place.phase : place.at === "grid" ? 0 : -1;
      if (at === phase) this.values.define(v);
    });
  }

  private innerValues(stage: number, depth?: number): void {
    this.places.forEach((place, v) => {
      if (place.at !== "inner" || place.stage !== stage) return;
      if (depth === undefined || place.depth === depth) this.values.define(v);
    });
  }

  // ---------------------------------------------------------------- accumulators

  private begin(stage: Stage, s: number): void {
    stage.accs.forEach((acc, i) => {
      const dtype = this.values.dtype(acc.value);
      const least = dtype === "f32" ? this.w.literal(-Infinity, "f32") : dtype === "u32" ? "0u" : "i32(-2147483648)";
      const first = acc.op === "sum" ? this.w.literal(0, dtype) : least;
      if (acc.op === "argmax") {
        this.w.line(`var top${s}_${i} = ${first};`);
        this.w.line(`var sum${s}_${i} = 2147483647;`);
      } else this.w.line(`var sum${s}_${i} = ${first};`);
    });
  }

  private combined(acc: Acc, a: string, b: string): string {
    if (acc.op === "sum") return `${a} + ${b}`;
    return this.values.dtype(acc.value) === "f32" ? this.w.call("largest", a, b) : `max(${a}, ${b})`;
  }

  private accumulate(stage: Stage, s: number): void {
    stage.accs.forEach((acc, i) => {
      const value = this.values.name(acc.value);
      const sum = `sum${s}_${i}`;
      if (acc.op !== "argmax") this.w.line(`${sum} = ${this.combined(acc, sum, value)};`);
      else this.keepLarger(`top${s}_${i}`, sum, value, this.values.name(acc.at ?? 0));
    });
  }

  /** The larger value wins; of equal ones the first place. */
  private keepLarger(top: string, at: string, value: string, place: string): void {
    this.w.line(`if (${value} > ${top} || (${value} == ${top} && ${place} < ${at})) {`);
    this.w.line(`${top} = ${value};`);
    this.w.line(`${at} = ${place};`);
    this.w.line("}");
  }

  private finish(stage: Stage, s: number): void {
    stage.accs.forEach((acc, i) => {
      const sum = `sum${s}_${i}`;
      // all elements NaN: the first place
      const value = acc.op === "argmax" ? `select(${sum}, 0, ${sum} == 2147483647)` : sum;
      this.w.line(`let acc${s}_${i} = ${value};`);
    });
  }

  // ---------------------------------------------------------------- one invocation for a row

  private alone(stage: Stage, s: number): void {
    this.begin(stage, s);
    stage.axes.forEach((axis, depth) => {
      this.w.line(`for (var i${axis} = 0; i${axis} < ${this.extent(axis)}; i${axis}++) {`);
      this.innerValues(s, depth + 1);
    });
    this.accumulate(stage, s);
    stage.stores.forEach((store) => this.values.store(store));
    stage.axes.forEach(() => this.w.line("}"));
    this.finish(stage, s);
  }

  // ---------------------------------------------------------------- several invocations for a row

  private together(stage: Stage, s: number): void {
    const { w, lanes, own } = this;
    if (stage.axes.length === 0) {
      this.begin(stage, s);
      this.accumulate(stage, s);
      this.finish(stage, s);
      if (stage.stores.length === 0) return;
      w.line(`if (${own} == 0u) {`);
      stage.stores.forEach((store) => this.values.store(store));
      w.line("}");
      return;
    }
    this.begin(stage, s);
    const element = () => {
      decode(
        w,
        "at",
        stage.axes.map((axis) => [axis, this.extent(axis)] as const),
      );
      this.innerValues(s);
      this.accumulate(stage, s);
      stage.stores.forEach((store) => this.values.store(store));
    };
    if (savesHalves(this.kernel, stage)) {
      w.turns("pair", own, lanes, this.count(stage) / 2, () =>
        w.loop("part", 2, () => {
          w.line("let at = 2u * pair + part;");
          element();
        }),
      );
    } else w.turns("at", own, lanes, this.count(stage), element);
    const bySubgroups = w.schedule.subgroups && lanes === this.size && stage.accs.every(({ op }) => op !== "argmax");
    for (const accs of turnsOf(stage, s)) {
      if (bySubgroups) this.bySubgroups(accs);
      else this.tree(accs);
    }
    this.finish(stage, s);
  }

  /** A word of each lane. */
  private array(at: number): string {
    const name = `part${at}`;
    this.shared.set(name, `var<workgroup> ${name}: array<u32, ${this.size}>;`);
    return name;
  }

  /** Each subgroup by an instruction, then all lanes add up the parts of the subgroups in order. */
  private bySubgroups(accs: readonly Part[]): void {
    const { w } = this;
    w.subgroups = true;
    const parts = accs.map(({ acc, name, at }) => {
      const dtype = this.values.dtype(acc.value);
      return { acc, dtype, sum: `sum${name}`, sums: this.array(at) };
    });
    for (const { acc, dtype, sum } of parts) {
      const float = dtype === "f32" ? w.call("subgroup_largest", sum) : `subgroupMax(${sum})`;
      w.line(`${sum} = ${acc.op === "sum" ? `subgroupAdd(${sum})` : float};`);
    }
    w.line("if (subgroupElect()) {");
    for (const { dtype, sum, sums } of parts) w.line(`${sums}[subgroup] = ${bitsOf(dtype, sum)};`);
    w.line("}");
    w.line("workgroupBarrier();");
    for (const { dtype, sum, sums } of parts) w.line(`${sum} = ${numberOf(dtype, `${sums}[0]`)};`);
    w.range("other", "1u", "subgroups", this.lanes / LEAST_SUBGROUP, () => {
      for (const { acc, dtype, sum, sums } of parts) {
        w.line(`${sum} = ${this.combined(acc, sum, numberOf(dtype, `${sums}[other]`))};`);
      }
    });
    // the arrays serve the next stage too
    w.line("workgroupBarrier();");
  }

  private tree(accs: readonly Part[]): void {
    const { w, lanes, size, own } = this;
    const arrays = accs.map(({ acc, name, at }) => {
      const [value, place] = [this.values.dtype(acc.value), acc.op === "argmax"];
      const sums = this.array(at);
      const tops = place ? this.array(at + 1) : "";
      return { acc, value, dtype: place ? ("i32" as const) : value, sum: `sum${name}`, top: `top${name}`, sums, tops };
    });
    const put = () => {
      for (const { acc, value, dtype, sum, top, sums, tops } of arrays) {
        w.line(`${sums}[lane] = ${bitsOf(dtype, sum)};`);
        if (acc.op === "argmax") w.line(`${tops}[lane] = ${bitsOf(value, top)};`);
      }
    };
    put();
    for (let half = lanes / 2; half >= 1; half /= 2) {
      w.line("workgroupBarrier();");
      w.line(`if (${own} < ${half}u) {`);
      for (const { acc, value, dtype, sum, top, sums, tops } of arrays) {
        const other = numberOf(dtype, `${sums}[lane + ${half}u]`);
        if (acc.op === "argmax") this.keepLarger(top, sum, numberOf(value, `${tops}[lane + ${half}u]`), other);
        else w.line(`${sum} = ${this.combined(acc, sum, other)};`);
      }
      put();
      w.line("}");
    }
    w.line("workgroupBarrier();");
    const first = lanes === size ? "0" : "lane - own_lane";
    for (const { dtype, sum, sums } of arrays) w.line(`${sum} = ${numberOf(dtype, `${sums}[${first}]`)};`);
    // the arrays serve the next stage too
    w.line("workgroupBarrier();");
  }
}

/** Invocations of a workgroup that suit all of these kernels. */
export function rowsSize(kernels: readonly RowsKernel[], schedule: Schedule): number {
  const rows = Math.max(1, ...kernels.map((kernel) => (isLong(kernel, schedule) ? longest(kernel) : 1)));
  const points = kernels.reduce((n, kernel) => n + pointsOf(kernel), 0);
  return rows >= 2048 || (rows === 1 && points >= 65536) ? 256 : 64;
}

export function rowsBranch(
  w: Writer,
  kernel: RowsKernel,
  param: (p: number) => number,
  size: number,
  shared: Map<string, string>,
): Branch {
  return new RowsWriter(w, kernel, param, size, shared);
}

/** Steps of a loop that take as long as the lanes' waiting for each other. */
const WAIT = 8;

/** Lanes that share a row of a unit of so many rows: as many as come out even, where that saves half of the time. */
function lanesOf(kernel: RowsKernel, count: number, size: number): number {
  const accs = kernel.stages.flatMap((stage) => stage.accs);
  const [steps, waits] = [longest(kernel), accs.length > 0 ? WAIT : 0];
  let [best, least] = [1, (Math.ceil(count / size) * steps) / 2];
  for (let lanes = 2; lanes <= size; lanes *= 2) {
    const turns = (count * lanes) / size;
    const time = turns * (Math.ceil(steps / lanes) + waits * Math.log2(lanes));
    if (Number.isInteger(turns) && time <= least) [best, least] = [lanes, time];
  }
  return accs.every(({ op, value }) => op !== "argmax" && kernel.values[value]?.dtype === "f32") ? best : 1;
}

/** Words of workgroup memory that the lanes of a unit need to put rows together. */
export function wordsOfUnit(kernel: RowsKernel, count: number, size: number): number {
  return lanesOf(kernel, count, size) === 1
    ? 0
    : size * Math.max(0, ...kernel.stages.map(({ accs }) => Math.min(accs.length, AT_ONCE)));
}

/** `count` rows from the one numbered `first` on, by the lanes of one workgroup. */
export function rowsOfUnit(
  w: Writer,
  kernel: RowsKernel,
  param: (p: number) => number,
  size: number,
  shared: Map<string, string>,
  first: string,
  count: number,
): void {
  const lanes = lanesOf(kernel, count, size);
  const writer = new RowsWriter(w, kernel, param, size, shared, lanes);
  if (lanes === 1) {
    w.turns("own", "lane", size, count, () => {
      w.line(`let point = ${first} + own;`);
      writer.body();
    });
    return;
  }
  w.loop("own", (count * lanes) / size, () => {
    if (lanes < size) w.line(`let own_lane = lane % ${lanes}u;`);
    w.line(`let point = ${first} + own * ${size / lanes}u + lane / ${lanes}u;`);
    writer.body();
  });
}
