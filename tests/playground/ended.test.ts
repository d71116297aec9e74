/** How a run ended is told after all that it said. */
import { expect, test } from "vitest";
import { openLab } from "./lab.ts";
import { tooFast } from "./too-fast.ts";

test("why it failed comes before that it failed, to a page that is still drawing", async () => {
  const lab = openLab({ slow: true });
  const ended = lab.next("ended");
  await lab.open(tooFast, { play: true });
  expect((await ended).end.status).toBe("failed");
  const said = lab.told.flatMap((message) => (message.kind === "feed" ? message.message.events : []));
  expect(said.find(({ event }) => event === "error")).toMatchObject({
    diagnostic: { title: expect.stringMatching(/not a finite number/) as string },
  });
}, 30_000);
