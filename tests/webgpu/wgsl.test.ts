/** The text of shaders: a softmax, a tiled product with its epilogue, and offsets that differ between dispatches only. */
import { describe, expect, it } from "vitest";
import { lower } from "../../gpu/lower.ts";
import { hardware, lowerOptions, shadersOf } from "../../gpu/wgsl/index.ts";
import { build as g } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { input } from "../gpu/harness.ts";
import { relu, softmax } from "../gpu/networks.ts";

function texts(node: Node): string[] {
  const { kernels } = lower([{ node }], lowerOptions(new Set(), hardware));
  return kernels.flatMap((kernel) =>
    shadersOf(
      kernel,
      kernel.params.map(({ access }) => (access === "write" ? 1 : 0)),
      hardware,
    ).map((s) => `// groups: ${s.groups}\n${s.code}`),
  );
}

describe("wgsl", () => {
  it("of softmax is one shader", () => {
    const list = texts(softmax(input("batch", "x", [64, 50])));
    expect(list).toHaveLength(1);
    expect(list[0]).toMatchSnapshot();
  });

  it("of a product applies bias and relu to its sums", () => {
    const y = g.dot(input("batch", "x", [64, 40]), input("state", "w", [40, 32]), [], [[1, 0]]);
    const list = texts(relu(g.add(y, g.expand(input("state", "b", [32]), [64, 32], [1]))));
    expect(list).toHaveLength(1);
    expect(list[0]).toMatchSnapshot();
  });

  it("of a deep product with few elements cuts the depth", () => {
    const list = texts(g.dot(input("batch", "x", [4096, 16]), input("batch", "y", [4096, 16]), [], [[0, 0]]));
    expect(list).toHaveLength(2);
  });
});
