/**
 * Mistakes with shapes and axes (DLX0201 to 0206). Both operands are labelled with their types, a size
 * that is at fault is labelled where it came from, and one help line says what to write.
 */
import { axesText, axisText, axisWithSize, typeText } from "../check/shape-text.ts";
import type { Axis, Num, Tensor, Value } from "../check/values.ts";
import type { Diagnostic, Label } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { between, change, fix, fixed, insertAfter, put, wrap } from "./edits.ts";

export interface Operand {
  readonly value: Value;
  readonly span: Span;
}

/** Why the axes of two tensors do not pair; found by `pairAxes`. */
export type Misfit =
  | { readonly why: "sizes" | "names"; readonly place: number; readonly left: Axis; readonly right: Axis }
  /** An axis of the smaller side that the larger lacks. `alike`: an axis of the larger with its size, of the other sort, at `place` from the end. `order`: it is there, but not in this order. */
  | {
      readonly why: "missing";
      readonly axis: Axis;
      readonly alike?: Axis;
      readonly place?: number;
      readonly order: boolean;
    }
  | { readonly why: "several"; readonly axis: Axis }
  /** `[N, 1]` against `[N]`. */
  | { readonly why: "column" };

export interface Facts {
  readonly labels: Label[];
  readonly notes: string[];
}

export const error = (code: string, title: string, facts: Facts, help?: string): Diagnostic => ({
  code,
  severity: "error",
  title,
  labels: facts.labels,
  notes: facts.notes,
  ...(help !== undefined && { help }),
});

export const sameSpan = (a: Span, b: Span): boolean => a.file === b.file && a.start === b.start && a.end === b.end;

/** Labels of the operands, then of the places where the sizes at fault came from; from another file they become notes. */
export function facts(operands: readonly Operand[], axes: readonly Axis[] = [], notes: readonly string[] = []): Facts {
  const labels: Label[] = [];
  for (const { span, value } of operands) {
    const same = labels.findIndex((l) => sameSpan(l.span, span));
    if (same < 0) labels.push({ span, text: typeText(value) });
    else labels[same] = { span, text: `${labels[same]!.text} and ${typeText(value)}` };
  }
  const more = [...notes];
  for (const a of axes) {
    if (a.why === undefined) continue;
    const { span, text } = a.why;
    const line = a.uid !== undefined && a.name !== undefined ? `${a.name}: ${text}` : text;
    if (span.file !== labels[0]?.span.file) more.push(line);
    else if (!labels.some((l) => sameSpan(l.span, span))) labels.push({ span, text: line });
  }
  return { labels, notes: more };
}

const named = (a: Axis): boolean => a.uid !== undefined;

const places = ["first", "second", "third", "fourth", "fifth", "sixth"];
export const ordinal = (i: number): string => places[i] ?? `${i + 1}th`;

// ---------------------------------------------------------------- broadcasting

/** 0201, 0202, 0206: what is the operator or function as the user wrote it. */
export function cannotBroadcast(what: string, a: Operand, b: Operand, misfit: Misfit): Diagnostic {
  const types = `${typeText(a.value)} and ${typeText(b.value)}`;
  switch (misfit.why) {
    case "column": {
      const left = rankOf(a.value) > rankOf(b.value);
      return fixed(
        error(
          "DLX0202",
          `\`${what}\` between ${types}: one side has an extra axis of size 1`,
          facts([a, b], [], ["a size of 1 never stretches, so no table of all pairs is made by accident"]),
          `drop the axis of size 1 on the ${left ? "left" : "right"}: \`squeeze(x, -1)\``,
        ),
        wrap((left ? a : b).span, "squeeze(", ", -1)"),
      );
    }
    case "sizes":
      if (what === "*" && multiplies(a.value, b.value))
        return fixed(
          error(
            "DLX0201",
            `\`*\` goes element by element, and ${types} have different sizes`,
            facts([a, b], [misfit.left, misfit.right]),
            "the matrix product is `@`",
          ),
          fix("change to `@`", put(between(a.span, b.span), " @ ")),
        );
      return error(
        "DLX0201",
        `\`${what}\` needs equal sizes, but the ${ordinal(misfit.place)} axis is ${sizeText(misfit.left)} on the left and ${sizeText(misfit.right)} on the right`,
        facts([a, b], [misfit.left, misfit.right]),
        sizesHelp(misfit.left, misfit.right, misfit.place),
      );
    case "names":
      return error(
        "DLX0201",
        `\`${what}\` pairs axes by place here, and the ${ordinal(misfit.place)} is ${axisText(misfit.left)} on the left but ${axisText(misfit.right)} on the right`,
        facts([a, b], [misfit.left, misfit.right]),
        namesHelp(a.value, b.value, misfit.left, misfit.right),
      );
    case "missing":
      return error(
        "DLX0201",
        `\`${what}\` cannot pair ${types}`,
        facts([a, b], [misfit.axis], [missingNote(misfit, a.value, b.value)]),
        missingHelp(misfit, a.value, b.value),
      );
    case "several": {
      const twin = named(misfit.axis);
      return error(
        "DLX0206",
        `\`${what}\` can pair ${types} in more than one way`,
        facts(
          [a, b],
          [],
          [`the axis ${axisText(misfit.axis)} of the smaller side fits more than one axis of the larger`],
        ),
        twin
          ? `keep the reduced axis in place with \`spread: true\`, or give one of the two another name: \`rename(x, -1, ${axisText(misfit.axis)}2)\``
          : "say where it belongs: keep the reduced axis in place with `spread: true`, or give the axes names with `dim`",
      );
    }
  }
}

/** Would be a matrix product. */
function multiplies(a: Value, b: Value): boolean {
  const [k, l] = [axesOf(a).at(-1), axesOf(b).at(rankOf(b) === 1 ? -1 : -2)];
  return rankOf(a) === 2 && rankOf(b) >= 1 && k !== undefined && l !== undefined && fit(k, l);
}

/** 0206: one index for each place of an axis, and two axes could be meant. */
export function scatterTwoWays(x: Operand, ids: Operand, axis: Axis): Diagnostic {
  const name = named(axis) ? `${axisText(axis)}2` : "E";
  return error(
    "DLX0206",
    `\`by\` fits more than one axis of ${typeText(x.value)}`,
    facts([x, ids]),
    named(axis)
      ? `give one of the two another name: \`rename(x, -1, "${name}")\``
      : `name the axis of the rows on both sides: with \`dim ${name} = ${axis.size}\`, \`rename(x, 0, ${name})\` and an index over ${name}`,
  );
}

const rankOf = (v: Value): number => (v.kind === "tensor" ? v.axes.length : 0);
export const axesOf = (v: Value): readonly Axis[] => (v.kind === "tensor" ? v.axes : []);
const sizeText = (a: Axis): string => axisWithSize(a);

function sizesHelp(a: Axis, b: Axis, place: number): string {
  if (a.size === 1 || b.size === 1)
    return `a size of 1 never stretches: \`squeeze(x, ${place})\` drops it, and the other axes then pair by name or size`;
  return "one of the two sizes must change; the labels show where each comes from";
}

function namesHelp(a: Value, b: Value, left: Axis, right: Axis): string {
  const uids = (v: Value): string =>
    axesOf(v)
      .map((x) => x.uid ?? -1)
      .sort()
      .join();
  if (axesOf(a).length > 1 && uids(a) === uids(b))
    return `bring the axes into one order: \`permute(x, ${axesText(axesOf(a))})\` on the right`;
  if (axisText(left) === axisText(right))
    return `they are two axes that are both called ${axisText(left)}; if one is meant, build both sides from the same data, or take the name away: \`reshape(x, [${left.size}])\``;
  if (left.size === right.size)
    return `if the two are meant to be one axis, write \`rename(x, ${axisText(right)}: ${axisText(left)})\` on the right`;
  return "to combine every element of one with every element of the other, write `expand(x, [..])` with all axes on both sides";
}

function missingNote(m: Misfit & { why: "missing" }, a: Value, b: Value): string {
  const larger = axesText(rankOf(a) >= rankOf(b) ? axesOf(a) : axesOf(b));
  if (m.order) return `the axes of the smaller side are in ${larger}, but in another order`;
  if (m.alike)
    return named(m.axis)
      ? `${axisText(m.axis)} is a name; ${larger} has the number ${m.alike.size} of the same size, and a name is never found by a number`
      : `${axisText(m.axis)} is a number; ${larger} has the name ${axisText(m.alike)} of the same size, and a number is never found by a name`;
  return `${larger} has no axis ${axisText(m.axis)}`;
}

function missingHelp(m: Misfit & { why: "missing" }, a: Value, b: Value): string {
  const smaller = rankOf(a) >= rankOf(b) ? "right" : "left";
  if (m.order) return `bring them into one order with \`permute(x, [..])\` on the ${smaller}`;
  if (m.axis.size === 1 && !named(m.axis))
    return `a size of 1 never stretches: drop it with \`squeeze(x)\` on the ${smaller}`;
  if (m.alike && named(m.axis))
    return `give the number that name: \`rename(x, ${m.place}, ${axisText(m.axis)})\`, or write the size as ${axisText(m.axis)} where the tensor is made`;
  if (m.alike)
    return `write the name ${axisText(m.alike)} instead of ${axisText(m.axis)} where the ${smaller} side is made`;
  return `each axis of the smaller side must be in the larger one; reduce it with \`over:\`, or add it to the larger one with \`expand(x, [..])\``;
}

export function cannotExpand(x: Operand, target: readonly Axis[], misfit: Misfit, span: Span): Diagnostic {
  const want = axesText(target);
  const several = misfit.why === "several";
  const axis =
    misfit.why === "missing" || misfit.why === "several"
      ? axisText(misfit.axis)
      : misfit.why === "column"
        ? ""
        : axisText(misfit.left);
  return error(
    several ? "DLX0206" : "DLX0201",
    several
      ? `${typeText(x.value)} can expand to ${want} in more than one way`
      : `${typeText(x.value)} does not expand to ${want}`,
    {
      labels: [
        { span: x.span, text: typeText(x.value) },
        ...(sameSpan(x.span, span) ? [] : [{ span, text: `wanted: ${want}` }]),
      ],
      notes: [],
    },
    several
      ? `${axis} fits more than one of the wanted axes; name one of them with \`dim\``
      : `each axis of x must be among the wanted ones, a name by its name, a number by an equal number${axis ? `; ${axis} is not` : ""}`,
  );
}

// ---------------------------------------------------------------- matrix products

/** 0203. `k` and `l` are the two axes that should be one. */
export function productSizes(a: Operand, b: Operand, k: Axis, l: Axis): Diagnostic {
  const help = productHelp(a.value, b.value, k, l);
  const turned = help.startsWith("transpose the right") ? b : help.startsWith("transpose the left") ? a : undefined;
  return fixed(
    error(
      "DLX0203",
      `\`@\` sums over the last axis of the left (${sizeText(k)}) and ${rankOf(b.value) === 1 ? "the axis" : "the rows"} of the right (${sizeText(l)}), which differ`,
      facts([a, b], [k, l]),
      help,
    ),
    turned && insertAfter(turned.span, ".T"),
  );
}

function productHelp(a: Value, b: Value, k: Axis, l: Axis): string {
  const as = axesOf(a);
  const bs = axesOf(b);
  const joined = as.slice(1).reduce((n, x) => n * x.size, 1);
  if (as.length > 2 && as.every((x) => x.size > 0) && joined === l.size)
    return `\`flatten(x)\` joins the axes after the first into one of ${joined}`;
  const other = bs.at(-1);
  if (bs.length >= 2 && other && fit(other, k)) return "transpose the right side: `a @ b.T`";
  const first = as.at(-2);
  if (first && fit(first, l)) return "transpose the left side: `a.T @ b`";
  if (named(k) && named(l) && k.size === l.size)
    return `if ${axisText(k)} and ${axisText(l)} are meant to be one axis, write \`rename(x, ${axisText(l)}: ${axisText(k)})\``;
  return "the last axis of the left side must be the second to last of the right side";
}

const fit = (a: Axis, b: Axis): boolean => a.size === b.size && (!named(a) || !named(b) || a.uid === b.uid);

export function productOfScalar(a: Operand, b: Operand): Diagnostic {
  return error(
    "DLX0203",
    `\`@\` multiplies matrices and vectors, and one side is a single number`,
    facts([a, b]),
    "write `*` to scale by a number",
  );
}

// ---------------------------------------------------------------- naming axes

/** 0205. */
export function noSuchAxis(t: Tensor, asked: Num, span: Span, whole: Span): Diagnostic {
  const labels: Label[] = [
    { span, text: "not an axis here" },
    ...(sameSpan(span, whole) ? [] : [{ span: whole, text: typeText(t) }]),
  ];
  if (asked.axis?.uid !== undefined) {
    const alike = t.axes.findIndex((a) => !named(a) && a.size === asked.axis!.size);
    return fixed(
      error(
        "DLX0205",
        `there is no axis ${axisText(asked.axis)} in ${typeText(t)}`,
        { labels, notes: [] },
        alike >= 0
          ? `the axis of size ${t.axes[alike]!.size} has no name here; reach it by place: \`${alike === t.axes.length - 1 ? -1 : alike}\``
          : t.axes.length > 0
            ? `name one of ${t.axes.map(axisText).join(", ")}, or count places: 0 is the first, -1 the last`
            : "a single number has no axes",
      ),
      alike >= 0 ? change(span, String(alike === t.axes.length - 1 ? -1 : alike)) : undefined,
    );
  }
  return fixed(
    error(
      "DLX0205",
      Number.isNaN(asked.value)
        ? `an axis of ${typeText(t)} is wanted, and this is not a number`
        : `there is no axis ${asked.value} in ${typeText(t)}`,
      { labels, notes: [] },
      t.axes.length > 0
        ? `places run from 0 to ${t.axes.length - 1}, or from -1 (the last) to -${t.axes.length}`
        : "a single number has no axes",
    ),
    t.axes.length > 0 && asked.value > 0 ? change(span, "-1") : undefined,
  );
}

export function twinAxis(t: Tensor, asked: Num, found: readonly number[], span: Span, whole: Span): Diagnostic {
  const name = asked.axis?.uid !== undefined ? axisText(asked.axis) : String(asked.value);
  return error(
    "DLX0205",
    `${typeText(t)} has the axis ${name} ${found.length === 2 ? "twice" : `${found.length} times`}`,
    {
      labels: [
        { span, text: `which ${name}?` },
        ...(sameSpan(span, whole) ? [] : [{ span: whole, text: typeText(t) }]),
      ],
      notes: [],
    },
    `reach it by place: ${found.map((p) => `\`${p - t.axes.length}\``).join(" or ")}`,
  );
}

export function axisTwice(t: Tensor, place: number, span: Span): Diagnostic {
  return error(
    "DLX0205",
    `the axis ${axisText(t.axes[place]!)} of ${typeText(t)} is named twice`,
    { labels: [{ span, text: "again" }], notes: [] },
    "name each axis once",
  );
}

export function oneAxisNeeded(what: string, t: Tensor, span: Span): Diagnostic {
  return error(
    "DLX0205",
    `\`${what}\` works along one axis, and ${typeText(t)} has ${t.axes.length === 0 ? "none" : t.axes.length}`,
    { labels: [{ span, text: typeText(t) }], notes: [] },
    t.axes.length === 0 ? undefined : `say which: \`over: ${axisText(t.axes.at(-1)!)}\` or a place, \`over: -1\``,
  );
}

export function indexOfAxes(t: Tensor, span: Span): Diagnostic {
  return error(
    "DLX0205",
    `an index is along one axis, and this names none or several of ${typeText(t)}`,
    { labels: [{ span, text: "not one axis" }], notes: [] },
    "name one axis: `x[C: 0]`",
  );
}

export * from "./sizes.ts";
