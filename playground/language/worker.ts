/** The thread of the language service: diagnostics and hovers stay fast while the lab trains. */
import { LanguageService } from "../../lang/services/index.ts";
import { webHost } from "../../runtime/index.ts";
import { prelude } from "../../stdlib/index.ts";
import type { Answer, Given, Question } from "./protocol.ts";

const files = new Map<string, Uint8Array>();
const host = webHost({ files });
const service = new LanguageService({
  ...host,
  prelude,
  pause: () => new Promise((done) => setTimeout(done, 0)),
});

self.onmessage = async ({ data }: MessageEvent<Question | Given>) => {
  if (!("method" in data)) {
    if (data.bytes) files.set(data.name, data.bytes);
    else files.delete(data.name);
    await service.dataChanged();
    return;
  }
  const { id, method, args } = data;
  const answer = (part: Omit<Answer, "id">) => self.postMessage({ id, ...part } satisfies Answer);
  try {
    const from = method === "about" ? host : service;
    const act = Reflect.get(from, method) as (...args: readonly unknown[]) => unknown;
    answer({ value: await act.apply(from, [...args]) });
  } catch (error) {
    answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
};
