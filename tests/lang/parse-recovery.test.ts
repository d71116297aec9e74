import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderDiagnostic } from "../../lang/render.ts";
import { codes, kinds, nodes, read } from "./tree.ts";

const digits = readFileSync(new URL("canonical/01.dlx", import.meta.url), "utf8");

/** What must hold for any text at all. Plain comparisons: this runs for some millions of nodes. */
function holds(text: string): void {
  const { file, diagnostics } = read(text);
  const inside = ({ start, end }: { start: number; end: number }): boolean =>
    0 <= start && start <= end && end <= text.length;
  let broken = false;
  for (const n of nodes(file)) {
    if (!inside(n.span)) throw new Error(`span ${JSON.stringify(n)} outside ${JSON.stringify(text)}`);
    if (n.kind === "error" || n.kind === "missing") broken = true;
    const named = n.text !== undefined && n.text !== "" && (n.kind === undefined || n.kind === "name");
    if (named && text.slice(n.span.start, n.span.end) !== n.text)
      throw new Error(`${n.text} is not in its place in ${text}`);
  }
  if (broken) expect(diagnostics, text).not.toEqual([]);
  for (const d of diagnostics) {
    expect(d.code).toMatch(/^DLX01\d\d$/);
    expect(d.labels.length).toBeGreaterThan(0);
    for (const { span } of d.labels)
      if (!inside(span)) throw new Error(`label of ${d.title} outside ${JSON.stringify(text)}`);
    expect(renderDiagnostic(d, [{ file: "t.dlx", text }])).toContain(d.code);
  }
}

describe("any text gives a tree", () => {
  test("every prefix of a script", () => {
    for (let end = 0; end <= digits.length; end++) holds(digits.slice(0, end));
  });

  test("a script with any one character taken out", () => {
    for (let at = 0; at < digits.length; at += 3) holds(digits.slice(0, at) + digits.slice(at + 1));
  });

  const pieces = [
    ..."()[]{}<>=+-*/^@~?:,.%!&|;'\"#\n ",
    ..."let dim input fn model optimizer param state train eval minimize metric repeat every when print save yield test stop".split(
      " ",
    ),
    ..."if else for in scan iterate and or not true none over with except to from mixes log epochs steps x y B f λ 1 2.5 1e-3".split(
      " ",
    ),
    "<-",
    "=>",
    "->",
    "|>",
    "..",
    "==",
    "\n",
    "\n",
    '"a {x:.2f}"',
    '"{',
    "## doc\n",
    "\u{1F600}",
    "\r\n",
    "\t",
  ];
  test("soups of tokens", () => {
    const soup = fc.array(fc.tuple(fc.constantFrom(...pieces), fc.constantFrom("", " ")), { maxLength: 40 });
    fc.assert(
      fc.property(soup, (all) => holds(all.flat().join(""))),
      { numRuns: 1500, seed: 7 },
    );
  });

  test("any characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => holds(text)),
      { numRuns: 500, seed: 7 },
    );
  });

  test("deep nesting ends", () => {
    expect(codes("(".repeat(60)).length).toBe(3);
    expect(codes(`${"(".repeat(80)}1${")".repeat(80)}`)).toEqual([]);
    expect(codes(`${"(".repeat(82)}1${")".repeat(82)}`)).toEqual(["DLX0115"]);
    expect(codes("not ".repeat(20_000))).toEqual(["DLX0115"]);
    expect(codes(`${"[".repeat(9000)}${"]".repeat(9000)}`)).toEqual(["DLX0115"]);
    expect(codes("let x = 1")).toEqual([]);
  });
});

describe("a mistake costs one statement", () => {
  test("several mistakes give several messages, and the rest is in the tree", () => {
    const text = "let a = * 2\nlet b = 3\nprint a b\nseed\ntrain (x) in d {\n  let = 3\n  print x\n}\nlet c = 4";
    expect(codes(text)).toEqual(["DLX0101", "DLX0107", "DLX0101", "DLX0101"]);
    expect(kinds(text)).toBe("let let print expr seed train let");
  });

  test("a head that cannot be read keeps its body", () => {
    const [train] = read("train (x) on d for 3 epochs {\n  let z = 1\n  print z\n}").file.body;
    expect(train?.kind === "train" && train.body.body.map((s) => s.kind)).toEqual(["let", "print"]);
  });

  test("a head without a body", () => {
    expect(kinds("train (x) in d for 5 epochs\nlet y = 1")).toBe("train let");
    expect(codes("train (x) in d for 5 epochs\nlet y = 1")).toEqual(["DLX0101"]);
  });

  test("an argument that cannot be read keeps the others", () => {
    const [statement] = read("f(a, , over: )").file.body;
    const call = statement?.kind === "expr" ? statement.value : undefined;
    expect(call?.kind === "call" && call.args.map((a) => a.value.kind)).toEqual(["name", "missing", "missing"]);
  });

  test("a half-typed member keeps what is before the dot", () => {
    const [statement] = read("net.\nprint 1").file.body;
    const member = statement?.kind === "expr" ? statement.value : undefined;
    expect(member?.kind === "member" && member.target.kind).toBe("name");
  });

  test("a bracket that is never closed ends before the next statement", () => {
    expect(kinds("let x = f(1, [2\nlet y = 3\nprint y")).toBe("let let print");
    expect(codes("let x = f(1, [2\nlet y = 3")).toEqual(["DLX0102", "DLX0102"]);
  });

  test("a block that is never closed ends where the indentation does", () => {
    const text = "model A(D: dim)(x) {\n  param w = 1\n  x\n\nlet net = A(3)\ntrain (x) in d {\n  print x\n}\n";
    expect(codes(text)).toEqual(["DLX0102"]);
    expect(kinds(text)).toBe("model let train");
  });

  test("an unclosed text leaves the brackets after it", () => {
    expect(codes('when a { print("b) }\nlet y = 2')).toEqual(["DLX0103"]);
    expect(kinds('when a { print("b) }\nlet y = 2')).toBe("when let");
  });
});
