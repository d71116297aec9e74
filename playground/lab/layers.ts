/** Params and what the training would move them by, as numbers for each. */
import type { ProbeState } from "../../runtime/index.ts";
import { isTensor } from "../panels/messages.ts";
import type { Looking } from "./panels.ts";

const EVERY_MS = 200;
const MOST = 64;
/** Statistics alone. */
const options = { every: EVERY_MS, limit: 0 };

export function lookAtLayers({ compiled, session, tell }: Looking): () => void {
  const params = Object.values(session.program.slots).filter(({ kind }) => kind === "param");
  const paths = params.slice(0, MOST).map(({ path }) => path);
  if (paths.length === 0) {
    tell({ kind: "none", why: "nothing is learned: the script has no params" });
    return () => undefined;
  }
  const hear = (of: "values" | "gradients") => (state: ProbeState) => {
    if (state.kind !== "value") return;
    const parts = state.parts.filter(isTensor).map(({ name, shape, stats }) => ({ path: name, shape, stats }));
    tell({ kind: "layers", step: state.step, of, parts });
  };
  const values = session.probe({ slots: paths }, options).subscribe(hear("values"));
  const [answer] = compiled.probes([{ gradients: paths }]);
  const gradients =
    answer && !("refused" in answer) ? session.probe(answer, options).subscribe(hear("gradients")) : undefined;
  return () => {
    values.unsubscribe();
    gradients?.unsubscribe();
  };
}
