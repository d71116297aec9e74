/**
 * Probes of a checked script: the walk of the checker once more, which hears the values of the places that were asked
 * for. The program stays as it is, so a probe of it fits one that runs already.
 */
import type { Known, Parsed } from "../check/program.ts";
import { checkProgram } from "../check/program.ts";
import { typeText } from "../check/axes.ts";
import type { Settings } from "../check/state.ts";
import type { Value } from "../check/values.ts";
import type { Probe, ProbeAnswer, ProbeAsk, ProbeView } from "../probe.ts";
import type { Span } from "../source.ts";
import { clockOf, viewOf } from "./close.ts";
import { Ears, together, type Heard } from "./listen.ts";
import { type Target, targetsAt } from "./targets.ts";

export function probesOf(
  script: Parsed,
  prelude: readonly Parsed[],
  known: Known,
  settings: Settings,
  asks: readonly ProbeAsk[],
): ProbeAnswer[] {
  const answers: ProbeAnswer[] = [];
  const givenOf = (ask: ProbeAsk) => ("given" in ask ? ask.given : undefined);
  // what is asked of other rows is another walk
  for (const given of new Set(asks.map(givenOf))) {
    const places = asks.flatMap((ask, i) => (givenOf(ask) === given ? [i] : []));
    const walked = walk(
      script,
      prelude,
      known,
      { ...settings, given },
      places.map((i) => asks[i]!),
    );
    walked.forEach((answer, k) => (answers[places[k]!] = answer));
  }
  return answers;
}

function walk(
  script: Parsed,
  prelude: readonly Parsed[],
  known: Known,
  settings: Settings,
  asks: readonly ProbeAsk[],
): ProbeAnswer[] {
  const texts = [script, ...known.modules.values(), ...prelude];
  const ears = new Ears();
  const targetsOf = (place: Span): readonly Target[] => {
    const text = texts.find(({ source }) => source.file === place.file);
    const targets = text ? targetsAt(text.file, place) : [];
    for (const { span } of targets) ears.ask(span);
    return targets;
  };
  const targets = asks.map((ask) =>
    "file" in ask ? [targetsOf(ask)] : "places" in ask ? ask.places.map(targetsOf) : [],
  );
  checkProgram(script, prelude, known, { ...settings, hears: ears });
  const c = ears.checker;
  if (!c && settings.given !== undefined)
    return asks.map(() => ({ refused: `it does not fit batches of ${settings.given} rows` }));
  if (!c) throw new Error("expected a script that checks to check again, got mistakes");

  const views = (heard: readonly Heard[], number: number): ProbeView[] =>
    heard.map((each, i) => viewOf(c, each, `probe${number}.${i}`)).sort((a, b) => RANK[a.clock] - RANK[b.clock]);
  const textAt = ({ file, start, end }: Span): string =>
    texts.find(({ source }) => source.file === file)!.source.text.slice(start, end);
  /** What is told of the place: of its smallest expression that has a value. */
  const told = (around: readonly Target[]) => {
    const all = around.map((target) => ({ ...target, heard: ears.at(target.span) }));
    const some = all.filter(({ heard }) => heard.length > 0);
    return some.find(({ callee }) => !callee) ?? some[0];
  };

  return asks.map((ask, number): ProbeAnswer => {
    if ("gradients" in ask) {
      const heard = [...ears.gradientViews.values()].map((each) => ({
        ...each,
        value: only(each.value, ask.gradients),
      }));
      const some = heard.filter(({ value }) => value.kind === "bundle" && value.leaves.size > 0);
      if (some.length === 0) return { refused: "nothing takes these gradients: no `minimize` moves these params" };
      const type = typeText(some[0]!.value);
      return answer({ label: "gradients", type, views: views(some, number), instances: 1 });
    }
    if ("places" in ask) {
      const heard = together(targets[number]!.map((around) => onFirstClock(told(around)?.heard ?? [])));
      if (heard.length === 0) return { refused: "nothing evaluates these places" };
      return answer({ label: "values", type: "", views: views(heard, number), instances: 1 });
    }
    const [around = []] = targets[number]!;
    const best = told(around);
    if (!best)
      return { refused: around.length === 0 ? "there is no expression here" : "nothing evaluates this expression" };
    const { span, heard } = best;
    const instances = Math.max(...heard.map((each) => each.instances.size));
    const type = typeText(heard[0]!.value);
    return answer({ span, label: textAt(span), type, views: views(heard, number), instances });
  });
}

const RANK: Record<ProbeView["clock"], number> = { train: 0, eval: 1, between: 2, top: 3 };

/** A value of a training is not computed for an evaluation too. */
function onFirstClock(heard: readonly Heard[]): readonly Heard[] {
  const first = Math.min(...heard.map(({ build }) => RANK[clockOf(build)]));
  return heard.filter(({ build }) => RANK[clockOf(build)] === first);
}

/** A place none of whose parts can be seen says why. */
function answer(probe: Probe): ProbeAnswer {
  const parts = probe.views.flatMap((view) => view.parts);
  const [first] = parts;
  return first?.kind === "refused" && parts.every(({ kind }) => kind === "refused") ? { refused: first.why } : probe;
}

function only(value: Value, paths: readonly string[] | "all"): Value {
  if (value.kind !== "bundle" || paths === "all") return value;
  return { kind: "bundle", leaves: new Map([...value.leaves].filter(([path]) => paths.includes(path))) };
}
