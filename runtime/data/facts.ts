/**
 * What a data source says about itself before its rows are read: fields, rows, parts. Files are opened for their
 * headers; a table of text is read once, since only its end tells how long it is, and a text for its vocabulary. Rows that
 * a filter keeps are counted by computing its condition on all of them.
 */
import { checkSource, isTokenizer, knownFacts } from "../../lang/check/sources.ts";
import { type Diagnostic, UserError } from "../../lang/diagnostic.ts";
import type { Facts, SourceRef } from "../../lang/program.ts";
import { cifarFacts, findCifar } from "./cifar.ts";
import { csvFacts } from "./csv.ts";
import type { DataWhere } from "./disk.ts";
import { findIdx, idxFacts, idxFileFacts, isIdx } from "./idx.ts";
import { findImages, imageFacts } from "./images.ts";
import { tableFacts } from "./npy.ts";
import { layoutOf, openSource, tokensOf } from "./open.ts";
import { countKept } from "./rows.ts";
import { tokenFacts } from "./text.ts";

export async function factsOf(ref: SourceRef, where: DataWhere): Promise<Facts | Diagnostic> {
  const [wrong] = checkSource(ref);
  if (wrong) return wrong;
  try {
    if (ref.over) return { fields: {}, rows: await countKept(ref.over, (each) => openSource(each, where)) };
    return knownFacts(ref) ?? (await readFacts(ref, where));
  } catch (thrown) {
    if (thrown instanceof UserError) return thrown.diagnostic;
    throw thrown;
  }
}

async function readFacts(ref: SourceRef, where: DataWhere): Promise<Facts> {
  if (isIdx(ref.name)) return idxFacts(ref, where, await findIdx(ref, where));
  if (isTokenizer(ref.name)) return tokenFacts(ref, await tokensOf(ref, where));
  switch (ref.name) {
    case "csv":
      return csvFacts(await layoutOf(ref, where));
    case "idx":
      return idxFileFacts(ref, where);
    case "cifar10":
      return cifarFacts(ref, where, await findCifar(ref, where));
    case "images":
      return imageFacts(ref, where, await findImages(ref, where));
    case "npy":
    case "npz":
      return tableFacts(await openSource(ref, where));
    default:
      throw new Error(`expected a data source with files, got "${ref.name}"`);
  }
}
