/**
 * Beginners' mistakes and their messages, as they are read (`UPDATE=1` writes them anew). One mistake is one message, and
 * what the message suggests is the fix: following it makes the script check in four cases of five.
 */
import { describe, expect, test } from "vitest";
import { check } from "../check/semantics.ts";
import { casesOf, corpus, followed, messageOf, writeGroup, type Case } from "./corpus.ts";

const cases = corpus();
const groups = [...new Set(cases.map((each) => each.group))];

async function measured(each: Case): Promise<Case & { readonly count: number }> {
  const result = await check(each.script);
  const after = await followed(each.script, each.mistakes);
  return {
    ...each,
    count: result.diagnostics.length,
    message: messageOf(result),
    fixed: after && after.left === 0 ? after.text : undefined,
  };
}

describe("beginners' mistakes", () => {
  test.each(groups)("%s", async (group) => {
    const now: (Case & { readonly count: number })[] = [];
    for (const each of casesOf(group)) now.push(await measured(each));
    if (process.env.UPDATE) writeGroup(group, now);
    expect(now.map(({ title, message, fixed }) => ({ title, message, fixed }))).toEqual(
      casesOf(group).map(({ title, message, fixed }) => ({ title, message, fixed })),
    );
    expect(now.filter((each) => each.count !== each.mistakes).map(({ title, count }) => `${title}: ${count}`)).toEqual(
      [],
    );
  });
  test("are many, and four of five are mended by what the message suggests", () => {
    const now = groups.flatMap((group) => casesOf(group));
    const mended = now.filter((each) => each.fixed !== undefined).length;
    expect(now.length).toBeGreaterThanOrEqual(120);
    expect(mended / now.length).toBeGreaterThanOrEqual(0.8);
  });
});
