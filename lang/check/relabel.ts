/**
 * A mistake inside of the library about an argument as it was given is shown where the argument stands: the labels and
 * the edits of a message move from the name of a parameter to the text of its argument.
 */
import type { Diagnostic, Fix } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";

interface Move {
  readonly name: Span;
  readonly arg: Span;
}

export function atArguments(
  d: Diagnostic,
  body: ast.Expr,
  args: ReadonlyMap<string, Span>,
  callee: string,
): Diagnostic {
  const first = d.labels[0]?.span;
  if (!first?.file.startsWith("stdlib/")) return d;
  const moves = movesIn(body, args);
  const arg = (span: Span): Span | undefined =>
    moves.find(({ name }) => name.file === span.file && name.start === span.start && name.end === span.end)?.arg;
  if (!arg(first)) return d;
  const labels = d.labels.flatMap((l) => {
    const moved = arg(l.span);
    return moved ? [{ span: moved, text: l.text }] : l.span.file.startsWith("stdlib/") ? [] : [l];
  });
  const dropped = d.labels.filter((l) => l.span.file.startsWith("stdlib/") && !arg(l.span) && l.text !== "");
  const { fix, ...rest } = d;
  const fixes = fix?.flatMap((f) => movedFix(f, moves));
  return {
    ...rest,
    labels,
    notes: [
      `inside of \`${callee}\`${dropped.length > 0 ? `, beside ${dropped.map((l) => l.text).join(" and ")}` : ""}`,
      ...d.notes,
    ],
    ...(fixes && fixes.length > 0 && { fix: fixes }),
  };
}

/** Every use of a parameter in the body, with its argument. */
function movesIn(body: ast.Expr, args: ReadonlyMap<string, Span>): Move[] {
  const moves: Move[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (value !== null && typeof value === "object") {
      const node = value as ast.Expr;
      const arg = node.kind === "name" ? args.get(node.text) : undefined;
      if (arg && !arg.file.startsWith("stdlib/")) moves.push({ name: node.span, arg });
      for (const [key, part] of Object.entries(value)) if (key !== "span") visit(part);
    }
  };
  visit(body);
  return moves;
}

function movedFix(fix: Fix, moves: readonly Move[]): Fix[] {
  const edits = fix.edits.map(({ span, text }) => {
    const around = moves.find(({ name: n }) => n.file === span.file && n.start <= span.start && span.end <= n.end);
    if (!around) return undefined;
    const { name, arg } = around;
    const start = span.start === name.start ? arg.start : arg.end;
    return { span: { file: arg.file, start, end: span.end === name.end ? arg.end : arg.start }, text };
  });
  const whole = edits.filter((e) => e !== undefined);
  return whole.length === edits.length ? [{ title: fix.title, edits: whole }] : [];
}
