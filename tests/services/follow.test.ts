/** An expression that a person watches is found again after an edit. */
import { describe, expect, test } from "vitest";
import { applyEdits, follow, LanguageService } from "../../lang/services/index.ts";
import { factsOf } from "../../runtime/node.ts";
import { prelude } from "../../stdlib/index.ts";

const file = "script.dlx";
const script = `# a line
model Net()(x: [B, 2]) -> [B] {
  let h = x |> Linear(8) |> tanh
  let out = h |> Linear(1)
  out[.., 0]
}
let net = Net()
train fit (x, y) in batches(toy.moons(100), 10) for 5 epochs {
  let loss = mean((net(x) - y) ^ 2)
  minimize loss over net with Adam(0.01)
  print "loss {loss:.3f}"
  plot loss
}
`;

/** `[[..]]` is the place in a text; gives the text without the marks. */
function marked(text: string): { readonly text: string; readonly start: number; readonly end: number } {
  const start = text.indexOf("[[");
  const end = text.indexOf("]]") - 2;
  return { text: text.replace("[[", "").replace("]]", ""), start, end };
}

/** Where the marked place of `script` is after an edit of it, with marks around it. */
function after(mark: string, edit: (text: string) => string): string | undefined {
  const plain = mark.replace("[[", "").replace("]]", "");
  if (!script.includes(plain)) throw new Error(`expected ${plain} in the script`);
  const { text, start, end } = marked(script.replace(plain, mark));
  expect(text).toBe(script);
  const changed = edit(script);
  expect(changed).not.toBe(script);
  const found = follow({ file, text }, { file, text: changed }, { file, start, end });
  if (!found) return undefined;
  const { start: from, end: to } = found;
  const line = changed.slice(changed.lastIndexOf("\n", from) + 1, changed.indexOf("\n", to));
  const at = from - (changed.lastIndexOf("\n", from) + 1);
  return `${line.slice(0, at)}[[${line.slice(at, at + to - from)}]]${line.slice(at + to - from)}`.trim();
}

const replace = (from: string, to: string) => (text: string) => text.replace(from, to);
const all = (from: string, to: string) => (text: string) => text.replaceAll(from, to);

describe("found again", () => {
  test("behind and before what changed", () => {
    expect(after("let loss = [[mean((net(x) - y) ^ 2)]]", replace("# a line", "# two\n# lines\nlet k = 3"))).toBe(
      "let loss = [[mean((net(x) - y) ^ 2)]]",
    );
    expect(after("let [[h]] = x", replace("for 5 epochs", "for 50 epochs"))).toBe("let [[h]] = x |> Linear(8) |> tanh");
  });

  test("beside what changed in its own line", () => {
    expect(after("[[x |> Linear(8)]] |> tanh", replace("|> tanh", "|> relu"))).toBe(
      "let h = [[x |> Linear(8)]] |> relu",
    );
    expect(after("mean(([[net(x)]] - y) ^ 2)", replace("^ 2)", "^ 4)"))).toBe("let loss = mean(([[net(x)]] - y) ^ 4)");
  });

  test("by its name when its line moves, and when its value changes", () => {
    const moved = (text: string) =>
      text.replace("  plot loss\n", "").replace("  let loss", "  plot step\n  let k = 2\n  let loss");
    expect(after("let [[loss]] =", moved)).toBe("let [[loss]] = mean((net(x) - y) ^ 2)");
    const down = (text: string) => {
      const line = "  let out = h |> Linear(1)\n";
      return text.replace(line, "").replace("  let h =", `${line}  let h =`);
    };
    expect(after("let out = [[h |> Linear(1)]]", down)).toBe("let out = [[h |> Linear(1)]]");
    expect(after("let h = [[x |> Linear(8) |> tanh]]", replace("x |> Linear(8) |> tanh", "relu(Linear(9)(x))"))).toBe(
      "let h = [[relu(Linear(9)(x))]]",
    );
  });

  test("under another name, also in a text", () => {
    expect(after("let [[loss]] =", all("loss", "error"))).toBe("let [[error]] = mean((net(x) - y) ^ 2)");
    expect(after("{[[loss]]:.3f}", all("loss", "error"))).toBe('print "error {[[error]]:.3f}"');
    expect(after("let h = [[x |> Linear(8)]]", all("x", "image"))).toBe("let h = [[image |> Linear(8)]] |> tanh");
  });

  test("under another name while other lines change too", () => {
    const both = (text: string) => text.replaceAll("loss", "error").replace("Adam(0.01)", "SGD(0.1)\n  let k = 3");
    expect(after("let [[loss]] =", both)).toBe("let [[error]] = mean((net(x) - y) ^ 2)");
    expect(after("let loss = mean(([[net(x)]]", both)).toBe("let error = mean(([[net(x)]] - y) ^ 2)");
  });

  test("by the rename of the editor", async () => {
    const host = {
      prelude,
      facts: (ref: Parameters<typeof factsOf>[0]) => factsOf(ref, { scriptFolder: "/nowhere" }),
      readModule: async () => undefined,
      pause: async () => undefined,
    };
    const service = new LanguageService(host);
    await service.update(file, script);
    const place = script.indexOf("h |> Linear(1)");
    const result = await service.rename(file, place, "hidden");
    if ("refused" in result) throw new Error(result.refused);
    const changed = applyEdits(script, result.edits);
    const found = follow({ file, text: script }, { file, text: changed }, { file, start: place, end: place + 14 });
    expect(found && changed.slice(found.start, found.end)).toBe("hidden |> Linear(1)");
  });

  test("after a change of spaces and comments", () => {
    const spaced = (text: string) => text.replaceAll("  let", "    # why\n    let").replaceAll(" |> ", "\n      |> ");
    expect(after("let out = [[h |> Linear(1)]]", spaced)).toContain("[[h");
    expect(after("let [[loss]] =", spaced)).toBe("let [[loss]] = mean((net(x) - y) ^ 2)");
  });

  test("by its words when its statement has another name and another place", () => {
    const other = (text: string) =>
      text
        .replace("  let loss = mean((net(x) - y) ^ 2)\n", "")
        .replace("minimize loss", "minimize mean((net(x) - y) ^ 2)");
    expect(after("let loss = [[mean((net(x) - y) ^ 2)]]", other)).toBe(
      "minimize [[mean((net(x) - y) ^ 2)]] over net with Adam(0.01)",
    );
  });
});

describe("gone", () => {
  test("with its line", () => {
    expect(after("plot [[loss]]", replace("  plot loss\n", ""))).toBeUndefined();
    expect(after("let out = [[h |> Linear(1)]]", replace("let out = h |> Linear(1)", "let y = x"))).toBeUndefined();
  });
});
