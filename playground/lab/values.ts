/** Every value of the script by its name, with statistics of those groups that a person has open. */
import type { Probe } from "../../lang/index.ts";
import { namesOfValues } from "../../lang/probes/names.ts";
import type { ProbeState } from "../../runtime/index.ts";
import { withoutPass } from "../../runtime/passes.ts";
import { isTensor, type Group, type Look, type NamedValue } from "../panels/messages.ts";
import type { Looking } from "./panels.ts";

const EVERY_MS = 250;
/** Of each group. */
const MOST = 200;
/** Statistics alone. */
const options = { every: EVERY_MS, limit: 0 };
const GROUP_OF: Readonly<Record<string, Group>> = { param: "params", state: "states", slot: "optimizer" };

export function lookAtValues(at: Looking, { groups }: Look & { panel: "values" }): () => void {
  const { session, tell } = at;
  const slots = slotsOf(at);
  const { list: names, probes } = namesOf(at);
  tell({ kind: "names", list: [...names, ...slots] });
  const stops: { unsubscribe: () => void }[] = [];
  const hear = (idOf: (part: string) => string | undefined) => (state: ProbeState) => {
    if (state.kind !== "value") return;
    const stats = state.parts.filter(isTensor).flatMap((part) => {
      const id = idOf(part.name);
      return id === undefined ? [] : [[id, part.stats] as const];
    });
    tell({ kind: "stats", stats: new Map(stats) });
  };
  for (const wanted of groups) {
    const paths = slots.filter(({ group }) => group === wanted).map(({ id }) => id);
    if (paths.length > 0) stops.push(session.probe({ slots: paths }, options).subscribe(hear((path) => path)));
    if (wanted === "names")
      for (const probe of probes) stops.push(session.probe(probe, options).subscribe(hear((number) => `#${number}`)));
  }
  return () => stops.forEach((stop) => stop.unsubscribe());
}

function slotsOf({ session }: Looking): NamedValue[] {
  const counts = new Map<Group, number>();
  return Object.values(session.program.slots).flatMap(({ path, kind, type }): NamedValue[] => {
    const group = GROUP_OF[kind];
    const count = group ? (counts.get(group) ?? 0) : MOST;
    if (!group || count === MOST) return [];
    counts.set(group, count + 1);
    return [{ group, id: path, name: path, shape: type.shape, dtype: type.dtype }];
  });
}

/** Names whose value is one tensor, and a probe for each clock on which they are computed. */
function namesOf({ compiled }: Looking): { readonly list: readonly NamedValue[]; readonly probes: readonly Probe[] } {
  const names = namesOfValues(compiled.file).slice(0, MOST);
  const [answer] = names.length > 0 ? compiled.probes([{ places: names.map(({ span }) => span) }]) : [];
  if (!answer || "refused" in answer) return { list: [], probes: [] };
  const parts = new Map(answer.views.flatMap((view) => view.parts).map((part) => [part.name, part] as const));
  const list = names.flatMap(({ text, span: { start, end } }, number): NamedValue[] => {
    const part = parts.get(String(number));
    if (!part || part.kind === "text" || part.kind === "refused") return [];
    const { shape, dtype } = part;
    return [{ group: "names", id: `#${number}`, name: text, shape, dtype, place: { start, end } }];
  });
  const clocks = new Map<string, Probe["views"]>();
  for (const view of answer.views) {
    const { clock, block = "", segment } = view;
    const key = `${clock} ${clock === "top" ? segment.name : withoutPass(block)}`;
    clocks.set(key, [...(clocks.get(key) ?? []), view]);
  }
  return { list, probes: [...clocks.values()].map((views) => ({ ...answer, views })) };
}
