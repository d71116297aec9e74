/** Mistakes with what must be known before the run, and with values of a wrong kind or form. One function per mistake. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { error } from "./at-place.ts";
import { change, fix, fixed, put } from "./edits.ts";

export function wrongValue(what: string, wanted: string, got: string, span: Span, help: string): Diagnostic {
  return error("DLX0326", `${what} takes ${wanted}`, span, `this is ${got}`, help);
}

export function sizeNotWhole(what: string, got: string, span: Span, text: string | undefined): Diagnostic {
  const [, a, b] = /^([\w.]+) *\/ *([\w.]+)$/.exec(text ?? "") ?? [];
  const whole = a === undefined ? undefined : `${a} // ${b}`;
  return fixed(
    error(
      "DLX0318",
      `${what} must be a whole number, and this is ${got}`,
      span,
      `this is ${got}`,
      whole ? `divide without a rest: \`${whole}\`` : "write a whole number",
    ),
    whole === undefined ? undefined : change(span, whole),
  );
}

export function outsideOfList(count: number, n: number, span: Span): Diagnostic {
  return fixed(
    error(
      "DLX0313",
      `a list of ${count} has no place ${n}`,
      span,
      `0 to ${count - 1}, or -1 to -${count} from the end`,
      "the first is 0, and the last is -1",
    ),
    n > 0 ? change(span, "-1") : undefined,
  );
}

export function onePlaceOfList(nested: boolean, items: readonly { readonly span: Span }[], span: Span): Diagnostic {
  return fixed(
    error(
      "DLX0318",
      "a list gives one item at a time",
      span,
      "several places",
      nested
        ? "an item of an item: `a[0][1]`; as a tensor it has axes: `f32(a)[0, 1]`"
        : "gather several in a new list: `[v[i] for i in 1..2]`; as a tensor it has ranges: `f32(v)[1..2]`",
    ),
    nested
      ? fix(
          "write `][`",
          ...items.slice(1).map((item, i) => put({ ...span, start: items[i]!.span.end, end: item.span.start }, "][")),
        )
      : undefined,
  );
}

export function notWalkable(got: string, span: Span, count: number | undefined, data: boolean): Diagnostic {
  return fixed(
    error(
      "DLX0318",
      data
        ? "`for` does not walk over data: training is a block of its own"
        : "`for` walks over a range or a list known before the run",
      span,
      `this is ${got}`,
      data
        ? "write `train (x, y) in batches(data, 64) for 5 epochs { … }`"
        : count === undefined
          ? "a range holds both of its ends: `for i in 0..2 { … }`"
          : `a range holds both of its ends: write \`0..${count - 1}\``,
    ),
    count === undefined ? undefined : change(span, `0..${count - 1}`),
  );
}

export function carryChanges(name: string, before: string, after: string, span: Span): Diagnostic {
  return error(
    "DLX0317",
    `\`${name}\` changes its type from ${before} to ${after}`,
    span,
    `becomes ${after}`,
    `a loop keeps the type of what it carries: begin with a value of that shape, as in \`with ${name} = zeros([..])\``,
  );
}

export function needsConstant(what: string, got: string, span: Span): Diagnostic {
  const [, name, limit] = /^(.*) \((.*)\)$/.exec(what) ?? [];
  if (name !== undefined && /^-?\d/.test(got))
    return fixed(
      error(
        "DLX0318",
        `${name} must be ${limit === "1 or more" ? "a whole number, 1 or more" : limit}, and this is ${got}`,
        span,
        `this is ${got}`,
        limit === "1 or more" ? "write a whole number" : `write ${limit}`,
      ),
      limit === "1 or more" && span.end - span.start === got.length
        ? change(span, String(Math.max(1, Math.round(Number(got)))))
        : undefined,
    );
  return error(
    "DLX0318",
    `${what} must be known before the run`,
    span,
    `this is ${got}`,
    "use a number, a `dim` or a size",
  );
}

export function wrongInput(
  name: string,
  value: string,
  span: Span,
  allowed: string,
  given = true,
  near?: { readonly option: string; readonly written: string },
): Diagnostic {
  const guess = near && (given ? `--set ${name}=${near.option}` : near.written);
  const help = given ? `use --set ${name}=… with ${allowed}` : "begin with a value that the input allows";
  return fixed(
    error(
      "DLX0319",
      `\`${value}\` is not a value for the input \`${name}\``,
      span,
      allowed,
      guess === undefined ? help : `did you mean \`${guess}\`?`,
    ),
    near && !given ? change(span, near.written) : undefined,
  );
}

export function otherParts(count: number, got: string, parts: number | undefined, span: Span): Diagnostic {
  return error(
    "DLX0324",
    `${count} names on the left, but the value is ${got}`,
    span,
    parts === undefined ? "cannot be taken apart" : `the value has ${parts === 1 ? "one part" : `${parts} parts`}`,
    parts === undefined ? "give it one name: `let name = …`" : "write as many names as the value has parts",
  );
}

export function wrongFirstValue(got: string, declared: string, span: Span): Diagnostic {
  return error(
    "DLX0217",
    "the value has another shape than what it fills",
    span,
    `this is ${got}, and ${declared} is wanted`,
    "write a number, which fills the shape, or a value of that shape",
  );
}

export function unknownPrecision(mode: { text: string; span: Span }): Diagnostic {
  return error(
    "DLX0322",
    `\`${mode.text}\` is not a precision`,
    mode.span,
    "`f32` or `mixed`",
    "write `precision mixed`: products in half precision, everything else in f32",
  );
}
