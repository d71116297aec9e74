/** The real command line in a folder, without a process of its own. The tests of one file run one after another. */
import { command } from "../../runtime/cli/command.ts";
import { tools } from "../../runtime/cli/tools.ts";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `line` as a person types it, from `dlx` on. */
export async function inFolder(
  folder: string,
  line: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const [program, ...argv] = line.trim().split(/\s+/);
  if (program !== "dlx") throw new Error(`expected a line that begins with dlx, got ${line}`);
  const before = { folder: process.cwd(), env: process.env };
  const text = { out: "", err: "" };
  const io = {
    stdout: (part: string) => void (text.out += part),
    stderr: (part: string) => void (text.err += part),
    isTTY: false,
    color: false,
    columns: () => 80,
    rows: () => 24,
    onInterrupt: () => () => undefined,
    watch: () => () => undefined,
    exit: (code: number) => {
      throw new Error(`expected no forced end, got exit code ${code}`);
    },
  };
  process.chdir(folder);
  process.env = { ...before.env, DLX_DATA: "", ...env };
  try {
    return { code: await command(argv, io, { ...tools, version: "0.0.0" }), ...text };
  } finally {
    process.chdir(before.folder);
    process.env = before.env;
  }
}
