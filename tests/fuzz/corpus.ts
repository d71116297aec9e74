/** What is mutated: every script of the repository and every block of dlx in its pages, right or wrong. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { blocksOf, root, scriptsIn, type Script } from "../format/scripts.ts";

/** Larger ones only cost time; those of the benchmark make hundreds of layers when a number of theirs moves. */
const LARGEST = 12_000;

const found = join("tests", "fuzz", "found");

export function corpus(): Script[] {
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  const scripts = [
    ...scriptsIn("stdlib", "examples", "tests"),
    ...["README.md", ...pages.map((name) => join("docs", name))].flatMap(blocksOf),
  ];
  return scripts.filter(({ file, text }) => !file.startsWith(found) && text.length <= LARGEST);
}

/** The smallest scripts of failures that the fuzz has found. */
export const failuresFound = (): Script[] => scriptsIn(found);
