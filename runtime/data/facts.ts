/**
 * What a data source says about itself before its rows are read: fields, rows, parts. Files are opened for their
 * headers; a table of text is read once, since only its end tells how long it is.
 */
import { checkSource, knownFacts } from "../../lang/check/sources.ts";
import { type Diagnostic, UserError } from "../../lang/diagnostic.ts";
import type { Facts, SourceRef } from "../../lang/program.ts";
import { csvFacts } from "./csv.ts";
import type { DataWhere } from "./disk.ts";
import { findIdx, idxFacts, isIdx } from "./idx.ts";
import { layoutOf } from "./open.ts";

export type { DataWhere } from "./disk.ts";

export async function factsOf(ref: SourceRef, where: DataWhere): Promise<Facts | Diagnostic> {
  const [wrong] = checkSource(ref);
  if (wrong) return wrong;
  const known = knownFacts(ref);
  if (known) return known;
  try {
    if (isIdx(ref.name)) return await idxFacts(ref, await findIdx(ref, where));
    return csvFacts(await layoutOf(ref, where));
  } catch (thrown) {
    if (thrown instanceof UserError) return thrown.diagnostic;
    throw thrown;
  }
}
