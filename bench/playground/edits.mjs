/** What a person does to a script for a long time, in turns: good edits, mistakes that are mended, sliders, probes, new runs. */
import { editorOf, openExample, untilStep, write } from "./site.mjs";

/** Large enough for threads, and never at its end. */
const scriptOf = (i) => `seed 1
input lr = 1e-3 in 1e-4 .. 1e-1 log
let data = digits()
let net = [Conv(${3 + (i % 7)}, 5), relu, x => maxpool(x, 2), flatten, Linear(${32 + ((11 * i) % 64)}), relu]
let head${i} = Linear(10)
train (image, label) in batches(shuffle(data.train), 50) for 10000 epochs {
  let loss = cross_entropy(head${i}(net(image |> unsqueeze(1))), label)
  minimize loss over [net, head${i}] with Adam(lr)
  plot loss
}
`;

/** The program of edit `i` is at work: its note names what is new in it. */
async function edited(page, i) {
  await write(page, scriptOf(i));
  await page
    .getByRole("status")
    .filter({ hasText: `head${i}.w` })
    .first()
    .waitFor();
}

export const turns = {
  edited,
  mistaken: async (page, i) => {
    await write(page, scriptOf(i).replace("loss over", "loss ovr"));
    await page.locator(".squiggly-error").first().waitFor();
    await edited(page, i);
  },
  steered: async (page, i) => {
    await edited(page, i);
    for (let k = 0; k < 20; k++) await page.getByRole("slider").fill(String(200 + ((37 * i + 13 * k) % 500)));
  },
  watched: async (page, i) => {
    await edited(page, i);
    await page
      .locator(".view-line", { hasText: "plot loss" })
      .getByText("loss")
      .click({ modifiers: ["Alt"] });
    await page.getByTestId("tile").locator(".number").waitFor();
    await page.getByLabel("Stop watching loss").click();
  },
  again: async (page, i) => {
    await edited(page, i);
    await page.getByRole("button", { name: "Re-roll" }).click();
    await untilStep(page, 2);
  },
  // an edit behind the end of a run begins a new one
  elsewhere: async (page, i) => {
    await openExample(page, "01-line.dlx");
    await page.locator("[data-status=done]").waitFor();
    await write(page, scriptOf(i));
    await page.locator("[data-status=playing]").waitFor();
    await untilStep(page, 2);
  },
};

/** Two of three are edits alone. */
const order = Object.keys(turns).flatMap((name) => ["edited", "edited", name]);

export async function begin(page) {
  await editorOf(page);
  await edited(page, 0);
}

export const turn = (page, i) => turns[order[i % order.length]](page, i);
