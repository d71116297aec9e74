/** Links: what is shared comes back, and nothing that an address holds is more than text. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "fflate";
import { describe, expect, test } from "vitest";
import { fileName, linkOf, openLink } from "../../playground/share/link.ts";

const lenet = readFileSync(join(import.meta.dirname, "../../examples/06-lenet.dlx"), "utf8");
const encode = (value: unknown, version = 1): string =>
  `#dlx${version}=${Buffer.from(deflateSync(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)))).toString("base64url")}`;

test("what is shared comes back", () => {
  const shared = {
    file: "net.dlx",
    text: "let α = 1 # 数\n",
    inputs: { lr: 3e-3, on: true, kind: "relu" },
    seed: 7,
    layout: { tab: "values" },
  };
  expect(openLink(`#${linkOf(shared)}`)).toEqual({ shared });
});

test("sixty lines fit into 2 kB", () => {
  const text = Array.from({ length: 60 }, (_, i) => lenet.split("\n")[i % lenet.split("\n").length]).join("\n");
  expect(linkOf({ file: "lenet.dlx", text, inputs: { lr: 1e-3 }, seed: 1 }).length).toBeLessThan(2000);
});

test("other parts of an address hold no script", () => {
  expect(openLink("")).toBeUndefined();
  expect(openLink("#token=abc")).toBeUndefined();
});

describe("refused in words", () => {
  test.each([
    ["a newer format", encode({ t: "x" }, 2), /newer playground \(format 2\)/],
    ["no letters", "#dlx1=", /damaged/],
    ["cut off", encode({ t: lenet }).slice(0, 200), /damaged/],
    ["not of the alphabet", "#dlx1=<script>", /damaged/],
    ["not deflated", `#dlx1=${Buffer.from('{"t":"x"}').toString("base64url")}`, /damaged/],
    ["not JSON", encode("let x = 1"), /damaged/],
    ["no text", encode({ f: "a.dlx" }), /damaged/],
    ["a text that is none", encode({ t: { toString: "x" } }), /damaged/],
    ["a list", encode([1, 2]), /damaged/],
    ["nothing", encode("null"), /damaged/],
    ["a bomb", encode({ t: "x".repeat(5_000_000) }), /damaged/],
  ])("%s", (_, hash, words) => {
    expect(openLink(hash)).toEqual({ refused: expect.stringMatching(words) });
  });
});

test("fields of another type are left out", () => {
  const i = { lr: "1e-3", bad: { x: 1 }, list: [1], "a b": 2, inf: null, __proto__: { polluted: 1 } };
  const opened = openLink(encode({ t: "x", f: 3, i, s: -1, l: { tab: 4 } }));
  expect(opened).toEqual({ shared: { file: "shared.dlx", text: "x", inputs: { lr: "1e-3" } } });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("a name is never a path", () => {
  expect(fileName("../../etc/passwd")).toBe("etcpasswd.dlx");
  expect(fileName("..\\x.dlx")).toBe("x.dlx");
  expect(fileName("<img src=x>.dlx")).toBe("img srcx.dlx");
  expect(fileName("")).toBe("shared.dlx");
});
