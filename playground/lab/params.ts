/**
 * The params and states of a run as a safetensors file, and back. A file from here names them by their paths; one that
 * a script saved (`save net to`) names them below its model, so what stands before them is found by what fits most.
 */
import type { Slot } from "../../lang/program.ts";
import { webHost, type FileTensor, type Session } from "../../runtime/index.ts";
import type { Imported } from "../protocol.ts";

const FILE = "params.safetensors";

export async function exportedParams(session: Session): Promise<Uint8Array | undefined> {
  const paths = [...keptSlots(session).keys()];
  if (paths.length === 0) return undefined;
  const state = await session.peek(paths, { limit: Infinity });
  if (state.kind !== "value") return undefined;
  const tensors = state.parts.flatMap((part, i): [string, FileTensor][] =>
    part.kind === "tensor" ? [[paths[i]!, { dtype: part.dtype, shape: part.shape, data: part.values }]] : [],
  );
  const files = new Map<string, Uint8Array>();
  await webHost({ files }).save(FILE, new Map(tensors));
  return files.get(FILE);
}

export async function importParams(session: Session, tensors: ReadonlyMap<string, FileTensor>): Promise<Imported> {
  const slots = keptSlots(session);
  const before = prefixOf([...tensors.keys()], [...slots.keys()]);
  const found = [...tensors].map(([name, tensor]) => {
    const slot = slots.get(before + name);
    return { name, slot, tensor, wrong: slot ? difference(slot, tensor) : "not in the script" };
  });
  const values = new Map(
    found.flatMap(({ slot, tensor, wrong }) => (slot && !wrong ? [[slot.path, tensor.data] as const] : [])),
  );
  if (values.size === 0) return { refused: "it has no params of this script" };
  let step = 0;
  const watching = session.events$.subscribe((event) => {
    if (event.event === "swap") step = event.step;
  });
  const report = await session.write(values);
  watching.unsubscribe();
  if (!report) return { refused: "the run has ended; restart it first" };
  return {
    step,
    matched: [...values.keys()],
    left: found.flatMap(({ name, wrong }) => (wrong ? [`${name}: ${wrong}`] : [])),
    missing: [...slots.keys()].filter((path) => !values.has(path)),
  };
}

function keptSlots({ program }: Session): Map<string, Slot> {
  const kept = Object.values(program.slots).filter(({ kind, host }) => !host && (kind === "param" || kind === "state"));
  return new Map(kept.map((slot) => [slot.path, slot]));
}

function difference({ type }: Slot, { dtype, shape, data }: FileTensor): string | undefined {
  const [wanted, got] = [type, { dtype, shape }].map((each) => `${each.dtype}[${each.shape.join(", ")}]`);
  if (wanted !== got) return `${got}, in the script ${wanted}`;
  const bad = data.findIndex((value) => !Number.isFinite(value));
  return bad < 0 ? undefined : `${data[bad]} at place ${bad}`;
}

/** What most names need before them to be paths. */
function prefixOf(names: readonly string[], paths: readonly string[]): string {
  const counts = new Map([["", 0]]);
  for (const name of names)
    for (const path of paths)
      if (path === name || path.endsWith(`.${name}`)) {
        const prefix = path.slice(0, path.length - name.length);
        counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
      }
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}
