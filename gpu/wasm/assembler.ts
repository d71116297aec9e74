/**
 * A WebAssembly module as bytes: functions of stack instructions, one imported memory, exports.
 * Only what the kernels need: no tables or globals, at most one data segment; the memory's import alone tells shared from unshared.
 */
import { leb, memoryOpcodes, opcodes, sleb } from "./opcodes.ts";
import type { LaneOp, MemoryOp, PlainOp } from "./opcodes.ts";

export type WasmType = "i32" | "f32" | "v128";
const typeCode: Readonly<Record<WasmType, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

export interface MemoryLimits {
  /** In pages of 64 KiB. */
  readonly initial: number;
  readonly maximum: number;
  readonly shared: boolean;
}

const scratchF32 = new Float32Array(1);
const scratchF32Bytes = new Uint8Array(scratchF32.buffer);

function f32Bytes(x: number): number[] {
  scratchF32[0] = x;
  return [...scratchF32Bytes];
}

/** One function being written. Locals are numbered from the parameters on. */
export class Fn {
  readonly params: readonly WasmType[];
  readonly results: readonly WasmType[];
  private readonly locals: WasmType[];
  private readonly code: number[];

  /** `within`: the function whose code goes on here, in other words. */
  constructor(params: readonly WasmType[], results: readonly WasmType[] = [], within?: Fn) {
    this.params = params;
    this.results = results;
    this.locals = within?.locals ?? [];
    this.code = within?.code ?? [];
  }

  local(type: WasmType): number {
    this.locals.push(type);
    return this.params.length + this.locals.length - 1;
  }

  op(...names: PlainOp[]): this {
    for (const name of names) {
      const bytes = opcodes.get(name);
      if (!bytes) throw new Error(`expected an instruction, got ${name}`);
      for (const b of bytes) this.code.push(b);
    }
    return this;
  }

  lane(name: LaneOp, lane: number): this {
    for (const b of opcodes.get(name) ?? []) this.code.push(b);
    this.code.push(lane);
    return this;
  }

  mem(name: MemoryOp, offset = 0, lane?: number): this {
    const row = memoryOpcodes.get(name);
    if (!row) throw new Error(`expected a memory instruction, got ${name}`);
    for (const b of row.code) this.code.push(b);
    this.code.push(row.align);
    leb(offset, this.code);
    if (lane !== undefined) this.code.push(lane);
    return this;
  }

  get(local: number): this {
    this.code.push(0x20);
    leb(local, this.code);
    return this;
  }
  set(local: number): this {
    this.code.push(0x21);
    leb(local, this.code);
    return this;
  }
  tee(local: number): this {
    this.code.push(0x22);
    leb(local, this.code);
    return this;
  }

  i32(x: number): this {
    this.code.push(0x41);
    sleb(x, this.code);
    return this;
  }
  f32(x: number): this {
    this.code.push(0x43, ...f32Bytes(x));
    return this;
  }
  /** Four i32 lanes. */
  i32x4(a: number, b = a, c = a, d = a): this {
    const bytes = new Uint8Array(new Int32Array([a, b, c, d]).buffer);
    this.code.push(0xfd, 0x0c, ...bytes);
    return this;
  }
  f32x4(a: number, b = a, c = a, d = a): this {
    const bytes = new Uint8Array(new Float32Array([a, b, c, d]).buffer);
    this.code.push(0xfd, 0x0c, ...bytes);
    return this;
  }
  f64x2(a: number): this {
    this.code.push(0xfd, 0x0c, ...new Uint8Array(new Float64Array([a, a]).buffer));
    return this;
  }
  i64x2(a: bigint): this {
    this.code.push(0xfd, 0x0c, ...new Uint8Array(new BigInt64Array([a, a]).buffer));
    return this;
  }
  /** Lanes of 4 bytes picked from two vectors: 0..3 from the first, 4..7 from the second. */
  shuffle(...lanes: readonly [number, number, number, number]): this {
    this.code.push(0xfd, 0x0d, ...lanes.flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3]));
    return this;
  }

  call(index: number): this {
    this.code.push(0x10);
    leb(index, this.code);
    return this;
  }

  block(body: () => void): this {
    this.code.push(0x02, 0x40);
    body();
    this.code.push(0x0b);
    return this;
  }
  loop(body: () => void): this {
    this.code.push(0x03, 0x40);
    body();
    this.code.push(0x0b);
    return this;
  }
  /** Takes the condition from the stack. */
  if(then: () => void, otherwise?: () => void): this {
    this.code.push(0x04, 0x40);
    then();
    if (otherwise) {
      this.code.push(0x05);
      otherwise();
    }
    this.code.push(0x0b);
    return this;
  }
  br(depth: number): this {
    this.code.push(0x0c, ...leb(depth));
    return this;
  }
  brIf(depth: number): this {
    this.code.push(0x0d, ...leb(depth));
    return this;
  }
  /** Takes an address, a byte value and a length from the stack. */
  memoryFill(): this {
    this.code.push(0xfc, 0x0b, 0x00);
    return this;
  }

  body(): number[] {
    const runs: [number, WasmType][] = [];
    for (const type of this.locals) {
      const last = runs[runs.length - 1];
      if (last && last[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    const head = [...leb(runs.length), ...runs.flatMap(([n, type]) => [...leb(n), typeCode[type]])];
    return [...leb(head.length + this.code.length + 1), ...head].concat(this.code, [0x0b]);
  }
}

/** A module whose functions share one imported memory `m.memory`. */
export class ModuleBuilder {
  private readonly functions: Fn[] = [];
  private readonly exported: [string, number][] = [];
  private data: { readonly address: number; readonly bytes: Uint8Array } | undefined;

  /** Bytes that the module puts into memory when it is instantiated. */
  place(address: number, bytes: Uint8Array): void {
    this.data = { address, bytes };
  }

  add(fn: Fn, exportAs?: string): number {
    this.functions.push(fn);
    const index = this.functions.length - 1;
    if (exportAs !== undefined) this.exported.push([exportAs, index]);
    return index;
  }

  bytes(memory: MemoryLimits): Uint8Array<ArrayBuffer> {
    const types: string[] = [];
    const typeBytes: number[][] = [];
    const typeOf = this.functions.map((fn) => {
      const key = `${fn.params.join()}>${fn.results.join()}`;
      let at = types.indexOf(key);
      if (at < 0) {
        at = types.push(key) - 1;
        typeBytes.push([
          0x60,
          ...leb(fn.params.length),
          ...fn.params.map((t) => typeCode[t]),
          ...leb(fn.results.length),
          ...fn.results.map((t) => typeCode[t]),
        ]);
      }
      return at;
    });
    const name = (text: string) => [...leb(text.length), ...[...text].map((c) => c.charCodeAt(0))];
    const limits = [memory.shared ? 0x03 : 0x01, ...leb(memory.initial), ...leb(memory.maximum)];
    const sections: [number, number[]][] = [
      [1, [...leb(typeBytes.length)].concat(...typeBytes)],
      [2, [1, ...name("m"), ...name("memory"), 0x02, ...limits]],
      [3, [...leb(typeOf.length), ...typeOf.flatMap((type) => leb(type))]],
      [7, [...leb(this.exported.length), ...this.exported.flatMap(([text, i]) => [...name(text), 0x00, ...leb(i)])]],
      [10, leb(this.functions.length).concat(...this.functions.map((fn) => fn.body()))],
    ];
    const { data } = this;
    if (data) {
      const at = [0x41, ...sleb(data.address), 0x0b];
      sections.push([11, [1, 0x00, ...at, ...leb(data.bytes.length), ...data.bytes]]);
    }
    const out: number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
    const chunks = sections.map(([id, body]) => [[id, ...leb(body.length)], body]);
    const total = out.length + chunks.reduce((n, [head, body]) => n + (head?.length ?? 0) + (body?.length ?? 0), 0);
    const bytes = new Uint8Array(total);
    bytes.set(out);
    let at = out.length;
    for (const chunk of chunks) {
      for (const part of chunk) {
        bytes.set(part, at);
        at += part.length;
      }
    }
    return bytes;
  }
}

/** Whether the engine takes fused multiply-add of the relaxed SIMD proposal. */
export function hasRelaxedSimd(): boolean {
  const fn = new Fn(["v128"], ["v128"]);
  fn.get(0).get(0).get(0).op("f32x4.relaxed_madd");
  const module = new ModuleBuilder();
  module.add(fn);
  return WebAssembly.validate(module.bytes({ initial: 1, maximum: 1, shared: false }));
}
