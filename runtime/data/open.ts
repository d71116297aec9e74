/**
 * Reads or draws a source whole. Tables are kept by source, arguments, part and the state of the files, so that several
 * plans over one source share its memory; only the last few are kept.
 */
import { checkSource, isTokenizer, knownFacts } from "../../lang/check/sources.ts";
import { UserError } from "../../lang/diagnostic.ts";
import { dataTooLarge } from "../../lang/errors/data.ts";
import type { SourceRef } from "../../lang/program.ts";
import { findCifar, readCifar } from "./cifar.ts";
import { type CsvLayout, csvLayout, csvPath, readCsv } from "./csv.ts";
import { type DataWhere, type Disk, readingFailed } from "./disk.ts";
import { generatedTable } from "./generated.ts";
import { findIdx, idxPair, isIdx, readIdx, readIdxFile } from "./idx.ts";
import { findImages, readImages } from "./images.ts";
import { numpyPath, readNumpy } from "./npy.ts";
import { Recent } from "./recent.ts";
import { planText } from "./rows.ts";
import { joinTables, type Table } from "./table.ts";
import { readTokens, textPath, type TokenText, tokenTable } from "./text.ts";

const tables = new Recent<Table>(8);
const layouts = new Recent<CsvLayout>(8);
const texts = new Recent<TokenText>(8);

/** Throws a UserError where files are missing or wrong. */
export async function openSource(ref: SourceRef, where: DataWhere): Promise<Table> {
  const [wrong] = checkSource(ref);
  if (wrong) throw new UserError(wrong);
  // Before anything is waited for, so that what waits for the whole can be cut in the middle of it.
  if (isDrawn(ref)) return tables.get(planText(ref), () => fitting(ref, async () => drawn(ref)));
  const { paths, read } = await readerOf(ref, where);
  return tables.get(`${planText(ref)} ${await stateOf(where.disk, ref, paths)}`, () => fitting(ref, read));
}

interface Reader {
  /** Files whose change makes the table another. */
  readonly paths: readonly string[];
  readonly read: () => Promise<Table>;
}

async function readerOf(ref: SourceRef, where: DataWhere): Promise<Reader> {
  if (isIdx(ref.name)) {
    const files = await findIdx(ref, where);
    const paths = [files.train, files.test].flatMap((pair) => [pair.images, pair.labels]);
    return { paths, read: () => partsOf(ref, (part) => readIdx(ref, where, files, part)) };
  }
  if (isTokenizer(ref.name)) {
    const paths = textPaths(ref, where);
    return { paths, read: async () => tokenTable(ref, await tokensOf(ref, where)) };
  }
  switch (ref.name) {
    case "csv": {
      const layout = await layoutOf(ref, where);
      return { paths: [layout.path], read: () => readCsv(ref, where, layout) };
    }
    case "idx": {
      const { images, labels } = idxPair(ref, where);
      return { paths: labels === undefined ? [images] : [images, labels], read: () => readIdxFile(ref, where) };
    }
    case "cifar10": {
      const files = await findCifar(ref, where);
      const paths = [...files.train, ...files.test];
      return { paths, read: () => partsOf(ref, (part) => readCifar(ref, where, files, part)) };
    }
    case "images": {
      const found = await findImages(ref, where);
      const paths = found.files.map(({ name }) => where.disk.paths.join(found.dir, name));
      return { paths, read: () => readImages(ref, where, found) };
    }
    case "npy":
    case "npz":
      return { paths: [numpyPath(ref, where)], read: () => readNumpy(ref, where) };
    default:
      throw new Error(`expected a data source, got "${ref.name}"`);
  }
}

/** Sources without files say all of themselves. */
function isDrawn(ref: SourceRef): boolean {
  return !ref.of && knownFacts(ref) !== undefined;
}

function drawn(ref: SourceRef): Table {
  const table = generatedTable(ref);
  if (!table) throw new Error(`expected a data source, got "${ref.name}"`);
  return table;
}

/** One part, or the train rows and then the test rows. */
async function partsOf(ref: SourceRef, read: (part: "train" | "test") => Promise<Table>): Promise<Table> {
  if (ref.part !== undefined) return read(ref.part);
  return joinTables(await read("train"), await read("test"));
}

/** A text as tokens, cut once for each state of its files and length of lines. */
export async function tokensOf(ref: SourceRef, where: DataWhere): Promise<TokenText> {
  const { length: _any, ...args } = ref.args;
  const state = await stateOf(where.disk, ref, textPaths(ref, where));
  return texts.get(`${planText({ ...ref, args })} ${state}`, () => readTokens(ref, where));
}

/** The file of a tokenizer, and that of the vocabulary it takes. */
function textPaths(ref: SourceRef, where: DataWhere): string[] {
  return [ref, ref.like].flatMap((each) => (each?.of ? [textPath(each.of, where)] : []));
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
  const state = await stateOf(where.disk, ref, [csvPath(ref, where)]);
  // A kept layout names no span, but a failure does, and failures are not kept.
  return layouts.get(`${JSON.stringify(ref.args)} ${state}`, () => csvLayout(ref, where));
}

/** Changes when a file does. */
async function stateOf(disk: Disk, ref: SourceRef, paths: readonly string[]): Promise<string> {
  const states: string[] = [];
  for (const path of paths) {
    try {
      states.push(`${path}:${await disk.stateOf(path)}`);
    } catch (thrown) {
      const file = (ref.of ?? ref).args.path ?? path;
      throw await readingFailed(disk, thrown, (ref.of ?? ref).span, String(file), path);
    }
  }
  return states.join(" ");
}
