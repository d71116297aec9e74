import { expect, test } from "vitest";
import { codes, messages } from "./tree.ts";

test("DLX0101 unexpected", () => {
  expect(messages("let x = 1 +")).toMatchInlineSnapshot(`
    "error[DLX0101]: expected a value after \`+\`
     --> t.dlx:1:12
      |
    1 | let x = 1 +
      |            ^ the file ends here
      |
      = help: write what follows \`+\`, or leave it out"
  `);
  expect(messages("minimize loss with Adam(1e-3)")).toMatchInlineSnapshot(`
    "error[DLX0101]: expected \`over\` after \`loss\`
     --> t.dlx:1:15
      |
    1 | minimize loss with Adam(1e-3)
      |               ^^^^ found \`with\`
      |
      = help: write \`minimize loss over net with Adam(1e-3)\`"
  `);
  expect(messages("f(a b)")).toMatchInlineSnapshot(`
    "error[DLX0101]: expected \`,\` or \`)\` after \`a\`
     --> t.dlx:1:5
      |
    1 | f(a b)
      |     ^ found the name \`b\`
      |
      = help: write \`,\` between the two"
  `);
  expect(messages("when a = b { stop }")).toMatchInlineSnapshot(`
    "error[DLX0116]: \`=\` defines a name, \`==\` compares
     --> t.dlx:1:8
      |
    1 | when a = b { stop }
      |        ^ compares nothing
      |
      = help: write \`==\`"
  `);
  expect(messages("else { x }")).toMatchInlineSnapshot(`
    "error[DLX0101]: a statement cannot begin with \`else\`
     --> t.dlx:1:1
      |
    1 | else { x }
      | ^^^^
      |
      = help: \`else\` follows the \`}\` of an \`if\`"
  `);
  expect(messages('print "{}"')).toMatchInlineSnapshot(`
    "error[DLX0101]: expected a value between \`{\` and \`}\`
     --> t.dlx:1:8
      |
    1 | print "{}"
      |        ^^ nothing to show
      |
      = help: write \`{loss}\`, or \`{{\` for a brace"
  `);
  expect(messages("train for 5 { }")).toMatchInlineSnapshot(`
    "error[DLX0101]: expected a unit such as \`epochs\` or \`steps\` after \`5\`
     --> t.dlx:1:13
      |
    1 | train for 5 { }
      |             ^ found \`{\`
      |
      = help: write \`for 10 epochs\`, \`for 5000 steps\` or \`for 2 minutes\`
      |
    1 | train for 5 epochs { }
      |            +++++++"
  `);
});

test("DLX0102 brackets", () => {
  expect(messages("let x = f(1, 2\nlet y = 3")).toMatchInlineSnapshot(`
    "error[DLX0102]: \`(\` without its \`)\`
     --> t.dlx:1:10
      |
    1 | let x = f(1, 2
      |          ^    - expected \`)\` here at the latest
      |          this \`(\` is never closed
      |
      = help: write \`)\` where the part that \`(\` begins ends"
  `);
  expect(messages("train (x) in d {\n  let y = [1, 2)\n}")).toMatchInlineSnapshot(`
    "error[DLX0102]: \`[\` is closed by \`)\`
     --> t.dlx:2:16
      |
    2 |   let y = [1, 2)
      |           -    ^ closes it with \`)\`
      |           \`[\` opens
      |
      = help: write \`]\` instead of \`)\`"
  `);
  expect(messages("let x = 1)")).toMatchInlineSnapshot(`
    "error[DLX0102]: \`)\` without its \`(\`
     --> t.dlx:1:10
      |
    1 | let x = 1)
      |          ^ no \`(\` is open here
      |
      = help: remove it, or write the \`(\` that it closes
      |
    1 | let x = 1"
  `);
  expect(messages("train (x) in d {\n  print x\n")).toMatchInlineSnapshot(`
    "error[DLX0102]: \`{\` without its \`}\`
     --> t.dlx:1:16
      |
    1 | train (x) in d {
      |                ^ this \`{\` is never closed
    2 |   print x
      |          - expected \`}\` here at the latest
      |
      = help: write \`}\` where the part that \`{\` begins ends"
  `);
});

test("DLX0103 text and its holes", () => {
  expect(messages('print "loss\nlet x = 1')).toMatchInlineSnapshot(`
    "error[DLX0103]: text without its closing \`"\`
     --> t.dlx:1:7
      |
    1 | print "loss
      |       ^^^^^ begins here and runs to the end of the line
      |
      = help: write \`"\` where the text ends"
  `);
  expect(messages('print "{join(",", x)}"')).toMatchInlineSnapshot(`
    "error[DLX0103]: \`{\` in a text without its \`}\`
     --> t.dlx:1:8
      |
    1 | print "{join(",", x)}"
      |        ^ this \`{\` is not closed before the text ends
      |
      = note: \`{\` in a text begins a value: \`"loss {loss:.4f}"\`; a brace itself is
              \`{{\`
      = help: write \`}\` after the value; a value in a text cannot hold \`"\`: name it
              with \`let\` first
      |
    1 | print "{join(}",", x)}"
      |              +"
  `);
});

test("DLX0104 signs that dlx does not have", () => {
  expect(messages("let x = a && b")).toMatchInlineSnapshot(`
    "error[DLX0104]: dlx has no sign \`&&\`
     --> t.dlx:1:11
      |
    1 | let x = a && b
      |           ^^ unknown here
      |
      = help: write \`and\`"
  `);
  expect(messages("let x = €5")).toMatchInlineSnapshot(`
    "error[DLX0104]: dlx has no sign \`€\`
     --> t.dlx:1:9
      |
    1 | let x = €5
      |         ^ unknown here
      |
      = help: remove it; inside a text or a comment any character may stand
      |
    1 | let x = 5"
  `);
  expect(messages("let x = 'abc'")).toMatchInlineSnapshot(`
    "error[DLX0104]: dlx has no sign \`'\`
     --> t.dlx:1:9
      |
    1 | let x = 'abc'
      |         ^^^^^ unknown here
      |
      = help: texts stand in double quotes: \`"text"\`
      |
    1 | let x = "abc"
      |         +++++"
  `);
  expect(messages("x += 1")).toMatchInlineSnapshot(`
    "error[DLX0104]: dlx has no sign \`+=\`
     --> t.dlx:1:3
      |
    1 | x += 1
      |   ^^ unknown here
      |
      = help: a state is changed with \`x <- x + …\`
      |
    1 | x <- x + 1
      |   ++++++"
  `);
  expect(codes("let a = b ** 2; let c = “d”\nlet e = a ≤ b")).toEqual(["DLX0104", "DLX0104", "DLX0104", "DLX0104"]);
});

test("DLX0105 <- in an expression", () => {
  expect(messages("when a<-1 { stop }")).toMatchInlineSnapshot(`
    "error[DLX0105]: \`<-\` inside an expression
     --> t.dlx:1:7
      |
    1 | when a<-1 { stop }
      |       ^^ reads as a change of state
      |
      = note: \`name <- value\` on its own line changes a state
      = help: write \`a < -1\`
      |
    1 | when a< -1 { stop }
      |       +++"
  `);
  expect(codes("let b = a<-1\nf(a<-1)\nx + a<-1\na<-1\na.b[c]<-1")).toEqual(["DLX0105", "DLX0105", "DLX0105"]);
});

test("DLX0106 chains of comparisons", () => {
  expect(messages("let a = 0 < x + 1 < 2")).toMatchInlineSnapshot(`
    "error[DLX0106]: comparisons cannot be chained
     --> t.dlx:1:19
      |
    1 | let a = 0 < x + 1 < 2
      |           -       ^ a second comparison
      |           the first
      |
      = help: write \`0 < x + 1 and x + 1 < 2\`"
  `);
  expect(codes("(a < b) == (c < d)")).toEqual([]);
});

test("DLX0107 two statements on one line", () => {
  expect(messages("let x = 3 let y = 4")).toMatchInlineSnapshot(`
    "error[DLX0107]: two statements on one line
     --> t.dlx:1:11
      |
    1 | let x = 3 let y = 4
      |           ^^^ a second statement after \`3\`
      |
      = help: start a new line before \`let\`"
  `);
  expect(messages("print x y")).toMatchInlineSnapshot(`
    "error[DLX0107]: two statements on one line
     --> t.dlx:1:9
      |
    1 | print x y
      |         ^ a second statement after \`x\`
      |
      = help: start a new line before \`y\`, or write the operator that is missing"
  `);
});

test("DLX0108 misspelled and foreign words", () => {
  expect(messages("trian (x) in d for 3 epochs { print x }\nmodle Foo()(x) { x }")).toMatchInlineSnapshot(`
    "error[DLX0108]: no statement begins with \`trian\`
     --> t.dlx:1:1
      |
    1 | trian (x) in d for 3 epochs { print x }
      | ^^^^^ did you mean \`train\`?
      |
      = help: write \`train\`

    error[DLX0108]: no statement begins with \`modle\`
     --> t.dlx:2:1
      |
    2 | modle Foo()(x) { x }
      | ^^^^^ did you mean \`model\`?
      |
      = help: write \`model\`"
  `);
  expect(messages("def f(x) = x")).toMatchInlineSnapshot(`
    "error[DLX0108]: dlx has no \`def\`
     --> t.dlx:1:1
      |
    1 | def f(x) = x
      | ^^^ a word of another language
      |
      = help: a function is \`fn f(x) = …\` or \`fn f(x) { … }\`
      |
    1 | fn f(x) = x
      | ++"
  `);
  expect(messages("return x")).toMatchInlineSnapshot(`
    "error[DLX0108]: dlx has no \`return\`
     --> t.dlx:1:1
      |
    1 | return x
      | ^^^^^^ a word of another language
      |
      = help: the last expression of a block is its value: leave \`return\` out
      |
    1 | x"
  `);
  expect(codes("evla { }\nlte x = 3\npirnt x\ntset(x)\nfoo(x)")).toEqual(["DLX0108", "DLX0108", "DLX0108"]);
});

test("DLX0109 formats", () => {
  expect(messages('print "{x:5q}"')).toMatchInlineSnapshot(`
    "error[DLX0109]: \`5q\` is not a number format
     --> t.dlx:1:11
      |
    1 | print "{x:5q}"
      |           ^^ cannot be read as a format
      |
      = note: a format is perhaps \`+\`, perhaps digits, perhaps \`.\` and digits, then
              one of \`d f e g %\`
      = help: write \`{x:.4f}\`, \`{x:+.2e}\`, \`{x:.1%}\` or \`{n:d}\`"
  `);
  expect(messages('print "{c ? 1 : 2}"')).toMatchInlineSnapshot(`
    "error[DLX0109]: a \`? :\` in a text needs parentheses
     --> t.dlx:1:15
      |
    1 | print "{c ? 1 : 2}"
      |               ^ \`:\` begins the format here
      |
      = help: write \`{(c ? 1 : 2)}\`"
  `);
});

test("DLX0110 a reserved word as a name", () => {
  expect(messages("let state = 3")).toMatchInlineSnapshot(`
    "error[DLX0110]: \`state\` cannot be a name
     --> t.dlx:1:5
      |
    1 | let state = 3
      |     ^^^^^ a word of the language
      |
      = help: take another name, for example \`my_state\`"
  `);
});

test("DLX0111 a definition without let", () => {
  expect(messages("lr = 1e-3")).toMatchInlineSnapshot(`
    "error[DLX0111]: a name is defined with \`let\`
     --> t.dlx:1:4
      |
    1 | lr = 1e-3
      |    ^ defines nothing
      |
      = note: a state is changed with \`lr <- …\`
      = help: write \`let lr = 1e-3\`"
  `);
});

test("DLX0112 fields without parentheses", () => {
  expect(messages("train x in d { print x }")).toMatchInlineSnapshot(`
    "error[DLX0112]: the fields of a row stand in parentheses
     --> t.dlx:1:7
      |
    1 | train x in d { print x }
      |       ^
      |
      = help: write \`train (x) in …\`
      |
    1 | train (x) in d { print x }
      |       +++"
  `);
});

test("DLX0113 one list of arguments", () => {
  expect(messages("model Net(x: [B, 4]) { x }")).toMatchInlineSnapshot(`
    "error[DLX0113]: \`Net\` has only one list of arguments
     --> t.dlx:1:10
      |
    1 | model Net(x: [B, 4]) { x }
      |          ^^^^^^^^^^^
      |
      = note: a model has two lists: what it is, then what it acts on
      = help: write \`model Net()(x: [B, 4])\`"
  `);
});

test("DLX0114 every counts no hours", () => {
  expect(messages("every 2 hours { print 1 }")).toMatchInlineSnapshot(`
    "error[DLX0114]: \`every\` cannot count hours
     --> t.dlx:1:9
      |
    1 | every 2 hours { print 1 }
      |         ^^^^^
      |
      = help: count epochs, steps, seconds or minutes"
  `);
});

test("DLX0115 nested too deeply", () => {
  expect(messages(`print 1\n${"not ".repeat(20_000)}x`)).toMatchInlineSnapshot(`
    "error[DLX0115]: this script is nested too deeply to be read
     --> t.dlx:2:1
      |
    2 | not not not not not not not not not not not not not not not not not not not…
      | ^
      |
      = help: name inner parts with \`let\`"
  `);
});
