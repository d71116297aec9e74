import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { DataArg } from "../../lang/program.ts";
import { factsOf, openSource } from "../../runtime/node.ts";
import { mistake, source, span, tempFolder, words } from "./folder.ts";

const folder = tempFolder();
const where = { scriptFolder: folder.path };
let made = 0;

type Args = Record<string, DataArg | readonly string[]>;

function csv(text: string, args: Args = {}) {
  const path = `t${made++}.csv`;
  folder.write(path, text);
  return source("csv", { path, ...args });
}

async function read(text: string, args: Args = {}) {
  const ref = csv(text, args);
  const facts = await factsOf(ref, where);
  if ("code" in facts) throw new Error(words(facts));
  const table = await openSource(ref, where);
  expect(table.rows).toBe(facts.rows);
  const column = (name: string) => (table.columns[name] ? [...table.columns[name].data] : undefined);
  return { facts, x: column("x"), y: column("y"), names: table.columns.y?.names };
}

async function factsProblem(text: string, args: Args = {}): Promise<string> {
  const facts = await factsOf(csv(text, args), where);
  if (!("code" in facts)) throw new Error(`expected a diagnostic, got ${JSON.stringify(facts)}`);
  expect(facts.labels[0]?.span).toEqual(span);
  return `${facts.code} ${words(facts)}`;
}

async function rowProblem(text: string, args: Args = {}): Promise<string> {
  const ref = csv(text, args);
  expect(await factsOf(ref, where)).not.toHaveProperty("code");
  const found = await mistake(openSource(ref, where));
  return `${found.code} ${words(found)}`;
}

describe("a table of numbers", () => {
  test("one numeric target", async () => {
    const { facts, x, y } = await read("a,price,b\n1,10,2\n3,20,4\n", { target: "price" });
    expect(facts).toEqual({
      fields: { x: { dtype: "f32", shape: [2], axes: ["F"] }, y: { dtype: "f32", shape: [] } },
      rows: 2,
    });
    expect(x).toEqual([1, 2, 3, 4]);
    expect(y).toEqual([10, 20]);
  });

  test("several targets, chosen columns, no target", async () => {
    const text = "a,b,c,d\n1,2,3,4\n5,6,7,8\n";
    const two = await read(text, { target: ["d", "b"] });
    expect(two.facts.fields.y).toEqual({ dtype: "f32", shape: [2] });
    expect([two.x, two.y]).toEqual([
      [1, 3, 5, 7],
      [4, 2, 8, 6],
    ]);
    const chosen = await read(text, { target: "d", columns: ["c", "a"] });
    expect([chosen.x, chosen.y]).toEqual([
      [3, 1, 7, 5],
      [4, 8],
    ]);
    const none = await read(text);
    expect(none.facts.fields).toEqual({ x: { dtype: "f32", shape: [4], axes: ["F"] } });
  });

  test("a target of words becomes classes, sorted", async () => {
    const { facts, y, names } = await read("len,kind\n1,pear\n2,apple\n3,pear\n4,fig\n", { target: "kind" });
    expect(facts.fields.y).toEqual({ dtype: "i32", shape: [], classes: 3 });
    expect(names).toEqual(["apple", "fig", "pear"]);
    expect(y).toEqual([2, 0, 2, 1]);
  });

  test("without a header the columns are c1, c2, …", async () => {
    const { facts, x, y } = await read("1,2.5,-3e-1\n4,.5,6\n", { target: "c3" });
    expect(facts.rows).toBe(2);
    expect(x).toEqual([1, 2.5, 4, 0.5]);
    expect(y).toEqual([Math.fround(-0.3), 6]);
  });

  test("byte order mark, CRLF, quotes, spaces, blank lines, no last line end", async () => {
    const { facts, x, y } = await read('\ufeff"a, first","the ""y"""\r\n 1 ,"2"\r\n\r\n"3",4', { target: 'the "y"' });
    expect(facts.rows).toBe(2);
    expect([x, y]).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  test("a quoted cell may hold a line end; repeated names are numbered", async () => {
    const { x } = await read('day,day,"two\nlines"\n1,2,3\n', { columns: ["day.1", "two\nlines"] });
    expect(x).toEqual([2, 3]);
  });
});

describe("what is wrong with a table", () => {
  test("a missing file, with a suggestion", async () => {
    folder.write("houses.csv", "a\n1\n");
    const facts = await factsOf(source("csv", { path: "house.csv" }), where);
    expect("code" in facts && words(facts)).toMatch(
      /there is no file `house.csv`\nlooked for .*house.csv\ndid you mean `houses.csv`/,
    );
    const gone = await factsOf(source("csv", { path: "no/where.csv" }), where);
    expect("code" in gone && words(gone)).toMatch(/counts from the folder of the script/);
    const isFolder = await factsOf(source("csv", { path: "." }), where);
    expect("code" in isFolder && words(isFolder)).toMatch(/cannot be read: it is a folder/);
  });

  test("a missing column, with a suggestion", async () => {
    expect(await factsProblem("size,price\n1,2\n", { target: "prise" })).toMatch(
      /^DLX0520 `t\d+.csv` has no column `prise`\nits columns are `size`, `price`\ndid you mean `price`\?/,
    );
    expect(await factsProblem("1,2\n3,4\n", { target: "price" })).toMatch(
      /first row is all numbers, so the columns are named c1, c2/,
    );
    expect(await factsProblem("a;price\n1;2\n", { target: "price" })).toMatch(/separated by `;`/);
    expect(await factsProblem("a,b\n1,2\n", { columns: ["a", "c"] })).toMatch(/has no column `c`/);
  });

  test("columns of text", async () => {
    expect(await factsProblem("a,town,b,note,y\n1,Ulm,2,good,3\n", { target: "y" })).toMatch(
      /^DLX0521 the columns `town`, `note` of `t\d+.csv` hold text, not numbers\nline 2, column `town`: "Ulm"\n.*\n.*columns: \["a", "b"\]/,
    );
    expect(await factsProblem("a,y,z\n1,p,q\n", { target: ["y", "z"] })).toMatch(/^DLX0528/);
  });

  test("a bad cell names its line and column", async () => {
    expect(await rowProblem("a,b\n1,2\n3,\n", { target: "a" })).toMatch(
      /^DLX0523 `t\d+.csv`, line 3, column `b`: the cell is empty/,
    );
    expect(await rowProblem("a,b\r\n1,2\r\n3,4\r\nfour,5\r\n", { target: "b" })).toMatch(
      /line 4, column `a`: "four" is not a number/,
    );
    expect(await rowProblem("a,b\nNA,2\n3,4\n", { target: "b" })).toMatch(/line 2, column `a`: "NA" is not a number/);
    expect(await rowProblem("a,k\n1,x\n2,\n", { target: "k" })).toMatch(/line 3, column `k`: the cell is empty/);
    expect(await rowProblem("a,b\n1,2\n0x10,4\nInfinity,1\n")).toMatch(/line 3, column `a`: "0x10"/);
  });

  test("ragged rows and open quotes", async () => {
    expect(await factsProblem("a,b\n1,2\n3\n")).toMatch(
      /^DLX0524 `t\d+.csv`, line 3: the row has 1 cell, but there are 2 columns/,
    );
    expect(await factsProblem("a,b\n1,2,3\n")).toMatch(/line 2: the row has 3 cells/);
    expect(await factsProblem('a,b\n1,"2\n3,4\n')).toMatch(/^DLX0525 .*the quotes do not match/);
    expect(await factsProblem('a,b\n1,2\n3,"4" x\n')).toMatch(/^DLX0525 `t\d+.csv`, line 3/);
  });

  test("nothing to read", async () => {
    expect(await factsProblem("")).toMatch(/^DLX0522/);
    expect(await factsProblem("a,b\n")).toMatch(/^DLX0522/);
    expect(await factsProblem("y\n1\n", { target: "y" })).toMatch(/^DLX0527/);
    expect(await factsProblem("a,y\n1,2\n", { target: "y", columns: ["a", "y"] })).toMatch(/^DLX0526/);
  });
});

const shared = resolve(process.env.DLX_SHARED ?? "../shared", "data/tabular");
const present = existsSync(shared);
if (!present) console.log(`skipped: the real tables are not in ${shared} (set DLX_SHARED)`);

describe.skipIf(!present)("the real tables", () => {
  const there = { scriptFolder: shared };
  test("iris, wine, housing", async () => {
    expect(await factsOf(source("csv", { path: "iris.csv", target: "species" }), there)).toEqual({
      fields: { x: { dtype: "f32", shape: [4], axes: ["F"] }, y: { dtype: "i32", shape: [], classes: 3 } },
      rows: 150,
    });
    expect(await factsOf(source("csv", { path: "wine.csv", target: "c14" }), there)).toMatchObject({ rows: 178 });
    const target = "median_house_value";
    const houses = await factsOf(source("csv", { path: "housing-california.csv", target }), there);
    expect("code" in houses && words(houses)).toMatch(/`ocean_proximity`.*line 2.*"NEAR BAY"/s);
    const columns = ["longitude", "latitude", "total_bedrooms"];
    const bedrooms = source("csv", { path: "housing-california.csv", target, columns });
    expect(await factsOf(bedrooms, there)).toMatchObject({ rows: 20_640 });
    expect((await mistake(openSource(bedrooms, there))).title).toMatch(
      /line 292, column `total_bedrooms`: the cell is empty/,
    );
  });
});
