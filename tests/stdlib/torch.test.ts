/** What is kept in torch/*.json is what the scripts beside them compute: run where a python3 has torch. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { close, keptBy, torchScripts, type Values } from "./harness.ts";

const python = ["python3", "/usr/bin/python3"].find(
  (name) => spawnSync(name, ["-c", "import torch"], { stdio: "ignore" }).status === 0,
);
const title = python
  ? "PyTorch computes what is kept"
  : "PyTorch computes what is kept (left out: no python3 here has torch)";

describe.skipIf(!python)(title, () => {
  test.each(torchScripts)("%s", (name) => {
    const script = fileURLToPath(new URL(`./torch/${name}.py`, import.meta.url));
    const { stdout, stderr, status } = spawnSync(python!, ["-B", script, "--print"], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    expect(status, stderr).toBe(0);
    const now = JSON.parse(stdout) as Record<string, Values>;
    const kept = keptBy(name);
    expect(Object.keys(now)).toEqual(Object.keys(kept));
    for (const [label, values] of Object.entries(kept)) {
      expect(Object.keys(now[label]!)).toEqual(Object.keys(values));
      // Other processors may round the last digits otherwise.
      for (const [key, numbers] of Object.entries(values)) close(now[label]![key], numbers, 1e-10, `${label}, ${key}`);
    }
  });
});

test("no case is in two files", () => {
  const names = torchScripts.flatMap((name) => Object.keys(keptBy(name)));
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
