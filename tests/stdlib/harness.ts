/**
 * Runs a script and gives its numbers unrounded. `print "y", y` at top level becomes the value `y`; a record becomes
 * `y.field` for each field; a metric `m` of a train block becomes `m@3` after step 3. Prints are evaluated at the end
 * of the run, so a print of a param before it is trained would show the trained one.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Device } from "../../gpu/device.ts";
import { openDevice } from "../../gpu/index.ts";
import { compile, renderDiagnostic } from "../../lang/index.ts";
import { evaluate } from "../../lang/graph/index.ts";
import type { HostValue, Program } from "../../lang/program.ts";
import type { Metric } from "../../runtime/events.ts";
import type { Host } from "../../runtime/host.ts";
import { createSession, type Session } from "../../runtime/index.ts";
import { inputsOf, refOf } from "../../runtime/inputs.ts";
import { prelude } from "../../stdlib/index.ts";

export type Values = Readonly<Record<string, readonly number[]>>;

export interface OnDevice {
  readonly device: string;
  readonly open: () => Promise<Device>;
  /** Largest error allowed, times the greater of 1 and the expected number. */
  readonly tolerance: number;
}

/** Numbers in -1..1 that float32 and float64 agree on: 37 and 101 share no factor, so 101 neighbours differ. */
const PREAMBLE = `fn wave(shape, k = 0) = reshape((37 * range(size(zeros(shape))) + 11 * k) % 101 / 50 - 1, shape)\n`;

const reference: OnDevice = { device: "reference", open: () => openDevice("reference"), tolerance: 1e-9 };

const cpu: OnDevice = { device: "cpu", open: () => openDevice("cpu"), tolerance: 1e-5 };
export const devices: readonly OnDevice[] = [reference, cpu];

const nowhere: Host = {
  open: () => Promise.reject(new Error("expected a script without data, got one that opens a source")),
  load: () => Promise.reject(new Error("expected a script without files, got one that loads")),
  save: () => Promise.reject(new Error("expected a script without files, got one that saves")),
};

export async function compiled(script: string): Promise<Program> {
  const source = { file: "test.dlx", text: PREAMBLE + script };
  const result = await compile(source, { facts: async () => undefined, readModule: async () => undefined, prelude });
  if (!result.program)
    throw new Error(result.diagnostics.map((d) => renderDiagnostic(d, [...result.sources])).join("\n"));
  return result.program;
}

export async function run(script: string, on: OnDevice = reference): Promise<Values> {
  const program = await compiled(script);
  const device = await on.open();
  const session = createSession({ program, device, host: nowhere, math: evaluate, every: 1 });
  const values: Record<string, readonly number[]> = {};
  const errors: string[] = [];
  session.events$.subscribe((e) => {
    if (e.event === "train" && !e.fold) {
      for (const [name, metric] of Object.entries(e.metrics)) values[`${name}@${e.step}`] = flat(metric);
    }
    if (e.event === "error") errors.push(renderDiagnostic(e.diagnostic, [...program.sources]));
  });
  session.play();
  const { status } = await session.done;
  if (status !== "done") throw new Error(`expected a run to its end, got ${status}: ${errors.join("\n")}`);
  for (const action of program.body) {
    if (action.kind !== "print") continue;
    for (let i = 0; i < action.items.length; i += 2) {
      const [label, value] = [action.items[i]?.[0], action.items[i + 1]?.[0]];
      if (typeof label !== "string" || value === undefined || typeof value === "string")
        throw new Error(`expected prints of a name and a value, got ${String(label)}`);
      await put(label, value.value, session, values);
    }
  }
  await session.dispose();
  await device.dispose();
  return values;
}

function flat(metric: Metric): number[] {
  if (metric === null) return [NaN];
  return typeof metric === "number" ? [metric] : metric.flatMap(flat);
}

async function put(
  label: string,
  value: HostValue,
  session: Session,
  into: Record<string, readonly number[]>,
): Promise<void> {
  if (value.kind === "record") {
    for (const [name, field] of Object.entries(value.fields)) await put(`${label}.${name}`, field, session, into);
  } else if (value.kind === "list") {
    for (const [i, item] of value.items.entries()) await put(`${label}.${i}`, item, session, into);
  } else if (value.kind === "node") {
    const found = new Map<string, ArrayLike<number>>();
    for (const input of inputsOf(value.node)) {
      const { source, name } = refOf(input);
      if (source !== "state") throw new Error(`expected a print that reads slots, got ${source} ${name}`);
      found.set(name, await session.read(name));
    }
    into[label] = Array.from(evaluate([value.node], (input) => found.get(refOf(input).name))[0]!);
  } else throw new Error(`expected a number after ${label}, got a text`);
}

// ---------------------------------------------------------------- PyTorch's word

/** The scripts of the folder torch; each keeps its cases in a file of its name. */
export const torchScripts = ["stdlib", "images", "sequences", "training"] as const;
export const keptBy = (script: string): Readonly<Record<string, Values>> =>
  JSON.parse(readFileSync(new URL(`./torch/${script}.json`, import.meta.url), "utf8")) as Record<string, Values>;
export const torch: Readonly<Record<string, Values>> = Object.assign({}, ...torchScripts.map(keptBy));

export interface Case {
  readonly name: string;
  readonly script: string;
  /** Instead of the device's, where PyTorch computes something slightly else. */
  readonly tolerance?: number;
}

export function close(
  got: ArrayLike<number> | undefined,
  expected: readonly number[],
  tolerance: number,
  what: string,
): void {
  expect(got?.length, what).toBe(expected.length);
  for (const [i, e] of expected.entries()) {
    const g = got![i]!;
    if (Object.is(g, e) || Math.abs(g - e) <= tolerance * Math.max(1, Math.abs(e))) continue;
    throw new Error(`${what}, element ${i}: expected ${e}, got ${g}`);
  }
}

/**
 * A layer or function of x against `layer` of torch/common.py: value and first derivatives; with `squares` also the
 * derivatives of the squared gradient of sum(y^2), as in a gradient penalty. `params` go from the label to the path.
 */
export function layerCase(
  name: string,
  x: string,
  call: { readonly net?: string; readonly apply?: string },
  params: Readonly<Record<string, string>> = {},
  squares = false,
): Case {
  const wrt = Object.entries({ x: "x", ...params });
  const printed = (of: string, prefix: string): string =>
    wrt.map(([label, path]) => `"${prefix}${label}", grad(${of}, ${path})`).join(", ");
  const script = `let x = ${x}
${call.net === undefined ? "" : `let net = ${call.net}\n`}let y = ${call.apply ?? "net(x)"}
let loss = sum(y * wave(shape(y), 7))
print "y", y, ${printed("loss", "d")}${squares ? `\nlet q = sum(grad(sum(y^2), x)^2)\nprint ${printed("q", "dd")}` : ""}`;
  return { name, script };
}

/** Each case on each device: the same names as PyTorch's values and the same numbers. */
export function againstTorch(cases: readonly Case[]): void {
  describe.each(devices)("$device", (on) => {
    for (const { name, script, tolerance = 0 } of cases) {
      test(name, async () => {
        const expected = torch[name];
        if (!expected) throw new Error(`expected the case ${name} in torch/*.json, got none`);
        const got = await run(script, on);
        expect(Object.keys(got).sort()).toEqual(Object.keys(expected).sort());
        for (const [label, numbers] of Object.entries(expected))
          close(got[label], numbers, Math.max(tolerance, on.tolerance), label);
      });
    }
  });
}
