/** Loops that are written out for their conditions: the same numbers at every width, and nothing left to choose. */
import { describe, expect, it } from "vitest";
import { segmentView } from "../../gpu/index.ts";
import { make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { fetches, inFloat64, input, runCpu, segment } from "./harness.ts";

const CHANNELS = 3;

/** Whole numbers: sums of them are exact in either precision. */
const whole = (n: number) => Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 23) - 11);

interface Fold {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
}

const folds: readonly Fold[] = [
  { size: 5, stride: 1, dilation: 1 },
  { size: 3, stride: 1, dilation: 2 },
  { size: 3, stride: 2, dilation: 1 },
];

/** The columns of `places` windows along both sides, summed back. */
function folded(places: number, { size, stride, dilation }: Fold): Node {
  const x = input("batch", "x", [CHANNELS, places, places, size, size]);
  const both = (n: number) => [n, n];
  return make("fold", [x], {
    axes: [1, 2],
    size: both(size),
    stride: both(stride),
    dilation: both(dilation),
    shape: [CHANNELS, ...both((places - 1) * stride + (size - 1) * dilation + 1)],
  });
}

const padded = (side: number): Node =>
  make("pad", [input("batch", "x", [CHANNELS, side, side])], { lo: [0, 2, 1], hi: [0, 1, 4], value: 0 });

const sizeOf = (node: Node) => node.inputs[0]!.type.shape.reduce((a, b) => a * b, 1);

async function compare(node: Node): Promise<void> {
  const batch = { x: whole(sizeOf(node)) };
  const { values } = await runCpu([node], batch);
  expect([...values[0]!]).toEqual([...inFloat64([node], batch)[0]!].map((n) => n + 0));
}

const textOf = (node: Node): string =>
  segmentView(segment("known", fetches([node])), "cpu")
    .kernels.map(({ wasm }) => wasm?.text ?? "")
    .join("\n");

describe("conditions on axes whose trips are written out", () => {
  const places = [1, 2, 3, 4, 5, 7, 8, 10, 13, 16, 29];
  it.each(folds.flatMap((fold) => places.map((n) => ({ ...fold, n }))))(
    "sum $n windows of $size with stride $stride and dilation $dilation",
    ({ n, ...fold }) => compare(folded(n, fold)),
  );

  it.each([1, 2, 3, 5, 8, 11, 28, 160, 170])("pad a side of %i", (side) => compare(padded(side)));

  it("choose nothing at run time, as long as that is little code", () => {
    const fold = folds[0]!;
    expect(textOf(folded(10, fold))).not.toContain("bitselect");
    expect(textOf(folded(10, fold))).toContain("v128.const i32x4 0xffffffff 0x00000000 0x00000000 0x00000000");
    expect(textOf(folded(60, fold))).toContain("bitselect");
    expect(textOf(folded(60, fold)).length).toBeLessThan(textOf(folded(10, fold)).length);
  });
});
