/** The model's output over its two features: found in the program, asked on a grid and on points of the data. */
import type { Surface } from "../../lang/probes/surface.ts";
import { surfaceOf } from "../../lang/probes/surface.ts";
import { askedRows, painted, planeOf, SIDE, surfaceData, SURFACE_ROWS, type Plane } from "../../runtime/surface.ts";
import { isTensor } from "../panels/messages.ts";
import type { Looking } from "./panels.ts";

const EVERY_MS = 150;

export function lookAtSurface({ compiled, session, tell }: Looking): () => void {
  const surface = surfaceOf(compiled, SURFACE_ROWS);
  if ("refused" in surface) {
    tell({ kind: "none", why: surface.refused });
    return () => undefined;
  }
  let plane: Plane | undefined;
  let asking: { unsubscribe: () => void } | undefined;
  const ask = (known: Plane) =>
    session
      .probe({ probe: surface.probe, rows: askedRows(known, surface.fields) }, { every: EVERY_MS, limit: Infinity })
      .subscribe((state) => {
        const [part] = state.kind === "value" ? state.parts : [];
        if (state.kind === "none" && state.reason === "failed") tell({ kind: "none", why: state.why });
        if (state.kind !== "value" || !part || !isTensor(part)) return;
        const { label } = surface.probe;
        const seen = painted(surface, known, part.values);
        tell({
          kind: "surface",
          step: state.step,
          label,
          axes: axesOf(surface),
          side: SIDE,
          plane: known,
          painted: seen,
        });
      });
  const reading = session.probe(surfaceData(surface)).subscribe((state) => {
    if (state.kind !== "value" || plane) return;
    const columns = state.parts.filter(isTensor).map(({ values }) => values);
    plane = planeOf(columns.slice(0, surface.fields.length), columns[surface.fields.length]);
    asking = ask(plane);
  });
  return () => {
    reading.unsubscribe();
    asking?.unsubscribe();
  };
}

function axesOf({ fields: [first, second] }: Surface): readonly [string, string] {
  return second ? [first!.name, second.name] : [`${first!.name}[0]`, `${first!.name}[1]`];
}
