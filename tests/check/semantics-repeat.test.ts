/** `repeat`: inner steps of a tick with rows, draws and metrics of their own; and `<-` between ticks. */
import { describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import type { Device } from "../../gpu/device.ts";
import { gpu, open } from "../webgpu/setup.ts";
import { runText } from "../run-script.ts";

const devices: Record<string, () => Promise<Device>> = {
  reference: async () => new ReferenceDevice(),
  cpu: async () => new CpuDevice(),
  ...(gpu ? { webgpu: open } : {}),
};

async function run(text: string, device: Device) {
  const ran = await runText(text, device, { folder: import.meta.dirname });
  await device.dispose();
  const failed = ran.events.find((e) => e.event === "error");
  if (failed) throw new Error(JSON.stringify(failed));
  return ran;
}

describe.each(Object.keys(devices))("on %s", (kind) => {
  const numbers = async (text: string) => (await run(text, await devices[kind]!())).prints.join(" ");

  test("is the same lines several times", async () => {
    const script = (body: string) => `seed 2
model Point()(x: [B]) -> [B] {
  param w: [1] = 3
  x * squeeze(w)
}
let f = Point()
train for 4 steps {
  ${body}
}
print f.w
`;
    const line = "minimize mean((f([1.0, 2.0]) - [2.0, 4.0])^2) over f with SGD(0.02, momentum: 0.5)";
    const apart = await numbers(script(`${line}\n  ${line}\n  ${line}`));
    const once = await numbers(script(`repeat 3 { ${line} }`));
    // Three lines have three momenta; one line has one that goes on.
    expect(once).not.toBe(apart);
    const plain = line.replace(", momentum: 0.5", "");
    expect(await numbers(script(`repeat 3 { ${plain} }`))).toBe(
      await numbers(script(`${plain}\n  ${plain}\n  ${plain}`)),
    );
    expect(await numbers(script(`repeat for 3 steps { ${plain} }`))).toBe(
      await numbers(script(`repeat 3 { ${plain} }`)),
    );
  });

  test("commits each time, and what follows sees the last", async () => {
    expect(
      await numbers(`train for 3 steps {
  state a = 0
  state b = 10
  a <- a + 1
  let before = a
  repeat 4 {
    a <- a + 1
    b <- b + before
  }
  a <- 2 * a
  metric last_a = last(a)
  metric last_b = last(b)
  every 1 steps { print "{last_a:d} {last_b:d} {before:d}" }
}
`),
      // a: 0 → 1, 5, 10 → 11, 15, 30 → 31, 35, 70
    ).toBe("10 14 1 30 58 11 70 182 31");
  });

  test("reads on in its own rows, begins again at their end, and counts its metrics over the tick", async () => {
    expect(
      await numbers(`let rows = csv("rows.csv", target: "y")
train for 4 steps {
  repeat (y) in batches(rows, 2) for 2 steps {
    metric seen = total(sum(y))
    metric size = total(sum(ones([B])))
  }
  every 1 steps { print "{seen:d}/{size:d}" }
}
`),
      // rows 1, 2, 4, 8, 16: batches {1, 2} {4, 8} {16}
    ).toBe("15/4 19/3 28/3 15/4");
  });

  test("sees the rows around it unchanged, beside its own", async () => {
    expect(
      await numbers(`let rows = csv("rows.csv", target: "y")
train (y) in batches(rows, 2) for 1 epoch {
  let outer = sum(y)
  let size = B
  repeat (y) in batches(rows, 1) for 2 steps {
    metric both = total(outer * 100 + sum(y))
    metric sized = last(1.0 * size)
  }
  metric after = last(sum(y))
  every 1 steps { print "{both:d} {sized:d} {after:d}" }
}
`),
    ).toBe("603 2 3 2412 2 12 3217 1 16");
  });

  test("one pass over the rows when no number is written", async () => {
    expect(
      await numbers(`let rows = csv("rows.csv", target: "y")
train for 2 steps {
  state sum_all = 0
  repeat (y) in batches(rows, 2) { sum_all <- sum_all + sum(y) }
  metric all = last(sum_all)
  every 1 steps { print "{all:d}" }
}
`),
    ).toBe("31 62");
  });

  test("runs on the steps of the `every` around it, and nests", async () => {
    expect(
      await numbers(`train for 4 steps {
  state n = 0
  every 2 steps {
    repeat 3 {
      repeat 2 { n <- n + 1 }
      n <- n + 100
    }
  }
  metric last_n = last(n)
  every 1 steps { print "{last_n:d}" }
}
`),
    ).toBe("0 306 306 612");
  });

  test("draws anew each time, and the same in another run", async () => {
    const script = `seed 5
train for 2 steps {
  state all = zeros([6])
  state at = 0
  repeat 3 {
    all <- put(all, uniform([]), at: i32(at), over: 0)
    at <- at + 1
  }
}
`;
    const state = async () => (await run(script, await devices[kind]!())).state["train1.all"]!;
    const draws = [...(await state())];
    expect(new Set(draws).size).toBe(6);
    expect([...(await state())]).toEqual(draws);
  });

  test("a state changes between ticks, from the next tick on", async () => {
    expect(
      await numbers(`let rows = csv("rows.csv", target: "y")
train (y) in batches(rows, 2) for 2 epochs {
  state h = 0
  h <- h + 1
  metric now = last(h)
  every 1 steps { print "{now:d}" }
  every epoch { h <- h * 10 }
}
`),
    ).toBe("1 2 3 31 32 33");
  });

  test("a condition guards what it writes", async () => {
    expect(
      await numbers(`train for 6 steps {
  state h = 0
  h <- h + 1
  metric now = last(h)
  every 2 steps {
    when now > 3 { h <- 0 }
    print "{now:d}"
  }
  when now > 100 { h <- -1 }
}
`),
    ).toBe("2 4 2");
  });
});
