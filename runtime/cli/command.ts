/** One command from its arguments to its exit code. */
import { didYouMean } from "../../lang/suggest.ts";
import { parse, UsageError, type Args } from "./args.ts";
import { bench } from "./bench.ts";
import { check } from "./check.ts";
import { devices } from "./devices.ts";
import { doc } from "./doc.ts";
import { explain } from "./explain.ts";
import { fmt } from "./fmt.ts";
import { graph } from "./graph.ts";
import { DONE, FAILED, WRONG_USAGE, type Io } from "./io.ts";
import { playground } from "./playground.ts";
import { run } from "./run.ts";
import { test } from "./test.ts";
import type { Toolchain } from "./toolchain.ts";
import { help, helpFor, verbs } from "./verbs.ts";

type Verb = (args: Args, io: Io, tools: Toolchain) => Promise<number>;
/** Loaded only when it is wanted: it brings a protocol with it. */
const lsp: Verb = async (args, io, tools) => (await import("./lsp.ts")).lsp(args, io, tools);
const commands: Readonly<Record<string, Verb>> = {
  run,
  check,
  test,
  explain,
  fmt,
  doc,
  graph,
  devices,
  bench,
  lsp,
  playground,
};

export async function command(argv: readonly string[], io: Io, tools: Toolchain): Promise<number> {
  const [verb, ...rest] = argv;
  try {
    if (verb === "--version" || verb === "-v") {
      io.stdout(`${tools.version}\n`);
      return DONE;
    }
    if (verb === "--help" || verb === "-h" || verb === "help") {
      const about = rest[0];
      if (about !== undefined && !Object.hasOwn(verbs, about)) throw unknown(about);
      io.stdout(`${about === undefined ? help() : helpFor(about)}\n`);
      return DONE;
    }
    if (verb === undefined) {
      io.stderr(`${help()}\n`);
      return WRONG_USAGE;
    }
    const act = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
    if (!act) throw unknown(verb);
    const args = parse(verb, rest);
    if (args.help) {
      io.stdout(`${helpFor(verb)}\n`);
      return DONE;
    }
    return await act(args, io, args.has("no-cache") ? { ...tools, store: undefined } : tools);
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr(`dlx: ${error.message}\n`);
      return WRONG_USAGE;
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.stderr(`dlx: this is a mistake in dlx itself, please report it\n${text}\n`);
    return FAILED;
  }
}

/** Of `dlx` itself. */
const GENERAL = ["help", "version"];

function unknown(verb: string): UsageError {
  if (verb.startsWith("-")) {
    const general = didYouMean(verb.replace(/^-+/, ""), GENERAL);
    if (general !== undefined) return new UsageError(`there is no option ${verb}; did you mean dlx --${general}?`);
    return new UsageError(`there is no option ${verb}; the verb comes first: dlx run FILE ${verb}`);
  }
  // The most natural slip: the file without a verb.
  if (verb.endsWith(".dlx")) return new UsageError(`write dlx run ${verb}`);
  if (verb === "version") return new UsageError("there is no `dlx version`; did you mean dlx --version?");
  const near = didYouMean(verb, [...Object.keys(verbs), "help"]);
  return new UsageError(
    `there is no \`dlx ${verb}\`; ${near === undefined ? "see dlx --help" : `did you mean dlx ${near}?`}`,
  );
}
