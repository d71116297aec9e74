/** Every code that the functions of `lang/errors` can give, read from their text. */
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const folder = resolve(import.meta.dirname, "../../lang/errors");

export function codesInSource(): string[] {
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  return [...new Set(texts.flatMap((text) => [...text.matchAll(/"(DLX\d{4})"/g)].map((m) => m[1]!)))].sort();
}
