/** The thread of the language service: diagnostics and hovers stay fast while the lab trains. */
import { knownFacts } from "../../lang/check/sources.ts";
import { LanguageService } from "../../lang/services/index.ts";
import { prelude } from "../../stdlib/index.ts";
import type { Answer, Question } from "./protocol.ts";

const service = new LanguageService({
  prelude,
  facts: async (ref) => knownFacts(ref),
  readModule: async () => undefined,
  pause: () => new Promise((done) => setTimeout(done, 0)),
});

self.onmessage = async ({ data: { id, method, args } }: MessageEvent<Question>) => {
  const answer = (part: Omit<Answer, "id">) => self.postMessage({ id, ...part } satisfies Answer);
  try {
    const act = service[method] as (...args: readonly unknown[]) => unknown;
    answer({ value: await act.apply(service, [...args]) });
  } catch (error) {
    answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
};
