/**
 * How axes and values are written for people: `f32[B, 84]`, `index(10)[B]`, `a model`. The same notation as in a
 * script wherever a script can say it; open sizes print `?`.
 */
import type { Axis, Bundle, Tensor, Value } from "./values.ts";

export function axisText(a: Axis): string {
  if (a.uid !== undefined && a.name !== undefined) return a.name;
  return a.size < 0 ? "?" : String(a.size);
}

/** `B = 64` for a name, `64` for a number. */
export function axisWithSize(a: Axis): string {
  return a.uid !== undefined && a.name !== undefined && a.size >= 0 ? `${a.name} = ${a.size}` : axisText(a);
}

export function axesText(axes: readonly Axis[]): string {
  return `[${axes.map(axisText).join(", ")}]`;
}

export function numberText(value: number, float = false): string {
  if (Number.isNaN(value)) return "?";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return float && Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}.0` : String(value);
}

function tensorHead(t: Tensor): string {
  if (t.dtype === "float") return t.tag ?? "f32";
  if (t.dtype === "bool") return "bool";
  return t.classes === undefined ? "i32" : `index(${t.classes < 0 ? "?" : t.classes})`;
}

function bundleText(b: Bundle): string {
  return `a bundle of ${b.leaves.size} tensor${b.leaves.size === 1 ? "" : "s"}`;
}

export function typeText(v: Value): string {
  switch (v.kind) {
    case "tensor":
      return v.axes.length === 0 ? tensorHead(v) : tensorHead(v) + axesText(v.axes);
    case "num":
      return v.axis === undefined ? numberText(v.value, v.float) : axisWithSize(v.axis);
    case "bool":
      return String(v.value);
    case "str":
      return "a string";
    case "none":
      return "none";
    case "tuple":
      return `(${v.items.map(typeText).join(", ")})`;
    case "list":
      return v.items.length <= 4 ? `[${v.items.map(typeText).join(", ")}]` : `a list of ${v.items.length}`;
    case "record":
      return `{ ${[...v.fields].map(([name, value]) => `${name}: ${typeText(value)}`).join(", ")} }`;
    case "range":
      return `${v.from ?? ""}..${v.to ?? ""}`;
    case "not":
      return `not ${typeText(v.value)}`;
    case "bundle":
      return bundleText(v);
    case "func":
      return `the function ${v.name || "given here"}`;
    case "builtin":
      return `the function ${v.name}`;
    case "model":
      return `the model ${v.name}, not yet made`;
    case "instance":
    case "with":
      return "a model";
    case "optimizer":
      return `the optimizer ${v.name}, not yet made`;
    case "stages":
      return "an optimizer";
    case "dataset":
      return "a data set";
    case "block":
      return `the results of ${v.name}`;
    case "namespace":
      return `the names under ${v.name}`;
    case "broken":
      return "a value with a mistake in it";
  }
}
