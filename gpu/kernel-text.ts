/**
 * Kernels and tapes as text, for people (`dlx graph --kernels`) and for snapshots. Equal kernels have equal texts.
 */
import type { Access, DotKernel, GroupMember, Kernel, Offsets, Operand, RowsKernel, Runs, Value } from "./kernel.ts";
import type { Buffer, Lowered, Step } from "./program.ts";

function accessText(a: Access): string {
  const parts: string[] = [];
  for (const [axis, coef] of a.terms) parts.push(coef === 1 ? `i${axis}` : `${coef}·i${axis}`);
  for (const [v, coef] of a.dynamic) parts.push(coef === 1 ? `v${v}` : `${coef}·v${v}`);
  if (a.base !== 0 || parts.length === 0) parts.push(`${a.base}`);
  return `p${a.param}[${parts.join(" + ")}]`;
}

function valueText(v: Value): string {
  switch (v.op) {
    case "const":
      return `${v.value}`;
    case "axis":
      return `i${v.axis}`;
    case "load":
      return `load ${accessText(v.access)}`;
    case "acc":
      return `acc s${v.stage}.${v.acc}`;
    default:
      return `${v.op} ${v.args.map((a) => `v${a}`).join(" ")}`;
  }
}

const paramsText = (kernel: Kernel) =>
  kernel.params.map((p, i) => `p${i}: ${p.access} ${p.half ? "f16" : p.dtype}[${p.size}]`).join(", ");

function rowsText(kernel: RowsKernel): string {
  const lines = [`rows [${kernel.axes.slice(0, kernel.grid).join(" × ")}] (${paramsText(kernel)})`];
  kernel.values.forEach((v, i) => lines.push(`  v${i} ${v.dtype} = ${valueText(v)}`));
  kernel.stages.forEach((stage, s) => {
    lines.push(`  stage ${s} over ${stage.axes.map((a) => `i${a}<${kernel.axes[a]}`).join(" ") || "the point"}`);
    stage.accs.forEach((acc, i) => {
      lines.push(`    acc s${s}.${i} = ${acc.op} v${acc.value}${acc.at === undefined ? "" : ` at v${acc.at}`}`);
    });
    for (const store of stage.stores) lines.push(`    ${accessText(store.access)} = v${store.value}`);
  });
  return lines.join("\n");
}

const runsText = (runs: Runs) =>
  runs.map(({ length, stride }, i) => `${i ? ", " : " in runs of "}${length} by ${stride}`);
const offsetsText = (o: Offsets) =>
  o.kind === "stride" ? `${o.stride}` : `table p${o.param}${runsText(o.runs).join("")}`;
const operandText = (o: Operand, outer: string) =>
  `p${o.param}[${o.base} + g·${offsetsText(o.g)} + ${outer}·${offsetsText(o.outer)} + k·${offsetsText(o.k)}]`;

/** How a kernel that is a part of another is written. */
type Inner = (part: RowsKernel | DotKernel) => string;

const membersText = (members: readonly GroupMember[], inner: Inner) =>
  members.map((m) => `  with (${m.params.map((p) => `p${p}`).join(", ")})\n${inner(m.kernel)}`);

const texts = new WeakMap<Kernel, string>();

export function kernelText(kernel: Kernel): string {
  let known = texts.get(kernel);
  if (known === undefined) texts.set(kernel, (known = written(kernel, innerText)));
  return known;
}

/** Its text with numbers for its parts: where equal parts have one number, equal kernels have one key. */
export const kernelKey = (kernel: Kernel, numberOf: (part: RowsKernel | DotKernel) => number): string =>
  written(kernel, (part) => `    ${numberOf(part)}`);

const innerTexts = new WeakMap<Kernel, string>();

/** Of a kernel that is a part of another. */
function innerText(kernel: Kernel): string {
  let known = innerTexts.get(kernel);
  if (known === undefined) innerTexts.set(kernel, (known = kernelText(kernel).replaceAll(/^/gm, "    ")));
  return known;
}

function triangleText({ triangle }: DotKernel): string {
  if (!triangle) return "";
  const { from, to, out } = triangle;
  return [from && `, k >= ${from}`, to && `, k <= ${to}`, out && `, ${out === "lower" ? "n <= m" : "n >= m"}`].filter(Boolean).join(""); // prettier-ignore
}

function written(kernel: Kernel, inner: Inner): string {
  switch (kernel.kind) {
    case "rows":
      return rowsText(kernel);
    case "dot":
      return [
        `dot g=${kernel.g} m=${kernel.m} n=${kernel.n} k=${kernel.k} (${paramsText(kernel)})`,
        `  p${kernel.out} = ${operandText(kernel.a, "m")} · ${kernel.packed ? `p${kernel.b.param} (packed)` : operandText(kernel.b, "n")}${kernel.stored ? "" : " (not stored)"}${triangleText(kernel)}`,
        ...(kernel.epilogue
          ? [`  then with (${kernel.epilogue.params.map((p) => `p${p}`).join(", ")})`, inner(kernel.epilogue.rows)]
          : []),
      ].join("\n");
    case "cumsum":
      return `cumsum [${kernel.outer} × ${kernel.count} × ${kernel.inner}]${kernel.reverse ? " reverse" : ""} (${paramsText(kernel)})`;
    case "scatter":
      return `scatter [${kernel.outer} × ${kernel.count} × ${kernel.inner}]${kernel.paired ? " paired" : ""} into ${kernel.size} (${paramsText(kernel)})`;
    case "solve":
      return `solve${times(kernel.outer)} n=${kernel.n} m=${kernel.m} (${paramsText(kernel)})`;
    case "argsort":
      return `argsort [${kernel.outer} × ${kernel.count}] (${paramsText(kernel)})`;
    case "cholesky":
    case "eigh":
      return `${kernel.kind}${times(kernel.outer)} n=${kernel.n} (${paramsText(kernel)})`;
    case "chain":
      return [
        `chain of ${kernel.units} units${kernel.slices ? ` in slices (${kernel.slices})` : ""} with ${kernel.locals.map((n, i) => `p${kernel.params.length + i}[${n}]`).join(", ")} (${paramsText(kernel)})`,
        ...membersText(kernel.members, inner),
      ].join("\n");
    case "pack":
      return `pack n=${kernel.n} k=${kernel.k} (${paramsText(kernel)})\n  ${operandText(kernel.b, "n")}`;
    case "strand":
      return [
        `strands of ${kernel.rows} rows by ${kernel.part} (${paramsText(kernel)})`,
        ...kernel.members.map(
          (m) => `  ${m.each} to a row, with (${m.params.map((p) => `p${p}`).join(", ")})\n${inner(m.kernel)}`,
        ),
      ].join("\n");
    case "group":
      return [`group of ${kernel.members.length} (${paramsText(kernel)})`, ...membersText(kernel.members, inner)].join(
        "\n",
      );
  }
}

const times = (outer: number): string => (outer === 1 ? "" : ` ${outer} ×`);

export function bufferText(buffers: readonly Buffer[], id: number): string {
  const place = buffers[id]?.place;
  switch (place?.kind) {
    case "slot":
      return place.path;
    case "stage":
      return `${place.path}'`;
    case "scalar":
    case "batch":
      return `${place.kind}:${place.name}`;
    case "data":
      return `data${id}`;
    case "slice":
      return `${bufferText(buffers, place.of)}[tick]`;
    case "swap":
      return `carry${place.even}`;
    default:
      return `t${id}`;
  }
}

export function loweredText(lowered: Lowered): string {
  const lines: string[] = [];
  lowered.kernels.forEach((kernel, i) => lines.push(`k${i} ${kernelText(kernel)}`, ""));
  const walk = (steps: readonly Step[], indent: string): void => {
    for (const step of steps) {
      if (step.kind === "kernel") {
        lines.push(`${indent}k${step.kernel}(${step.args.map((a) => bufferText(lowered.buffers, a)).join(", ")})`);
      } else if (step.kind === "copy") {
        lines.push(
          `${indent}copy ${bufferText(lowered.buffers, step.from)} to ${bufferText(lowered.buffers, step.to)}`,
        );
      } else {
        lines.push(`${indent}loop ${step.count}${step.reverse ? " reverse" : ""}`);
        walk(step.body, `${indent}  `);
      }
    }
  };
  walk(lowered.tape, "");
  return lines.join("\n");
}
