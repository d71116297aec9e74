/**
 * The cheapest cut between a source and a sink: maximal flow by levels (Dinic), then what still reaches the sink.
 * Capacities are whole numbers, so that the flow is exact.
 */

/** Larger than any sum of capacities. */
export const UNCUT = 2 ** 50;

interface Edge {
  readonly to: number;
  left: number;
  /** Place of the opposite edge among those of `to`. */
  readonly back: number;
}

export class MinCut {
  readonly source = 0;
  readonly sink = 1;
  readonly #edges: Edge[][] = [[], []];

  node(): number {
    return this.#edges.push([]) - 1;
  }

  edge(from: number, to: number, capacity: number): void {
    const [a, b] = [this.#edges[from]!, this.#edges[to]!];
    a.push({ to, left: capacity, back: b.length });
    b.push({ to: from, left: 0, back: a.length - 1 });
  }

  /** Steps from the source over edges that are not full; -1 where none lead. */
  #levels(): number[] {
    const level = this.#edges.map(() => -1);
    level[this.source] = 0;
    const queue = [this.source];
    for (const at of queue) {
      for (const { to, left } of this.#edges[at]!) {
        if (left === 0 || level[to]! >= 0) continue;
        level[to] = level[at]! + 1;
        queue.push(to);
      }
    }
    return level;
  }

  /** One way to the sink, level by level; false when there is none left. */
  #push(level: readonly number[], next: number[]): boolean {
    const path: Edge[] = [];
    for (let at = this.source; at !== this.sink;) {
      const edges = this.#edges[at]!;
      const edge = edges[next[at]!];
      if (!edge) {
        const last = path.pop();
        if (!last) return false;
        at = this.#edges[last.to]![last.back]!.to;
        next[at]!++;
      } else if (edge.left > 0 && level[edge.to] === level[at]! + 1) {
        path.push(edge);
        at = edge.to;
      } else next[at]!++;
    }
    const flow = path.reduce((least, { left }) => Math.min(least, left), Infinity);
    for (const edge of path) {
      edge.left -= flow;
      this.#edges[edge.to]![edge.back]!.left += flow;
    }
    return true;
  }

  /** The nodes on the sink's side of the cheapest cut that is nearest to the sink. */
  sinkSide(): ReadonlySet<number> {
    for (let level = this.#levels(); level[this.sink]! >= 0; level = this.#levels()) {
      const next = this.#edges.map(() => 0);
      while (this.#push(level, next));
    }
    const side = new Set([this.sink]);
    for (const at of side) {
      for (const { to, back } of this.#edges[at]!) if (this.#edges[to]![back]!.left > 0) side.add(to);
    }
    return side;
  }
}
