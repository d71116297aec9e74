/** `dlx test`: what it says, its exit codes, and that each test is a program of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { tools } from "../../runtime/cli/tools.ts";
import { inFolder } from "./in-folder.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dlx-tests-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function dlx(script: string, options = "") {
  writeFileSync(join(folder, "t.dlx"), script);
  return inFolder(folder, `dlx test t.dlx --device cpu ${options}`);
}
const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it("a line for each test; 0 when all are ok", async () => {
  const { code, out, err } = await dlx(`
fn square(x) = x * x
test "square" { assert close(square(3.0), 9.0) }
test "shapes" {
  let x = ones([2, 3])
  assert all(shape(x) == [2, 3])
  assert all(sum(x, over: 1) == 3)
}
`);
  expect({ code, out, err }).toEqual({ code: 0, out: "ok      square\nok      shapes\n2 tests, all ok\n", err: "" });
});

it("a failed assert shows what was compared, the others still run, and it is 1", async () => {
  const { code, out, err } = await dlx(`
fn square(x) = x * x + 1
test "square" {
  assert square(0) == 1
  assert square(3.0) < 9.5
  assert abs(square(2.0) - 4.0) < 1e-5
}
test "vector" { assert close(square(range(30)), range(30)) }
test "fine" { assert true }
`);
  expect(code).toBe(1);
  expect(out).toBe("failed  square\nfailed  vector\nok      fine\n3 tests, 2 failed\n");
  expect(err).toMatchInlineSnapshot(`
    "error[DLX0751]: the test "square" expects something else here
     --> t.dlx:5:10
      |
    5 |   assert square(3.0) < 9.5
      |          ^^^^^^^^^^^   --- is 9.5
      |          is 10
    error[DLX0751]: the test "square" expects something else here
     --> t.dlx:6:10
      |
    6 |   assert abs(square(2.0) - 4.0) < 1e-5
      |          ^^^^^^^^^^^^^^^^^^^^^^   ---- is 1e-05
      |          is 1
    error[DLX0751]: the test "vector" expects something else here
     --> t.dlx:8:30
      |
    8 | test "vector" { assert close(square(range(30)), range(30)) }
      |                              ^^^^^^^^^^^^^^^^^  ---------
      |                              |                  is [0, 1, 2, …, 27, 28, 29]
      |                              is [1, 2, 5, …, 730, 785, 842]
      |
      = note: they differ most at [29]: 842 and 29
    "
  `);
});

it("alike in six digits, the values are shown in full", async () => {
  const { err } = await dlx('let x = ones([1]) * 0.1\ntest "tenth" { assert x[0] * 3 == sum(x) * 3.0000001 }\n');
  expect(err).toMatch(/-- is 0\.30000001\n.*is 0\.3\n/);
});

it("draws are drawn once: what is shown is what was compared", async () => {
  const { err } = await dlx('test "draw" { assert normal([]) == 2 * normal([]) }\n', "--seed 3");
  const [, left, right] = /-- is (\S+)\n\s*\|\s*is (\S+)/.exec(err) ?? [];
  const shown = await dlx('test "draw" {\n  let a = normal([])\n  print a\n  assert a == 0\n}\n', "--seed 3");
  expect(Number(left)).not.toBeNaN();
  expect(Number(right)).not.toBeNaN();
  expect(Number(left)).not.toBe(Number(right));
  expect(shown.err).toContain(`is ${shown.out.split("\n")[0]}`);
});

const TRAINED = `
let rows = toy.linear(w: [1, 2], n: 40, noise: 0)
let f = Linear(1)
let first = f(rows.x)
train fit (x, y) in batches(rows, 10) for 3 epochs {
  let loss = mse(squeeze(f(x), -1), y)
  minimize loss over f with SGD(1e-3)
  metric error = loss
}
print "trained"
save f to "net.safetensors"
`;

it("a test begins before training, and prints and saves of the script do not happen in it", async () => {
  const { code, out, err } = await dlx(`${TRAINED}
test "untrained" { assert all(f(rows.x) == first) }
test "again" {
  print "in a test"
  assert all(f(rows.x) == first)
}
`);
  expect(err).toBe("");
  expect({ code, out }).toEqual({ code: 0, out: "ok      untrained\nin a test\nok      again\n2 tests, all ok\n" });
});

it("an eval in a test measures for its asserts; metrics of other blocks are refused", async () => {
  const own = await dlx(`${TRAINED}
test "measures" {
  eval all (x, y) in batches(rows, 10) { metric error = mse(squeeze(f(x), -1), y) }
  assert all.error > 0
  assert all.error < 0
}
`);
  expect(own.code).toBe(1);
  expect(own.err).toMatch(/assert all\.error < 0\n.*\n.*is \d/);
  const other = await dlx(`${TRAINED}\ntest "trained" { assert fit.error < 1 }\n`);
  expect(other.code).toBe(1);
  expect(other.err).toContain("DLX0306]: a metric of `fit` cannot stand in a test");
});

it("a model made in a test costs the script nothing", async () => {
  const tested = `${TRAINED}
test "layer" {
  let g = Linear(7)
  assert all(shape(g(rows.x)) == [40, 7])
}
`;
  expect((await dlx(tested)).code).toBe(0);
  const program = async (text: string) => {
    writeFileSync(join(folder, "p.dlx"), text);
    const compiled = await tools.compile(join(folder, "p.dlx"), { inputs: {}, tests: true });
    if (!compiled.program) throw new Error("expected a script that checks");
    return compiled.program;
  };
  const [plain, rich] = [await program(TRAINED), await program(tested)];
  expect(Object.keys(rich.slots)).toEqual(Object.keys(plain.slots));
  expect(rich.body).toHaveLength(plain.body.length);
  expect(Object.keys(rich.tests[0]!.slots)).toContain("g.w");
});

it("a mistake while a test runs fails that test", async () => {
  const { code, out, err } = await dlx(`
test "no file" {
  let g = Linear(2) |> load("nowhere.safetensors")
  assert sum(g(ones([1, 2]))) > 0
}
test "fine" { assert true }
`);
  expect([code, out]).toEqual([1, "failed  no file\nok      fine\n2 tests, 1 failed\n"]);
  expect(err).toContain("DLX0501");
});

it("--json, --seed and --set", async () => {
  const script = `input n = 2 in 1 .. 9
test "n" { assert n == 2 }
`;
  expect(lines((await dlx(script, "--json")).out)).toEqual([
    { event: "test", name: "n", ok: true, diagnostics: [] },
    { event: "end", status: "done", ok: 1, failed: 0 },
  ]);
  const set = await dlx(script, "--json --set n=3");
  expect([set.code, set.err]).toEqual([1, ""]);
  expect(lines(set.out)).toMatchObject([
    {
      event: "test",
      name: "n",
      ok: false,
      diagnostics: [{ code: "DLX0751", labels: [{ text: "is 3" }, { text: "is 2" }] }],
    },
    { event: "end", status: "failed", ok: 0, failed: 1 },
  ]);
  const draw = 'test "draw" { assert uniform([]) < 0 }\n';
  const [one, same, two] = [await dlx(draw, "--seed 1"), await dlx(draw, "--seed 1"), await dlx(draw, "--seed 2")];
  expect(one.err).toBe(same.err);
  expect(one.err).not.toBe(two.err);
});

it("no tests are wrong use, a script that does not check is 1", async () => {
  expect(await dlx("print 1\n")).toMatchObject({
    code: 2,
    err: expect.stringContaining("t.dlx has no tests; write one"),
  });
  const { code, err } = await dlx('test "x" { assert 3 }\n');
  expect(code).toBe(1);
  expect(err).toMatchInlineSnapshot(`
    "error[DLX0338]: \`assert\` needs one true or false
     --> t.dlx:1:19
      |
    1 | test "x" { assert 3 }
      |                   ^ this is 3
      |
      = help: compare a number: \`assert all(a == b)\`
    "
  `);
});

it("on the reference device too", async () => {
  writeFileSync(join(folder, "t.dlx"), 'test "sum" { assert sum(ones([4])) == 4 }\n');
  expect(await inFolder(folder, "dlx test t.dlx --device reference")).toMatchObject({ code: 0, err: "" });
});

it("what one test draws or makes does not change another", async () => {
  const last = 'test "last" {\n  print normal([]), sum(ones([1, 2]) |> Linear(3))\n}\n';
  const first = 'test "first" {\n  print normal([])\n  let g = Linear(4)\n  print sum(g(ones([1, 5])))\n}\n';
  const alone = (await dlx(last)).out.split("\n")[0];
  expect(alone).toMatch(/^-?\d/);
  expect((await dlx(first + last)).out.split("\n")).toContain(alone);
});
