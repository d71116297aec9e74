/**
 * The first number of a step that was not finite, in words: which operation made it, from which numbers, where. The
 * walk that finds it is in `runtime/blame.ts`; here is one row per operation, told by what its operands were.
 */
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { notFinite } from "./running.ts";

/** What the walk found. */
export type Cause =
  /** An operation on finite numbers; `operands` are those of the first bad element, where the operation has them. */
  | {
      readonly kind: "op";
      readonly op: string;
      readonly operands: readonly number[];
      readonly result: number;
      readonly span?: Span;
      /** Of the loops around it, the outermost first; counted from 1. */
      readonly ticks: readonly number[];
    }
  /** A number of the script that 32 bits cannot hold. */
  | { readonly kind: "number"; readonly value: number; readonly span?: Span }
  /** A row of the data, counted from 1. */
  | { readonly kind: "row"; readonly field: string; readonly row: number; readonly value: number; readonly span?: Span }
  | { readonly kind: "column"; readonly field: string; readonly value: number; readonly span?: Span }
  /** A param or state that an earlier step left so. */
  | { readonly kind: "state"; readonly path: string; readonly value: number; readonly span?: Span };

/** Four digits; powers of ten where zeros would have to be counted. */
function text(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "infinity" : "-infinity";
  const short = Number(x.toPrecision(4));
  const size = Math.abs(short);
  if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(short);
  return short.toExponential().replace("e+", "e");
}

const LARGEST = "above the largest number of 32 bits, 3.403e38";
const SLOWER = "lower the learning rate, or clip the gradient: `with clip_norm(1.0) |> ..`";

interface Words {
  readonly what: string;
  readonly help: string;
}
type Rule = (a: number, b: number, result: number) => Words;

const overflow =
  (sign: string): Rule =>
  (a, b) => ({ what: `${text(a)} ${sign} ${text(b)} is ${LARGEST}`, help: SLOWER });
const summed =
  (what: string): Rule =>
  () => ({ what: `${what} of finite numbers is ${LARGEST}`, help: SLOWER });

/** By the name of the operation in the graph. */
const rules: Readonly<Record<string, Rule>> = {
  log: (a) => ({
    what: a < 0 ? `\`log\` of a negative number, ${text(a)}` : "`log` of 0",
    help: "keep it above 0, for instance `log(max(x, 1e-6))`; of probabilities, `log_softmax` is safe",
  }),
  log1p: (a) => ({
    what: a < -1 ? `\`log1p\` of ${text(a)}, which is below -1` : "`log1p` of -1",
    help: "keep it above -1, for instance `log1p(max(x, -0.999))`",
  }),
  sqrt: (a) => ({
    what: `\`sqrt\` of a negative number, ${text(a)}`,
    help: "keep it from falling below 0, for instance `sqrt(max(x, 0))`",
  }),
  exp: (a) => ({
    what: `\`exp\` of ${text(a)} is ${LARGEST}`,
    help: "subtract the largest first, or use `softmax` and `log_softmax`, which do; or lower the learning rate",
  }),
  div: (a, b) =>
    b === 0
      ? { what: `a division by 0: ${text(a)} / 0`, help: "keep it from 0: add a small number, as in `x / (y + 1e-6)`" }
      : overflow("/")(a, b, 0),
  mod: (a, b) =>
    b === 0 ? { what: `a division by 0: ${text(a)} % 0`, help: "keep it from 0" } : overflow("%")(a, b, 0),
  pow: (a, b, result) => {
    if (a === 0 && b < 0)
      return { what: `a division by 0: 0 ^ ${text(b)}`, help: "keep it from 0: add a small number" };
    if (Number.isNaN(result))
      return {
        what: `a negative number, ${text(a)}, to the power of ${text(b)}, which is not whole`,
        help: "keep it from falling below 0, for instance `max(x, 0) ^ 0.5`",
      };
    return overflow("^")(a, b, result);
  },
  add: overflow("+"),
  sub: overflow("-"),
  mul: overflow("*"),
  sum: summed("the sum"),
  cumsum: summed("the running sum"),
  scatter: summed("the sum"),
  dot: summed("a sum of products"),
  solve: () => ({
    what: "`solve` with a matrix that has no inverse",
    help: "make it regular, for instance by adding a small number to its diagonal",
  }),
};

/** What a person would call an operation that has no row above. */
const other = (op: string, operands: readonly number[]): Words => ({
  what: `\`${op}\` of ${operands.length > 0 ? operands.map(text).join(" and ") : "finite numbers"}`,
  help: SLOWER,
});

function wordsOf(cause: Cause): Words & { readonly label: string } {
  switch (cause.kind) {
    case "op": {
      const rule = rules[cause.op];
      const [a = NaN, b = NaN] = cause.operands;
      const words = rule ? rule(a, b, cause.result) : other(cause.op, cause.operands);
      return { ...words, label: `the first number that is not finite: ${text(cause.result)}` };
    }
    case "number":
      return {
        what: `the number ${text(cause.value)} is ${LARGEST}`,
        help: "write a smaller number",
        label: "infinity in 32 bits",
      };
    case "row":
      return {
        what: `the field \`${cause.field}\` is ${text(cause.value)} in row ${cause.row} of the data`,
        help: "mend the row, or leave it out",
        label: "read here",
      };
    case "column":
      return {
        what: `the field \`${cause.field}\` of the data holds ${text(cause.value)}`,
        help: "mend the row, or leave it out",
        label: "read here",
      };
    case "state":
      return {
        what: `\`${cause.path}\` held ${text(cause.value)} before this step`,
        help: `the update of an earlier step left it so, its gradient was not finite: ${SLOWER}`,
        label: "kept here",
      };
  }
}

/** DLX0701 with its cause. `user` is where the script uses what went wrong inside of the library. */
export function firstNotFinite(
  what: string,
  at: { readonly step: number; readonly epoch: number },
  span: Span | undefined,
  cause: Cause,
  user?: Span,
): Diagnostic {
  const plain = notFinite(what, at, span);
  const words = wordsOf(cause);
  const own = cause.span ? [{ span: cause.span, text: words.label }] : [];
  const from = user && !same(user, span) ? [{ span: user, text: "comes from here" }] : [];
  const checked = plain.labels.filter((label) => !same(cause.span, label.span));
  const ticks = cause.kind === "op" && cause.ticks.length > 0 ? [`in tick ${cause.ticks.join(", ")} of the loop`] : [];
  // The states are those of before the step, but that is no comfort here.
  const lost = [`step ${at.step}, epoch ${at.epoch}; begin again, or from the last file that was saved`];
  return {
    ...plain,
    title: `${plain.title}: ${words.what}`,
    labels: user ? [...from, ...checked, ...own] : [...own, ...checked],
    notes: [...ticks, ...(cause.kind === "state" ? lost : plain.notes)],
    help: words.help,
  };
}

function same(a: Span | undefined, b: Span | undefined): boolean {
  return a?.file === b?.file && a?.start === b?.start && a?.end === b?.end;
}
