/** Schedules against torch.optim.lr_scheduler: as functions of the step of a train block, and of a number known now. */
import { describe, expect, test } from "vitest";
import { againstTorch, devices, run, torch, type Case } from "./harness.ts";

const calls = {
  exponential: "exponential(at, 0.5, 0.8)",
  step_decay: "step_decay(at, 0.5, 0.5, 3)",
  cosine: "cosine(at, 0.5, 0.05, 10)",
  warmup: "warmup(at, 0.5, 4)",
  warmup_cosine: "warmup_cosine(at, 0.5, warmup: 4, total: 12)",
  warmup_linear: "warmup_linear(at, 0.5, warmup: 4, total: 12)",
  noam: "noam(at, 512, 4)",
};

const body = (name: keyof typeof calls): string =>
  `fn rate(at) = ${calls[name]}\ntrain for ${Object.keys(torch[name]!).length} steps { metric lr = last(rate(step)) }`;

againstTorch(Object.keys(calls).map((name): Case => ({ name, script: body(name as keyof typeof calls) })));

describe.each(devices)("schedules on $device", (on) => {
  test("of a number known now they give the same", async () => {
    for (const [name, call] of Object.entries(calls)) {
      const { lr } = await run(`fn rate(at) = ${call}\nprint "lr", f32([rate(i) for i in 1..11])`, on);
      const expected = torch[name]!;
      for (const [i, rate] of lr!.entries()) expect(rate).toBeCloseTo(expected[`lr@${i + 1}`]![0]!, 6);
    }
  });
  test("a cosine stays where it ends", async () => {
    const { lr } = await run(`print "lr", f32([cosine(i, 0.5, 0.05, 10) for i in [11, 12, 30]])`, on);
    for (const rate of lr!) expect(rate).toBeCloseTo(0.05, 7);
  });
});
