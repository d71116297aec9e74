/** Suggestions as edits, from places alone: a message knows where its operands stand, not what is written there. */
import type { Diagnostic, Edit, Fix } from "../diagnostic.ts";
import type { Span } from "../source.ts";

const after = ({ file, end }: Span): Span => ({ file, start: end, end });
const before = ({ file, start }: Span): Span => ({ file, start, end: start });

export const put = (span: Span, text: string): Edit => ({ span, text });
export const putBefore = (span: Span, text: string): Edit => ({ span: before(span), text });
export const putAfter = (span: Span, text: string): Edit => ({ span: after(span), text });
/** What stands between the ends of two places. */
export const between = (a: Span, b: Span): Span => ({ file: a.file, start: a.end, end: b.start });
/** From the beginning of one place to the end of another. */
export const from = (a: Span, b: Span): Span => ({ file: a.file, start: a.start, end: b.end });

/** Edits of the standard library are taken out of a message when the walk is done. */
export function fix(title: string, ...edits: readonly Edit[]): readonly Fix[] | undefined {
  return edits.length === 0 ? undefined : [{ title, edits }];
}
export const change = (span: Span, text: string): readonly Fix[] | undefined =>
  fix(`change to \`${text}\``, put(span, text));
export const insertAfter = (span: Span, text: string): readonly Fix[] | undefined =>
  fix(`insert \`${text.trim()}\``, putAfter(span, text));
export const insertBefore = (span: Span, text: string): readonly Fix[] | undefined =>
  fix(`insert \`${text.trim()}\``, putBefore(span, text));
export const remove = (span: Span, what: string): readonly Fix[] | undefined => fix(`remove ${what}`, put(span, ""));
export const wrap = (span: Span, head: string, tail: string): readonly Fix[] | undefined =>
  fix(`write \`${head}…${tail}\``, putBefore(span, head), putAfter(span, tail));

export const optional = (fixes: readonly Fix[] | undefined): { readonly fix?: readonly Fix[] } =>
  fixes === undefined ? {} : { fix: fixes };

export const fixed = (d: Diagnostic, fixes: readonly Fix[] | undefined): Diagnostic => ({ ...d, ...optional(fixes) });
