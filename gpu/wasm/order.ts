/**
 * Places in ascending order by merging runs of 1, 2, 4, … places, which keeps equals in order. Floats are compared as
 * integers of the same order, so NaN has a place too (the last), and no comparison differs between devices.
 */
import type { ArgsortKernel } from "../kernel.ts";
import { Fn } from "./assembler.ts";
import { each, eachPlace, parameters } from "./serial.ts";

export function argsortFunction(kernel: ArgsortKernel): Fn {
  const { count } = kernel;
  const float = kernel.params[0]?.dtype === "f32";
  const f = new Fn(parameters(3));
  const [x, out, scratch] = [2, 3, 4] as const;
  const local = () => f.local("i32");
  const [low, middle, high, i, j, k, left, right, bits, take] = [
    local(), local(), local(), local(), local(), local(), local(), local(), local(), local(),
  ] as const; // prettier-ignore
  const address = (array: number, at: number) => f.get(array).get(at).i32(2).op("i32.shl", "i32.add");
  /** Pushes the key of the element whose place is in a local. */
  const key = (place: number) => {
    address(x, place).mem("i32.load");
    if (!float) return;
    f.set(bits);
    // NaN above all; -0 is 0; negative numbers in reverse
    f.i32(0x7fffffff);
    f.i32(0);
    f.get(bits).get(bits).i32(31).op("i32.shr_s").i32(0x7fffffff).op("i32.and", "i32.xor");
    f.get(bits).i32(-0x80000000).op("i32.eq", "select");
    f.get(bits).i32(0x7fffffff).op("i32.and").i32(0x7f800000).op("i32.gt_s", "select");
  };
  /** Pushes the smaller of a local's number plus `by` and the count. */
  const upTo = (from: number, by: number) => {
    f.get(from).i32(by).op("i32.add").i32(count);
    f.get(from).i32(by).op("i32.add").i32(count).op("i32.lt_s", "select");
  };
  const merge = (from: number, to: number, width: number) => {
    f.i32(0).set(low);
    f.block(() => {
      f.loop(() => {
        f.get(low).i32(count).op("i32.ge_s").brIf(1);
        upTo(low, width);
        f.set(middle);
        upTo(low, 2 * width);
        f.set(high);
        f.get(low).set(i);
        f.get(middle).set(j);
        each(f, k, () => f.get(low), () => f.get(high), () => {
          f.get(j).get(high).op("i32.ge_s").set(take);
          f.get(i).get(middle).op("i32.lt_s").get(j).get(high).op("i32.lt_s", "i32.and").if(() => {
            address(from, i).mem("i32.load").set(left);
            address(from, j).mem("i32.load").set(right);
            key(left);
            key(right);
            f.op("i32.le_s").set(take);
          });
          address(to, k);
          f.get(take).if(
            () => {
              address(from, i).mem("i32.load").set(left);
              f.get(i).i32(1).op("i32.add").set(i);
            },
            () => {
              address(from, j).mem("i32.load").set(left);
              f.get(j).i32(1).op("i32.add").set(j);
            },
          );
          f.get(left).mem("i32.store");
        });
        f.get(high).set(low).br(0);
      });
    });
  }; // prettier-ignore
  const widths: number[] = [];
  for (let width = 1; width < count; width *= 2) widths.push(width);
  const begin = widths.length % 2 === 0 ? out : scratch;
  eachPlace(f, [count, count, count], () => {
    each(f, k, () => f.i32(0), () => f.i32(count), () => address(begin, k).get(k).mem("i32.store"));
    widths.forEach((width, pass) => {
      const fromOut = (begin === out) === (pass % 2 === 0);
      merge(fromOut ? out : scratch, fromOut ? scratch : out, width);
    });
  }); // prettier-ignore
  return f;
}
