/**
 * `dlx bench --products`: GFLOP/s of matrix products by size and transposition, with the share of the first column that
 * the others reach. One thread is the quickest call of the kernel, two are the quickest whole step. The programs take
 * turns in rounds, as in the comparison.
 */
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { head, keepTable, line, machine, nodesOf, ran, threadsText } from "./compare.mjs";
import { install } from "./install.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const cubed = { m: 512, n: 512, k: 512 };
const shapes = [
  { title: "A·B 512³", ...cubed },
  { title: "A·Bᵀ 512³", ...cubed, right: true },
  { title: "Aᵀ·B 512³", ...cubed, left: true },
  { title: "127 × 333 × 65", m: 127, n: 333, k: 65 },
];

export async function products({ peers, rounds, seconds, keep, tell }) {
  const { node24 } = install(peers, tell);
  const programs = nodesOf(node24)
    .filter(([peer]) => peers.includes(peer))
    .flatMap(([, title, node]) =>
      [1, 2].flatMap((threads) => [
        { label: `${title}, ${threadsText(threads)}`, node, threads, more: [] },
        { label: `${title} without relaxed SIMD, ${threadsText(threads)}`, node, threads, more: ["--plain"] },
      ]),
    );
  const best = new Map();
  const notes = new Set();
  for (let round = 1; round <= rounds; round++) {
    for (const { title, ...inputs } of shapes) {
      for (const { label, node, threads, more } of programs) {
        const sets = Object.entries({ ...inputs, steps: 1_000_000 }).flatMap(([k, v]) => ["--set", `${k}=${v}`]);
        const timing = threads === 1 ? ["--profile"] : ["--threads", String(threads)];
        const argv = ["bench", here("gemm.dlx"), "--json", "--device", "cpu", "--seconds", String(seconds)];
        const result = await ran([node, [here("../bin/dlx.mjs"), ...argv, ...sets, ...timing, ...more], {}]);
        if (result.failed !== undefined) {
          notes.add(`${label}, ${title}: ${result.failed}`);
          continue;
        }
        const kernel = result.kernels?.find(({ text }) => text.startsWith("dot"));
        const ms = (kernel ?? result).least;
        const key = `${label} ${title}`;
        best.set(key, Math.max(best.get(key) ?? 0, (2 * inputs.m * inputs.n * inputs.k) / ms / 1e6));
      }
    }
    tell(`round ${round} of ${rounds} done`);
  }
  const cells = (label) => {
    const [first, ...others] = shapes.map(({ title }) => best.get(`${label} ${title}`));
    const share = (each) => (each && first ? `${each.toFixed(1)} (${((100 * each) / first).toFixed(0)} %)` : "–");
    return [first?.toFixed(1) ?? "–", ...others.map(share)];
  };
  const table = [
    ...machine(),
    `Load ${loadavg()[0].toFixed(1)}; each of ${rounds} rounds runs every program once.`,
    "",
    "GFLOP/s, and how much of the first column that is.",
    "",
    ...head("program", ...shapes.map(({ title }) => title)),
    ...programs.map(({ label }) => line([label, ...cells(label)])),
    "",
    ...[...notes].map((text) => `- ${text}`),
    "",
  ].join("\n");
  if (keep) keepTable("products-", table, tell);
  return { table, whole: notes.size === 0, results: Object.fromEntries(best), notes: [...notes] };
}
