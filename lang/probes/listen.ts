/** What a walk of the checker says about the places that were asked for: each value with the segment that was open. */
import type { Build, Checker, Frame, Listener } from "../check/state.ts";
import type { Bundle, Tensor, Value } from "../check/values.ts";
import { tickOf } from "../program.ts";
import type { Span } from "../source.ts";
import { mapTensors } from "./parts.ts";

export interface Heard {
  value: Value;
  readonly build: Build;
  readonly run: number;
  /** Calls and passes from which it was told. */
  readonly instances: Set<string>;
}

/** By pass, clock and batch size: the first that was told. */
type Views = Map<string, Heard>;

const offsets = ({ start, end }: Span): number => start * 2 ** 24 + (end - start);

const keyOf = ({ kind, name, block }: Build, run: number): string =>
  `${run} ${kind} ${kind === "tick" ? tickOf(name) : (block?.name ?? "")}`;

/** Several places as one value on each of their clocks: a record of them by number. Those of the top level stay apart by segment. */
export function together(places: readonly (readonly Heard[])[]): Heard[] {
  const joined = new Map<string, Heard & { readonly fields: Map<string, Value> }>();
  places.forEach((heard, number) => {
    for (const { value, build, run, instances } of heard) {
      const key = build.kind === "top" ? `${run} ${build.name}` : keyOf(build, run);
      const fields = joined.get(key)?.fields ?? new Map<string, Value>();
      if (fields.size === 0) joined.set(key, { value: { kind: "record", fields }, fields, build, run, instances });
      fields.set(String(number), value);
    }
  });
  return [...joined.values()];
}

export class Ears implements Listener {
  checker: Checker | undefined;
  readonly gradientViews: Views = new Map();
  private readonly files = new Map<string, Map<number, Views>>();

  ask(place: Span): void {
    let file = this.files.get(place.file);
    if (!file) this.files.set(place.file, (file = new Map()));
    file.set(offsets(place), new Map());
  }

  at(place: Span): readonly Heard[] {
    return [...(this.files.get(place.file)?.get(offsets(place))?.values() ?? [])];
  }

  value(c: Checker, place: Span, value: Value, frame?: Frame): void {
    const views = this.files.get(place.file)?.get(offsets(place));
    if (!views || value.kind === "broken") return;
    const heard = this.note(c, views, value);
    heard.instances.add(frame ? `${frame.site.path} ${frame.pass ?? ""}` : "");
  }

  gradients(c: Checker, g: Bundle): void {
    const { value } = this.note(c, this.gradientViews, { kind: "bundle", leaves: new Map<string, Tensor>() });
    if (value.kind !== "bundle") throw new Error(`expected a bundle of gradients, got ${value.kind}`);
    for (const [path, leaf] of g.leaves)
      if (!value.leaves.has(path)) (value.leaves as Map<string, Tensor>).set(path, leaf);
  }

  looped(all: (t: Tensor) => Tensor | undefined): void {
    for (const file of this.files.values())
      for (const views of file.values())
        for (const heard of views.values()) heard.value = mapTensors(heard.value, (t) => all(t) ?? t);
  }

  closed(c: Checker): void {
    this.checker = c;
  }

  private note(c: Checker, views: Views, value: Value): Heard {
    const { build, run } = c;
    const key = keyOf(build, run);
    let heard = views.get(key);
    if (!heard) views.set(key, (heard = { value, build, run, instances: new Set() }));
    return heard;
  }
}
