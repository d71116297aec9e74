import { describe, expect, test } from "vitest";
import { clean, kinds, sexpr } from "./tree.ts";

/** The statements of a text, one string each. */
const lines = (text: string): string[] =>
  clean(text).map((s) => {
    if (s.kind === "expr") return sexpr(s.value);
    if (s.kind === "let") return `let ${sexpr(s.value)}`;
    if (s.kind === "commit") return `${sexpr(s.target)} <- ${sexpr(s.value)}`;
    return s.kind;
  });

describe("a newline ends a statement", () => {
  test.each<[string, string, string[]]>([
    ["always", "a\nb", ["a", "b"]],
    ["once, however many there are", "\n\na\r\n\r\n# c\n\nb\n\n", ["a", "b"]],
    ["not inside ( )", "f(\na,\nb\n)", ["(call f a b)"]],
    ["not inside [ ]", "[\n1,\n2\n]", ["(list 1 2)"]],
    ["again inside a { } in ( )", "f(x => {\nlet y = x\ny\n}, 2)", ["(call f (=> (x) {let y = x; y}) 2)"]],
    ["not before a binary operator", "a\n+ b\n  * c\n@ d", ["(+ a (* b (@ c d)))"]],
    ["not before |>", "a\n  |> f\n  # here\n  |> g", ["(|> (|> a f) g)"]],
    ["not before ? and :", "a\n? b\n: c", ["(? a b c)"]],
    ["not before and, or", "a\nand b\nor c", ["(or (and a b) c)"]],
    ["before not", "a\nnot b", ["a", "(not b)"]],
    ["not before - with a space", "a\n- c", ["(- a c)"]],
    ["before - without a space", "let q = log(p)\n-mean(q)", ["let (call log p)", "(- (call mean q))"]],
    ["not after an operator", "a +\nb -\n-c", ["(- (+ a b) (- c))"]],
    ["not after =, <- and =>", "let a =\n1\nb <-\n2\nx =>\nx", ["let 1", "b <- 2", "(=> (x) x)"]],
    ["not after a comma", "print a,\nb", ["print"]],
    ["not before else", "if a { b }\n\nelse { c }", ["(if a {b} {c})"]],
    ["not before ->", "fn f(x)\n-> [B] { x }", ["fn"]],
    ["not before over, with, except", "minimize a\nover b\nexcept c\nwith d", ["minimize"]],
    ["before ( and [", "a\n(b)\n[c]", ["a", "b", "(list c)"]],
    ["before a record's spread", "{\na: 1\n..row\n}", ["(record a:1 ..row)"]],
    ["before a word that is a field", "{\na: 1\nover: 2\nelse: 3\n}", ["(record a:1 over:2 else:3)"]],
    ["not around the braces of a block", "when a {\n\nb\n\n}\nc", ["when", "c"]],
  ])("%s", (_, text, expected) => expect(lines(text)).toEqual(expected));

  test("a word that only begins statements is never swallowed", () => {
    expect(kinds("let x =\nlet y = 2\nprint x +\nlet z = f(1,\nlet q = 1")).toBe("let let print let let");
  });
});
