/**
 * `dlx bench FILE` times the steps of a script. `dlx bench` alone is the comparison of the repository's folder bench/:
 * each of its scripts beside the same training in other programs; with `--products` matrix products of dlx alone.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError, type Args } from "./args.ts";
import { benchScript } from "./bench-script.ts";
import { DONE, FAILED, type Io } from "./io.ts";
import type { Toolchain } from "./toolchain.ts";

type Measure = (options: {
  readonly device: string;
  readonly only: readonly string[];
  readonly peers: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly keep: boolean;
  /** A line about what is going on. */
  tell(line: string): void;
}) => Promise<{ readonly table: string; readonly whole: boolean }>;

/** What `bench/compare.mjs` gives. */
interface Compare {
  /** By device of dlx. */
  readonly peers: Readonly<Record<string, readonly string[]>>;
  readonly names: readonly string[];
  /** The workloads that are taken when none is named. */
  readonly usual: Readonly<Record<string, readonly string[]>>;
  readonly compare: Measure;
}

const ROUNDS = 3;
const SECONDS = 2;

export async function bench(args: Args, io: Io, tools: Toolchain): Promise<number> {
  if (args.file !== "") return benchScript(args, io, tools);
  const folder = join(resolve(import.meta.dirname, ".."), "bench");
  const file = join(folder, "compare.mjs");
  if (!existsSync(file)) {
    throw new UsageError("the comparison needs the folder bench/ of the repository; to time a script: dlx bench FILE");
  }
  const { compare, peers, names, usual } = (await import(pathToFileURL(file).href)) as Compare;
  const device = args.text("device") ?? "cpu";
  const beside = peers[device];
  if (!beside) throw new UsageError(`the comparison knows --device ${Object.keys(peers).join(" and ")}; got ${device}`);
  const chosen = (option: string, known: readonly string[], instead: readonly string[] = known) => {
    const list = args.text(option)?.split(",") ?? instead;
    const wrong = list.find((each) => !known.includes(each));
    if (wrong !== undefined) throw new UsageError(`--${option} knows ${known.join(", ")}; got ${wrong}`);
    return list;
  };
  const measure = args.has("products")
    ? ((await import(pathToFileURL(join(folder, "products.mjs")).href)) as { products: Measure }).products
    : compare;
  const result = await measure({
    device,
    only: chosen("only", names, usual[device]),
    peers: chosen("peers", beside),
    rounds: args.count("rounds", 1) ?? ROUNDS,
    seconds: args.count("seconds", 1) ?? SECONDS,
    keep: args.has("keep"),
    tell: (line) => io.stderr(`${line}\n`),
  });
  const { table, ...numbers } = result;
  io.stdout(args.has("json") ? `${JSON.stringify(numbers)}\n` : table);
  return result.whole ? DONE : FAILED;
}
