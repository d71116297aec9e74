/** A mistake that one place shows. */
import type { Diagnostic, Fix } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { optional } from "./edits.ts";

export function error(
  code: string,
  title: string,
  span: Span,
  text: string,
  help?: string,
  notes: string[] = [],
  fixes?: readonly Fix[],
): Diagnostic {
  return { code, severity: "error", title, labels: [{ span, text }], notes, help, ...optional(fixes) };
}
