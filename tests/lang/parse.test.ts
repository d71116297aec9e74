import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parsePrelude } from "../../lang/index.ts";
import type * as ast from "../../lang/syntax/ast.ts";
import { Grammar } from "../../lang/syntax/grammar.ts";
import { prelude } from "../../stdlib/index.ts";
import { clean, expr, kinds, nodes, pattern, read, sexpr } from "./tree.ts";

const folder = new URL("canonical/", import.meta.url);
const canonical = (name: string): string => readFileSync(new URL(`${name}.dlx`, folder), "utf8");
const names = readdirSync(folder).map((f) => f.replace(".dlx", ""));

/** The statement of a kind, wherever it stands in the tree. */
function find<K extends ast.Stmt["kind"]>(text: string, kind: K, nth = 0): Extract<ast.Stmt, { kind: K }> {
  const found = [...nodes(read(text).file.body)].filter((n) => n.kind === kind)[nth];
  if (!found) throw new Error(`no ${kind} in ${text}`);
  return found as unknown as Extract<ast.Stmt, { kind: K }>;
}

test("the grammar has no mistake that Chevrotain knows of", () => {
  expect(() => new Grammar(true)).not.toThrow();
});

test("trees of the standard library are the same from JSON", () => {
  const trees = parsePrelude(prelude).map(({ file }) => file);
  expect(trees.length).toBeGreaterThan(10);
  const again = parsePrelude(prelude.map((source, i) => ({ ...source, tree: JSON.stringify(trees[i]) })));
  expect(again.map(({ file }) => file)).toEqual(trees);
});

describe("canonical scripts", () => {
  test("all thirteen are here", () => expect(names).toHaveLength(13));

  test.each(names)("%s parses without a message", (name) => {
    const { file, diagnostics } = read(canonical(name), name);
    expect(diagnostics).toEqual([]);
    for (const n of nodes(file)) expect(["error", "missing"]).not.toContain(n.kind);
  });

  test.each(names)("%s: every name stands where its span says", (name) => {
    const text = canonical(name);
    for (const n of nodes(read(text, name).file.body)) {
      expect(n.span.start).toBeGreaterThanOrEqual(0);
      expect(n.span.end).toBeGreaterThan(n.span.start);
      expect(n.span.end).toBeLessThanOrEqual(text.length);
      const named = n.text !== undefined && (n.kind === undefined || n.kind === "name" || n.kind === "number");
      if (named) expect(text.slice(n.span.start, n.span.end)).toBe(n.text);
    }
  });

  test("the statements of each", () => {
    expect(names.map((name) => `${name}: ${kinds(canonical(name))}`)).toMatchInlineSnapshot(`
      [
        "01: seed input let let model let train eval print",
        "02: let expr let print",
        "03: dim input let let fn train",
        "03b: dim optimizer train",
        "04: fn model model",
        "05: let let let let train",
        "06: let let let let print",
        "07: train",
        "08: train let train",
        "09: let print",
        "10: model model fn",
        "11: train",
        "12: dim let train",
      ]
    `);
  });

  test("1: train, its limit, its body and what happens every epoch", () => {
    const train = find(canonical("01"), "train");
    expect(train.source && pattern(train.source.fields)).toBe("(image label)");
    expect(train.source && sexpr(train.source.value)).toBe("(call batches (call shuffle (. data train)) 64)");
    expect(train.limit?.unit).toBe("epochs");
    expect(train.body.body.map((s) => s.kind).join(" ")).toBe("let let minimize metric plot every");
    const every = find(canonical("01"), "every");
    expect([every.count, every.unit]).toEqual([undefined, "epochs"]);
    expect(every.body.body.map((s) => s.kind).join(" ")).toBe("eval print when");
    expect(find(canonical("01"), "eval", 1).name?.text).toBe("test");
    const [, print] = every.body.body;
    expect(print?.kind === "print" && print.args.map((a) => sexpr(a.value))).toEqual([
      '"epoch {epoch}  loss {loss:.4f}  val {(. val acc):.2%}"',
    ]);
  });

  test("1: the model is one pipe over four lines", () => {
    const model = find(canonical("01"), "model");
    expect(model.settings.map((p) => `${p.name.text}:${p.type?.head?.text}`)).toEqual(["Classes:dim"]);
    expect(model.returns?.head?.text).toBe("logits");
    expect(model.body.body).toHaveLength(1);
    const [body] = model.body.body;
    expect(body?.kind === "expr" && sexpr(body.value).startsWith("(|> (|> (|> ")).toBe(true);
  });

  test("2: a sequence of runs", () => {
    const [, runs] = clean(canonical("02"));
    const loop = runs?.kind === "expr" ? runs.value : undefined;
    expect(loop?.kind === "for" && loop.body.body.map((s) => s.kind).join(" ")).toBe("let train print");
  });

  test("3b: repeat has rows and a limit, the optimizer a chain", () => {
    const repeat = find(canonical("03b"), "repeat");
    expect(repeat.source && pattern(repeat.source.fields)).toBe("(x)");
    expect(repeat.limit?.unit).toBe("steps");
    expect(sexpr(find(canonical("03b"), "minimize").with)).toBe("(|> (call RMSProp 5e-5) (call clip_weights 0.01))");
  });

  test("4: types of parameters", () => {
    const attention = find(canonical("04"), "fn");
    const keep = attention.params[3];
    expect(keep?.type?.head?.text).toBe("bool");
    expect(keep?.type?.axes?.map((a) => a.kind)).toEqual(["rest", "size"]);
    expect(keep?.default?.kind).toBe("none");
    expect(attention.body.kind).toBe("block");
  });

  test("7: scan over an axis, for with a carry", () => {
    const losses = find(canonical("07"), "let");
    expect(sexpr(losses.value)).toMatchInlineSnapshot(
      `"(scan (a b c d) (tuple xs ys xq yq) over:B {let fast = (for i (.. from:1 to:3) p=(call params net) {p <- (- p (* 0.01 (call grad (call mse (call (call (. net with) p) a) b) p)))}); yield})"`,
    );
  });

  test("8 and 11: except, and a condition at the end", () => {
    const tuned = find(canonical("08"), "minimize", 1);
    expect([sexpr(tuned.over), tuned.except && sexpr(tuned.except)]).toEqual(["clf", "bert"]);
    const mixed = find(canonical("11"), "minimize");
    expect([sexpr(mixed.with), mixed.if && sexpr(mixed.if)]).toEqual(["(call Adam 1e-3)", "ok"]);
  });

  test("10: index(V)[B, T] and a tuple whose second part is a record", () => {
    const gpt = find(canonical("10"), "model", 1);
    expect(gpt.params[0]?.type?.classes && sexpr(gpt.params[0].type.classes)).toBe("V");
    const last = find(canonical("10"), "model").body.body.at(-1);
    expect(last?.kind === "expr" && sexpr(last.value)).toBe(
      "(tuple (|> (|> h merge_heads) (call Linear D)) (record k:ks v:vs))",
    );
  });
});

describe("expressions", () => {
  test.each([
    ["a.b(c)[d]^2", "(^ (index (call (. a b) c) d) 2)"],
    ["2^-1", "(^ 2 (- 1))"],
    ["2^3^2", "(^ 2 (^ 3 2))"],
    ["-x^2", "(- (^ x 2))"],
    ["-a @ b", "(@ (- a) b)"],
    ["a * b @ c / d", "(/ (* a (@ b c)) d)"],
    ["a // 2 % 3 * b", "(* (% (// a 2) 3) b)"],
    ["a + b * c - d", "(- (+ a (* b c)) d)"],
    ["a + 1 <= b * 2", "(<= (+ a 1) (* b 2))"],
    ["not a == b", "(not (== a b))"],
    ["not not a and b or c", "(or (and (not (not a)) b) c)"],
    ["0..n - 1", "(.. from:0 to:(- n 1))"],
    ["a or b .. c", "(.. from:(or a b) to:c)"],
    ["a ? b : c ? d : e", "(? a b (? c d e))"],
    ["a == b ? 1..2 : 3", "(? (== a b) (.. from:1 to:2) 3)"],
    ["a ? b : c |> f |> g(1)", "(|> (|> (? a b c) f) (call g 1))"],
    ["x => x |> f", "(=> (x) (|> x f))"],
    ["(x, y) => x * y", "(=> (x y) (* x y))"],
    ["() => 1", "(=> () 1)"],
    ["(x: [B]) => x", "(=> (x) x)"],
    ["x => y => x + y", "(=> (x) (=> (y) (+ x y)))"],
    [
      "map(d, row => { ..row, image: f(row.image) })",
      "(call map d (=> (row) (record ..row image:(call f (. row image)))))",
    ],
    ["f(x => { let y = x\n y })", "(call f (=> (x) {let y = x; y}))"],
    ["(a)", "a"],
    ["(a,)", "(tuple a)"],
    ["()", "(tuple)"],
    ["[1, 2,]", "(list 1 2)"],
    ["[]", "(list)"],
    ["[Block(D) for i in 1..6]", "(each (call Block D) i (.. from:1 to:6))"],
    ["[a + b for (a, b) in pairs]", "(each (+ a b) (a b) pairs)"],
    ["sum(e, over: [H, W], spread: true,)", "(call sum e over:(list H W) spread:true)"],
    ["sum(e, over: not B)", "(call sum e over:(not B))"],
    ["f(train: 1, for: 2, none: 3)", "(call f train:1 for:2 none:3)"],
    ["rows.train.for", "(. (. rows train) for)"],
    ["x[T: 1..]", "(index x T:(.. from:1))"],
    ["x[0]", "(index x 0)"],
    ["x[.., -1]", "(index x .. (- 1))"],
    ["x[..-2]", "(index x (.. to:(- 2)))"],
    ["x[1..n, ..]", "(index x (.. from:1 to:n) ..)"],
    ["table[ids][c ? 1 : 2]", "(index (index table ids) (? c 1 2))"],
    ["expand(x, [.., K])", "(call expand x (list (..) K))"],
    ["{ k: ks, v: vs }", "(record k:ks v:vs)"],
    ["{ k: ks\n v: vs\n ..rest\n}", "(record k:ks v:vs ..rest)"],
    ["{}", "(record)"],
    ["{ a }", "{a}"],
    ["if a { b } else if c { d } else { e }", "(if a {b} (if c {d} {e}))"],
    ["if a { b }\nelse { c }", "(if a {b} {c})"],
    ["for i in 1..n with x = x0, y = y0 { x <- f(x) }", "(for i (.. from:1 to:n) x=x0 y=y0 {x <- (call f x)})"],
    ["scan xt in x\n over T\n with h = h0 { yield h }", "(scan xt x over:T h=h0 {yield})"],
    ["iterate 50 with v = v0 { v <- unit(v) }", "(iterate 50 v=v0 {v <- (call unit v)})"],
    [
      "over + with + except + to + from + mixes + log + steps",
      "(+ (+ (+ (+ (+ (+ (+ over with) except) to) from) mixes) log) steps)",
    ],
    ["log(p) - 1", "(- (call log p) 1)"],
    ["stop(x)", "(call stop x)"],
    ["λ * β1", "(* λ β1)"],
    ["60_000 + 1e-3", "(+ 60_000 1e-3)"],
    ["true ? none : false", "(? true none false)"],
  ])("%s", (text, expected) => expect(expr(text)).toBe(expected));

  test("numbers know their value and whether they are written as floats", () => {
    const numbers = clean("60_000\n1e-3\n1.5\n7").map((s) => (s.kind === "expr" ? s.value : undefined));
    expect(numbers.map((n) => n?.kind === "number" && [n.value, n.float])).toEqual([
      [60000, false],
      [0.001, true],
      [1.5, true],
      [7, false],
    ]);
  });
});

describe("text", () => {
  test.each([
    ['"a {x} b"', '"a {x} b"'],
    ['"{loss:.4f} {acc:+.2%} {n:d} {n:5e} {n:g}"', '"{loss:.4f} {acc:+.2%} {n:d} {n:5e} {n:g}"'],
    ['"{{x}}"', '"{x}"'],
    ['"{(c ? 1 : 2):d}"', '"{(? c 1 2):d}"'],
    ['"{f(x, n: 3)}{x[T: 1]}"', '"{(call f x n:3)}{(index x T:1)}"'],
    ['""', '""'],
    ['"#1"', '"#1"'],
  ])("%s", (text, expected) => expect(expr(text)).toBe(expected));

  test("values in holes have places in the file", () => {
    const text = 'let a = 1\nprint "e {epoch}: { loss :.4f} {{ {f(x)}"';
    const names = [...nodes(clean(text))].filter((n) => n.kind === "name" && text.indexOf("print") < n.span.start);
    expect(names.map((n) => [n.text, text.slice(n.span.start, n.span.end)])).toEqual(
      ["epoch", "loss", "f", "x"].map((n) => [n, n]),
    );
    const hole = [...nodes(clean(text))].find((n) => "format" in n);
    expect(hole && text.slice(hole.span.start, hole.span.end)).toBe("{ loss :.4f}");
  });
});

describe("statements", () => {
  test.each([
    ["let (a, (b, c)) = f(x)", "let"],
    ["dim Z = 128", "dim"],
    ["input lr = 1e-3 in 1e-5 .. 1e-1 log", "input"],
    ["input act = relu in [relu, tanh, gelu]", "input"],
    ["seed 42", "seed"],
    ["precision mixed", "precision"],
    ["fn f(x) = x", "fn"],
    ["fn f(q: [.., T, D], c = false) -> [.., T] { q }", "fn"],
    ['import A, B from "./blocks.dlx"', "import"],
    ["optimizer SGD(lr)(p, g) { p <- p - lr * g }", "optimizer"],
    ["train { stop }", "train"],
    ["train for 2000 steps { stop }", "train"],
    ["train for 2 minutes { }", "train"],
    ["train pretrain (tokens) in d for 3 epochs { }", "train"],
    ["train (x) in d { }", "train"],
    ["repeat 5 { }", "repeat"],
    ["repeat n { }", "repeat"],
    ["repeat for 5 steps { }", "repeat"],
    ["repeat (x) in d for 5 steps { }", "repeat"],
    ["eval { }", "eval"],
    ["eval val { }", "eval"],
    ["eval test (x, y) in d { }", "eval"],
    ["minimize L over (P, Q) except R with clip(1) |> Adam(lr) if ok", "minimize"],
    ["minimize along(g, net)\n over net\n except head\n with opt", "minimize"],
    ["metric acc = accuracy(z, y)", "metric"],
    ["every epoch { }", "every"],
    ["every 5 steps { }", "every"],
    ["every n steps { }", "every"],
    ["every 10 seconds { }", "every"],
    ["when rises(c) { }", "when"],
    ['print "a", b, c: 1', "print"],
    ["print grad(a, b), x", "print"],
    ["plot loss, acc", "plot"],
    ["show grid(x), 8", "show"],
    ["record loss", "record"],
    ['save net to "net.safetensors"', "save"],
    ["yield (a, b)", "yield"],
    ["assert close(a, b, 1e-5)", "assert"],
    ['test "name" { assert true }', "test"],
    ["test(x)", "expr"],
    ["stop", "stop"],
    ["stop(x)", "expr"],
    ["net.conv1.w <- 0", "commit"],
    ["s[i, f(j)] <- 0", "commit"],
    ["h <- stop(last)", "commit"],
    ["let y[i, j] = sum(k[a, b] * x[i + a, j + b], over: [a, b])", "let"],
  ])("%s", (text, kind) => {
    expect(clean(text).map((s) => s.kind)).toEqual([kind]);
  });

  test("param and state take types, initialisers and conditions", () => {
    const model = find(
      "model M(Out: dim, bias = true)(x: [.., In]) -> [.., Out] mixes B {\nparam w: [In, Out] ~ init\nparam b: [Out] = 0 if bias\nstate m: [C]\nstate v = 0 * p\n}",
      "model",
    );
    const [w, b, m, v] = model.body.body;
    expect(model.mixes?.text).toBe("B");
    expect(w?.kind === "param" && [w.init?.how, w.if]).toEqual(["~", undefined]);
    expect(b?.kind === "param" && [b.init?.how, b.if && sexpr(b.if)]).toEqual(["=", "bias"]);
    expect(m?.kind === "state" && [m.type?.axes?.length, m.value]).toEqual([1, undefined]);
    expect(v?.kind === "state" && v.value && sexpr(v.value)).toBe("(* 0 p)");
  });

  test("an input knows its domain", () => {
    const lr = find("input lr = 1e-3 in 1e-5 .. 1e-1 log", "input");
    expect([lr.log, lr.domain && sexpr(lr.domain)]).toEqual([true, "(.. from:1e-5 to:1e-1)"]);
  });

  test("the plural of a unit", () => {
    expect(find("train for 1 epoch { }", "train").limit?.unit).toBe("epochs");
    expect(find("every 1 minute { }", "every").unit).toBe("minutes");
  });
});

describe("trivia", () => {
  test("comments and blank lines are kept, in order", () => {
    const { file } = read('# one\n\n  \nlet x = 1 # two # still\n## three\n\nprint "# no"\n');
    expect(file.trivia.map((t) => [t.kind, t.text])).toEqual([
      ["comment", "# one"],
      ["blank", "\n  \n"],
      ["comment", "# two # still"],
      ["doc", "## three"],
      ["blank", "\n"],
    ]);
  });

  test("## right above a declaration is its doc", () => {
    const docs = clean(
      "## far\n\n## one\n##   two\nlet x = 1\nlet y = 2\n  ## three\r\n  fn f(x) = x\n# no\nlet z = 3 ## not\nlet q = 4",
    ).map((s) => ("doc" in s ? s.doc : undefined));
    expect(docs).toEqual(["one\n  two", undefined, "three", undefined, undefined]);
  });
});
