/** `dlx check`: what the compiler says, or one short summary of a program that is fine. */
import { tickSegments, type Program, type Train } from "../../lang/program.ts";
import { renderDiagnostic } from "../../lang/render.ts";
import { inputsBelow, refOf } from "../inputs.ts";
import { counted } from "../sinks/words.ts";
import { parameterCount, typeText } from "../state.ts";
import { parseSets, type Args } from "./args.ts";
import { distinctBlocks, type BlockAction } from "../blocks.ts";
import { DONE, WRONG_PROGRAM, type Io } from "./io.ts";
import { placed } from "./placed.ts";
import { checkInputs } from "./run.ts";
import type { Toolchain } from "./toolchain.ts";

export async function check(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const inputs = parseSets(args.list("set"));
  const { program, diagnostics, sources } = await tools.compile(args.file, { inputs, data: args.text("data") });
  const fine = program !== undefined && !diagnostics.some(({ severity }) => severity === "error");
  if (fine) checkInputs(inputs, program);
  if (args.has("json")) {
    const summary = fine
      ? { parameters: parameterCount(program.slots), blocks: distinctBlocks(program).map(blockSummary) }
      : {};
    const found = await placed(diagnostics, sources, args.text("data"));
    io.stdout(`${JSON.stringify({ ok: fine, diagnostics: found, ...summary })}\n`);
  } else {
    for (const diagnostic of diagnostics) io.stderr(`${renderDiagnostic(diagnostic, sources, { color: io.color })}\n`);
    if (fine) io.stdout(`${okText(args.file, program)}\n`);
  }
  return fine ? DONE : WRONG_PROGRAM;
}

function blockSummary(block: BlockAction) {
  const inputs = inputsBelow(tickSegments(block.step).flatMap(({ outputs }) => outputs.map(({ node }) => node)));
  const batch = inputs.filter((node) => refOf(node).source === "batch");
  const types = new Map(batch.map((node) => [refOf(node).name, typeText(node.type)]));
  const fields = (block.data?.fields ?? []).map((name) => ({ name, type: types.get(name) ?? "unused" }));
  const { kind, name, data } = block;
  return { kind, name, limit: kind === "train" ? limitText(block) : undefined, rows: data?.rows, batch: fields };
}

function limitText({ limit: { count, unit } }: Train): string {
  return counted(count, unit.replace(/s$/, ""));
}

function okText(file: string, program: Program): string {
  const blocks = distinctBlocks(program).map(blockSummary);
  const lines = blocks.map(({ kind, name, limit, rows, batch }) => {
    const fields = batch.map((field) => `${field.name} ${field.type}`).join(", ");
    return ["", kind, name, limit, rows === undefined ? undefined : counted(rows, "row"), fields]
      .filter((text) => text !== undefined)
      .join("  ");
  });
  return [`${file}: ok, ${counted(parameterCount(program.slots), "parameter")}`, ...lines]
    .map((line) => line.trimEnd())
    .join("\n");
}
