/** What the lab tells panels: beside the training, of the program that runs now, and no more when nobody looks. */
import { describe, expect, test } from "vitest";
import type { Look, Seen } from "../../playground/panels/messages.ts";
import { alarmOf, Track } from "../../playground/state/layers.ts";
import { statsOf } from "../../runtime/index.ts";
import { openLab, type Asked } from "./lab.ts";

const net = `seed 4
input wide = 6 in 2 .. 12
let net = [Linear(8), tanh, Linear(wide), Dropout(0.2), Linear(2)]
train (x, label) in batches(shuffle(toy.spirals(n: 100)), 20) for 100000 epochs {
  let loss = cross_entropy(net(x), label)
  minimize loss over net with Adam(1e-2)
}
`;
const looks: readonly Look[] = [
  { panel: "surface" },
  { panel: "layers" },
  { panel: "values", groups: ["names", "params", "optimizer"] },
];

const seenBy = (lab: Asked, id: number): Seen[] =>
  lab.told.flatMap((message) => (message.kind === "looked" && message.id === id ? [message.seen] : []));

type Of<K extends Seen["kind"]> = Seen & { readonly kind: K };
async function next<K extends Seen["kind"]>(lab: Asked, kind: K, fits = (_: Of<K>) => true): Promise<Of<K>> {
  const found = await lab.next("looked", ({ seen }) => seen.kind === kind && fits(seen as Of<K>));
  return found.seen as Of<K>;
}

describe("looking", () => {
  test("changes no bit of the training, and ends when it is ended", async () => {
    const [lab, alone] = [openLab(), openLab()];
    await lab.open(net);
    await alone.open(net);
    looks.forEach((look, id) => lab.say({ kind: "look", id, look }));
    const steps = async (asked: Asked, from: number, to: number) => {
      for (let step = from; step <= to; step++) {
        const reached = asked.next("feed", ({ message }) => message.frame?.step === step);
        asked.say({ kind: "step" });
        await reached;
      }
    };
    await steps(lab, 1, 12);
    await steps(alone, 1, 12);
    expect((await lab.params()).equals(await alone.params())).toBe(true);
    const kinds = (id: number) => [...new Set(seenBy(lab, id).map(({ kind }) => kind))];
    expect([0, 1, 2].map(kinds)).toEqual([["surface"], ["layers"], ["names", "stats"]]);
    looks.forEach((_, id) => lab.say({ kind: "unlook", id }));
    await lab.params();
    const before = lab.told.filter(({ kind }) => kind === "looked").length;
    await steps(lab, 13, 16);
    expect(lab.told.filter(({ kind }) => kind === "looked").length).toBe(before);
    await steps(alone, 13, 16);
    expect((await lab.params()).equals(await alone.params())).toBe(true);
  }, 30_000);

  test("is at the program that runs now: after an edit, an input that shapes it, a text without a surface", async () => {
    const lab = openLab();
    await lab.open(net);
    const first = next(lab, "surface");
    lab.say({ kind: "look", id: 1, look: { panel: "surface" } });
    lab.say({ kind: "look", id: 2, look: { panel: "layers" } });
    await lab.until(3);
    const { painted, plane, axes, label } = await first;
    expect([painted.kind, painted.classes, painted.shown?.length, axes, label]).toEqual([
      "classes",
      2,
      100,
      ["x[0]", "x[1]"],
      "net(x)",
    ]);
    expect(plane.points.length).toBe(200);

    const shapeOf = (path: string) => (seen: Of<"layers">) =>
      seen.of === "values" ? seen.parts.find((part) => part.path === path)?.shape.join() : undefined;
    const wider = next(lab, "layers", (seen) => shapeOf("net.2.w")(seen) === "8,9");
    const again = next(lab, "surface");
    lab.say({ kind: "set", name: "wide", value: 9 });
    await Promise.all([wider, again]);

    const deeper = next(lab, "layers", (seen) => shapeOf("net.0.w")(seen) === "2,5");
    lab.edit(net.replace("Linear(8)", "Linear(5)"));
    await deeper;

    const none = next(lab, "none", ({ why }) => why.includes("surface"));
    lab.edit("seed 1\ntrain for 1000000 steps {\nstate w = 1.0\nw <- w / 2\n}\n");
    expect((await none).why).toBe("there is no decision surface: no training reads rows of two features");
  }, 30_000);
});

describe("layers over time", () => {
  const stats = (size: number) => statsOf([size, -size]);

  test("a burst is kept however long the run is; another run begins anew", () => {
    const track = new Track();
    for (let step = 1; step <= 2000; step++) track.add(step, stats(step === 777 ? 50 : 1));
    expect(track.looks.length).toBeLessThan(300);
    expect(Math.max(...track.looks.map((look) => look.stats.max))).toBe(50);
    expect(track.looks.map(({ step }) => step)).toEqual([...track.looks.map(({ step }) => step)].sort((a, b) => a - b));
    track.add(1, stats(1));
    expect(track.looks.length).toBe(1);
  });

  test.each([
    [1e-3, 1, undefined],
    [1e-5, 1, "vanishing"],
    [1e-8, 1e-8, "vanishing"],
    [5e3, 5e3, "exploding"],
    [NaN, 1, "not finite"],
    [0, 1, "nothing"],
  ])("a gradient of %d beside %d is %s", (size, greatest, alarm) => {
    expect(alarmOf(size, greatest)).toBe(alarm);
  });
});
