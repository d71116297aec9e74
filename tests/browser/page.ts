/** What runs in the page: a script compiled and trained on a device of the browser. */
import { openDevice, type DeviceKind } from "../../gpu/index.ts";
import { evaluate } from "../../lang/graph/index.ts";
import { compile } from "../../lang/index.ts";
import { createSession } from "../../runtime/index.ts";
import { prelude } from "../../stdlib/index.ts";

const nowhere = async (): Promise<never> => {
  throw new Error("expected a script without files");
};

/** The device and every line of `--json`. */
async function run(text: string, kind: DeviceKind): Promise<{ readonly name: string; readonly events: unknown[] }> {
  const { program, diagnostics } = await compile(
    { file: "script.dlx", text },
    { prelude, facts: async () => undefined, readModule: async () => undefined },
  );
  if (!program) throw new Error(JSON.stringify(diagnostics));
  const device = await openDevice(kind, { gpu: navigator.gpu, threads: 1 });
  const host = { open: nowhere, load: nowhere, save: nowhere };
  const session = createSession({ program, device, host, math: evaluate, every: 1 });
  const events: unknown[] = [];
  session.events$.subscribe((event) => events.push(event));
  session.play();
  await session.done;
  await session.dispose();
  await device.dispose();
  return { name: device.info.name, events };
}

Reflect.set(globalThis, "run", run);
