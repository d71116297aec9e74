/** Modules as text: what the generator writes is read back whole, and numbers are those that were written. */
import { expect, test } from "vitest";
import { Fn, ModuleBuilder } from "../../gpu/wasm/assembler.ts";
import { moduleText } from "../../gpu/wasm/text.ts";

test("every form of instruction", () => {
  const helper = new Fn(["i32", "i32"], ["i32"]);
  helper.get(0).i32(-5).op("i32.add").i32(2147483647).op("i32.xor").i32(-2147483648).op("i32.or");
  const fn = new Fn(["i32"]);
  const [a, v] = [fn.local("i32"), fn.local("v128")];
  fn.get(0).get(0).call(0).set(a);
  fn.loop(() => {
    fn.get(a)
      .op("i32.eqz")
      .if(
        () => fn.br(1),
        () => fn.get(0).f32(1.5).mem("f32.store", 300),
      );
    fn.get(0).mem("v128.load").tee(v).i32x4(1, 2, 3, -1).op("i32x4.add").lane("i32x4.extract_lane", 2).brIf(0);
  });
  fn.get(0).get(v).mem("v128.store32_lane", 4, 3);
  fn.get(v).get(v).shuffle(0, 4, 1, 5).set(v);
  fn.get(0).i32(0).i32(64).memoryFill();
  fn.get(v).get(v).get(v).op("f32x4.relaxed_madd", "drop");
  const module = new ModuleBuilder();
  module.add(helper);
  module.add(fn, "k0");
  expect(moduleText(module.bytes({ initial: 1, maximum: 2, shared: false }))).toBe(`func 0 (param i32 i32) (result i32)
  local.get 0
  i32.const -5
  i32.add
  i32.const 2147483647
  i32.xor
  i32.const -2147483648
  i32.or
func k0 (param i32)
  local 1 × i32, 1 × v128
  local.get 0
  local.get 0
  call 0
  local.set 1
  loop
    local.get 1
    i32.eqz
    if
      br 1
    else
      local.get 0
      f32.const 1.5
      f32.store offset=300
    end
    local.get 0
    v128.load
    local.tee 2
    v128.const i32x4 0x00000001 0x00000002 0x00000003 0xffffffff
    i32x4.add
    i32x4.extract_lane 2
    br_if 0
  end
  local.get 0
  local.get 2
  v128.store32_lane offset=4 3
  local.get 2
  local.get 2
  i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23
  local.set 2
  local.get 0
  i32.const 0
  i32.const 64
  memory.fill
  local.get 2
  local.get 2
  local.get 2
  f32x4.relaxed_madd
  drop`);
});
