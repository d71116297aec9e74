/** Messages as JSON: each label with its lines and columns, each message with the edits that take it away. */
import type { Diagnostic, Label } from "../../lang/diagnostic.ts";
import { LanguageService } from "../../lang/services/index.ts";
import type { Source, Span } from "../../lang/source.ts";
import { positionAt } from "../../lang/source.ts";
import { diskHost } from "./disk-host.ts";

/** The script is the first of the sources. Lines and columns count from 1. */
export async function placed(diagnostics: readonly Diagnostic[], sources: readonly Source[], data?: string) {
  const [script] = sources;
  const texts = new Map(sources.map((s) => [s.file, s.text]));
  const range = (span: Span) => {
    const text = texts.get(span.file);
    return text === undefined ? undefined : { start: positionAt(text, span.start), end: positionAt(text, span.end) };
  };
  const service = new LanguageService(diskHost(data, (file) => file));
  if (script && diagnostics.length > 0) await service.update(script.file, script.text);
  const found = [];
  for (const diagnostic of diagnostics) {
    const fix = script && (await service.fix(script.file, diagnostic));
    const fixes = fix
      ? [{ title: fix.title, edits: fix.edits.map((e) => ({ range: range(e.span), text: e.text })) }]
      : [];
    found.push({ ...diagnostic, labels: diagnostic.labels.map((l: Label) => ({ ...l, range: range(l.span) })), fixes });
  }
  return found;
}
