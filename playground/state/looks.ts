/** What panels look at while they are seen. A lab that is new is asked again for all of it. */
import type { Look, Seen } from "../panels/messages.ts";

type ToLab =
  | { readonly kind: "look"; readonly id: number; readonly look: Look }
  | { readonly kind: "unlook"; readonly id: number };

export class Looks {
  private readonly send: (message: ToLab) => void;
  private readonly open = new Map<number, { readonly look: Look; readonly hear: (seen: Seen) => void }>();
  private last = 0;

  constructor(send: (message: ToLab) => void) {
    this.send = send;
  }

  /** Until what it gives is called. */
  begin(look: Look, hear: (seen: Seen) => void): () => void {
    const id = ++this.last;
    this.open.set(id, { look, hear });
    this.send({ kind: "look", id, look });
    return () => {
      if (this.open.delete(id)) this.send({ kind: "unlook", id });
    };
  }

  hear(id: number, seen: Seen): void {
    this.open.get(id)?.hear(seen);
  }

  /** For a lab that has not heard of them. */
  all(): readonly ToLab[] {
    return [...this.open].map(([id, { look }]) => ({ kind: "look", id, look }));
  }
}
