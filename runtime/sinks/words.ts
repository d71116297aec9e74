/** Small pieces of text that sinks share: metrics, durations, rates, the start line, where a block stands. */
import type { Frame, Metric, Metrics, RunEvent, SwapReport } from "../events.ts";
import { ABSENT, formatNumber } from "../format.ts";

/** Scalars only: a tensor does not fit a line. */
export function metricsText(metrics: Metrics): string {
  const texts = Object.entries(metrics).flatMap(([name, metric]) => {
    const text = metricText(metric);
    return text === undefined ? [] : [`${name} ${text}`];
  });
  return texts.join("  ");
}

function metricText(metric: Metric): string | undefined {
  if (metric === null) return ABSENT;
  return typeof metric === "number" ? formatNumber(metric, ".4g") : undefined;
}

/** `0:07`, `12:34`, `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Three digits are enough to compare by eye. */
export function rate(frame: Pick<Frame, "step" | "seconds">): string {
  if (frame.step === 0 || frame.seconds <= 0) return "";
  const perSecond = frame.step / frame.seconds;
  return perSecond >= 0.1
    ? `${formatNumber(perSecond, perSecond >= 100 ? ".0f" : ".3g")} step/s`
    : `${formatNumber(1 / perSecond, ".3g")} s/step`;
}

/** Between 0 and 1; undefined when the end is not known. */
export function fraction({ step, total, seconds, limit }: Frame): number | undefined {
  const done =
    total !== undefined ? step / Math.max(1, total) : limit.unit === "seconds" ? seconds / limit.count : undefined;
  return done === undefined ? undefined : Math.min(1, done);
}

export function timeLeft(frame: Frame): string {
  const done = fraction(frame);
  if (done === undefined || frame.step === 0) return "";
  const left = frame.limit.unit === "seconds" ? frame.limit.count - frame.seconds : frame.seconds * (1 / done - 1);
  return `${duration(left)} left`;
}

/** `epoch 2/5  step 120/725`. */
export function place({ step, epoch, total, limit }: Frame): string {
  const epochs = limit.unit === "epochs" ? `epoch ${epoch}/${limit.count}  ` : "";
  return `${epochs}step ${step}${total === undefined ? "" : `/${total}`}`;
}

export function startLine(event: Extract<RunEvent, { event: "start" }>, script: string): string {
  const inputs = Object.entries(event.inputs).map(([name, value]) => `  ${name} = ${value}`);
  return `${script}  on ${event.device.name}  seed ${event.seed}  ${counted(event.parameters, "parameter")}${inputs.join("")}`;
}

/** Before a block's name inside a pass of a top-level `for`. */
export function passText(run: number | undefined): string {
  return run === undefined ? "" : `run ${run}  `;
}

/** `61 706 parameters`, `1 step`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US").replaceAll(",", " ")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Names that one line can hold. */
const MOST_NAMES = 6;

/** `step 120: kept 8, new net.conv3.w net.conv3.b and 4 optimizer slots`. */
export function swapText({ step, changed, kept, made, dropped }: SwapReport & { readonly step: number }): string {
  if (!changed) return `step ${step}: the program is the same, nothing changed`;
  // What is in both has another shape, type or first value than before.
  const anew = made.filter((path) => dropped.includes(path));
  const only = (paths: readonly string[]): string[] => paths.filter((path) => !anew.includes(path));
  const parts = [`kept ${kept}`];
  if (anew.length > 0) parts.push(`begun anew ${pathsText(anew)}`);
  if (only(made).length > 0) parts.push(`new ${pathsText(only(made))}`);
  if (only(dropped).length > 0) parts.push(`dropped ${pathsText(only(dropped))}`);
  return `step ${step}: swapped, ${parts.join(", ")}`;
}

/** Slots of optimizers are many and follow their params: they are counted. */
function pathsText(paths: readonly string[]): string {
  const slots = paths.filter((path) => /\.min\d+\./.test(path)).length;
  const names = paths.filter((path) => !/\.min\d+\./.test(path));
  const shown = names.slice(0, MOST_NAMES).join(" ");
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  const counts = slots > 0 ? counted(slots, "optimizer slot") : "";
  return [shown + more, counts].filter(Boolean).join(" and ");
}
