/** What is kept in torch/stdlib.json is what torch/stdlib.py computes: run where a python3 has torch. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { close, torch, type Values } from "./harness.ts";

const python = ["python3", "/usr/bin/python3"].find(
  (name) => spawnSync(name, ["-c", "import torch"], { stdio: "ignore" }).status === 0,
);
const title = python
  ? "PyTorch computes what is kept"
  : "PyTorch computes what is kept (left out: no python3 here has torch)";

test.skipIf(!python)(title, () => {
  const script = fileURLToPath(new URL("./torch/stdlib.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync(python!, [script, "--print"], { encoding: "utf8", maxBuffer: 1 << 26 });
  expect(status, stderr).toBe(0);
  const now = JSON.parse(stdout) as Record<string, Values>;
  expect(Object.keys(now)).toEqual(Object.keys(torch));
  for (const [name, values] of Object.entries(torch)) {
    expect(Object.keys(now[name]!)).toEqual(Object.keys(values));
    // Other processors may round the last digits otherwise.
    for (const [label, numbers] of Object.entries(values))
      close(now[name]![label], numbers, 1e-10, `${name}, ${label}`);
  }
});
