/** Metrics against counts made elsewhere; a confusion matrix that is totalled over batches is that of all rows. */
import { describe, expect, test } from "vitest";
import { againstTorch, close, devices, run, torch, type Case } from "./harness.ts";

const rows = `let z = wave([40, 4], 3)\nlet y = 7 * range(40) // 3 % 4`;

const cases: Case[] = [
  {
    name: "confusion",
    script: `${rows}
let m = confusion(z, y)
print "m", m, "p", precision_score(m), "r", recall_score(m), "f", f1_score(m)`,
  },
  {
    name: "top_k_accuracy",
    script: `${rows}\n${[1, 2, 3, 4].map((k) => `print "top${k}", top_k_accuracy(z, y, ${k})`).join("\n")}`,
  },
  {
    name: "auc",
    script: `let s = floor(5 * wave([30], 3) + 0.5) / 5\nprint "auc", auc(s, 5 * range(30) // 3 % 2)`,
  },
  { name: "iou", script: `print "iou", iou(wave([4, 5], 2) > 0, wave([4, 5], 4) > 0.3)` },
];
againstTorch(cases);

describe.each(devices)("metrics on $device", (on) => {
  test("F1 of all batches is not the mean of theirs", async () => {
    const got = await run(
      `${rows}
train for 4 steps {
  let places = range(10) + 10 * (step - 1)
  let m = confusion(z[places], y[places])
  metric part = last(m)
}
print "f", f1_score(confusion(z, y))`,
      on,
    );
    const sum = Array.from({ length: 16 }, (_, i) => [1, 2, 3, 4].reduce((n, step) => n + got[`part@${step}`]![i]!, 0));
    expect(sum).toEqual([...torch["confusion"]!["m"]!]);
    close(got["f"], torch["confusion"]!["f"]!, on.tolerance, "f");
  });
  test("classes that are never called or never there have scores of 0, and empty masks agree", async () => {
    const got = await run(
      `let m = [[0, 2, 0], [0, 3, 0], [0, 0, 0]]
print "p", precision_score(m), "r", recall_score(m), "f", f1_score(m), "iou", iou(zeros([3]) > 0, zeros([3]) > 0)`,
      on,
    );
    close(got["p"], [0, 0.6, 0], on.tolerance, "p");
    close(got["r"], [0, 1, 0], on.tolerance, "r");
    close(got["f"], [0, 0.75, 0], on.tolerance, "f");
    expect(got["iou"]).toEqual([1]);
  });
  test("log_rmse of doubled prices is log 2", async () => {
    const { e } = await run(`let x = f32([1, 10, 1e6])\nprint "e", log_rmse(2 * x, x)`, on);
    close(e, [Math.log(2)], on.tolerance, "e");
  });
});
