/** Numbers and values as text: formats `[+][width][.digits]` with one of `d f e g %`, and short text without a format. */
import type { Shown } from "./values.ts";

/** Before a first value. */
export const ABSENT = "–";

/** An axis longer than this shows its ends. */
const LONGEST = 12;
const ENDS = 3;

interface Format {
  readonly plus: boolean;
  readonly width: number;
  readonly digits: number | undefined;
  readonly letter: string;
}

function parseFormat(text: string): Format {
  const match = /^(\+?)(\d*)(?:\.(\d+))?([dfeg%]?)$/.exec(text);
  if (!match) throw new Error(`expected a format such as .4f, got ${text}`);
  const [, plus, width, digits, letter] = match;
  return {
    plus: plus === "+",
    width: Number(width || 0),
    digits: digits === undefined ? undefined : Math.min(Number(digits), 100),
    letter: letter || "g",
  };
}

export function formatNumber(x: number, format?: string): string {
  if (format === undefined) return general(x, 6);
  const { plus, width, digits, letter } = parseFormat(format);
  const body = finiteOr(x, () => letters[letter]?.(x, digits) ?? general(x, 6));
  return (plus && !body.startsWith("-") ? `+${body}` : body).padStart(width);
}

const letters: Readonly<Record<string, (x: number, digits: number | undefined) => string>> = {
  d: (x) => String(noMinusZero(Math.round(x))),
  f: (x, digits = 6) => fixed(x, digits),
  e: (x, digits = 6) => exponent(x.toExponential(digits)),
  g: (x, digits = 6) => general(x, digits),
  "%": (x, digits = 6) => `${fixed(100 * x, digits)}%`,
};

/** `toFixed` turns to exponents at 1e21, where no fraction is left. */
function fixed(x: number, digits: number): string {
  if (Math.abs(x) < 1e21) return x.toFixed(digits);
  return `${BigInt(x)}${digits > 0 ? `.${"0".repeat(digits)}` : ""}`;
}

/** At least two digits of exponent, as in C: `1.50e-03`. */
function exponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** The shorter of fixed and exponent, without trailing zeros. */
function general(x: number, digits: number): string {
  return finiteOr(x, () => {
    if (x === 0) return "0";
    const n = Math.max(1, digits);
    const scientific = x.toExponential(n - 1);
    const power = Number(scientific.slice(scientific.indexOf("e") + 1));
    if (power >= -4 && power < n) return trim(x.toFixed(Math.min(100, n - 1 - power)));
    const [mantissa = "", tail = ""] = scientific.split("e");
    return exponent(`${trim(mantissa)}e${tail}`);
  });
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
function noMinusZero(x: number): number {
  return x === 0 ? 0 : x;
}
function finiteOr(x: number, text: () => string): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  return text();
}

// ------------------------------------------------------------ values

export function formatValue(value: Shown, format?: string): string {
  switch (value.kind) {
    case "absent":
      return ABSENT.padStart(format === undefined ? 0 : parseFormat(format).width);
    case "text":
      return value.text;
    case "tensor":
      return tensorText(value, format);
    case "list": {
      const items = value.items.map((item) => formatValue(item, format)).join(", ");
      return value.tuple ? `(${items})` : `[${items}]`;
    }
    case "record":
      return `{ ${value.fields.map(([name, field]) => `${name}: ${formatValue(field, format)}`).join(", ")} }`;
  }
}

function tensorText(value: Extract<Shown, { kind: "tensor" }>, format: string | undefined): string {
  const { shape, dtype, classes, glue } = value;
  const one = (i: number): string => {
    const x = value.values[i] ?? NaN;
    if (classes) return classes[x] ?? String(x);
    if (format !== undefined) return formatNumber(x, format);
    if (dtype === "bool") return x !== 0 ? "true" : "false";
    // Integers are exact however long they are.
    return dtype === "f32" ? general(x, 6) : String(x);
  };
  const level = (axis: number, start: number): string => {
    const size = shape[axis];
    if (size === undefined) return one(start);
    const stride = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
    // A row of tokens is one text, however long, without what stands for nothing.
    if (glue !== undefined && axis + 1 === shape.length)
      return Array.from({ length: size }, (_, i) => one(start + i))
        .filter((token) => token !== "")
        .join(glue);
    const item = (i: number) => level(axis + 1, start + i * stride);
    const places = Array.from({ length: size }, (_, i) => i);
    const items =
      size <= LONGEST ? places.map(item) : [...places.slice(0, ENDS).map(item), "…", ...places.slice(-ENDS).map(item)];
    // Rows of a matrix go below one another once they are several.
    const between = axis + 1 < shape.length && size > 2 ? `,\n${" ".repeat(axis + 1)}` : ", ";
    return `[${items.join(between)}]`;
  };
  return level(0, 0);
}
