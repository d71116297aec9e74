/** The sources that are drawn rather than read: all that a place without a disk has. */
import { numberArg } from "../../lang/check/sources.ts";
import type { SourceRef } from "../../lang/program.ts";
import { digits } from "./digits.ts";
import { joinTables, type Table } from "./table.ts";
import { toyTable } from "./toy.ts";

/** Undefined for a source of files. Without a part, `digits()` is its train rows and then its test rows. */
export function generatedTable(ref: SourceRef): Table | undefined {
  if (ref.name !== "digits") return toyTable(ref);
  const seed = numberArg(ref, "seed");
  if (ref.part !== undefined) return digits(seed, ref.part);
  return joinTables(digits(seed, "train"), digits(seed, "test"));
}
