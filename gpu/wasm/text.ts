/**
 * A module that `ModuleBuilder` wrote, as text for people: one instruction to a line, in the words of the specification,
 * blocks indented. It knows the instructions of the generator and refuses any other.
 */
import { memoryOpcodes, opcodes } from "./opcodes.ts";

type Kind = "plain" | "lane" | "memory" | "memory lane";

/** By the number of an instruction: its prefix times 2^16, and what follows the prefix. */
const names = new Map<number, readonly [name: string, kind: Kind]>();
for (const [name, code] of opcodes) names.set(codeOf(code), [name, name.endsWith("_lane") ? "lane" : "plain"]);
for (const [name, { code }] of memoryOpcodes)
  names.set(codeOf(code), [name, name.endsWith("_lane") ? "memory lane" : "memory"]);

function codeOf([first = 0, ...rest]: readonly number[]): number {
  if (rest.length === 0) return first;
  return (first << 16) | rest.reduce((sum, byte, i) => sum | ((byte & 0x7f) << (7 * i)), 0);
}

const types: Readonly<Record<number, string>> = { 0x7f: "i32", 0x7d: "f32", 0x7b: "v128" };

class Reader {
  at = 0;
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error(`expected a module that goes on, got its end at ${this.at - 1}`);
    return byte;
  }
  leb(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  sleb(): number {
    let [value, shift, byte] = [0, 0, 0x80];
    for (; byte >= 0x80; shift += 7) {
      byte = this.byte();
      value |= (byte & 0x7f) << shift;
    }
    return shift < 32 && (byte & 0x40) !== 0 ? value | (-1 << shift) : value;
  }
  f32(): number {
    this.at += 4;
    return this.view.getFloat32(this.at - 4, true);
  }
  list<T>(read: () => T): T[] {
    return Array.from({ length: this.leb() }, read);
  }
  take(length: number): Uint8Array {
    return this.bytes.subarray(this.at, (this.at += length));
  }
  text(): string {
    return String.fromCharCode(...this.take(this.leb()));
  }
}

/** The functions of a module; those that are exported have their names. */
export function moduleText(bytes: Uint8Array): string {
  const module = new Reader(bytes);
  module.take(8);
  let signatures: (readonly [params: string[], results: string[]])[] = [];
  let typeOf: number[] = [];
  const exported = new Map<number, string>();
  const lines: string[] = [];
  while (module.at < bytes.length) {
    const [id, body] = [module.byte(), new Reader(module.take(module.leb()))];
    const type = () => types[body.byte()] ?? "?";
    if (id === 1) signatures = body.list(() => (body.byte(), [body.list(type), body.list(type)] as const));
    else if (id === 3) typeOf = body.list(() => body.leb());
    else if (id === 7) {
      body.list(() => {
        const name = body.text();
        body.byte();
        exported.set(body.leb(), name);
      });
    } else if (id === 10) {
      let index = 0;
      body.list(() => {
        const [params = [], results = []] = signatures[typeOf[index] ?? -1] ?? [];
        const heads = [
          params.length > 0 && `(param ${params.join(" ")})`,
          results.length > 0 && `(result ${results.join(" ")})`,
        ];
        lines.push([`func ${exported.get(index) ?? index}`, ...heads].filter(Boolean).join(" "));
        index++;
        functionLines(new Reader(body.take(body.leb())), lines);
      });
    }
  }
  return lines.join("\n");
}

function functionLines(body: Reader, lines: string[]): void {
  const locals = body.list(() => ({ count: body.leb(), type: types[body.byte()] ?? "?" }));
  if (locals.length > 0) lines.push(`  local ${locals.map(({ count, type }) => `${count} × ${type}`).join(", ")}`);
  let depth = 1;
  while (body.at < body.bytes.length) {
    const text = instruction(body);
    const closes = text === "end" || text === "else";
    if (closes) depth--;
    if (depth > 0 || text !== "end") lines.push(`${"  ".repeat(depth)}${text}`);
    if (text === "else" || /^(block|loop|if)$/.test(text)) depth++;
  }
  if (depth !== 0) throw new Error(`expected blocks that are closed, got ${depth} open`);
}

const withNumber: Readonly<Record<number, string>> = {
  0x0c: "br",
  0x0d: "br_if",
  0x10: "call",
  0x20: "local.get",
  0x21: "local.set",
  0x22: "local.tee",
};
const blocks: Readonly<Record<number, string>> = { 0x02: "block", 0x03: "loop", 0x04: "if" };

function instruction(body: Reader): string {
  const first = body.byte();
  const block = blocks[first];
  if (block !== undefined) {
    body.byte();
    return block;
  }
  const numbered = withNumber[first];
  if (numbered !== undefined) return `${numbered} ${body.leb()}`;
  if (first === 0x41) return `i32.const ${body.sleb()}`;
  if (first === 0x43) return `f32.const ${body.f32()}`;
  const code = first === 0xfc || first === 0xfd ? (first << 16) | body.leb() : first;
  if (code === 0xfd000c) return `v128.const ${vectorText(body.take(16))}`;
  if (code === 0xfd000d) return `i8x16.shuffle ${[...body.take(16)].join(" ")}`;
  if (code === 0xfc000b) {
    body.byte();
    return "memory.fill";
  }
  const [name, kind] = names.get(code) ?? [];
  if (name === undefined) throw new Error(`expected an instruction of the generator, got 0x${code.toString(16)}`);
  if (kind === "plain") return name;
  if (kind === "lane") return `${name} ${body.byte()}`;
  body.leb();
  const offset = body.leb();
  const lane = kind === "memory lane" ? ` ${body.byte()}` : "";
  return `${name}${offset === 0 ? "" : ` offset=${offset}`}${lane}`;
}

function vectorText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return `i32x4 ${[0, 4, 8, 12].map((at) => `0x${view.getUint32(at, true).toString(16).padStart(8, "0")}`).join(" ")}`;
}
