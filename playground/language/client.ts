/**
 * The language service as the page sees it: the same methods, each answered later. A worker that does not answer is ended,
 * and the next text has a new one; until then there is nothing to say about the scripts.
 */
import { Watchdog } from "../state/watchdog.ts";
import type { Answer, Answers, Given, Method, Question } from "./protocol.ts";

type Later<F> = F extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
export type Language = { readonly [K in Method]: Later<Answers[K]> } & {
  /** Scripts may read it; without bytes, no more. */
  give(file: Given): void;
};

/** Of a text whose check took too long. */
export class NoAnswer extends Error {}

interface Waiting {
  readonly question: Question;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** Beats: no check of a script that a person writes takes so long, also on a slow phone. */
const PATIENCE = 10;

export function openLanguage(): Language {
  const waiting = new Map<number, Waiting>();
  const files = new Map<string, Given>();
  let worker: Worker | undefined;
  let last = 0;

  const watchdog = new Watchdog({
    patience: () => PATIENCE,
    giveUp: () => {
      worker?.terminate();
      worker = undefined;
      const left = [...waiting.values()];
      waiting.clear();
      // a new worker knows no scripts: to what is asked about them it has an empty answer
      for (const { question, resolve, reject } of left)
        if (question.method === "update") reject(new NoAnswer(`expected an answer within ${PATIENCE} seconds`));
        else post({ question, resolve, reject });
    },
  });

  function start(): Worker {
    const made = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "language" });
    made.onmessage = ({ data: { id, value, error } }: MessageEvent<Answer>) => {
      const one = waiting.get(id);
      waiting.delete(id);
      watchdog.heard();
      if (waiting.size === 0) watchdog.stop();
      if (error === undefined) one?.resolve(value as never);
      else one?.reject(new Error(error));
    };
    for (const file of files.values()) made.postMessage(file);
    return made;
  }

  function post(one: Waiting): void {
    waiting.set(one.question.id, one);
    worker ??= start();
    worker.postMessage(one.question);
    if (!watchdog.isOn) watchdog.start();
  }

  const ask = (method: Method, args: readonly unknown[]) =>
    new Promise<never>((resolve, reject) => post({ question: { id: ++last, method, args }, resolve, reject }));
  const give = (file: Given): void => {
    if (file.bytes) files.set(file.name, file);
    else files.delete(file.name);
    worker?.postMessage(file);
  };
  return new Proxy({ give } as Language, {
    get: (own, method) =>
      method in own ? Reflect.get(own, method) : (...args: unknown[]) => ask(method as Method, args),
  });
}
