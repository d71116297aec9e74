/** The verbs of the command line and their options, as a table: parsing, help and suggestions all read it. */

export interface OptionRow {
  /** What its value is, in help; a switch has none. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly help: string;
}

export interface VerbRow {
  readonly usage: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionRow>>;
  /** The verb does something without a file too. */
  readonly fileOptional?: boolean;
  /** The verb takes several files. */
  readonly manyFiles?: boolean;
  readonly examples: readonly string[];
  readonly notes?: readonly string[];
}

const set: OptionRow = {
  value: "name=value",
  multiple: true,
  help: "give an input of the script another value; may be repeated",
};
const seed: OptionRow = { value: "N", help: "the seed of all random numbers" };
const data: OptionRow = { value: "DIR", help: "the folder that data sets are looked for in" };
const device: OptionRow = {
  value: "KIND",
  help: "cpu, webgpu, reference (slow, float64) or auto: a graphics processor if there is one, else cpu",
};
const noCache: OptionRow = { help: "check and compile again, whatever is kept from before" };
const tune: OptionRow = {
  help: "measure ways to cut large products on a software adapter too; a graphics processor always does, once",
};
const json: OptionRow = { help: "JSON on standard output, and nothing else there" };

export const verbs: Readonly<Record<string, VerbRow>> = {
  run: {
    usage: "dlx run FILE [options]",
    summary: "check a script and run it",
    options: {
      set,
      seed,
      device,
      threads: { value: "N", help: "threads of the cpu device (as many as there are cores, 4 at most)" },
      steps: { value: "N", help: "at most N steps in each train block; what follows still runs" },
      every: { value: "N", help: "report each N steps (100) with --json" },
      data,
      json,
      profile: { help: "at the end how long each kernel took; on the cpu with one thread" },
      "no-cache": noCache,
      tune,
      fast: { help: "on webgpu in Node: without the driver's checks, once a run of the same script has passed them" },
      quiet: { help: "only what the script prints, and errors" },
      watch: { help: "swap the script into the running training each time it is saved" },
    },
    examples: [
      "dlx run digits.dlx",
      "dlx run digits.dlx --set lr=3e-4 --seed 2",
      "dlx run digits.dlx --steps 200 --every 20 --json",
    ],
  },
  check: {
    usage: "dlx check FILE [options]",
    summary: "check names, shapes and clocks without running",
    options: { set, data, json },
    examples: ["dlx check digits.dlx"],
  },
  graph: {
    usage: "dlx graph FILE [options]",
    summary: "show what a script becomes",
    options: {
      ast: { help: "the syntax tree" },
      graph: { help: "the graph of every segment (the default)" },
      kernels: { help: "the kernels made from them" },
      wgsl: { help: "the shaders that webgpu runs" },
      stats: { help: "dispatches, bytes, operations and peak memory of one step" },
      device: { value: "KIND", help: "what --stats counts for: webgpu (the default) or cpu" },
      set,
      data,
      json,
    },
    examples: ["dlx graph digits.dlx", "dlx graph digits.dlx --stats --json"],
  },
  test: {
    usage: "dlx test FILE [options]",
    summary: "run the tests of a script",
    options: { set, seed, device, data, "no-cache": noCache, json },
    examples: ["dlx test layers.dlx", "dlx test layers.dlx --seed 2 --json"],
    notes: [
      "A test begins with fresh state, before any training.",
      "Exit code: 0 all ok, 1 one failed, 2 there are none.",
    ],
  },
  explain: {
    usage: "dlx explain [CODE]",
    summary: "say more about a message, with an example; without a code list all",
    options: { json },
    fileOptional: true,
    examples: ["dlx explain DLX0201", "dlx explain 201"],
  },
  fmt: {
    usage: "dlx fmt FILE.. [options]",
    summary: "write scripts in canonical form; a folder means all of its scripts, `-` standard input",
    options: { check: { help: "change nothing; exit code 1 if a script would change" }, json },
    manyFiles: true,
    examples: ["dlx fmt digits.dlx", "dlx fmt . --check", "dlx fmt - < digits.dlx"],
    notes: ["A script with mistakes in its syntax is left as it is."],
  },
  doc: {
    usage: "dlx doc [NAME] [options]",
    summary: "show what a name of the language means; without a name list all",
    options: { html: { value: "DIR", help: "write the reference of the standard library as pages" }, json },
    fileOptional: true,
    examples: ["dlx doc Conv", "dlx doc minimize", "dlx doc --html reference"],
  },
  lsp: {
    usage: "dlx lsp [options]",
    summary: "answer an editor: a language server on standard input and output",
    options: { stdio: { help: "what it does anyway; editors say it" }, data },
    fileOptional: true,
    examples: ["dlx lsp --stdio"],
  },
  playground: {
    usage: "dlx playground [FILE] [options]",
    summary: "open the playground in a browser; it saves to FILE",
    options: { port: { value: "N", help: "where it is served on 127.0.0.1 (7433; 0 takes a free one)" } },
    fileOptional: true,
    examples: ["dlx playground", "dlx playground digits.dlx"],
  },
  devices: {
    usage: "dlx devices [options]",
    summary: "list the devices that scripts can run on here",
    options: { json },
    fileOptional: true,
    examples: ["dlx devices"],
  },
  bench: {
    usage: "dlx bench [FILE] [options]",
    summary: "time the steps of a script, or those of bench/ beside other programs",
    options: {
      device: { value: "KIND", help: "the device of FILE, as in `dlx run`; without FILE: cpu or webgpu" },
      threads: { value: "N", help: "threads of the cpu device" },
      steps: { value: "N", help: "at most N steps of FILE" },
      seconds: { value: "N", help: "how long each run lasts (2)" },
      profile: {
        help: "how long each kernel of FILE takes, with the lines it comes from; one thread of the cpu device",
      },
      plain: { help: "without relaxed SIMD" },
      "no-cache": noCache,
      tune,
      only: { value: "LIST", help: "without FILE: which workloads, as in w2,w5" },
      peers: { value: "LIST", help: "without FILE: which programs, as in dlx,torch" },
      products: { help: "without FILE: matrix products by size and transposition instead, in GFLOP/s" },
      rounds: { value: "N", help: "without FILE: how often each runs, in turn (3)" },
      keep: { help: "without FILE: write the table to bench/results" },
      set,
      data,
      json,
    },
    fileOptional: true,
    examples: [
      "dlx bench examples/digits.dlx --profile --device cpu",
      "dlx bench",
      "dlx bench --only w2 --peers dlx,torch",
    ],
  },
};

const general: Readonly<Record<string, OptionRow>> = {
  help: { help: "this help" },
  version: { help: "the version of dlx" },
};

export function help(): string {
  const rows = Object.values(verbs).map(({ usage, summary }) => [usage, summary] as const);
  return [
    "dlx: a small language for training neural networks",
    "",
    ...table(rows),
    "",
    ...table(Object.entries(general).map(([name, row]) => [`--${name}`, row.help])),
    "",
    "`dlx VERB --help` says more.",
  ].join("\n");
}

export function helpFor(name: string): string {
  const verb = verbs[name];
  if (!verb) throw new Error(`expected a verb, got ${name}`);
  const options = Object.entries(verb.options).map(
    ([option, row]) => [`--${option}${row.value ? ` ${row.value}` : ""}`, row.help] as const,
  );
  return [
    `${verb.usage}`,
    "",
    verb.summary,
    "",
    ...table(options),
    "",
    ...verb.examples.map((line) => `  ${line}`),
    ...(verb.notes ? ["", ...verb.notes] : []),
  ].join("\n");
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
