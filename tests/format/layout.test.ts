/** What the canonical form looks like, by construction: each text becomes the one below it, and stays that. */
import { describe, expect, test } from "vitest";
import { format } from "../../lang/format/index.ts";

function formatted(text: string): string {
  const result = format({ file: "a.dlx", text });
  if ("diagnostics" in result) throw new Error(`expected a script that parses, got ${result.diagnostics[0]?.title}`);
  return result.text;
}

const becomes = (before: string, after: string): void => {
  expect(formatted(before)).toBe(after);
  expect(formatted(after)).toBe(after);
};
const stays = (text: string): void => expect(formatted(text)).toBe(text);

describe("spacing", () => {
  test.each([
    ["let  x=1", "let x = 1"],
    ["let y=-x ^ 2*( 3+ -4 )", "let y = -x^2 * (3 + -4)"],
    ["let z = a@b .T", "let z = a @ b.T"],
    ["let z = 2 ^ -1", "let z = 2^-1"],
    ["let f=x=>x+1", "let f = x => x + 1"],
    ["let c = a<b?1:2", "let c = a < b ? 1 : 2"],
    ["let c = not(a)and b", "let c = not (a) and b"],
    ["input lr=1e-3 in 1e-5..1e-1 log", "input lr = 1e-3 in 1e-5 .. 1e-1 log"],
    ["for i in 1 .. n - 1 { print i }", "for i in 1..n - 1 { print i }"],
    ["print x[ 0 ,1 .. , ..,T : .. -2 ]", "print x[0, 1.., .., T: ..-2]"],
    ["print f (x , at :1)", "print f(x, at: 1)"],
    ["let r={a:1,..rows}", "let r = { a: 1, ..rows }"],
    ["let (a,b)=(1,2)", "let (a, b) = (1, 2)"],
    ["let t=(1,)", "let t = (1,)"],
    ["let e=[ ]", "let e = []"],
    ["train fit(x)in rows for 2 epochs{ }", "train fit (x) in rows for 2 epochs { }"],
    ["eval(x)in rows{metric m=mean(x)}", "eval (x) in rows { metric m = mean(x) }"],
    ["state h:[B,128]=0", "state h: [B, 128] = 0"],
    ["fn f(q:index( 10 )[B],n=1)->[..,T]{q}", "fn f(q: index(10)[B], n = 1) -> [.., T] { q }"],
    ["model M( )(x:[B]){param w:[B]~ones if c\nx}", "model M()(x: [B]) {\n  param w: [B] ~ ones if c\n  x\n}"],
    ['save net to"a"', 'save net to "a"'],
    ['print "{ x :.2f}  #  {{"', 'print "{ x :.2f}  #  {{"'],
    ["s.h<-stop (last)", "s.h <- stop(last)"],
    ["minimize-a over(b,c)with clip(1)|>Adam( )if ok", "minimize -a over (b, c) with clip(1) |> Adam() if ok"],
    ["fn g(over, with) = over*with", "fn g(over, with) = over * with"],
    ["let l=[i ^ 2for i in 1..5]", "let l = [i^2 for i in 1..5]"],
    ["if a{1}else{2}", "if a { 1 } else { 2 }"],
  ])("%s", (before, after) => becomes(`${before}\n`, `${after}\n`));
});

test("blank lines: one at most between statements, none at the edges, one line end", () =>
  becomes(
    "\n\nlet x = 1\n\n\n\nlet y = 2\ntrain for 2 steps {\n\n  plot x\n\n\n  plot y\n\n}\n\n\n",
    "let x = 1\n\nlet y = 2\ntrain for 2 steps {\n  plot x\n\n  plot y\n}\n",
  ));

test("line ends of other systems, tabs", () => becomes("fn f(x) {\r\n\tx\r\n}\r\n", "fn f(x) {\n  x\n}\n"));

test("an empty script and one of comments", () => {
  becomes("", "");
  becomes("\n  # only\n\n\n## this", "# only\n\n## this\n");
});

describe("comments", () => {
  test("keep their place between, behind and inside", () =>
    becomes(
      [
        "#top",
        "let x = 1 # behind",
        "train for 2 steps { # head",
        "# inside",
        "  plot x",
        "    # last",
        "} # end",
        "let l = [ # of numbers",
        "1, # one",
        "# two comes",
        "2",
        "]",
      ].join("\n"),
      [
        "#top",
        "let x = 1  # behind",
        "train for 2 steps {  # head",
        "  # inside",
        "  plot x",
        "  # last",
        "}  # end",
        "let l = [  # of numbers",
        "  1,  # one",
        "  # two comes",
        "  2",
        "]",
        "",
      ].join("\n"),
    ));

  test("that stand under each other stay so, also where the code grows", () => {
    stays(
      "let n = 6                # a number\nlet name = 2.0           # another\n\nlet z = 1                # apart\n",
    );
    becomes("let n=6      # one\nlet longer=2 # two\n", "let n = 6       # one\nlet longer = 2  # two\n");
  });

  test("in a chain", () =>
    becomes(
      "let y = x # first\n|> relu # second\n# third\n|> tanh\n",
      "let y = x  # first\n  |> relu  # second\n  # third\n  |> tanh\n",
    ));

  test("a doc stays above its declaration", () => stays("## f(x) = x\n## Source: none.\nfn f(x) = x\n"));
});

describe("line breaks of the author stay", () => {
  test("chains, with pipes under each other", () =>
    stays(
      [
        "model LeNet(Classes: dim)(x: [B, 28, 28]) -> logits[B, Classes] {",
        "  x |> unsqueeze(1)",
        "    |> Conv(6, 5, pad: 2) |> relu |> maxpool(2)",
        "    |> Conv(16, 5)        |> relu |> maxpool(2)",
        "    |> flatten |> Linear(120) |> relu",
        "}",
        "",
      ].join("\n"),
    ));

  test("pipes move together when the code before them changes", () =>
    becomes(
      "let y = x\n  |> Conv( 6,5 ,pad:  2) |> relu\n  |> Conv(16, 5)         |> relu\n",
      "let y = x\n  |> Conv(6, 5, pad: 2) |> relu\n  |> Conv(16, 5)        |> relu\n",
    ));

  test("a sign at the end of a line moves to the next", () => {
    becomes("let y = a +\n b *\n c\n", "let y = a\n  + b\n  * c\n");
    becomes("let y = x |>\nrelu\n", "let y = x\n  |> relu\n");
  });

  test("rows of a list, below the bracket or beside it", () => {
    stays("let m = [\n  [1, 2, 3],\n  [4, 5, 6]\n]\n");
    stays("let m = [[1, 2, 3],\n         [4, 5, 6]]\n");
    becomes("let m = [1, 2,\n3, 4\n]\n", "let m = [1, 2,\n         3, 4]\n");
    becomes("let m = [\n1, 2,\n3, 4]\n", "let m = [\n  1, 2,\n  3, 4\n]\n");
  });

  test("records by line", () => becomes("let r = { a: 1\n b: 2, c: 3 }\n", "let r = {\n  a: 1\n  b: 2, c: 3\n}\n"));

  test("blocks: one statement may share the line", () => {
    stays("every 5 steps { minimize a over b with Adam() }\n");
    stays("every 5 steps {\n  minimize a over b with Adam()\n}\n");
    becomes("every epoch { print 1\nprint 2 }\n", "every epoch {\n  print 1\n  print 2\n}\n");
    becomes("let f = map(row => {\nlet a = 1\na })\n", "let f = map(row => {\n  let a = 1\n  a\n})\n");
  });

  test("parts of a statement", () =>
    becomes("minimize a\nover b\nwith Adam()\n", "minimize a\n  over b\n  with Adam()\n"));
});

describe("lines that are too wide", () => {
  const name = "a_name_of_some_length";
  test("a block on the line is opened first", () =>
    becomes(
      `train (x, y) in batches(shuffle(part.train), 32) for 20 epochs { minimize mse(${name}(x), y) over ${name} with Adam() }\n`,
      `train (x, y) in batches(shuffle(part.train), 32) for 20 epochs {\n  minimize mse(${name}(x), y) over ${name} with Adam()\n}\n`,
    ));

  test("chains: one stage a line", () =>
    becomes(
      `let y = ${name} |> Linear(120) |> relu |> Linear(84) |> relu |> Linear(60) |> relu |> Linear(30) |> relu |> Linear(10)\n`,
      [
        `let y = ${name}`,
        ...["Linear(120)", "relu", "Linear(84)", "relu", "Linear(60)", "relu", "Linear(30)", "relu", "Linear(10)"].map(
          (s) => `  |> ${s}`,
        ),
        "",
      ].join("\n"),
    ));

  test("arguments: together on a line below, or one a line", () => {
    const call = (n: number): string => Array.from({ length: n }, (_, i) => `part${i}: ${name}`).join(", ");
    becomes(`let y = function_of_all(${call(3)}, last: 1)\n`, `let y = function_of_all(\n  ${call(3)}, last: 1\n)\n`);
    becomes(
      `let y = function_of_all(${call(4)})\n`,
      `let y = function_of_all(\n${call(4)
        .split(", ")
        .map((a) => `  ${a}`)
        .join(",\n")}\n)\n`,
    );
  });

  test("numbers: as many as there is room for", () => {
    const numbers = Array.from({ length: 60 }, (_, i) => 100 + i);
    const lines = formatted(`let x = [${numbers.join(", ")}]\n`).split("\n");
    expect(lines.length).toBe(5);
    expect(Math.max(...lines.map((l) => l.length))).toBeLessThanOrEqual(100);
    becomes(`let x = [${numbers.join(", ")}]\n`, lines.join("\n"));
  });

  test("a signature: parameters and sizes under each other", () =>
    becomes(
      "model Conv(Out: dim, Kernel: dim, stride = 1, pad = 0, dilation = 1, groups = 1, bias = true, init = he_uniform)(x: [B, In, H, W]) -> [B, Out] {\n  x\n}\n",
      [
        "model Conv(Out: dim, Kernel: dim, stride = 1, pad = 0, dilation = 1, groups = 1, bias = true,",
        "           init = he_uniform)(x: [B, In, H, W])",
        "  -> [B, Out] {",
        "  x",
        "}",
        "",
      ].join("\n"),
    ));

  test("a definition breaks behind its sign before its value is broken", () =>
    becomes(
      "fn warmup_cosine(at, peak, warmup, total, to = 0) = at <= warmup ? peak * at / warmup : cosine(at - warmup, peak, to, total)\n",
      "fn warmup_cosine(at, peak, warmup, total, to = 0) =\n  at <= warmup ? peak * at / warmup : cosine(at - warmup, peak, to, total)\n",
    ));

  test("sums at their signs, choices at theirs", () => {
    const sum = Array.from({ length: 8 }, (_, i) => `${name} * ${i}`);
    becomes(`let y = ${sum.join(" + ")}\n`, `let y = ${sum.join("\n  + ")}\n`);
    becomes(
      `let y = ${name} > 0 ? ${name} * ${name} + ${name} : ${name} - ${name} / ${name}\n`,
      `let y = ${name} > 0\n  ? ${name} * ${name} + ${name}\n  : ${name} - ${name} / ${name}\n`,
    );
  });

  test("a line that is left whole may be 120 wide", () => {
    stays(`let y = f(${"x".repeat(109)})\n`);
    expect(formatted(`let y = f(${"x".repeat(112)})\n`).split("\n").length).toBeGreaterThan(2);
  });

  test("what cannot be broken stays", () => stays(`let y = "${"x".repeat(200)}"\n`));
});
