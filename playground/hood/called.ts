/** Kernels that do the work of the library: the lines of the script that called it. */
import type { Span } from "../../lang/source.ts";
import type { GraphPart } from "../../runtime/inspect/index.ts";
import type { KernelRow, KernelRows } from "./messages.ts";

const keyOf = ({ file, start, end }: Span): string => `${file} ${start} ${end}`;

/** Places of the script by the expressions, there or in the library, that were computed for them. */
function callsIn(part: GraphPart, found = new Map<string, Map<string, Span>>()): Map<string, Map<string, Span>> {
  for (const { span, place, body } of part.nodes) {
    if (span && place) {
      const own = found.get(keyOf(span)) ?? new Map<string, Span>();
      found.set(keyOf(span), own.set(keyOf(place), place));
    }
    if (body) callsIn(body, found);
  }
  return found;
}

/** A layer that is used in many places has all of them: which one a kernel is of is not known. */
export function atCalls(
  segments: readonly KernelRows[],
  graphs: readonly (GraphPart & { readonly name: string })[],
  script: string,
): KernelRows[] {
  return segments.map((segment) => {
    const graph = graphs.find(({ name }) => name === segment.name);
    const calls = graph ? callsIn(graph) : new Map<string, Map<string, Span>>();
    const placed = (kernel: KernelRow): KernelRow => {
      if (kernel.places.some(({ file }) => file === script)) return kernel;
      const places = kernel.spans.flatMap((span) => [...(calls.get(keyOf(span))?.values() ?? [])]);
      const once = [...new Map(places.map((place) => [keyOf(place), place])).values()];
      return once.length > 0 ? { ...kernel, places: once, through: kernel.lines } : kernel;
    };
    return { ...segment, kernels: segment.kernels.map(placed) };
  });
}
