/** Where a name comes from: in the script, in an imported file, in the text of the standard library. */
import { resolvePath } from "../check/modules.ts";
import type { Span } from "../source.ts";
import type { Analysis } from "./analysis.ts";
import type { Library } from "./library.ts";
import { namesOf } from "./names.ts";
import { calleeOf, memberPlace, symbolAt } from "./symbols.ts";

export function originOf(analysis: Analysis, library: Library, offset: number): Span | undefined {
  const symbol = symbolAt(analysis, library, offset);
  switch (symbol?.kind) {
    case "local": {
      const { definition } = symbol;
      return (
        (definition.stmt?.kind === "import"
          ? imported(analysis, definition.name, definition.stmt.file.parts)
          : undefined) ?? definition.span
      );
    }
    case "library":
      return symbol.entry.place;
    case "member":
      return memberPlace(analysis, symbol.expr);
    case "argument": {
      const { call, name } = symbol.argument;
      const callee = calleeOf(analysis, library, call.callee);
      const declaration = callee?.entry.declaration;
      const params = declaration
        ? [...("settings" in declaration ? declaration.settings : []), ...declaration.params]
        : [];
      return params.find((p) => p.name.text === name.text)?.name.span;
    }
    case undefined:
      return importedFile(analysis, offset);
  }
}

function imported(analysis: Analysis, name: string, written: readonly unknown[]): Span | undefined {
  const path = resolvePath(written.filter((p) => typeof p === "string").join(""), analysis.source.file);
  const module = analysis.memory.modules.get(path);
  return module && namesOf(module.file).top.definitions.find((d) => d.name === name)?.span;
}

/** The text after `from`. */
function importedFile(analysis: Analysis, offset: number): Span | undefined {
  for (const { stmt } of analysis.statements) {
    if (stmt.kind !== "import" || offset < stmt.file.span.start || offset > stmt.file.span.end) continue;
    const path = resolvePath(stmt.file.parts.filter((p) => typeof p === "string").join(""), analysis.source.file);
    if (analysis.memory.modules.has(path)) return { file: path, start: 0, end: 0 };
  }
  return undefined;
}
