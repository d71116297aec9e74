/** The language server as an editor meets it: the real `dlx lsp` over its standard streams, and over other wires. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client, Script, type Position, type Range } from "./client.ts";
import { inMemory, startProcess, startWorker } from "./wires.ts";

const TEXT = `seed 1
input lr = 1e-3 in 1e-5 .. 1e-1 log
## Ten classes of digits.
let data = digits() |> split(val: 0.1)
let whiten = standardize(data.train.image)
## Two layers.
model Mlp(Classes: dim, width = 32)(x: [B, 28, 28]) -> logits[B, Classes] {
  let inner = Linear(width)
  x |> flatten
    |> inner |> relu
    |> Linear(Classes)
}
let net = Mlp(10)
train fit (image, label) in batches(shuffle(data.train), 64) for 1 epochs {
  let z = net(whiten(image))
  let loss = cross_entropy(z, label)
  minimize loss over net.inner with Adam(lr)
  metric acc = accuracy(z, label)
  plot loss, acc
}
print "{fit.acc:.1%}"
`;

interface Edit {
  readonly range: Range;
  readonly newText: string;
}
interface Item {
  readonly label: string;
  readonly detail?: string;
  readonly sortText: string;
  readonly documentation?: { readonly value: string };
  readonly textEdit: Edit;
}
interface Place {
  readonly uri: string;
  readonly range: Range;
}
interface CodeAction {
  readonly title: string;
  readonly edit: { readonly changes: Record<string, Edit[]> };
}

describe("dlx lsp", () => {
  let folder = "";
  let server: ReturnType<typeof startProcess>;
  let client: Client;
  const uri = (name: string) => pathToFileURL(join(folder, name)).href;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dlx-lsp-"));
    server = startProcess(folder);
    client = new Client(server.wire);
    const { capabilities } = await client.start({ textDocument: { hover: { contentFormat: ["markdown"] } } });
    expect(capabilities).toMatchObject({
      hoverProvider: true,
      renameProvider: { prepareProvider: true },
      textDocumentSync: { change: 2 },
    });
  });
  afterAll(async () => {
    server.child.kill();
    await server.exit;
    rmSync(folder, { recursive: true });
  });

  const hover = async (s: Script, marked: string) =>
    (await client.request<{ contents: { value: string } } | null>("textDocument/hover", s.at(marked)))?.contents
      .value ?? "";

  test("a name of the library is a note: information, with the place of the other one", async () => {
    const script = new Script(client, uri("shadow.dlx"), "fn relu(x) = x\nprint relu(1.0)\n");
    const [note, ...others] = await client.diagnostics(script.uri, 1);
    expect(others).toEqual([]);
    expect(note).toMatchObject({ code: "DLX0348", severity: 3 });
    expect(note!.relatedInformation.map((r) => r.location.uri)).toEqual(["dlx-stdlib:/activations.dlx"]);
  });

  test("diagnostics follow incremental edits; the newest text is told of", async () => {
    const script = new Script(client, uri("edits.dlx"), TEXT);
    expect(await client.diagnostics(script.uri, 1)).toEqual([]);
    const [wrong] = await client.diagnostics(
      script.uri,
      script.edit("cross_entropy(z, label)", "cross_entropi(z, label)"),
    );
    expect(wrong).toMatchObject({ code: "DLX0301" });
    expect(script.slice(wrong!.range)).toBe("cross_entropi");
    expect(wrong!.message).toContain("did you mean `cross_entropy`?");
    expect(await client.diagnostics(script.uri, script.edit("cross_entropi", "cross_entropy"))).toEqual([]);
    script.edit("x |> flatten\n", "x |> flaten\n");
    script.edit("flaten", "flat");
    const [shape] = await client.diagnostics(script.uri, script.edit("x |> flat\n", "x\n"));
    expect(shape).toMatchObject({ code: "DLX0204" });
    expect(shape!.relatedInformation.map((r) => script.slice(r.location.range))).toContain("logits[B, Classes]");
    // Versions that were overtaken need no answer, and none is answered after a newer one.
    const told = client.versions(script.uri);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(6);
    expect(await client.diagnostics(script.uri, script.edit("  x\n", "  x |> flatten\n"))).toEqual([]);
  });

  test("hover: types with sizes, clock, docs; a model with its params, cost and output", async () => {
    const script = new Script(client, uri("hover.dlx"), TEXT);
    expect(await hover(script, "let |^z = net")).toMatch(/let z: logits\[B, 10\][\s\S]*B = 64 · each step of fit/);
    const model = await hover(script, "let |^net =");
    expect(model).toMatch(/let net: Mlp[\s\S]*25 450 parameters/);
    expect(model).toMatch(/`f32\[B, 28, 28\]` → `logits\[B, 10\]` · B = 64 · 3\.\d+ million FLOPs/);
    expect(model).toContain("| `inner.w` | `[784, 32]` | 25 088 |");
    expect(await hover(script, "|> |^Linear(Classes)")).toMatch(
      /model Linear\(Out: dim[\s\S]*y = x w \+ b[\s\S]*`f32\[B, 32\]` → `f32\[B, Classes\]`[\s\S]*330 parameters/,
    );
    expect(await hover(script, "cross_|^entropy(z")).toContain("log-sum-exp");
    expect(await hover(script, "= |^Mlp(10)")).toContain("Two layers.");
    expect(await hover(script, "  |^minimize loss")).toMatch(/minimize loss over net[\s\S]*Moves the params/);
    expect(await hover(script, "|^metric acc")).toContain("folds over the clock");
    expect(await hover(script, "data.|^train.image")).toContain("9000 rows".replace("9000", "9 000"));
  });

  test("definitions, also in the text of the standard library", async () => {
    const script = new Script(client, uri("definition.dlx"), TEXT);
    const own = await client.request<Place>("textDocument/definition", script.at("net.|^inner with"));
    expect(own.uri).toBe(script.uri);
    expect(script.slice(own.range)).toBe("inner");
    expect(own.range.start.line).toBe(7);
    const metric = await client.request<Place>("textDocument/definition", script.at("{fit.|^acc:"));
    expect(metric.range.start).toEqual(script.at("metric |^acc").position);
    const layer = await client.request<Place>("textDocument/definition", script.at("|> |^Linear(Classes)"));
    expect(layer.uri).toBe("dlx-stdlib:/layers.dlx");
    const { text } = await client.request<{ text: string }>("workspace/textDocumentContent", { uri: layer.uri });
    expect(text.split("\n")[layer.range.start.line]).toMatch(/^model Linear\(/);
    const library = new Script(client, layer.uri, text);
    expect(await hover(library, "model |^Linear(")).toContain("y = x w + b");
  });

  test("definitions in an imported file; what it says comes when it changes", async () => {
    writeFileSync(join(folder, "blocks.dlx"), "fn twice(x) = 2 * x\n");
    const script = new Script(client, uri("importing.dlx"), 'import twice from "./blocks.dlx"\nprint twice(3)\n');
    expect(await client.diagnostics(script.uri, 1)).toEqual([]);
    const place = await client.request<Place>("textDocument/definition", script.at("print twi|^ce"));
    expect(place).toEqual({
      uri: uri("blocks.dlx"),
      range: { start: { line: 0, character: 3 }, end: { line: 0, character: 8 } },
    });
    const blocks = new Script(client, uri("blocks.dlx"), "fn twice(x) = 2 * x\n");
    blocks.edit("twice", "thrice");
    await expect
      .poll(
        async () => (await client.request<Place | null>("textDocument/definition", script.at("print twi|^ce")))?.uri,
      )
      .toBe(script.uri);
  });

  test("completion: names, members, arguments, axes; after |> what fits the type", async () => {
    const script = new Script(client, uri("completion.dlx"), TEXT);
    const labels = async (marked: string) => {
      const items = await client.request<Item[]>("textDocument/completion", script.at(marked));
      return [...items].sort((a, b) => (a.sortText < b.sortText ? -1 : 1));
    };
    script.edit("metric acc = accuracy(z, label)", "metric acc = accuracy(z, label)\n  let q = net.");
    expect((await labels("let q = net.|^")).map((i) => i.label).slice(0, 3)).toEqual(["Classes", "inner", "linear1"]);
    script.edit("let q = net.", "let q = sum(z, over: )");
    expect((await labels("over: |^)"))[0]).toMatchObject({ label: "B", detail: "axis of 64" });
    script.edit("let q = sum(z, over: )", "let q = Mlp(10, )");
    expect((await labels("Mlp(10, |^)"))[0]).toMatchObject({ label: "width", textEdit: { newText: "width: " } });
    script.edit("let q = Mlp(10, )", "let q = image |> ");
    const piped = await labels("let q = image |> |^");
    const rank = (name: string) => piped.find((i) => i.label === name)?.sortText[0];
    expect(rank("softmax")).toBe("0");
    expect(rank("Linear")).toBe("0");
    // `Conv` wants four axes and gets three; data and constants cannot stand there at all.
    expect(Number(rank("Conv"))).toBeGreaterThan(0);
    expect(rank("digits")).toBeUndefined();
    expect(piped.find((i) => i.label === "relu")?.documentation?.value).toContain("max(x, 0)");
    script.edit("let q = image |> ", "let q = toy.");
    expect((await labels("let q = toy.|^")).map((i) => i.label)).toEqual(
      expect.arrayContaining(["linear", "moons", "spirals", "xor"]),
    );
    expect(await labels("## Ten |^classes")).toEqual([]);
    script.edit("let q = toy.", "minimize z over ");
    const over = await labels("minimize z over |^");
    expect(over.filter((i) => i.sortText.startsWith("0")).map((i) => i.label)).toEqual(["net"]);
    script.edit("minimize z over ", "minimize z over net with ");
    const moved = (await labels("minimize z over net with |^")).filter((i) => i.sortText.startsWith("0"));
    expect(moved.map((i) => i.label)).toEqual(expect.arrayContaining(["Adam", "SGD", "clip_norm"]));
    expect(moved.map((i) => i.label)).not.toContain("net");
    script.edit("minimize z over net with ", "eval again (image) in ");
    const rows = (await labels("eval again (image) in |^")).filter((i) => i.sortText.startsWith("0"));
    expect(rows.map((i) => i.label)).toEqual(["batches", "data"]);
    // A model of images is no stage for logits.
    script.edit("eval again (image) in ", "let q = z |> ");
    const staged = await labels("let q = z |> |^");
    expect(Number(staged.find((i) => i.label === "net")?.sortText[0])).toBeGreaterThan(0);
    script.edit("let q = z |> ", "me");
    expect((await labels("\n  me|^")).map((i) => i.label)).toEqual(
      expect.arrayContaining(["metric", "mean", "net", "image"]),
    );
  });

  test("broken text: what was known of the rest stays", async () => {
    const script = new Script(client, uri("broken.dlx"), TEXT);
    expect(await client.diagnostics(script.uri, 1)).toEqual([]);
    const found = await client.diagnostics(
      script.uri,
      script.edit("let data = digits() |> split(val: 0.1)", "let data = digits( |> split(val: 0.1"),
    );
    expect(found.length).toBeGreaterThan(0);
    expect(await hover(script, "let |^z = net")).toContain("logits[B, 10]");
    script.edit("let inner = Linear(width)", "let inner = Linear(width");
    expect(await hover(script, "let |^z = net")).toContain("logits[B, 10]");
    expect(await hover(script, "|> inner |> re|^lu")).toContain("max(x, 0)");
    const hints = await client.request<{ label: string }[]>("textDocument/inlayHint", {
      ...script.document,
      range: { start: { line: 0, character: 0 }, end: { line: 30, character: 0 } },
    });
    expect(hints.map((h) => h.label)).toContain(": logits[B, 10]");
  });

  test("signature help", async () => {
    const script = new Script(client, uri("signature.dlx"), TEXT);
    script.edit('print "{fit', 'let c = Conv(6, 5, pad: 2\nprint "{fit');
    const help = await client.request<{
      signatures: { label: string; parameters: { label: [number, number] }[] }[];
      activeParameter: number;
    }>("textDocument/signatureHelp", script.at("Conv(6, 5, pad: |^2"));
    const [signature] = help.signatures;
    const [start, end] = signature!.parameters[help.activeParameter]!.label;
    expect(signature!.label.slice(start, end)).toBe("pad = 0");
    const second = await client.request<{ activeParameter: number; signatures: { label: string }[] }>(
      "textDocument/signatureHelp",
      script.at("cross_entropy(z, |^label)"),
    );
    expect(second).toMatchObject({
      activeParameter: 1,
      signatures: [{ label: expect.stringMatching(/^cross_entropy\(z, y/) as string }],
    });
  });

  test("inlay hints: the shape behind every let and every line of a pipe", async () => {
    const script = new Script(client, uri("hints.dlx"), TEXT);
    const hints = await client.request<{ label: string; position: Position }[]>("textDocument/inlayHint", {
      ...script.document,
      range: { start: { line: 0, character: 0 }, end: { line: 30, character: 0 } },
    });
    const lines = script.text.split("\n");
    expect(hints.map((h) => `${lines[h.position.line]!.slice(0, h.position.character).trim()}${h.label}`)).toEqual([
      "x |> flatten f32[B, 784]",
      "|> inner |> relu f32[B, 32]",
      "|> Linear(Classes) f32[B, Classes]",
      "let z: logits[B, 10]",
      "let loss: f32",
    ]);
  });

  test("symbols, folding, semantic tokens", async () => {
    const script = new Script(client, uri("outline.dlx"), TEXT);
    const symbols = await client.request<{ name: string; children: { name: string }[] }[]>(
      "textDocument/documentSymbol",
      script.document,
    );
    expect(symbols.map((s) => s.name)).toEqual(["lr", "data", "whiten", "Mlp", "net", "fit"]);
    expect(symbols[3]!.children.map((s) => s.name)).toEqual(["inner"]);
    expect(symbols[5]!.children.map((s) => s.name)).toEqual(["z", "loss", "acc"]);
    const folds = await client.request<{ startLine: number; endLine: number }[]>(
      "textDocument/foldingRange",
      script.document,
    );
    expect(folds).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ startLine: 6, endLine: 10 }),
        expect.objectContaining({ startLine: 13, endLine: 18 }),
      ]),
    );
    const { data } = await client.request<{ data: number[] }>("textDocument/semanticTokens/full", script.document);
    const legend = (await new Client(inMemory()).start()).capabilities.semanticTokensProvider as {
      legend: { tokenTypes: string[] };
    };
    const tokens = new Map<string, string>();
    let [line, column] = [0, 0];
    for (let i = 0; i < data.length; i += 5) {
      const [down, right, length, type] = data.slice(i, i + 4) as [number, number, number, number];
      [line, column] = [line + down, down === 0 ? column + right : right];
      tokens.set(script.text.split("\n")[line]!.slice(column, column + length), legend.legend.tokenTypes[type]!);
    }
    expect(Object.fromEntries(tokens)).toMatchObject({
      model: "keyword",
      Mlp: "class",
      "1e-3": "number",
      inner: "property",
      relu: "function",
      Classes: "typeParameter".replace("typeParameter", "parameter"),
      "## Two layers.": "comment",
      net: "variable",
    });
  });

  test("references and rename, paths in `over` too", async () => {
    const script = new Script(client, uri("rename.dlx"), TEXT);
    const places = await client.request<Place[]>("textDocument/references", {
      ...script.at("let |^inner"),
      context: { includeDeclaration: true },
    });
    expect(places.map((p) => p.range.start.line)).toEqual([7, 9, 16]);
    const { changes } = await client.request<CodeAction["edit"]>("textDocument/rename", {
      ...script.at("net.|^inner with"),
      newName: "hidden",
    });
    const renamed = script.after(changes[script.uri]!);
    expect(renamed).toBe(TEXT.replaceAll("inner", "hidden"));
    const setting = await client.request<CodeAction["edit"]>("textDocument/rename", {
      ...script.at("dim, |^width = 32"),
      newName: "hidden",
    });
    expect(script.after(setting.changes[script.uri]!)).toBe(TEXT.replaceAll("width", "hidden"));
  });

  test("rename refuses what would change the meaning, and says why", async () => {
    const script = new Script(client, uri("refused.dlx"), TEXT);
    const why = async (marked: string, newName: string) =>
      (await client.ask("textDocument/rename", { ...script.at(marked), newName })).error?.message ?? "renamed";
    expect(await why("(|^image, label)", "picture")).toContain("field of the data");
    expect(await why("let |^z = net", "loss")).toMatch(/would mean something else|defined twice/);
    expect(await why("let |^z = net", "relu 2")).toContain("cannot be a name");
    expect(await why("let |^z = net", "train")).toContain("cannot be a name");
    expect(await why("let |^whiten =", "relu")).toContain("would mean something else");
    expect(await why("|> |^relu", "relu2")).toContain("no name of this script");
    script.edit("let net = Mlp(10)", 'let net = Mlp(10) |> load("net.safetensors")');
    expect(await why("let |^inner", "hidden")).toContain("loaded by their paths");
  });

  test("code actions: what a message suggests, flatten, a name for an axis, a model", async () => {
    const script = new Script(client, uri("actions.dlx"), TEXT);
    const actions = (marked: string, end = marked) =>
      client.request<CodeAction[]>("textDocument/codeAction", {
        ...script.document,
        range: { start: script.at(marked).position, end: script.at(end).position },
        context: { diagnostics: [] },
      });
    const applied = (a: CodeAction | undefined) => script.after(a!.edit.changes[script.uri]!);
    script.edit("cross_entropy(z", "cross_entropi(z");
    expect(applied((await actions("= |^cross_entropi")).find((a) => a.title === "change to `cross_entropy`"))).toBe(
      TEXT,
    );
    script.edit("cross_entropi(z", "cross_entropy(z");
    script.edit(
      "  x |> flatten\n    |> inner |> relu\n    |> Linear(Classes)",
      "  x |> Linear(16) |> relu\n    |> Linear(Classes)",
    );
    script.edit("net.inner", "net");
    const flat = (await actions("    |> Linear(Cl|^asses)")).find((a) => a.title === "insert `flatten`");
    expect(applied(flat)).toContain("x |> flatten |> Linear(16) |> relu");
    script.edit("x |> Linear(16)", "x |> flatten |> Linear(16)");
    const part = (await actions("flatten |> |^Linear(16)", "|> Linear(Classes|^)")).find((a) =>
      a.title.startsWith("extract a model"),
    );
    expect(applied(part)).toContain(
      "model Part(Classes: dim)(x) {\n  x |> Linear(16) |> relu\n    |> Linear(Classes)\n}\n\n## Two layers.\nmodel Mlp",
    );
    expect(applied(part)).toContain("x |> flatten |> Part(Classes)");
    script.edit("let z = net(whiten(image))", "let pixels = whiten(image)\n  let z = net(pixels)");
    const axis = (await actions("let |^pixels")).find((a) => a.title.startsWith("name axis 1"));
    expect(applied(axis)).toContain("  dim Axis = 28\n  let pixels = whiten(image) |> rename(1, Axis)\n");
    const after = new Script(client, uri("after.dlx"), applied(axis));
    expect(await client.diagnostics(after.uri, 1)).toEqual([]);
  });

  test("formatting", async () => {
    const script = new Script(client, uri("format.dlx"), "let   x=1\nprint x\n");
    const edits = await client.request<Edit[]>("textDocument/formatting", {
      ...script.document,
      options: { tabSize: 2, insertSpaces: true },
    });
    expect(script.after(edits)).toBe("let x = 1\nprint x\n");
  });

  test("nothing was written to standard error", () => expect(server.errors()).toBe(""));
});

describe("life of the process", () => {
  test("shutdown and exit: 0; exit without shutdown: 1; the editor goes away: 1", async () => {
    const ends = [
      async (client: Client) => {
        await client.request("shutdown");
        client.notify("exit");
        return 0;
      },
      async (client: Client) => {
        client.notify("exit");
        return 1;
      },
      async (_client: Client, server: ReturnType<typeof startProcess>) => {
        server.child.stdin!.end();
        return 1;
      },
    ];
    for (const end of ends) {
      const server = startProcess(tmpdir());
      const client = new Client(server.wire);
      await client.start();
      const code = await end(client, server);
      expect(await server.exit).toBe(code);
    }
  });
});

describe("the same server on other wires", () => {
  const exchange = async (client: Client) => {
    await client.start();
    const script = new Script(client, "file:///script.dlx", TEXT);
    expect(await client.diagnostics(script.uri, 1)).toEqual([]);
    const found = await client.diagnostics(script.uri, script.edit("relu", "rellu"));
    expect(found.map((d) => d.code)).toEqual(["DLX0301"]);
    const answer = await client.request<{ contents: { value: string } }>(
      "textDocument/hover",
      script.at("let |^net ="),
    );
    expect(answer.contents.value).toContain("Mlp");
  };
  test("two streams in memory", () => exchange(new Client(inMemory())));
  test("a worker that has nothing of node", async () => {
    const { wire, worker } = await startWorker();
    await exchange(new Client(wire));
    await worker.terminate();
  });
});
