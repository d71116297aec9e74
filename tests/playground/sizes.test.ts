/** What the built page weighs as a static host sends it, in gzip, which every host and every browser knows. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { site } from "../../bin/build.mjs";
import { ensure } from "../../bin/stamp.mjs";

/** Bytes, by file without the hash in its name. */
const sizes = new Map<string, number>();
const isEditor = (file: string) => /^(Monaco|codicon|editor\.worker)/.test(file);
const sum = (wanted: (file: string) => boolean) =>
  [...sizes].reduce((bytes, [file, size]) => bytes + (wanted(file) ? size : 0), 0);

beforeAll(async () => {
  await ensure(site);
  const assets = join(site.result, "assets");
  const files = [join(site.result, "index.html"), ...readdirSync(assets).map((file) => join(assets, file))];
  for (const file of files) {
    const name = file.slice(file.lastIndexOf("/") + 1);
    sizes.set(name, gzipSync(readFileSync(file), { level: 9 }).length);
  }
}, 120_000);

test("2 MB without the editor, 4.5 MB with it", () => {
  expect(sum((file) => !isEditor(file))).toBeLessThan(2e6);
  expect(sum(() => true)).toBeLessThan(4.5e6);
});

test("the editor is a part of its own, which the page asks for behind its first look", () => {
  const html = readFileSync(join(site.result, "index.html"), "utf8");
  const first = [...html.matchAll(/(?:src|href)="\.\/assets\/([^"]+)"/g)].map(([, file]) => file!);
  expect(first.some((file) => file.endsWith(".js"))).toBe(true);
  expect(first.filter(isEditor)).toEqual([]);
  expect(sum((file) => first.includes(file))).toBeLessThan(150_000);
});

test("nothing comes from elsewhere", () => {
  const html = readFileSync(join(site.result, "index.html"), "utf8");
  expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
});
