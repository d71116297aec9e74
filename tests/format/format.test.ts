/**
 * The formatter keeps the program, its comments and its own output; what it does to each construction is shown by
 * before and after.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { format } from "../../lang/format/index.ts";
import { commentsOf, treeOf } from "./same.ts";
import { blocksOf, scriptsIn } from "./scripts.ts";

const kept = scriptsIn("stdlib", "examples", "bench", "tests/lang/canonical");
const all = [...kept, ...scriptsIn("tests"), ...["README.md", "docs/language.md"].flatMap(blocksOf)];

function formatted(text: string): string {
  const result = format({ file: "a.dlx", text });
  if ("diagnostics" in result) throw new Error(`expected a script that parses, got ${result.diagnostics[0]?.title}`);
  return result.text;
}

const parses = (text: string): boolean => !("diagnostics" in format({ file: "a.dlx", text }));
const whole = all.filter(({ text }) => parses(text));

function holds(text: string): void {
  const once = formatted(text);
  expect(treeOf(once)).toEqual(treeOf(text));
  expect(commentsOf(once)).toEqual(commentsOf(text));
  expect(formatted(once)).toBe(once);
}

test("most scripts parse, so most are tested", () => expect(whole.length).toBeGreaterThan(all.length * 0.8));

test.each(whole.map(({ file, text }) => [file, text] as const))(
  "%s is the same program in canonical form",
  (_f, text) => holds(text),
);

test.each(kept.map(({ file, text }) => [file, text] as const))("%s stays formatted (dlx fmt FILE)", (_file, text) =>
  expect(formatted(text)).toBe(text),
);

test("a script with mistakes is left alone", () => {
  const result = format({ file: "a.dlx", text: "let x = (1\n" });
  expect("diagnostics" in result && result.diagnostics.map((d) => d.code)).toEqual(["DLX0102"]);
});

describe("mutations of scripts keep their meaning", () => {
  const longer = whole.filter(({ text }) => text.length < 3000);
  /** Each space or line end between tokens becomes something else; strings and comments hold `"` or `#` and stay. */
  const mutate = (text: string, choices: readonly number[]): string => {
    let used = 0;
    const pick = (of: readonly string[]): string => of[(choices[used++ % choices.length] ?? 0) % of.length] ?? "";
    return text
      .split("\n")
      .map((line) => {
        if (/["#]/.test(line)) return `${line}${pick(["", "", "  ", "\n"])}`;
        const spaced = line.replace(/(?<=\S) +(?=\S)/g, () => pick([" ", " ", "  ", "      ", "\t"]));
        const broken = spaced.replace(/(?<=[([,=]) *|(?<=\S) +(?=\|>|\+ |\* |and |\? |over )/g, (gap) =>
          pick([gap, gap, gap, gap, "\n", "\n   ", " # why\n", "\n\n  # own\n"]),
        );
        return `${broken}${pick(["", "", "", "  # behind", "\n\n\n", "\n# own", "\n## doc"])}`;
      })
      .join(pick(["\n", "\n", "\r\n"]));
  };
  test("white space, line breaks and comments", () => {
    let tried = 0;
    fc.assert(
      fc.property(
        fc.nat({ max: longer.length - 1 }),
        fc.array(fc.nat({ max: 839 }), { minLength: 20, maxLength: 200 }),
        (at, choices) => {
          const text = mutate(longer[at]?.text ?? "", choices);
          if (!parses(text)) return;
          tried++;
          holds(text);
        },
      ),
      { numRuns: 400, seed: 7 },
    );
    expect(tried).toBeGreaterThan(200);
  });

  test("generated expressions, too long for a line", () => {
    const name = fc.constantFrom("a", "banana", "some_longer_name", "x1", "over", "with", "step", "log");
    const leaf = fc.oneof(name, fc.constantFrom("1", "2.5e-3", '"text {x:.2f}"', "true", "[1, 2, 3]", "none"));
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 5, withCrossShrink: true },
        leaf,
        fc
          .tuple(tie("expression"), fc.constantFrom("+", "-", "*", "//", "@", "^", "and", "<"), tie("expression"))
          .map(([a, op, b]) => `(${a}) ${op} (${b})`),
        fc.tuple(leaf, fc.constantFrom("+", "-", "*", "or"), tie("expression")).map(([a, op, b]) => `${a} ${op} ${b}`),
        fc.array(tie("expression"), { maxLength: 5 }).map((items) => `f(${items.join(", ")})`),
        fc.array(tie("expression"), { maxLength: 5 }).map((items) => `[${items.join(", ")}]`),
        fc
          .array(tie("expression"), { maxLength: 4 })
          .map((items) => `g(at: 1${items.map((e) => `, key: ${e}`).join("")})`),
        fc.tuple(leaf, tie("expression"), leaf).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
        fc.tuple(leaf, tie("expression")).map(([a, b]) => `(${a} |> h(${b}) |> relu)`),
        tie("expression").map((e) => `-f(${e})[0, 1..2, ..]`),
        tie("expression").map((e) => `map(x => ${e})`),
        tie("expression").map((e) => `{ k: ${e}, ..rows }`),
        tie("expression").map((e) => `(if a { ${e} } else { b })`),
        tie("expression").map((e) => `map(y => { let z = ${e}\n z })`),
      ),
    }));
    const statement = expression.chain((e) =>
      fc.constantFrom(
        `let name = ${e}`,
        `fn f(x, y: [B, ..] = 1) -> [B, 2] = ${e}`,
        `print ${e}, ${e}`,
        `every 5 steps { minimize ${e} over net with Adam(${e}) }`,
      ),
    );
    fc.assert(
      fc.property(fc.array(statement, { minLength: 1, maxLength: 3 }), (lines) => {
        const text = lines.join("\n");
        if (parses(text)) holds(text);
      }),
      { numRuns: 500, seed: 11 },
    );
  });
});
