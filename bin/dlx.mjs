#!/usr/bin/env node
/** Starts the command line; builds it first when that was not done yet, or its sources changed. */
import { readFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { commandLine, site } from "./build.mjs";
import { ensure, root, stampOf } from "./stamp.mjs";

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
// Node 22 on: the bundle as the engine compiled it before.
nodeModule.enableCompileCache?.();
const { main } = await import("../dist/dlx.mjs");
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
await main(arguments_, version, stampOf(commandLine)?.hash);
