/**
 * Reads or draws a source whole. Tables are kept by source, arguments, part and the state of the files, so that several
 * plans over one source share its memory; only the last few are kept.
 */
import { stat } from "node:fs/promises";
import { checkSource } from "../../lang/check/sources.ts";
import { UserError } from "../../lang/diagnostic.ts";
import { dataTooLarge } from "../../lang/errors/data.ts";
import type { SourceRef } from "../../lang/program.ts";
import { type CsvLayout, csvLayout, csvPath, readCsv } from "./csv.ts";
import { type DataWhere, readingFailed } from "./disk.ts";
import { generatedTable } from "./generated.ts";
import { findIdx, isIdx, readIdx } from "./idx.ts";
import { Recent } from "./recent.ts";
import { joinTables, type Table } from "./table.ts";

const tables = new Recent<Table>(8);
const layouts = new Recent<CsvLayout>(8);

/** Throws a UserError where files are missing or wrong. */
export async function openSource(ref: SourceRef, where: DataWhere): Promise<Table> {
  const [wrong] = checkSource(ref);
  if (wrong) throw new UserError(wrong);
  const name = JSON.stringify([ref.name, ref.args, ref.part]);
  if (isIdx(ref.name)) {
    const files = await findIdx(ref, where);
    const paths = [files.train, files.test].flatMap((pair) => [pair.images, pair.labels]);
    return tables.get(`${name} ${await stateOf(ref, paths)}`, async () => {
      if (ref.part !== undefined) return readIdx(ref, files, ref.part);
      return joinTables(await readIdx(ref, files, "train"), await readIdx(ref, files, "test"));
    });
  }
  if (ref.name === "csv") {
    const layout = await layoutOf(ref, where);
    return tables.get(`${name} ${await stateOf(ref, [layout.path])}`, () => fitting(ref, () => readCsv(ref, layout)));
  }
  return tables.get(name, () =>
    fitting(ref, async () => {
      const table = generatedTable(ref);
      if (!table) throw new Error(`expected a data source, got "${ref.name}"`);
      return table;
    }),
  );
}

/** An array that the engine refuses is more rows than this process can hold. */
async function fitting(ref: SourceRef, make: () => Promise<Table>): Promise<Table> {
  try {
    return await make();
  } catch (thrown) {
    throw thrown instanceof RangeError ? new UserError(dataTooLarge(ref, thrown.message)) : thrown;
  }
}

/** The layout of a table of text, found once for each state of its file. */
export async function layoutOf(ref: SourceRef, where: DataWhere): Promise<CsvLayout> {
  if (ref.name !== "csv") throw new Error(`expected csv, got "${ref.name}"`);
  const state = await stateOf(ref, [csvPath(ref, where)]);
  // A kept layout names no span, but a failure does, and failures are not kept.
  return layouts.get(`${JSON.stringify(ref.args)} ${state}`, () => csvLayout(ref, where));
}

/** Changes when a file does: paths, sizes and times of last change. */
async function stateOf(ref: SourceRef, paths: readonly string[]): Promise<string> {
  const states: string[] = [];
  for (const path of paths) {
    try {
      const { size, mtimeMs } = await stat(path);
      states.push(`${path}:${size}:${mtimeMs}`);
    } catch (thrown) {
      throw await readingFailed(thrown, ref.span, String(ref.args.path ?? path), path);
    }
  }
  return states.join(" ");
}
