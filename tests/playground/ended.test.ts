/** How a run ended is told after all that it said. */
import { expect, test } from "vitest";
import { openLab } from "./lab.ts";

test("why it failed comes before that it failed, to a page that is still drawing", async () => {
  const lab = openLab({ slow: true });
  const ended = lab.next("ended");
  await lab.open(
    `seed 1
let rows = toy.linear(w: [3, 4], n: 400, noise: 0.1)
let net = Linear(1)
train (x, y) in batches(rows, 20) for 1000 epochs {
  let loss = mse(squeeze(net(x), -1), y)
  minimize loss over net with SGD(50)
  plot loss
}
`,
    { play: true },
  );
  expect((await ended).end.status).toBe("failed");
  const said = lab.told.flatMap((message) => (message.kind === "feed" ? message.message.events : []));
  expect(said.find(({ event }) => event === "error")).toMatchObject({
    diagnostic: { title: expect.stringMatching(/not a finite number/) as string },
  });
}, 30_000);
