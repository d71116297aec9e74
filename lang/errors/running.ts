/** Messages of a running program, DLX07xx: what can only be known once numbers flow and files are opened. Files that cannot be read or written are in `data.ts`. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

function label(span: Span | undefined, text: string): Diagnostic["labels"] {
  return span ? [{ span, text }] : [];
}

/** Step 0 is before any training. */
export function notFinite(what: string, at: { step: number; epoch: number }, span?: Span): Diagnostic {
  const training = at.step > 0;
  return {
    code: "DLX0701",
    severity: "error",
    title: `${what} is not a finite number${training ? ` in step ${at.step}` : ""}`,
    labels: label(span, "became infinite or NaN"),
    notes: training ? [`step ${at.step}, epoch ${at.epoch}; params and states are as they were before this step`] : [],
    help: training
      ? "lower the learning rate, or clip the gradient: `with clip_norm(1.0) |> ..`"
      : "look for a division by 0 or the log of a number that is not positive",
  };
}

/** One row of the table of a load that does not fit: a name with what the program and the file hold. */
export interface Difference {
  readonly name: string;
  readonly expected: string;
  readonly found: string;
}

export function loadDiffers(file: string, rows: readonly Difference[], span?: Span): Diagnostic {
  const head = { name: "name", expected: "program", found: "file" };
  const shown = rows.slice(0, 12);
  const width = (key: "name" | "expected") => Math.max(...[head, ...shown].map((row) => row[key].length));
  const [name, expected] = [width("name"), width("expected")];
  const table = [head, ...shown].map(
    (row) => `${row.name.padEnd(name)}  ${row.expected.padEnd(expected)}  ${row.found}`,
  );
  if (rows.length > shown.length) table.push(`and ${rows.length - shown.length} more`);
  return {
    code: "DLX0702",
    severity: "error",
    title: `${file} does not fit this model`,
    labels: label(span, "loaded here"),
    notes: table,
    help: "load a file that was saved from the same model",
  };
}

/** `place` is the index in the tensor. */
export function loadedNotFinite(
  file: string,
  name: string,
  place: readonly number[],
  value: number,
  span?: Span,
): Diagnostic {
  const shown = Number.isNaN(value) ? "NaN" : value > 0 ? "infinity" : "-infinity";
  return {
    code: "DLX0709",
    severity: "error",
    title: `\`${name}\` in ${file} holds ${shown}${place.length > 0 ? ` at [${place.join(", ")}]` : ""}`,
    labels: label(span, "loaded here"),
    notes: ["the first step that reads it would fail, and no step could mend it"],
    help: "load a file that was saved before the training lost its numbers",
  };
}

export function noWholeBatch(rows: number, size: number, span?: Span): Diagnostic {
  return {
    code: "DLX0703",
    severity: "error",
    title: rows === 0 ? "there are no rows to read" : `${rows} rows do not fill one batch of ${size}`,
    labels: label(span, "this block would never run a step"),
    notes: [],
    help: rows === 0 ? "check the split or the file" : `use a batch of at most ${rows}, or leave out \`drop_last\``,
  };
}

export function shapesGraph(name: string, span?: Span): Diagnostic {
  return {
    code: "DLX0704",
    severity: "warning",
    title: `${name} shapes the program, so it cannot change while the program runs`,
    labels: label(span, "used as a constant"),
    notes: [],
    help: `start again with --set ${name}=..`,
  };
}

export function noScript(file: string, reason: string): Diagnostic {
  return {
    code: "DLX0705",
    severity: "error",
    title: `cannot read the script ${file}`,
    labels: [],
    notes: [reason],
  };
}

export function rowsChanged(expected: number, found: number, span?: Span): Diagnostic {
  return {
    code: "DLX0706",
    severity: "error",
    title: `the data has ${found} rows, but its header promised ${expected}`,
    labels: label(span, "read here"),
    notes: ["the file changed while the program was starting, or it is cut off"],
    help: "run again; if it stays, fetch the file again",
  };
}

export function deviceLost(name: string, reason: string): Diagnostic {
  return {
    code: "DLX0707",
    severity: "error",
    title: `the device was lost: ${name}`,
    labels: [],
    notes: [reason],
    help: "run again; on the processor with --device cpu",
  };
}

/** What is asked of the memory of a device. */
export interface Need {
  /** Bytes in all, and bytes that there are. */
  readonly need: number;
  readonly limit: number;
  readonly device: string;
  /** The largest value among what is computed. */
  readonly largest?: { readonly type: string; readonly bytes: number; readonly span?: Span };
  /** Rows in a batch, and the most that fit; 0 when not even one does. */
  readonly batch?: { readonly size: number; readonly fits?: number };
}

export function memoryFull(what: string, { need, limit, device, largest, batch }: Need, span?: Span): Diagnostic {
  const notes = [`the device is ${device}`];
  if (largest) notes.unshift(`the largest value is ${largest.type}, ${bytesText(largest.bytes)}`);
  const labels = [...label(span, batch ? `a batch of ${batch.size}` : "needs it")];
  if (largest?.span && (largest.span.file !== span?.file || largest.span.start !== span.start))
    labels.push({ span: largest.span, text: `${largest.type}, ${bytesText(largest.bytes)}` });
  return {
    code: "DLX0708",
    severity: "error",
    title: `${what} needs ${bytesText(need)} of memory, but there are only ${bytesText(limit)}`,
    labels,
    notes,
    help: memoryHelp(batch),
  };
}

function memoryHelp(batch: Need["batch"]): string {
  if (!batch) return "make it smaller, or compute it piece by piece in a loop";
  if (batch.fits === undefined) return `use smaller batches than ${batch.size}`;
  return batch.fits > 0
    ? `use batches of at most ${batch.fits}: \`batches(.., ${batch.fits})\``
    : "not even a batch of one row fits: use a smaller model";
}

/** Rounded up to three digits. */
function bytesText(bytes: number): string {
  const [size, unit] = bytes >= 2 ** 30 ? [bytes / 2 ** 30, "GiB"] : [bytes / 2 ** 20, "MiB"];
  const scale = 10 ** Math.max(0, 2 - Math.floor(Math.log10(Math.max(1, size))));
  return `${Math.ceil(size * scale - 1e-9) / scale} ${unit}`;
}
