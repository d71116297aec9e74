/** bin/dlx.mjs in a small tree of its own: it builds once, again when the sources change, and several starts at once are safe. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const repository = new URL("../..", import.meta.url).pathname;
let root = "";

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "dlx-bin-"));
  await cp(join(repository, "bin"), join(root, "bin"), { recursive: true });
  await cp(join(repository, "package.json"), join(root, "package.json"));
  await symlink(join(repository, "node_modules"), join(root, "node_modules"));
  for (const room of ["lang/explain", "gpu", "stdlib", "runtime/cli"])
    await mkdir(join(root, room), { recursive: true });
  await writeFile(join(root, "stdlib/words.dlx"), "one");
  await writeFile(join(root, "lang/explain/page.md"), "page");
  await script("greeting");
});
afterAll(() => rm(root, { recursive: true, force: true }));

const main = () => join(root, "runtime/cli/main.ts");
const bundle = () => join(root, "dist/dlx.mjs");
const script = (word: string) =>
  writeFile(
    main(),
    `import words from "../../stdlib/words.dlx";
     import page from "../../lang/explain/page.md";
     export async function main(argv: readonly string[]): Promise<void> { console.log("${word}", words, page, ...argv); }`,
  );
const start = (...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, [join(root, "bin/dlx.mjs"), ...args], (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
const changed = async () => (await stat(bundle())).mtimeMs;

describe("bin/dlx.mjs", () => {
  it("builds when there is no build, also from several starts at once", async () => {
    const runs = await Promise.all([start("a"), start("a"), start("a")]);
    expect(runs).toEqual(Array(3).fill({ code: 0, out: "greeting one page a\n", err: "" }));
    expect((await readdir(join(root, "dist"))).sort()).toEqual(["dlx.mjs", "dlx.stamp.json"]);
  });
  it("does not build again for a touch, but does for a change of a .ts, .dlx or .md", async () => {
    const first = await changed();
    await utimes(main(), new Date(), new Date());
    await start();
    expect(await changed()).toBe(first);
    await script("hello");
    expect((await start()).out).toBe("hello one page\n");
    await writeFile(join(root, "stdlib/words.dlx"), "two");
    expect((await start()).out).toBe("hello two page\n");
    await writeFile(join(root, "lang/explain/page.md"), "sheet");
    expect((await start()).out).toBe("hello two sheet\n");
  });
  it("a build that fails says why and leaves the old one", async () => {
    await writeFile(main(), "export const broken = ;");
    const { code, err } = await start();
    expect(code).toBe(3);
    expect(err).toContain("dlx: cannot build the command line");
    expect(err).toContain("main.ts:1:");
    await script("again");
    expect((await start()).out).toBe("again two sheet\n");
  });
});
