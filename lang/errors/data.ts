/**
 * Mistakes in data sources and weight files: codes DLX05xx. One function per mistake; the label is the call in the
 * script, and the title names the file and what is wrong with it. Which mistake it is, the reader of the file decides.
 */
import type { Diagnostic } from "../diagnostic.ts";
import type { SourceRef } from "../program.ts";
import type { Span } from "../source.ts";
import { didYouMean } from "../suggest.ts";

/** A weight file may be read for no place in a script. */
type Place = Span | undefined;

function error(
  code: string,
  title: string,
  span: Place,
  text: string,
  help?: string,
  notes: string[] = [],
): Diagnostic {
  return { code, severity: "error", title, labels: span ? [{ span, text }] : [], notes, help };
}

// ---------------------------------------------------------------- 0501–0509: finding and opening

export function noSuchFile(span: Place, file: string, path: string, neighbours: readonly string[]): Diagnostic {
  const name = path.split(/[\\/]/).at(-1) ?? path;
  const guess = didYouMean(name, neighbours);
  const help = guess
    ? `did you mean \`${guess}\`, in the same folder?`
    : "a path counts from the folder of the script; an absolute path works too";
  return error("DLX0501", `there is no file \`${file}\``, span, "read here", help, [`looked for ${path}`]);
}

export function noDataSet(ref: SourceRef, missing: string, folders: readonly string[]): Diagnostic {
  const files = ref.name === "cifar10" ? "the binary files" : "the four IDX files";
  return error(
    "DLX0502",
    `\`${ref.name}\` needs the file \`${missing}\`, which is not there`,
    ref.span,
    "read here",
    `name the folder that holds ${files}, as \`--data DIR\`, in the variable DLX_DATA or as \`${ref.name}(dir: "DIR")\`${
      ref.name === "mnist" ? "; `digits()` needs no files" : ""
    }`,
    folders.length > 0
      ? folders.map((folder) => `looked in ${folder}`)
      : ["no folder was named: neither --data nor DLX_DATA is set"],
  );
}

export function unreadable(span: Place, file: string, reason: string): Diagnostic {
  return error("DLX0503", `\`${file}\` cannot be read: ${reason}`, span, "read here", "name a file that may be read");
}

export function badSourceArgument(ref: SourceRef, param: string, expected: string, got: string): Diagnostic {
  return error(
    "DLX0504",
    `\`${param}\` of \`${ref.name}\` is ${expected}, not ${got}`,
    ref.span,
    got === "nothing" ? `\`${param}\` is missing` : `\`${param}\` is ${got}`,
    `write \`${ref.name}(${param}: …)\` with ${expected}`,
  );
}

export function dataTooLarge(ref: SourceRef, reason: string): Diagnostic {
  return error(
    "DLX0505",
    `the rows of \`${ref.name}\` do not fit into memory`,
    ref.span,
    "read whole here",
    "read fewer rows",
    [`the engine says: ${reason}`],
  );
}

// ---------------------------------------------------------------- 0510–0519: IDX files

const again = "fetch the file again, or point to another folder with `--data DIR`";

export function wrongMagic(span: Span, file: string, expected: number, got: number): Diagnostic {
  const kind = expected === 0x803 ? "images" : "labels";
  return error(
    "DLX0510",
    `\`${file}\` is not an IDX file of ${kind}`,
    span,
    "read here",
    got === 0x803 || got === 0x801 ? "images and labels seem to have changed names" : again,
    [`it begins with ${hex(got)}, but IDX ${kind} begin with ${hex(expected)}`],
  );
}

export function truncatedFile(
  span: Span,
  file: string,
  expected: number | undefined,
  got: number | undefined,
): Diagnostic {
  const sizes =
    expected !== undefined && got !== undefined ? [`its header promises ${expected} bytes, it holds ${got}`] : [];
  return error("DLX0511", `\`${file}\` ends too early`, span, "read here", again, sizes);
}

export function damagedGzip(span: Span, file: string, reason: string): Diagnostic {
  return error("DLX0512", `\`${file}\` is damaged: it cannot be unpacked`, span, "read here", again, [
    `gzip says: ${reason}`,
  ]);
}

export function unequalRows(
  span: Span,
  images: string,
  imageRows: number,
  labels: string,
  labelRows: number,
): Diagnostic {
  return error(
    "DLX0513",
    `\`${images}\` holds ${imageRows} images, but \`${labels}\` holds ${labelRows} labels`,
    span,
    "read here",
    "take both files from the same set",
  );
}

export function labelTooLarge(span: Span, file: string, row: number, label: number, classes: number): Diagnostic {
  return error(
    "DLX0514",
    `\`${file}\` has label ${label} in row ${row}, but there are ${classes} classes`,
    span,
    "read here",
    again,
  );
}

export function notRecords(span: Span, file: string, record: number, size: number): Diagnostic {
  return error(
    "DLX0515",
    `\`${file}\` does not hold whole records of CIFAR-10`,
    span,
    "read here",
    "take the binary version, `data_batch_1.bin` to `test_batch.bin`, and fetch it again if it was cut",
    [`a record has ${record} bytes, and the file ${size}`],
  );
}

export function notNumpy(span: Span, file: string, kind: string, reason: string): Diagnostic {
  return error(
    "DLX0516",
    `\`${file}\` cannot be read as \`.${kind}\`: ${reason}`,
    span,
    "read here",
    kind === "npz" ? "write it with `np.savez(file, x=…, y=…)`" : "write it with `np.save(file, x.astype(np.float32))`",
  );
}

export function unequalArrays(
  span: Span,
  file: string,
  a: { readonly name: string; readonly rows: number },
  b: { readonly name: string; readonly rows: number },
): Diagnostic {
  return error(
    "DLX0517",
    `the arrays of \`${file}\` have different numbers of rows`,
    span,
    "read here",
    "the first axis of each array are the rows: leave others out of the file",
    [`\`${a.name}\` has ${a.rows}, \`${b.name}\` has ${b.rows}`],
  );
}

export function noImages(span: Span, dir: string, path: string): Diagnostic {
  return error(
    "DLX0518",
    `\`${dir}\` has no folders with PNG images`,
    span,
    "read here",
    "make a folder for each class, `cats/1.png`, `dogs/1.png`; a path counts from the folder of the script",
    [`looked in ${path}`],
  );
}

export function badImage(span: Span, file: string, reason: string): Diagnostic {
  return error(
    "DLX0519",
    `the image \`${file}\` cannot be read: ${reason}`,
    span,
    "read here",
    "write it as PNG with 8 bits a channel, not interlaced",
  );
}

export function unequalImages(
  span: Span,
  first: string,
  shape: readonly number[],
  other: string,
  otherShape: readonly number[],
): Diagnostic {
  return error(
    "DLX0506",
    "these images have different sizes",
    span,
    "read here",
    "bring them to one size, all in grey or all in colour",
    [`\`${first}\` is [${shape.join(", ")}]`, `\`${other}\` is [${otherShape.join(", ")}]`],
  );
}

// ---------------------------------------------------------------- 0520–0529: tables

export function missingColumn(
  span: Span,
  file: string,
  column: string,
  columns: readonly string[],
  headed: boolean,
): Diagnostic {
  const guess = didYouMean(column, columns);
  const only = columns.length === 1 ? (columns[0] ?? "") : "";
  const mark = [";", "\t", "|"].find((candidate) => only.includes(candidate));
  const notes = [`its columns are ${list(columns)}`];
  if (!headed) notes.push("its first row is all numbers, so the columns are named c1, c2, …");
  else if (columns.some((name) => name !== "" && Number.isFinite(Number(name))))
    notes.push("its first row was read as the names of the columns");
  let help: string | undefined;
  if (mark !== undefined)
    help = `the columns seem to be separated by \`${mark === "\t" ? "tab" : mark}\`; write them with commas`;
  else if (guess !== undefined) help = `did you mean \`${guess.replaceAll("\n", "\\n")}\`?`;
  return error("DLX0520", `\`${file}\` has no column \`${column}\``, span, "read here", help, notes);
}

export function textColumns(
  span: Span,
  file: string,
  found: readonly { readonly column: string; readonly text: string; readonly line: number }[],
  usable: readonly string[],
): Diagnostic {
  const names = list(found.map((f) => f.column));
  return error(
    "DLX0521",
    `${found.length === 1 ? "the column" : "the columns"} ${names} of \`${file}\` ${found.length === 1 ? "holds" : "hold"} text, not numbers`,
    span,
    "read here",
    usable.length > 0
      ? `choose the columns of numbers: \`columns: [${usable.map((name) => JSON.stringify(name)).join(", ")}]\``
      : "write the text as numbers first",
    found.slice(0, 5).map((f) => `line ${f.line}, column \`${f.column}\`: ${quote(f.text)}`),
  );
}

export function emptyTable(span: Span, file: string): Diagnostic {
  return error(
    "DLX0522",
    `\`${file}\` has no rows`,
    span,
    "read here",
    "a row of names needs rows of numbers below it",
  );
}

export function badCell(span: Span, file: string, line: number, column: string, text: string): Diagnostic {
  const gap = text.trim() === "";
  return error(
    "DLX0523",
    `\`${file}\`, line ${line}, column \`${column}\`: ${gap ? "the cell is empty" : `${quote(text)} is not a number`}`,
    span,
    "read here",
    gap
      ? "fill the cell, or leave the row or the column out"
      : "write a number there, or leave the row or the column out",
  );
}

export function cellTooLarge(span: Span, file: string, line: number, column: string, text: string): Diagnostic {
  return error(
    "DLX0529",
    `\`${file}\`, line ${line}, column \`${column}\`: ${quote(text)} is above the largest number of 32 bits, 3.403e38`,
    span,
    "read here",
    "write the column in a larger unit, or leave the row or the column out",
  );
}

export function raggedRow(span: Span, file: string, line: number, expected: number, got: number): Diagnostic {
  return error(
    "DLX0524",
    `\`${file}\`, line ${line}: the row has ${got} ${got === 1 ? "cell" : "cells"}, but there are ${expected} columns`,
    span,
    "read here",
    "a cell that holds a comma stands in double quotes",
  );
}

export function badQuotes(span: Span, file: string, line: number, reason: string): Diagnostic {
  return error(
    "DLX0525",
    `\`${file}\`, line ${line}: the quotes do not match`,
    span,
    "read here",
    "inside of a quoted cell, write a double quote twice",
    [`the reader says: ${reason}`],
  );
}

export function targetAmongColumns(span: Span, column: string): Diagnostic {
  return error(
    "DLX0526",
    `\`${column}\` is both a target and among the columns`,
    span,
    "the answer would be part of the question",
    `leave \`${column}\` out of \`columns\``,
  );
}

export function noColumnsLeft(span: Span, file: string): Diagnostic {
  return error(
    "DLX0527",
    `\`${file}\` has no columns besides the target`,
    span,
    "`x` would be empty",
    "leave one column out of `target`",
  );
}

export function severalTextTargets(span: Span, file: string, column: string): Diagnostic {
  return error(
    "DLX0528",
    `the target \`${column}\` of \`${file}\` holds text, so it must be the only target`,
    span,
    "read here",
    `write \`target: ${JSON.stringify(column)}\`, or leave it out`,
  );
}

// ---------------------------------------------------------------- 0530–0539: weight files

export function notSafetensors(span: Place, file: string, reason: string): Diagnostic {
  return error(
    "DLX0530",
    `\`${file}\` is not a safetensors file: ${reason}`,
    span,
    "read here",
    "write it with `save` in dlx, or with the package `safetensors` of Python",
  );
}

export function truncatedSafetensors(span: Place, file: string, expected: number, got: number): Diagnostic {
  return error("DLX0531", `\`${file}\` ends too early`, span, "read here", "save or fetch the file again", [
    `its header promises ${expected} bytes, it holds ${got}`,
  ]);
}

export function foreignDtype(
  span: Place,
  file: string,
  tensor: string,
  dtype: string,
  known: readonly string[],
): Diagnostic {
  return error(
    "DLX0532",
    `\`${tensor}\` in \`${file}\` has the dtype ${dtype}, which dlx does not read`,
    span,
    "read here",
    `save it as F32; dlx reads ${known.join(", ")}`,
  );
}

export function cannotWrite(span: Place, file: string, reason: string): Diagnostic {
  return error(
    "DLX0533",
    `\`${file}\` cannot be written: ${reason}`,
    span,
    "saved here",
    "name a file in a folder that exists and may be written, with room for it",
  );
}

// ---------------------------------------------------------------- words

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, "0")}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 12).map((name) => `\`${name.replaceAll("\n", "\\n")}\``);
  if (names.length > 12) shown.push(`… (${names.length} in all)`);
  return shown.join(", ");
}
