/**
 * What stands under the hood, as the lab tells it. Panels ask while they are open, and again when another program runs;
 * which step and which kernel are looked at is the same in all of them.
 */
import { untrack } from "svelte";
import type { Answer, Inspect, Inspected, KernelRow, StepCounts, What } from "../hood/messages.ts";

type Answers = { readonly [W in What]?: Answer<W> };

export class Hood {
  answers = $state.raw<Answers>({});
  /** What was asked for and has no answer yet. */
  waiting = $state.raw<readonly What[]>([]);
  /** A step of the list of steps, by its place. */
  chosenStep = $state(0);
  /** A kernel, by its segment and name. */
  private chosenKernel = $state.raw<{ readonly segment: string; readonly kernel: string }>();
  /** The segment whose graph is looked at, and its boxes that are open; both as the lab has it until somebody chooses. */
  private segment: string | undefined;
  private readonly open = new Map<string, readonly string[]>();
  /** Grows when another text was checked, or another program runs. */
  private changes = $state(0);
  private readonly send: (id: number, ask: Inspect) => void;
  private readonly newest = new Map<What, number>();
  private last = 0;

  constructor(send: (id: number, ask: Inspect) => void) {
    this.send = send;
  }

  /** For an effect of a panel: asks now, and again after each change. */
  follow(...whats: readonly Exclude<What, "code">[]): void {
    void this.changes;
    untrack(() => whats.forEach((what) => (what === "graph" ? this.askGraph() : this.ask({ what }))));
  }

  showSegment(name: string): void {
    this.segment = name;
    this.askGraph();
  }

  /** Opens a box of the graph, or closes it. */
  toggle(box: string): void {
    const { graph } = this.answers;
    if (!graph) return;
    const open = this.open.get(graph.segment) ?? graph.open;
    this.segment = graph.segment;
    this.open.set(graph.segment, open.includes(box) ? open.filter((id) => id !== box) : [...open, box]);
    this.askGraph();
  }

  private askGraph(): void {
    const { segment } = this;
    this.ask({ what: "graph", segment, open: segment === undefined ? undefined : this.open.get(segment) });
  }

  ask(ask: Inspect): void {
    this.newest.set(ask.what, ++this.last);
    if (!this.waiting.includes(ask.what)) this.waiting = [...this.waiting, ask.what];
    this.send(this.last, ask);
  }

  changed(): void {
    this.changes++;
  }

  hear(id: number, answer: Inspected): void {
    // a newer one is on its way
    if (this.newest.get(answer.what) !== id) return;
    this.answers = { ...this.answers, [answer.what]: answer };
    this.waiting = this.waiting.filter((what) => what !== answer.what);
    if (answer.what !== "times") return;
    // they were told of before they ran, and run in another form
    const known = new Set(this.answers.kernels?.segments.flatMap(({ kernels }) => kernels.map(({ text }) => text)));
    if (answer.measured.rows.some(({ text, flops }) => flops > 0 && !known.has(text))) this.ask({ what: "kernels" });
  }

  get steps(): readonly StepCounts[] {
    return this.answers.counts?.steps ?? [];
  }
  get step(): StepCounts | undefined {
    return this.steps[this.chosenStep] ?? this.steps[0];
  }
  /** The kernels of the step with the segment that each is of, in the order in which they run. */
  get kernels(): readonly { readonly segment: string; readonly kernel: KernelRow }[] {
    const own = new Set(this.step?.fused.segments);
    return (this.answers.kernels?.segments ?? []).flatMap(({ name, kernels }) =>
      own.has(name) ? kernels.map((kernel) => ({ segment: name, kernel })) : [],
    );
  }

  choose(segment: string, kernel: string): void {
    this.chosenKernel = { segment, kernel };
  }
  /** The chosen one where the step has it, else its first. */
  get kernel(): { readonly segment: string; readonly kernel: KernelRow } | undefined {
    const { kernels, chosenKernel: chosen } = this;
    return (
      kernels.find(({ segment, kernel }) => segment === chosen?.segment && kernel.name === chosen.kernel) ?? kernels[0]
    );
  }
}
