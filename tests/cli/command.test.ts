/** Verbs, options, exit codes, output streams: the command line over a small toolchain of its own. */
import { describe, expect, it } from "vitest";
import type { Program } from "../../lang/program.ts";
import { command } from "../../runtime/cli/command.ts";
import type { Io } from "../../runtime/cli/io.ts";
import type { CompileOptions, Toolchain } from "../../runtime/cli/toolchain.ts";
import {
  add,
  at,
  commit,
  FakeDevice,
  FakeHost,
  fetch,
  finite,
  fold,
  math,
  num,
  print,
  program,
  segment,
  slot,
  state,
  train,
} from "../runtime/fake.ts";

const w = slot("w", { init: 0, kind: "param" });
const counting = segment("train1", [commit("w", add(state("w"), num(1))), fetch("l", state("w"))]);
const block = (count: number) =>
  train({
    step: [{ segment: counting }],
    folds: [{ name: "loss", how: "avg", fetch: "l" }],
    report: [{ name: "loss", value: fold("loss") }],
    limit: { unit: "steps", count },
  });
const fine = program([block(4), print("w ", state("w"))], {
  slots: [w],
  inputs: [{ name: "rate", value: 0.5, kind: "live", span: at }],
});
const wrong = {
  code: "DLX0201",
  severity: "error",
  title: "axes differ",
  labels: [{ span: { ...at, start: 4, end: 7 }, text: "here" }],
  notes: [],
} as const;

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly asked: CompileOptions[];
}

async function dlx(line: string, compiled: Program | null = fine, more: Partial<Io> = {}): Promise<Result> {
  let [out, err] = ["", ""];
  const asked: CompileOptions[] = [];
  const io: Io = {
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    isTTY: false,
    color: false,
    columns: () => 80,
    rows: () => 24,
    onInterrupt: () => () => undefined,
    watch: () => () => undefined,
    exit: () => undefined,
    ...more,
  };
  const tools: Toolchain = {
    compile: async (file, options) => {
      asked.push(options);
      const sources = [{ file: at.file, text: "let bad = 1" }];
      return compiled ? { program: compiled, diagnostics: [], sources } : { diagnostics: [wrong], sources };
    },
    openDevice: async () => new FakeDevice(),
    host: async () => new FakeHost(),
    math,
    version: "1.2.3",
  };
  const code = await command(line.split(" ").filter(Boolean), io, tools);
  return { code, out, err, asked };
}
const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("use", () => {
  it("help and version are exit 0, on standard output", async () => {
    expect(await dlx("--version")).toMatchObject({ code: 0, out: "1.2.3\n" });
    const { code, out } = await dlx("--help");
    expect(code).toBe(0);
    expect(`\n${out}`).toMatchInlineSnapshot(`
      "
      dlx: a small language for training neural networks

        dlx run FILE [options]           check a script and run it
        dlx check FILE [options]         check names, shapes and clocks without running
        dlx graph FILE [options]         show what a script becomes
        dlx test FILE [options]          run the tests of a script
        dlx explain [CODE]               say more about a message, with an example; without a code list all
        dlx fmt FILE.. [options]         write scripts in canonical form; a folder means all of its scripts, \`-\` standard input
        dlx doc [NAME] [options]         show what a name of the language means; without a name list all
        dlx lsp [options]                answer an editor: a language server on standard input and output
        dlx playground [FILE] [options]  open the playground in a browser; it saves to FILE
        dlx devices [options]            list the devices that scripts can run on here
        dlx bench [FILE] [options]       time the steps of a script, or those of bench/ beside other programs

        --help     this help
        --version  the version of dlx

      \`dlx VERB --help\` says more.
      "
    `);
    expect((await dlx("run --help")).out).toContain("--set name=value");
    expect((await dlx("help check")).out).toContain("dlx check FILE");
    expect((await dlx("check -h")).code).toBe(0);
    for (const verb of ["run", "check", "test", "explain", "graph", "devices", "bench"]) {
      const long = await dlx(`${verb} --help`);
      expect(long).toMatchObject({ code: 0, err: "" });
      expect(long.out).toMatch(new RegExp(`^dlx ${verb}`));
      expect((await dlx(`help ${verb}`)).out).toBe(long.out);
      expect(long.out).toMatch(new RegExp(`\n  dlx ${verb}`));
    }
  });
  it("without a verb the help goes to standard error, as wrong use", async () => {
    expect(await dlx("")).toMatchObject({ code: 2, out: "", err: (await dlx("--help")).out });
  });
  it.each([
    ["", "dlx run FILE"],
    ["runn a.dlx", "there is no `dlx runn`; did you mean dlx run?"],
    ["frobnicate", "see dlx --help"],
    ["tset a.dlx", "did you mean dlx test?"],
    ["explian 201", "did you mean dlx explain?"],
    ["hepl", "did you mean dlx help?"],
    ["toString", "there is no `dlx toString`"],
    ["help runn", "there is no `dlx runn`; did you mean dlx run?"],
    ["version", "did you mean dlx --version?"],
    ["--versoin", "there is no option --versoin; did you mean dlx --version?"],
    ["test", "`dlx test` needs a file: dlx test FILE [options]"],
    ["test a.dlx --sede 3", "has no --sede; did you mean --seed?"],
    ["test a.dlx --devcie cpu", "has no --devcie; did you mean --device?"],
    ["test a.dlx", "a.dlx has no tests; write one: test"],
    ["explain 9999", "there is no message DLX9999"],
    ["devices --jsn", "has no --jsn; did you mean --json?"],
    ["run a.dlx --device webgup", "there is no device webgup; did you mean webgpu?"],
    ["run a.dlx --device tpux", "there is no device tpux; write one of auto, cpu, webgpu, reference"],
    ["digits.dlx", "write dlx run digits.dlx"],
    ["--json run a.dlx", "the verb comes first"],
    ["run", "`dlx run` needs a file"],
    ["run a.dlx b.dlx", "takes one file, got also b.dlx"],
    ["run a.dlx --step 3", "has no --step; did you mean --steps?"],
    ["run a.dlx --steps", "--steps needs a value: --steps N"],
    ["run a.dlx --steps --json", "--steps needs a value"],
    ["run a.dlx --steps many", "--steps needs a whole number, got many"],
    ["run a.dlx --every 0", "at least 1, got 0"],
    ["run a.dlx --json=yes", "--json takes no value"],
    ["run a.dlx --set lr", "--set needs name=value, got lr"],
    ["run a.dlx --set rat=1", "no input rat; did you mean rate?"],
    [
      "run a.dlx --device gpu",
      "there is no device gpu; did you mean webgpu? write one of auto, cpu, webgpu, reference",
    ],
    ["check a.dlx --seed 3", "`dlx check` has no --seed"],
    ["graph a.dlx --ast --stats", "write one of --ast"],
    ["graph a.dlx --stats --device gpu", "--device for counts is one of webgpu, cpu"],
  ])("%j is wrong use", async (line, text) => {
    const { code, out, err } = await dlx(line);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(text);
  });
});

describe("run", () => {
  it("hands over inputs and seed", async () => {
    const { asked } = await dlx("run a.dlx --set rate=3e-4 --seed 5 --data d");
    expect(asked).toEqual([{ inputs: { rate: 3e-4 }, seed: 5, data: "d" }]);
  });
  it("--json: events on standard output and nothing else", async () => {
    const { code, out, err } = await dlx("run a.dlx --json --every 2 --set rate=1 --steps 3");
    expect([code, err]).toEqual([0, ""]);
    expect(lines(out)).toMatchObject([
      { event: "start", seed: 7, parameters: 1, inputs: { rate: 1 }, device: { kind: "cpu" } },
      { event: "train", name: "train1", step: 2, epoch: 1, metrics: { loss: 1 } },
      { event: "print", text: "w 3" },
      { event: "end", status: "done", steps: 3 },
    ]);
  });
  it("plain: a start line, prints, an end line; --quiet only prints", async () => {
    const { out } = await dlx("run a.dlx");
    expect(out.split("\n")[0]).toBe("a.dlx  on fake  seed 7  1 parameter  rate = 0.5");
    expect(out).toContain("\nw 4\ndone after 4 steps in 0:00\n");
    expect((await dlx("run a.dlx --quiet")).out).toBe("w 4\n");
  });
  it("a program with errors is 1, its messages on standard error or as events", async () => {
    const plain = await dlx("run a.dlx", null);
    expect([plain.code, plain.out]).toEqual([1, ""]);
    expect(plain.err).toContain("DLX0201");
    const json = await dlx("run a.dlx --json", null);
    expect([json.code, json.err]).toEqual([1, ""]);
    expect(lines(json.out)).toMatchObject([
      { event: "error", diagnostic: { code: "DLX0201" } },
      { event: "end", status: "failed" },
    ]);
  });
  it("a failure while running is 3", async () => {
    const bad = segment("bad", [finite("loss", num(NaN))]);
    const { code, err, out } = await dlx("run a.dlx", program([train({ step: [{ segment: bad }] })]));
    expect(code).toBe(3);
    expect(err).toContain("loss is not a finite number in step 1");
    expect(out).toContain("failed after 0 steps");
  });
  it("an interrupt finishes the tick and is 130; a second one leaves at once", async () => {
    let interrupt = () => undefined as void;
    const exits: number[] = [];
    const onInterrupt: Io["onInterrupt"] = (listener) => {
      interrupt = listener;
      return () => undefined;
    };
    const running = dlx("run a.dlx --json", program([block(1e9)], { slots: [w] }), {
      onInterrupt,
      exit: (code) => void exits.push(code),
    });
    setTimeout(() => {
      interrupt();
      interrupt();
    }, 30);
    const { code, out } = await running;
    expect([code, exits]).toEqual([130, [130]]);
    expect(out.split("\n").filter((line) => line.includes('"end"'))).toHaveLength(0);
  });
  it("one interrupt: the end event says stopped", async () => {
    const onInterrupt: Io["onInterrupt"] = (listener) => {
      const timer = setTimeout(listener, 30);
      return () => clearTimeout(timer);
    };
    const { code, out } = await dlx("run a.dlx --json", program([block(1e9)], { slots: [w] }), { onInterrupt });
    expect(code).toBe(130);
    expect(lines(out).at(-1)).toMatchObject({ event: "end", status: "stopped" });
  });
  it("a mistake of dlx says so", async () => {
    const broken = program([{ kind: "compute", segment: segment("top", [commit("w", state("nowhere"))]) }], {
      slots: [w],
    });
    const { code, err } = await dlx("run a.dlx", broken);
    expect(code).toBe(3);
    expect(err).toContain("a mistake in dlx itself");
  });
});

describe("check and graph", () => {
  it("check says what the program has", async () => {
    const { code, out } = await dlx("check a.dlx");
    expect(code).toBe(0);
    expect(out).toBe("a.dlx: ok, 1 parameter\n  train  train1  4 steps\n");
    expect(lines((await dlx("check a.dlx --json")).out)).toEqual([
      {
        ok: true,
        diagnostics: [],
        parameters: 1,
        blocks: [{ kind: "train", name: "train1", limit: "4 steps", batch: [] }],
      },
    ]);
    const bad = await dlx("check a.dlx --json", null);
    expect(bad.code).toBe(1);
    expect(lines(bad.out)).toMatchObject([{ ok: false, diagnostics: [{ code: "DLX0201" }] }]);
  });
  it("graph shows segments, kernels and counts", async () => {
    expect((await dlx("graph a.dlx")).out).toContain("as commit w, fetch l");
    expect((await dlx("graph a.dlx --kernels")).out).toMatch(/^train1:\nk0 .*\n[^]* = add v0 v1\n/);
    expect(lines((await dlx("graph a.dlx --stats --json")).out)).toMatchObject([
      { programs: [{ name: "train1", kind: "train", dispatches: 2, flops: 1, parameters: 1 }] },
    ]);
    expect((await dlx("graph a.dlx --stats")).out).toMatchInlineSnapshot(`
      "name    kind   step  dispatches  bytesRead  bytesWritten  boundBytes  flops  peakBytes  liveBytes  parameters
      train1  train  full           2          4             8          12      1         16         16           1
      "
    `);
    expect((await dlx("graph a.dlx", null)).code).toBe(1);
  });
});
