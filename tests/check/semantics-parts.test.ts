/** Axes that do not come out even, are meant twice or have no name in scope: what is said, and what works. */
import { describe, expect, test } from "vitest";
import { messages, mistakes, prints } from "./semantics.ts";

describe("parts of an axis", () => {
  test.each<[string, string, string]>([
    [
      "MultiHead(5)",
      "let m = MultiHead(5)\nprint shape(m(zeros([2, 3, 12])))",
      "12 channels cannot be split into 5 heads",
    ],
    ["heads", "print shape(heads(zeros([2, 3, 12]), 5))", "12 channels cannot be split into 5 heads"],
    ["GroupNorm(5)", "print shape(zeros([2, 12, 3, 3]) |> GroupNorm(5))", "12 channels cannot be split into 5 groups"],
    [
      "groups: 5",
      "print shape(zeros([2, 12, 8, 8]) |> Conv(12, 3, groups: 5))",
      "12 channels cannot be split into 5 groups",
    ],
    [
      "groups: 4",
      "print shape(zeros([2, 12, 8, 8]) |> Conv(10, 3, groups: 4))",
      "10 channels cannot be made by 4 groups",
    ],
    ["positional_encoding", "print shape(positional_encoding(4, 5))", "do not fill 5 columns"],
    ["grid", "print shape(grid(zeros([10, 4, 4]), 3))", "10 pictures do not fill rows of 3"],
    [
      "rows of GhostBatchNorm",
      "let m = GhostBatchNorm(5)\ntrain for 1 step { minimize sum(m(zeros([12, 3]))) over m with SGD(0.1) }",
      "12 rows cannot be split into parts of 5",
    ],
    ["of one's own", 'print evenly(7, 2, "{7} is odd")', "7 is odd"],
  ])("%s", async (place, script, wanted) => {
    const said = (await messages(script)).replace(/\n\s+/g, " ");
    expect(said).toContain("error[DLX0211]");
    expect(said).toContain(wanted);
    // The first frame is the script's, at the setting where there is one.
    expect(said).toMatch(/--> script\.dlx/);
    if (/^\w+\(|^groups/.test(place)) expect(await mistakes(script)).toEqual(["DLX0211 1"]);
  });
  test("and where they do", async () => {
    expect(await prints('print evenly(12, 3, "no"), shape(heads(zeros([2, 3, 12]), 4))')).toEqual(["4 [2, 4, 3, 3]"]);
  });
});

describe("names of axes", () => {
  test("axes of data have their names where axes are asked for", async () => {
    expect(
      await prints(`let rows = toy.linear(w: [1.0, 2.0], n: 5)
print shape(mean(rows.x, over: N)), shape(rows.x |> sum(over: not N)), shape(scan x in rows.x over N { yield sum(x) })`),
    ).toEqual(["[2] [5] [5]"]);
    expect(await mistakes("print mean(ones([3]), over: N)")).toEqual(["DLX0301 1"]);
  });
  test("rename gives a name that is nowhere else", async () => {
    expect(
      await prints(`dim T = 3
let x = normal([T, 4])
let score = softmax(x @ rename(x, T: Tk).T, over: Tk)
print shape(score), sum(score, over: Tk), shape(x |> rename(0, S))`),
    ).toEqual(["[3, 3] [1, 1, 1] [3, 4]"]);
  });
  test("the axes of `..` are apart from the named ones, also where a dim in scope is both", async () => {
    expect(
      await prints(`dim D = 4
fn last(x: [.., D]) -> [..] = sum(x, over: D)
fn add(a: [.., D], b: [.., D]) -> [.., D] = a + b
print shape(last(zeros([D, D]))), shape(last(ones([D, 3, D])) + zeros([D, 3])), sum(add(ones([D, D]), ones([D, D])))`),
    ).toEqual(["[4] [4, 3] 32"]);
  });
});

describe("an axis that is not clear", () => {
  test("scatter by an index that fits two axes", async () => {
    expect(await messages("print sum(ones([5, 5]), by: range(5) % 2, into: 2)")).toContain(
      "`by` fits more than one axis",
    );
    expect(await prints("dim E = 5\nprint sum(ones([E, 5]), by: range(E) % 2, into: 2)[.., 0]")).toEqual(["[3, 2]"]);
  });
  test("`..` twice", async () => {
    expect(await messages("print zeros([2, 3, 4])[.., 1, ..]")).toContain("`..` can stand once in an index");
    expect(await prints("print shape(zeros([2, 3, 4])[.., 1, 0..])")).toEqual(["[2, 4]"]);
  });
  test("a sequence without features", async () => {
    const script = `let rows = toy.series(n: 60) |> windows(10)
let rnn = RNN(4)
train (x) in batches(rows, 2) for 1 step { plot sum(rnn(x)[0]) }`;
    expect(await messages(script)).toContain("unsqueeze(x, 2)");
  });
});

test("lists in reductions mind their arguments", async () => {
  expect(
    await prints(`let to = [0, 1, 1]
print sum([1.0, 2.0, 3.0], by: to, into: 2), mean([1, 3], spread: true), max([1, 2], over: 0), [true, false] and not [false, false]`),
  ).toEqual(["[1, 5] [2, 2] 2 [true, false]"]);
});
