/** Links: what is shared comes back, and nothing that an address holds is more than text. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileName, linkOf, openLink } from "../../playground/share/link.ts";
import { encode, hostile } from "./hostile.ts";
import { openLab } from "./lab.ts";

const lenet = readFileSync(join(import.meta.dirname, "../../examples/06-lenet.dlx"), "utf8");

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
  test.each(hostile.flatMap(({ name, hash, refused }) => (refused ? [[name, hash, refused] as const] : [])))(
    "%s",
    (_, hash, words) => {
      expect(openLink(`#${hash}`)).toEqual({ refused: expect.stringMatching(words) });
    },
  );
});

describe("opened as text and numbers, which the lab takes or refuses in words", () => {
  test.each(hostile.flatMap(({ name, hash, refused, left = {} }) => (refused ? [] : [[name, hash, left] as const])))(
    "%s",
    async (_, hash, left) => {
      const opened = openLink(`#${hash}`);
      if (!opened || !("shared" in opened)) throw new Error(`expected a script, got ${JSON.stringify(opened)}`);
      const { shared } = opened;
      expect(shared).toMatchObject(left);
      expect(Object.getPrototypeOf(shared.inputs)).toBe(Object.prototype);
      expect(({} as Record<string, unknown>).hacked).toBeUndefined();
      const lab = openLab();
      const { file, text, inputs, seed } = shared;
      const { diagnostics, program } = await lab.open(text, { file, inputs, seed });
      // a mistake of ours would have been thrown by the lab
      if (!program) expect(diagnostics.map(({ title }) => title).join()).not.toBe("");
      // what is left of most is a script that learns
      else if (/^train /m.test(text)) {
        const stood = lab.next(
          "feed",
          ({ message }) => (message.frame?.step ?? 0) >= 1 || message.events.some(({ event }) => event === "end"),
        );
        lab.say({ kind: "step" });
        await stood;
      }
      lab.say({ kind: "pause" });
    },
  );
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
