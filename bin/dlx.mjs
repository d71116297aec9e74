#!/usr/bin/env node
/** Starts the command line; builds it first when that was not done yet, or its sources changed. */
import { readFileSync } from "node:fs";
import { ensureBuilt, root } from "./build.mjs";

try {
  await ensureBuilt();
} catch (error) {
  if (["EACCES", "EPERM", "EROFS", "ENOSPC"].includes(error?.code)) {
    console.error(`dlx: cannot write ${root}dist (${error.code}); build it once as its owner: npm run build`);
  } else {
    console.error(`dlx: cannot build the command line\n${error?.message ?? error}`);
  }
  process.exit(3);
}
const { main } = await import("../dist/dlx.mjs");
await main(process.argv.slice(2), JSON.parse(readFileSync(`${root}package.json`, "utf8")).version);
