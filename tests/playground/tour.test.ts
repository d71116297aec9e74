/** Every lesson's goal is out of reach of its script as it stands, and within reach of its solution; it is told in both languages. */
import { describe, expect, test } from "vitest";
import { format } from "../../lang/format/index.ts";
import { Curve } from "../../playground/state/curve.ts";
import { goalOf, type Facts } from "../../playground/tour/goal.ts";
import { fileOf, lessons, solved, tongues, type Lesson } from "../../playground/tour/lessons.ts";
import { words } from "../../playground/tour/words.ts";
import { tryLesson } from "./lesson-run.ts";

/** Steps after which a script that did not reach its goal is taken not to. */
const UNSOLVED = 3000;
/** Steps at most for a solution. */
const SOLVED = 20_000;
/** Other ways that a lesson's text proposes. */
const OTHER_WAYS: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
  "08": [["decay: 0", "decay: 3"]],
  "09": [["SGD(5e-4)", "SGD(5e-4, momentum: 0.95)"]],
};

describe.each(lessons.map((lesson) => [`${lesson.id} ${lesson.title.en}`, lesson] as const))("%s", (_, lesson) => {
  test("does not reach its goal by itself", async () => {
    expect((await tryLesson(lesson, lesson.script, {}, UNSOLVED)).reached).toBeUndefined();
  });

  test("its solution reaches it", async () => {
    const { reached } = await tryLesson(lesson, solved(lesson), lesson.solution.inputs ?? {}, SOLVED);
    expect(reached).toBeGreaterThan(0);
  });

  test.each(OTHER_WAYS[lesson.id] ?? [])("%s as %s reaches it too", async (from, to) => {
    const text = lesson.script.replaceAll(from, to);
    expect(text).not.toBe(lesson.script);
    expect((await tryLesson(lesson, text, {}, SOLVED)).reached).toBeGreaterThan(0);
  });

  test("its script is short and in canonical form", () => {
    const source = { file: fileOf(lesson), text: lesson.script };
    expect(format(source)).toEqual({ text: lesson.script });
    expect(lesson.script.trimEnd().split("\n").length).toBeLessThanOrEqual(20);
  });

  test("is told in both languages, with the same code", () => {
    for (const said of [lesson.title, lesson.text, lesson.goal]) {
      for (const tongue of tongues) expect(said[tongue].trim()).not.toBe("");
      expect(said.zh).toMatch(/\p{Script=Han}/u);
      expect(said.en).not.toMatch(/\p{Script=Han}/u);
      // an order may differ, what is marked as code may not
      const [en, zh] = tongues.map((tongue) => codeIn(said[tongue]));
      expect(zh).toEqual(en);
    }
  });
});

const codeIn = (text: string) => [...new Set(text.split("`").filter((_, i) => i % 2 === 1))].sort();

test("there are twelve, each with an id of its own", () => {
  expect(lessons).toHaveLength(12);
  expect(new Set(lessons.map(({ id }) => id)).size).toBe(12);
});

test("the tour's own words are there in both languages", () => {
  for (const said of Object.values(words))
    for (const tongue of tongues) expect(said[tongue], JSON.stringify(said)).not.toBe("");
});

describe("a goal", () => {
  const lesson = (...checks: Lesson["checks"]): Lesson => ({ ...lessons[0]!, checks });
  const values = (n: number, value: (i: number) => number) => Array.from({ length: n }, (_, i) => value(i));
  const facts = (numbers: readonly number[], more: Partial<Facts> = {}): Facts => {
    const curve = new Curve();
    curve.add(
      values(numbers.length, (i) => i + 1),
      numbers,
    );
    return {
      text: "minimize loss",
      errors: 0,
      step: numbers.length,
      curves: new Map([["loss", curve]]),
      values: {},
      ...more,
    };
  };
  const done = (checks: Lesson["checks"], given: Facts) => goalOf(lesson(...checks), given).done;

  test("asks for the mean of ten values, not for a lucky one", () => {
    const below = [{ curve: "loss", below: 0.5 }];
    expect(done(below, facts(values(9, () => 0)))).toBe(false);
    expect(done(below, facts(values(10, () => 0)))).toBe(true);
    expect(done(below, facts([...values(9, () => 1), 0]))).toBe(false);
    expect(done(below, facts([...values(10, () => 0), NaN]))).toBe(false);
    expect(done([{ curve: "acc", above: 0.5 }], facts(values(10, () => 1)))).toBe(false);
  });

  test("may have to be reached early, or to hold late", () => {
    const early = [{ curve: "loss", below: 0.5, within: 20 }];
    expect(done(early, facts([...values(20, () => 0), ...values(100, () => 9)]))).toBe(true);
    expect(done(early, facts([...values(15, () => 9), ...values(100, () => 0)]))).toBe(false);
    const late = [{ curve: "loss", below: 0.5, from: 100 }];
    expect(done(late, facts(values(99, () => 0)))).toBe(false);
    expect(done(late, facts(values(100, () => 0)))).toBe(true);
  });

  test("may be about the text and what was moved; a text with a mistake reaches none", () => {
    expect(done([{ source: /minimize/ }], facts([]))).toBe(true);
    expect(done([{ without: /minimize/ }], facts([]))).toBe(false);
    expect(done([{ moved: "rate" }], facts([]))).toBe(false);
    expect(done([{ moved: "rate" }], facts([], { values: { rate: 0 } }))).toBe(true);
    expect(done([{ source: /minimize/ }], facts([], { errors: 1 }))).toBe(false);
    const { parts } = goalOf(lesson({ checks: true }, { source: /minimize/ }), facts([], { errors: 1 }));
    expect(parts.map(({ holds }) => holds)).toEqual([false, true]);
  });
});
