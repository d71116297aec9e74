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
  const { list: names, probes, idOf } = namesOf(at);
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
    if (wanted === "names") for (const probe of probes) stops.push(session.probe(probe, options).subscribe(hear(idOf)));
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

interface Named {
  readonly list: readonly NamedValue[];
  /** One for each clock on which they are computed. */
  readonly probes: readonly Probe[];
  /** Of a part of a probe. */
  readonly idOf: (part: string) => string | undefined;
}

/** Names whose value is one tensor. An id is the name, with a number where it is given again. */
function namesOf({ compiled }: Looking): Named {
  const names = namesOfValues(compiled.file).slice(0, MOST);
  const [answer] = names.length > 0 ? compiled.probes([{ places: names.map(({ span }) => span) }]) : [];
  if (!answer || "refused" in answer) return { list: [], probes: [], idOf: () => undefined };
  const parts = new Map(answer.views.flatMap((view) => view.parts).map((part) => [part.name, part] as const));
  const times = new Map<string, number>();
  const ids = names.map(({ text }) => {
    const time = (times.get(text) ?? 0) + 1;
    times.set(text, time);
    return time === 1 ? `:${text}` : `:${text} ${time}`;
  });
  const list = names.flatMap(({ text, span: { start, end } }, number): NamedValue[] => {
    const part = parts.get(String(number));
    if (!part || part.kind === "text" || part.kind === "refused") return [];
    const { shape, dtype } = part;
    return [{ group: "names", id: ids[number]!, name: text, shape, dtype, place: { start, end } }];
  });
  const clocks = new Map<string, Probe["views"]>();
  for (const view of answer.views) {
    const { clock, block = "", segment } = view;
    const key = `${clock} ${clock === "top" ? segment.name : withoutPass(block)}`;
    clocks.set(key, [...(clocks.get(key) ?? []), view]);
  }
  return {
    list,
    probes: [...clocks.values()].map((views) => ({ ...answer, views })),
    idOf: (part) => ids[Number(part)],
  };
}
