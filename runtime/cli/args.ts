/** Arguments as written → a verb with its options, or one sentence on what is wrong and what was perhaps meant. */
import { parseArgs } from "node:util";
import { didYouMean } from "../../lang/suggest.ts";
import type { Inputs, InputValue } from "../events.ts";
import { verbs, type OptionRow } from "./verbs.ts";

/** Wrong use of the command line: exit code 2. */
export class UsageError extends Error {}

export interface Args {
  readonly verb: string;
  readonly file: string;
  /** All of them, for a verb that takes several. */
  readonly files: readonly string[];
  readonly help: boolean;
  has(option: string): boolean;
  text(option: string): string | undefined;
  list(option: string): readonly string[];
  /** A whole number not below `least`. */
  count(option: string, least: number): number | undefined;
}

export function parse(verb: string, argv: readonly string[]): Args {
  const row = verbs[verb];
  if (!row) throw new Error(`expected a verb, got ${verb}`);
  const rows: Readonly<Record<string, OptionRow>> = { ...row.options, help: { help: "" } };
  const options = Object.fromEntries(
    Object.entries(rows).map(([name, { value }]) => [
      name,
      {
        type: value ? ("string" as const) : ("boolean" as const),
        multiple: true,
        ...(name === "help" ? { short: "h" } : {}),
      },
    ]),
  );
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const known = Object.hasOwn(rows, token.name) ? rows[token.name] : undefined;
    if (!known)
      throw new UsageError(
        `\`dlx ${verb}\` has no ${token.rawName}${suggest(token.name, Object.keys(row.options), "--")}`,
      );
    if (known.value && (token.value === undefined || (!token.inlineValue && token.value.startsWith("--"))))
      throw new UsageError(`--${token.name} needs a value: --${token.name} ${known.value}`);
    if (!known.value && token.value !== undefined) throw new UsageError(`--${token.name} takes no value`);
    given.set(token.name, [...(given.get(token.name) ?? []), token.value ?? ""]);
  }
  const help = given.has("help");
  const [file = "", extra] = positionals;
  if (!help && file === "" && !row.fileOptional) throw new UsageError(`\`dlx ${verb}\` needs a file: ${row.usage}`);
  if (extra !== undefined && !row.manyFiles) throw new UsageError(`\`dlx ${verb}\` takes one file, got also ${extra}`);
  const text = (option: string) => given.get(option)?.at(-1);
  return {
    verb,
    file,
    files: positionals,
    help,
    has: (option) => given.has(option),
    text,
    list: (option) => given.get(option) ?? [],
    count: (option, least) => {
      const value = text(option);
      if (value === undefined) return undefined;
      const number = Number(value);
      if (!/^\d+$/.test(value) || number < least || !Number.isSafeInteger(number))
        throw new UsageError(
          `--${option} needs a whole number${least > 0 ? ` of at least ${least}` : ""}, got ${value}`,
        );
      return number;
    },
  };
}

/** `--set lr=3e-4`: a number, true, false, or else text. */
export function parseSets(sets: readonly string[]): Inputs {
  const inputs: Record<string, InputValue> = {};
  for (const item of sets) {
    const equals = item.indexOf("=");
    if (equals < 1) throw new UsageError(`--set needs name=value, got ${item}`);
    inputs[item.slice(0, equals).trim()] = literal(item.slice(equals + 1).trim());
  }
  return inputs;
}

function literal(text: string): InputValue {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text.replaceAll("_", ""));
  return text === "" || Number.isNaN(number) ? text : number;
}

function suggest(name: string, candidates: readonly string[], before: string): string {
  const near = didYouMean(name, candidates);
  return near === undefined ? "" : `; did you mean ${before}${near}?`;
}
