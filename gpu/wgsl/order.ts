/**
 * Places in ascending order: an invocation per element counts how many come before it, which is where its place goes.
 * Floats are compared as integers of the same order, so NaN comes last and nothing depends on how a device treats it.
 */
import type { ArgsortKernel } from "../kernel.ts";
import { perElement, shader } from "./serial.ts";
import type { Schedule } from "./schedule.ts";
import { Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

const FLOAT_KEY = `fn order_(word: u32) -> i32 {
  if ((word & 0x7fffffffu) > 0x7f800000u) { return 0x7fffffff; }
  if (word == 0x80000000u) { return 0; }
  let bits = bitcast<i32>(word);
  return bits ^ ((bits >> 31u) & 0x7fffffff);
}`;
const INTEGER_KEY = "fn order_(word: u32) -> i32 { return bitcast<i32>(word); }";

export function argsortShader(kernel: ArgsortKernel, banks: readonly number[], schedule: Schedule): Shader {
  const { outer, count } = kernel;
  const w = new Writer(kernel.params, banks, schedule);
  perElement(w, outer * count);
  w.line(`let line = (place / ${count}u) * ${count}u;`);
  w.line("let own = place - line;");
  w.line(`let key = order_(${w.word(0, "place")});`);
  w.line("var before = 0u;");
  w.line(`for (var j = 0u; j < ${count}u; j++) {`);
  w.line(`let other = order_(${w.word(0, "line + j")});`);
  w.line("if (other < key || (other == key && j < own)) { before++; }");
  w.line("}");
  w.save(1, "line + before", "i32(own)");
  return shader(w, outer * count, [kernel.params[0]?.dtype === "f32" ? FLOAT_KEY : INTEGER_KEY]);
}
