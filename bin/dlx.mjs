#!/usr/bin/env node
/** Starts the command line; builds it first when that was not done yet, or its sources changed. */
import { readFileSync } from "node:fs";
import { commandLine, site } from "./build.mjs";
import { ensure, root } from "./stamp.mjs";

const arguments_ = process.argv.slice(2);
try {
  await ensure(commandLine);
  if (arguments_[0] === "playground" && !arguments_.some((each) => each === "--help" || each === "-h"))
    await ensure(site);
} catch (error) {
  if (["EACCES", "EPERM", "EROFS", "ENOSPC"].includes(error?.code)) {
    console.error(`dlx: cannot write ${root}dist (${error.code}); build it once as its owner: npm run build`);
  } else {
    console.error(
      `dlx: cannot build ${arguments_[0] === "playground" ? "the playground" : "the command line"}\n${error?.message ?? error}`,
    );
  }
  process.exit(3);
}
const { main } = await import("../dist/dlx.mjs");
await main(arguments_, JSON.parse(readFileSync(`${root}package.json`, "utf8")).version);
