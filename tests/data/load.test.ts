/** Weights come back: into a model of another name, into a list, with running statistics, before anything reads them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { runText } from "../run-script.ts";

const folder = mkdtempSync(join(tmpdir(), "dlx-load-"));
afterAll(() => rmSync(folder, { recursive: true }));

const data = "seed 2\nlet x = normal([6, 5])\n";
const named = `model Net()(x: [B, D]) -> [B, 2] {
  let body = Linear(3)
  x |> body |> BatchNorm() |> tanh |> Linear(2)
}
`;
const list = "[Linear(3), BatchNorm(), tanh, Linear(2)]";
const train = (net: string) => `train for 4 steps { minimize mean((${net}(x) - 1)^2) over ${net} with Adam(1e-2) }
save ${net} to "${net}.safetensors"
print ${net}(x)
`;

describe.each(Object.entries({ cpu: () => new CpuDevice(), reference: () => new ReferenceDevice() }))(
  "%s",
  (_, open) => {
    const printed = async (text: string) => {
      const { prints, events } = await runText(text, open(), { folder });
      expect(events.filter(({ event }) => event === "error" || event === "warning")).toEqual([]);
      return prints;
    };

    test("a model", async () => {
      const [saved] = await printed(`${data}${named}let net = Net()\n${train("net")}`);
      const loaded = await printed(
        `${data}${named}let other = Net() |> load("net.safetensors")\nprint other(x)\nprint other.body.b\nlet plain = Net()\nprint plain(x)\n`,
      );
      expect(loaded[0]).toBe(saved);
      expect(loaded[1]).not.toBe("[0, 0, 0]");
      expect(loaded[2]).not.toBe(saved);
    });

    test("a list of models, by their places", async () => {
      const [saved] = await printed(`${data}let layers = ${list}\n${train("layers")}`);
      const loaded = await printed(`${data}let others = ${list} |> load("layers.safetensors")\nprint others(x)\n`);
      expect(loaded).toEqual([saved]);
    });

    test("a part of a model alone", async () => {
      const lines = await printed(`${data}${named}let net = Net()
${train("net")}save net.body to "body.safetensors"
model Two()(x: [B, D]) -> [B, 2] {
  let body = Linear(3) |> load("body.safetensors")
  x |> body |> Linear(2)
}
let two = Two()
let y = two(x)
print net.body.w
print two.body.w
`);
      expect(lines[2]).toBe(lines[1]);
    });

    test("training goes on from what was loaded", async () => {
      const [saved, moved] = await printed(`${data}${named}let net = Net()
${train("net")}let again = Net() |> load("net.safetensors")
train for 1 step { minimize 0 * mean(again(x)) over again with SGD(0.1) }
print again(x)
`);
      expect(moved?.split(",").length).toBe(saved?.split(",").length);
    });
  },
);
