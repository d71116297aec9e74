/** A value as what can be shown of it: tensors, each by the name that leads to it, and texts. */
import { typeText } from "../check/axes.ts";
import { axisText, numberText } from "../check/shape-text.ts";
import { walkInstances } from "../check/models.ts";
import { type Checker, stateInput } from "../check/state.ts";
import type { Axis, Instance, Tensor, Value } from "../check/values.ts";

export interface Loose {
  readonly name: string;
  readonly value:
    | Tensor
    | { readonly kind: "text"; readonly text: string; readonly value?: number | boolean }
    | (Numbers & { readonly kind: "numbers"; readonly dtype: "f32" | "i32" });
}

interface Numbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** More than a person looks at. */
const MOST_PARTS = 1024;

export function partsOf(c: Checker, value: Value): Loose[] {
  const found: Loose[] = [];
  const walk = (v: Value, name: string): void => {
    if (found.length >= MOST_PARTS) return;
    const inner = (key: string | number) => (name === "" ? String(key) : `${name}.${key}`);
    switch (v.kind) {
      case "tensor":
        return void found.push({ name, value: v });
      case "num":
        return text(name, numberText(v.value, v.float), v.value);
      case "bool":
        return text(name, String(v.value), v.value);
      case "str":
        return text(name, v.parts.map((p) => (typeof p === "string" ? p : `{${typeText(p.value)}}`)).join(""));
      case "tuple":
      case "list": {
        const numbers = numbersOf(v);
        if (numbers) return void found.push({ name, value: { kind: "numbers", ...numbers } });
        return v.items.forEach((item, i) => walk(item, inner(i)));
      }
      case "record":
        return v.fields.forEach((field, key) => walk(field, inner(key)));
      case "bundle":
        return v.leaves.forEach((leaf, path) => walk(leaf, inner(path)));
      case "instance":
        return cellsOf(c, v).forEach((cell, path) => walk(cell, inner(path)));
      default:
        return text(name, typeText(v));
    }
  };
  const text = (name: string, written: string, known?: number | boolean): void =>
    void found.push({ name, value: { kind: "text", text: written, value: known } });
  walk(value, "");
  return found.length > 0 ? found : [{ name: "", value: { kind: "text", text: typeText(value) } }];
}

/** A list of numbers, or of such lists that are equally long, is what a tensor of them would be. */
function numbersOf(v: Value): (Numbers & { dtype: "f32" | "i32" }) | undefined {
  if (v.kind === "num") return { dtype: v.float ? "f32" : "i32", shape: [], values: [v.value] };
  if (v.kind !== "list" || v.items.length === 0) return undefined;
  const items = v.items.map(numbersOf);
  const shape = items[0]?.shape;
  if (!shape || items.some((item) => item?.shape.join() !== shape.join())) return undefined;
  return {
    dtype: items.some((item) => item?.dtype === "f32") ? "f32" : "i32",
    shape: [items.length, ...shape],
    values: items.flatMap((item) => item?.values ?? []),
  };
}

/** A model is its params and states. */
function cellsOf(c: Checker, instance: Instance): Map<string, Tensor> {
  const cells = new Map<string, Tensor>();
  walkInstances(instance, (each) => {
    for (const { path, type: axes } of [...each.params.values(), ...each.states.values()]) {
      const slot = c.slots.get(path);
      if (!slot) throw new Error(`expected a slot at ${path}, got none`);
      const { dtype } = slot.type;
      const kind = dtype === "f32" ? "float" : dtype === "bool" ? "bool" : "int";
      const name = path.slice(instance.path.length + 1);
      cells.set(name, { kind: "tensor", node: stateInput(path, slot.type), dtype: kind, axes });
    }
  });
  return cells;
}

export function mapTensors(value: Value, map: (t: Tensor) => Tensor): Value {
  const all = <K>(values: ReadonlyMap<K, Value>) => new Map([...values].map(([k, v]) => [k, mapTensors(v, map)]));
  switch (value.kind) {
    case "tensor":
      return map(value);
    case "tuple":
    case "list":
      return { ...value, items: value.items.map((item) => mapTensors(item, map)) };
    case "record":
      return { kind: "record", fields: all(value.fields) };
    case "bundle":
      return { kind: "bundle", leaves: all(value.leaves) as Map<string, Tensor> };
    default:
      return value;
  }
}

export const axisNames = (axes: readonly Axis[]): (string | undefined)[] =>
  axes.map((axis) => (axis.uid === undefined || axis.name === undefined ? undefined : axisText(axis)));
