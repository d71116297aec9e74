/** The lab without its thread: what it is told, and what it tells. */
import { vi } from "vitest";
import { Lab } from "../../playground/lab/lab.ts";
import type { FromLab, Opening, ToLab } from "../../playground/protocol.ts";

// Node before 21 has none
vi.stubGlobal("navigator", { hardwareConcurrency: 1 });

type Kind = FromLab["kind"];
type Told<K extends Kind> = FromLab & { readonly kind: K };

export interface Asked {
  readonly told: readonly FromLab[];
  say(message: ToLab): void;
  /** The next message of a kind that fits. */
  next<K extends Kind>(kind: K, fits?: (message: Told<K>) => boolean): Promise<Told<K>>;
  open(text: string, options?: Partial<Opening>): Promise<Told<"checked">>;
  edit(text: string, undoing?: boolean): void;
  /** Plays up to a step, then pauses. */
  until(step: number): Promise<void>;
  /** The file of the params as they are now. */
  params(): Promise<Buffer>;
}

/** `slow`: a page that never says that it has drawn. */
export function openLab({ slow = false } = {}): Asked {
  const told: FromLab[] = [];
  const waiting = new Set<(message: FromLab) => void>();
  const lab = new Lab((message) => {
    told.push(message);
    for (const hear of waiting) hear(message);
    // as the page does once it has drawn
    if (message.kind === "feed" && !slow) queueMicrotask(() => lab.hear({ kind: "took", run: message.run }));
  });
  let version = 0;
  const say = (message: ToLab) => lab.hear(message);
  const next: Asked["next"] = (kind, fits = () => true) =>
    new Promise((found, failed) => {
      const hear = (message: FromLab): void => {
        if (message.kind === "broken") failed(new Error(message.text));
        else if (message.kind !== kind || !fits(message as Told<typeof kind>)) return;
        else found(message as Told<typeof kind>);
        waiting.delete(hear);
      };
      waiting.add(hear);
    });
  const params = async (): Promise<Buffer> => {
    const exported = next("exported");
    say({ kind: "export", name: "params.safetensors" });
    return Buffer.from(Uint8Array.from((await exported).bytes ?? []).buffer);
  };
  say({ kind: "device", prefer: "cpu" });
  return {
    told,
    say,
    next,
    open: (text, options = {}) => {
      const checked = next("checked");
      say({ kind: "open", version: ++version, file: "script.dlx", text, inputs: {}, play: false, ...options });
      return checked;
    },
    edit: (text, undoing) => say({ kind: "edit", version: ++version, text, undoing }),
    until: async (step) => {
      const reached = next("feed", ({ message }) => (message.frame?.step ?? 0) >= step);
      say({ kind: "play" });
      await reached;
      say({ kind: "pause" });
      // between two steps, with none under way
      await params();
    },
    params,
  };
}

/** The numbers of a safetensors file by name. */
export function tensorsOf(bytes: Buffer): Record<string, readonly number[]> {
  const base = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, base).toString()) as Record<string, { data_offsets: [number, number] }>;
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          data_offsets: [from, to],
        },
      ]) => [name, Array.from({ length: (to - from) / 4 }, (_, i) => bytes.readFloatLE(base + from + 4 * i))],
    ),
  );
}
