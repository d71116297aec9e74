import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../lang/diagnostic.ts";
import { didYouMean, renderDiagnostic } from "../../lang/render.ts";

const text = "let x = zeros([4, 3])\nlet y = ones([4])\n\nlet z = 2\nlet w = 3\nprint x + y, z\n";
const source = { file: "a.dlx", text };
const at = (part: string, label: string, from = text, file = "a.dlx") => {
  const start = from.indexOf(part);
  return { span: { file, start, end: start + part.length }, text: label };
};
const mistake = (labels: Diagnostic["labels"], more: Partial<Diagnostic> = {}): Diagnostic => ({
  code: "DLX0201",
  severity: "error",
  title: "`+` of shapes that do not fit",
  labels,
  notes: [],
  ...more,
});

describe("frames", () => {
  test("labels on several lines, notes and help", () => {
    const d = mistake(
      [at("x + y", "f32[4, 3] + f32[4]"), at("zeros([4, 3])", "f32[4, 3]"), at("ones([4])", "f32[4]")],
      {
        notes: ["the 3 comes from line 1"],
        help: "write `expand(y, [4, 3])`",
      },
    );
    expect(renderDiagnostic(d, [source])).toMatchInlineSnapshot(`
      "error[DLX0201]: \`+\` of shapes that do not fit
       --> a.dlx:6:7
        |
      1 | let x = zeros([4, 3])
        |         ------------- f32[4, 3]
      2 | let y = ones([4])
        |         --------- f32[4]
      ...
      6 | print x + y, z
        |       ^^^^^ f32[4, 3] + f32[4]
        |
        = note: the 3 comes from line 1
        = help: write \`expand(y, [4, 3])\`"
    `);
  });

  test("the line as it would be, where the help does not hold it", () => {
    const around = (help: string): string => {
      const { span } = at("y = ones([4])", "");
      const edits = [
        { span: { ...span, start: span.start + 4, end: span.start + 4 }, text: "squeeze(" },
        { span: { ...span, start: span.end }, text: ", -1)" },
      ];
      const d = mistake([at("ones([4])", "f32[4]")], { help, fix: [{ title: "", edits }] });
      return renderDiagnostic(d, [source]);
    };
    expect(around("write `squeeze(x, -1)`")).toMatchInlineSnapshot(`
      "error[DLX0201]: \`+\` of shapes that do not fit
       --> a.dlx:2:9
        |
      2 | let y = ones([4])
        |         ^^^^^^^^^ f32[4]
        |
        = help: write \`squeeze(x, -1)\`
        |
      2 | let y = squeeze(ones([4]), -1)
        |         ++++++++         +++++"
    `);
    expect(around("write `squeeze(ones([4]), -1)`")).not.toContain("+++");
  });
  test("labels on one line", () => {
    const d = mistake([at("+ y, z", "the sum"), at("x +", "f32[4, 3]"), at("print", "here")]);
    expect(renderDiagnostic(d, [source])).toMatchInlineSnapshot(`
      "error[DLX0201]: \`+\` of shapes that do not fit
       --> a.dlx:6:9
        |
      6 | print x + y, z
        | ----- --^^^^^^ the sum
        | |     f32[4, 3]
        | here"
    `);
    const apart = mistake([at("print", "the primary place"), at("z\n", "a second"), at("y, z", "")]);
    expect(renderDiagnostic(apart, [source])).toMatchInlineSnapshot(`
      "error[DLX0201]: \`+\` of shapes that do not fit
       --> a.dlx:6:1
        |
      6 | print x + y, z
        | ^^^^^     ---- a second
        | the primary place"
    `);
  });

  test("a line between two shown lines is shown, more are left out", () => {
    const d = mistake([at("let y", ""), at("let z", ""), at("print", "")]);
    expect(renderDiagnostic(d, [source])).toMatchInlineSnapshot(`
      "error[DLX0201]: \`+\` of shapes that do not fit
       --> a.dlx:2:1
        |
      2 | let y = ones([4])
        | ^^^^^
      3 |
      4 | let z = 2
        | -----
      5 | let w = 3
      6 | print x + y, z
        | -----"
    `);
  });

  test("a place of several lines is shown by its first", () => {
    expect(renderDiagnostic(mistake([at("ones([4])\n\nlet z = 2", "from here")]), [source])).toMatchInlineSnapshot(`
      "error[DLX0201]: \`+\` of shapes that do not fit
       --> a.dlx:2:9
        |
      2 | let y = ones([4])
        |         ^^^^^^^^^ from here"
    `);
  });

  test("other files, known and unknown", () => {
    const other = { file: "blocks.dlx", text: "# one\nmodel A()(x) { x }\n" };
    const d = mistake([
      at("x + y", "here"),
      at("A()", "defined here", other.text, other.file),
      at("A()", "lost", other.text, "gone.dlx"),
    ]);
    expect(renderDiagnostic(d, [source, other])).toMatchInlineSnapshot(`
      "error[DLX0201]: \`+\` of shapes that do not fit
       --> a.dlx:6:7
        |
      6 | print x + y, z
        |       ^^^^^ here
       ::: blocks.dlx:2:7
        |
      2 | model A()(x) { x }
        |       --- defined here
       ::: gone.dlx
        |
        = note: gone.dlx: lost"
    `);
  });

  test("no place at all", () => {
    const d = mistake([], { title: "no device `h100`", severity: "warning", help: "run `dlx devices`" });
    expect(renderDiagnostic(d, [])).toMatchInlineSnapshot(`
      "warning[DLX0201]: no device \`h100\`
        = help: run \`dlx devices\`"
    `);
  });

  test("the end of a text, tabs and wide characters", () => {
    const odd = { file: "o.dlx", text: "\tlet λ = '\u{1F600}' +" };
    const d = mistake([
      { span: { file: "o.dlx", start: odd.text.length, end: odd.text.length }, text: "ends here" },
      at("+", "", odd.text, "o.dlx"),
    ]);
    expect(renderDiagnostic(d, [odd])).toMatchInlineSnapshot(`
      "error[DLX0201]: \`+\` of shapes that do not fit
       --> o.dlx:1:16
        |
      1 |     let λ = '😀' +
        |                 -^ ends here"
    `);
  });

  test("everything fits 80 columns", () => {
    const long = `let x = ${Array.from({ length: 40 }, (_, i) => `part${i}`).join(" + ")}`;
    const words = "many words about what went wrong and why, ".repeat(4).trim();
    const d = mistake([at("part30", words, long, "l.dlx"), at("part2 ", "first", long, "l.dlx")], {
      title: words,
      notes: [words, "`code with spaces stays whole` ".repeat(4).trim()],
      help: words,
    });
    const out = renderDiagnostic(d, [{ file: "l.dlx", text: long }]);
    for (const line of out.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
    expect(out).toMatchInlineSnapshot(`
      "error[DLX0201]: many words about what went wrong and why, many words about what
          went wrong and why, many words about what went wrong and why, many words
          about what went wrong and why,
       --> l.dlx:1:269
        |
      1 | …rt26 + part27 + part28 + part29 + part30 + part31 + part32 + part33 + part…
        | -                                  ^^^^^^
        | many words about what went wrong and why, many words about what went wrong
        | and why, many words about what went wrong and why, many words about what
        | went wrong and why,
        | first
        |
        = note: many words about what went wrong and why, many words about what went
                wrong and why, many words about what went wrong and why, many words
                about what went wrong and why,
        = note: \`code with spaces stays whole\` \`code with spaces stays whole\`
                \`code with spaces stays whole\` \`code with spaces stays whole\`
        = help: many words about what went wrong and why, many words about what went
                wrong and why, many words about what went wrong and why, many words
                about what went wrong and why,"
    `);
  });

  test("colours only when asked for, and nothing else changes", () => {
    const d = mistake([at("x + y", "the sum"), at("ones([4])", "f32[4]")], { notes: ["n"], help: "h" });
    const colored = renderDiagnostic(d, [source], { color: true });
    expect(colored).toContain("\x1b[1;31merror[DLX0201]\x1b[0m");

    expect(colored.replaceAll(/\x1b\[[\d;]*m/g, "")).toBe(renderDiagnostic(d, [source]));
  });
});

describe("did you mean", () => {
  const names = ["Linear", "LayerNorm", "linear_warmup", "mean", "max", "model"];
  test.each([
    ["Liner", "Linear"],
    ["LayerNrom", "LayerNorm"],
    ["modle", "model"],
    ["MEAN", "mean"],
    ["maen", "mean"],
    ["x", undefined],
    ["zebra", undefined],
    ["Conv", undefined],
  ])("%s: %s", (written, meant) => expect(didYouMean(written, names)).toBe(meant));

  test("not the name itself", () => expect(didYouMean("mean", ["mean"])).toBeUndefined());
});
