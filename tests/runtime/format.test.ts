/** Numbers and values as text. */
import { describe, expect, it } from "vitest";
import type { DType } from "../../lang/graph/node.ts";
import { formatNumber, formatValue } from "../../runtime/format.ts";
import type { Shown } from "../../runtime/values.ts";

const tensor = (values: number[], shape: number[] = [], dtype: DType = "f32"): Shown => ({
  kind: "tensor",
  values,
  shape,
  dtype,
});
const count = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("formats", () => {
  it.each([
    [0.12345, ".4f", "0.1235"],
    [2, "8.2f", "    2.00"],
    [0.5, "+.1f", "+0.5"],
    [-0.5, "+.1f", "-0.5"],
    [0.98765, ".2%", "98.77%"],
    [12.6, "d", "13"],
    [-0.2, "d", "0"],
    [7, "4d", "   7"],
    [0.00123, ".2e", "1.23e-03"],
    [1234567, ".3g", "1.23e+06"],
    [0.0001, "g", "0.0001"],
    [0.00001, "g", "1e-05"],
    [100000, "g", "100000"],
    [1e22, ".1f", "10000000000000000000000.0"],
    [NaN, "6.2f", "   nan"],
    [Infinity, "+.2f", "+inf"],
    [-Infinity, ".2%", "-inf"],
  ])("%s as %s is %s", (x, format, text) => expect(formatNumber(x, format)).toBe(text));

  it("without a format: six digits, no more than needed", () => {
    const texts = [0, 1, -2.5, 1 / 3, 1e-7, 123456.789, 1e6, 1e21, 0.1 + 0.2].map((x) => formatNumber(x));
    expect(texts.join(" ")).toBe("0 1 -2.5 0.333333 1e-07 123457 1e+06 1e+21 0.3");
  });
});

describe("values", () => {
  it("whole numbers are exact, bools are words, classes are their names", () => {
    expect(formatValue(tensor([1234567], [], "i32"))).toBe("1234567");
    expect(formatValue(tensor([1, 0], [2], "bool"))).toBe("[true, false]");
    expect(formatValue({ ...tensor([1], [], "i32"), classes: ["minimum", "saddle"] } as Shown)).toBe("saddle");
  });
  it("tensors are nested brackets, long axes show their ends", () => {
    expect(formatValue(tensor([1, 2, 3, 4], [2, 2]))).toBe("[[1, 2], [3, 4]]");
    expect(formatValue(tensor(count(12), [12]))).toBe(`[${count(12).join(", ")}]`);
    expect(formatValue(tensor(count(100), [100]))).toBe("[0, 1, 2, …, 97, 98, 99]");
    expect(formatValue(tensor(count(6), [3, 2]), ".1f")).toMatchInlineSnapshot(`
      "[[0.0, 1.0],
       [2.0, 3.0],
       [4.0, 5.0]]"
    `);
    expect(formatValue(tensor([], [0]))).toBe("[]");
  });
  it("lists, tuples, records, and what is not there yet", () => {
    const items = [tensor([1]), { kind: "text", text: "a" } as const, { kind: "absent" } as const];
    expect(formatValue({ kind: "list", items, tuple: false })).toBe("[1, a, –]");
    expect(formatValue({ kind: "list", items, tuple: true })).toBe("(1, a, –)");
    expect(formatValue({ kind: "record", fields: [["x", tensor([1])], ["y", tensor([2])]] })).toBe("{ x: 1, y: 2 }"); // prettier-ignore
    expect(formatValue({ kind: "absent" }, "6.2f")).toBe("     –");
  });
});
