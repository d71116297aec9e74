/** The language service as the page sees it: the same methods, each answered later. */
import type { Answer, Answers, Given, Method, Question } from "./protocol.ts";

type Later<F> = F extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
export type Language = { readonly [K in Method]: Later<Answers[K]> } & {
  give(file: Given): void;
};

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

export function openLanguage(): Language {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "language" });
  const waiting = new Map<number, Waiting>();
  let last = 0;
  worker.onmessage = ({ data: { id, value, error } }: MessageEvent<Answer>) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.resolve(value as never);
    else one?.reject(new Error(error));
  };
  const ask = (method: Method, args: readonly unknown[]) =>
    new Promise<never>((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      worker.postMessage({ id: last, method, args } satisfies Question);
    });
  const give = (file: Given) => worker.postMessage(file);
  return new Proxy({ give } as Language, {
    get: (own, method) => Reflect.get(own, method) ?? ((...args: unknown[]) => ask(method as Method, args)),
  });
}
