/** Imports go only backwards along lang → gpu → runtime → playground, and the oracle shares no kernel code. */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const rooms = ["lang", "gpu", "runtime", "playground"] as const;
/** Rooms that each room may import, beside itself. */
const allowed: Record<string, readonly string[]> = {
  lang: [],
  gpu: ["lang"],
  runtime: ["lang", "gpu", "stdlib"],
  playground: ["lang", "runtime", "stdlib", "docs"],
  stdlib: [],
};

function files(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile() && /\.(ts|svelte)$/.test(e.name))
    .map((e) => join(e.parentPath, e.name));
}

/** Every module that a file imports, and whether types only. */
function imports(file: string): { path: string; typeOnly: boolean }[] {
  const text = readFileSync(file, "utf8");
  const found = [...text.matchAll(/(?:^|\n)\s*(import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"/g)].map((m) => ({
    path: m[3]!,
    typeOnly: m[2] !== undefined,
  }));
  const bare = [...text.matchAll(/(?:^|\n)\s*import\s+"([^"]+)"|import\("([^"]+)"\)/g)].map((m) => ({
    path: (m[1] ?? m[2])!,
    typeOnly: false,
  }));
  return [...found, ...bare];
}

describe("import direction", () => {
  for (const room of [...rooms, "stdlib"]) {
    test(room, () => {
      const wrong: string[] = [];
      for (const file of files(room)) {
        for (const { path } of imports(file)) {
          if (!path.startsWith(".")) {
            const pure = room === "lang" || room === "gpu";
            if (pure && path.startsWith("node:")) wrong.push(`${relative(root, file)} → ${path}`);
            continue;
          }
          const target = relative(root, resolve(dirname(file), path)).split("/")[0]!;
          if (target !== room && !allowed[room]!.includes(target)) wrong.push(`${relative(root, file)} → ${path}`);
        }
      }
      expect(wrong).toEqual([]);
    });
  }

  test("what is Node's of the runtime stands in a few files", () => {
    const ofNode = files("runtime").filter((file) => imports(file).some(({ path }) => path.startsWith("node:")));
    const names = ofNode
      .map((file) => relative(join(root, "runtime"), file))
      .filter((name) => !name.startsWith("cli/"));
    expect(names.sort()).toEqual(["dawn.ts", "disk.ts", "interruptible.ts", "node.ts", "replace.ts", "threads.ts"]);
  });

  test("lang needs only the parser library, and its language server the protocol", () => {
    const outside = (of: readonly string[]) =>
      new Set(of.flatMap((f) => imports(f).map((i) => i.path)).filter((p) => !p.startsWith(".")));
    const server = join(root, "lang/services/lsp.ts");
    expect([...outside(files("lang").filter((f) => f !== server))].sort()).toEqual(["chevrotain"]);
    expect([...outside([server])]).toEqual(["vscode-languageserver"]);
  });

  test("the reference device reaches no kernel code", () => {
    const seen = new Set<string>();
    const walk = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const { path, typeOnly } of imports(file)) {
        if (!typeOnly && path.startsWith(".")) walk(resolve(dirname(file), path));
      }
    };
    walk(join(root, "gpu/reference.ts"));
    const reached = [...seen].map((f) => relative(root, f)).filter((f) => f.startsWith("gpu/"));
    expect(reached.sort()).toEqual(["gpu/device.ts", "gpu/reference.ts"]);
    expect([...seen].some((f) => f.endsWith("lang/graph/interpret.ts"))).toBe(true);
  });
});
