/**
 * The kernels of a segment as one WebAssembly module: `k0, k1, …`, each `(begin, end, pointers…)`.
 * Helpers (functions of lanes, packing, tiles) are written once per module, on demand.
 */
import type { Kernel } from "../kernel.ts";
import { Fn, ModuleBuilder } from "./assembler.ts";
import type { MemoryLimits } from "./assembler.ts";
import { cutOf } from "./blocks.ts";
import { chainFunction } from "./chain.ts";
import { choleskyFunction, eighFunction } from "./decompose.ts";
import { dotFunction } from "./dot.ts";
import { groupFunction, groupSteps } from "./group.ts";
import { strandFunction } from "./strand.ts";
import { CONSTANTS } from "./constants.ts";
import { isWritten, mathConstants, mathFunction, writeLanes } from "./math.ts";
import type { MathFunction } from "./math.ts";
import type { Helpers } from "./operations.ts";
import { argsortFunction } from "./order.ts";
import { packedFunction, packedSteps } from "./packed.ts";
import { outerSteps, rowsFunction } from "./rows.ts";
import { cumsumFunction, scatterFunction, solveFunction } from "./serial.ts";

export interface WasmOptions {
  readonly memory: MemoryLimits;
  /** Use the fused multiply-add of relaxed SIMD. */
  readonly madd: boolean;
}

/** floor(a / b) or a - b floor(a / b) of i32; 0 where b is 0. */
function floored(name: "divide" | "modulo"): Fn {
  const f = new Fn(["i32", "i32"], ["i32"]);
  const q = f.local("i32");
  const r = f.local("i32");
  f.get(1)
    .op("i32.eqz")
    .if(() => f.i32(0).op("return"));
  // -2^31 / -1 would trap; its quotient wraps
  f.get(1)
    .i32(-1)
    .op("i32.eq")
    .if(() => {
      if (name === "divide") f.i32(0).get(0).op("i32.sub", "return");
      else f.i32(0).op("return");
    });
  f.get(0).get(1).op("i32.rem_s").set(r);
  if (name === "modulo") {
    f.get(r).get(1).op("i32.add").get(r);
    f.get(r).i32(0).op("i32.ne").get(r).get(1).op("i32.xor").i32(0).op("i32.lt_s", "i32.and", "select");
    return f;
  }
  f.get(0).get(1).op("i32.div_s").set(q);
  f.get(q).get(r).i32(0).op("i32.ne").get(r).get(1).op("i32.xor").i32(0).op("i32.lt_s", "i32.and", "i32.sub");
  return f;
}

/** Places of the outermost loop, the step that cuts must keep to, and the work of each place where these differ. */
export function stepsOf(kernel: Kernel): {
  readonly count: number;
  readonly unit: number;
  readonly work?: readonly number[];
} {
  switch (kernel.kind) {
    case "rows":
      return outerSteps(kernel);
    case "dot":
      return cutOf(kernel);
    case "cumsum":
    case "scatter":
    case "argsort":
    case "solve":
    case "cholesky":
    case "eigh":
      return { count: kernel.outer, unit: 1 };
    case "group":
      return groupSteps(kernel);
    case "chain":
      return { count: kernel.units, unit: 1 };
    case "pack":
      return packedSteps(kernel);
    case "strand":
      return { count: kernel.rows, unit: kernel.part };
  }
}

export function kernelModule(kernels: readonly Kernel[], options: WasmOptions): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const known = new Map<string, number>();
  const shared = (key: string, write: () => Fn): number => {
    const at = known.get(key);
    if (at !== undefined) return at;
    const index = module.add(write());
    known.set(key, index);
    return index;
  };
  const constants = () => module.place(CONSTANTS, mathConstants());
  const math = (name: MathFunction): number =>
    shared(name, () => {
      constants();
      return mathFunction(name, math, options.madd);
    });
  const helper: Helpers = {
    call: (name) => (name === "divide" || name === "modulo" ? shared(name, () => floored(name)) : math(name)),
    lanes: (name, f, arg) => {
      if (!isWritten(name)) return void f.get(arg).call(math(name));
      constants();
      writeLanes(name, f, arg, options.madd);
    },
  };
  const write = (kernel: Kernel): Fn => {
    switch (kernel.kind) {
      case "rows":
        return rowsFunction(kernel, helper);
      case "dot":
        return dotFunction(kernel, options.madd, shared, helper);
      case "cumsum":
        return cumsumFunction(kernel);
      case "scatter":
        return scatterFunction(kernel);
      case "argsort":
        return argsortFunction(kernel);
      case "solve":
        return solveFunction(kernel);
      case "cholesky":
        return choleskyFunction(kernel);
      case "eigh":
        return eighFunction(kernel);
      case "group":
        return groupFunction(kernel, options.madd, shared, helper);
      case "chain":
        return chainFunction(kernel, options.madd, shared, helper);
      case "pack":
        return packedFunction(kernel, shared);
      case "strand":
        return strandFunction(kernel, options.madd, shared, helper);
    }
  };
  kernels.forEach((kernel, i) => module.add(write(kernel), `k${i}`));
  return module.bytes(options.memory);
}
