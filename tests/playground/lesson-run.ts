/** Runs a lesson on the cpu device as the page does, and asks for its goal as often as the page would. */
import { openDevice } from "../../gpu/index.ts";
import { evaluate } from "../../lang/graph/index.ts";
import { compile } from "../../lang/index.ts";
import { createSession, feed, webHost, type Inputs } from "../../runtime/index.ts";
import { prelude } from "../../stdlib/index.ts";
import { addPoints, type Curve } from "../../playground/state/curve.ts";
import { goalOf, type Facts } from "../../playground/tour/goal.ts";
import { fileOf, type Lesson } from "../../playground/tour/lessons.ts";

export interface Tried {
  /** Steps until it was reached. */
  readonly reached?: number;
  readonly facts: Facts;
  readonly seconds: number;
}

export async function tryLesson(lesson: Lesson, text: string, values: Inputs, maxSteps: number): Promise<Tried> {
  const began = performance.now();
  const host = webHost({ files: new Map(), saved: () => undefined });
  const source = { file: fileOf(lesson), text };
  const { program, diagnostics } = await compile(source, { ...host, prelude }, { inputs: values });
  const curves = new Map<string, Curve>();
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const factsAt = (step: number): Facts => ({ text, errors, step, curves, values });
  let reached: number | undefined;
  const look = (step: number): boolean => {
    if (reached === undefined && goalOf(lesson, factsAt(step)).done) reached = step;
    return reached !== undefined;
  };
  let step = 0;
  if (program) {
    const device = await openDevice("cpu", {});
    try {
      const session = createSession({ program, device, host, math: evaluate, inputs: values, maxSteps, breath: 16 });
      const feeder = feed(session, ({ frame, series }) => {
        step = frame?.step ?? step;
        addPoints(curves, series);
        if (look(step)) session.stop();
      });
      session.play();
      await session.done;
      feeder.flush();
      await session.dispose();
    } finally {
      await device.dispose();
    }
  }
  look(step);
  return { reached, facts: factsAt(step), seconds: (performance.now() - began) / 1000 };
}
