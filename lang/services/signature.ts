/** The signature of the call that the cursor is in, and the parameter that is written now. */
import type { Analysis } from "./analysis.ts";
import type { Library, Parameter } from "./library.ts";
import { callAround, probeAt } from "./probe.ts";
import { calleeOf } from "./symbols.ts";

export interface Signature {
  readonly label: string;
  readonly doc: string;
  /** Their places in the label. */
  readonly parameters: readonly (readonly [start: number, end: number])[];
  /** -1: none of them. */
  readonly active: number;
}

export function signatureAt(analysis: Analysis, library: Library, offset: number): Signature | undefined {
  const probe = probeAt(analysis, offset);
  const at = probe.word.start + 1;
  const around = callAround(probe.path, at);
  if (!around) return undefined;
  const { call, index, piped } = around;
  const callee = calleeOf(probe.analysis, library, call.callee);
  if (!callee) return undefined;
  const { entry, applied } = callee;
  const list = applied ? entry.inputs : entry.parameters;
  const name = call.args[index]?.name?.text;
  // A tensor function gets what is left of `|>` as its first argument; a model gets it in its second list.
  const shift = piped && entry.kind !== "model" ? 1 : 0;
  const active = name === undefined ? index + shift : list.findIndex((p) => p.name === name);
  const label = entry.signature;
  return {
    label,
    doc: entry.doc,
    parameters: places(label, list, applied),
    active: active < list.length ? active : -1,
  };
}

function places(label: string, list: readonly Parameter[], second: boolean): (readonly [number, number])[] {
  let from = second ? Math.max(0, label.indexOf(")(") + 2) : label.indexOf("(") + 1;
  return list.map(({ text }) => {
    const start = label.indexOf(text, from);
    if (start < 0) return [0, 0] as const;
    from = start + text.length;
    return [start, from] as const;
  });
}
